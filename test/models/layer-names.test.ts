import { describe, expect, it } from 'vitest';
import { placeOf } from '../../src/graph/place.ts';
import type { ReadNode } from '../../src/graph/read-node.ts';

const node = (fields: Partial<ReadNode>): ReadNode => ({
  op: 'Conv',
  domain: '',
  name: '',
  inputs: ['x', 'w'],
  outputs: ['y'],
  captured: [],
  attributes: {},
  metadata: {},
  ...fields,
});

describe('placeOf', () => {
  it('strips the containers that TorchScript repeats', () => {
    expect(placeOf(node({ name: '/layer1/layer1.0/conv1/Conv' }))).toEqual({
      module: 'layer1.0.conv1',
      leaf: 'Conv',
    });
    expect(placeOf(node({ name: '/features/features.0/features.0.0/Conv' })).module).toBe(
      'features.0.0',
    );
    expect(
      placeOf(node({ name: '/vit/encoder/layer.0/attention/output/dense/MatMul' })).module,
    ).toBe('vit.encoder.layer.0.attention.output.dense');
    expect(placeOf(node({ name: '/Add_1' }))).toEqual({ module: '', leaf: 'Add_1' });
  });

  it('reads the modules that dynamo exports keep as metadata', () => {
    const scopes = "['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d_1']";
    const metadata = { 'pkg.torch.onnx.name_scopes': scopes, namespace: ': other/none: none' };
    expect(placeOf(node({ name: 'node_conv2d_1', metadata }))).toEqual({
      module: 'layer1.0.conv1',
      leaf: 'conv2d_1',
    });
    const namespace =
      ': torchvision.models.resnet.ResNet/layer1: Sequential/layer1.0: BasicBlock/add_1: aten.add.Tensor';
    expect(placeOf(node({ metadata: { namespace } }))).toEqual({
      module: 'layer1.0',
      leaf: 'add_1',
    });
  });

  it('reads TensorFlow paths and the names of weights in older exports', () => {
    expect(placeOf(node({ name: 'StatefulPartitionedCall/resnet50/conv1_conv/Conv2D' }))).toEqual({
      module: 'resnet50.conv1_conv',
      leaf: 'Conv2D',
    });
    expect(placeOf(node({ name: 'Conv_12', inputs: ['x', 'layer2.0.conv1.weight'] }))).toEqual({
      module: 'layer2.0.conv1',
      leaf: 'Conv_12',
    });
    expect(placeOf(node({ name: 'Conv_12', inputs: ['x', '193'] }))).toEqual({
      module: '',
      leaf: 'Conv_12',
    });
    expect(placeOf(node({}))).toEqual({ module: '', leaf: 'y' });
  });
});
