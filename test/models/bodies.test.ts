import { expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { GraphBody, OnnxNode } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { hiddenProducts } from '../../src/models/bodies.ts';
import { imageInput } from '../../src/models/image-input.ts';
import { patterned } from '../onnx.ts';

it('says which nodes hide convolutions in their bodies, also in bodies of bodies', () => {
  const body = (nodes: readonly OnnxNode[]): { graph: GraphBody } => ({
    graph: {
      ...{ name: 'body', inputs: [], initialisers: [], nodes },
      outputs: [{ name: nodes[0]!.outputs[0]!, type: 'float32', shape: null }],
    },
  });
  const conv = (output: string): OnnxNode => ({
    op: 'Conv',
    inputs: ['x', 'w'],
    outputs: [output],
  });
  const relu: OnnxNode = { op: 'Relu', inputs: ['x'], outputs: ['r'] };
  const choice = (name: string, one: readonly OnnxNode[], output: string): OnnxNode => ({
    ...{ op: 'If', name, inputs: ['yes'], outputs: [output] },
    attributes: { then_branch: body(one), else_branch: body([relu]) },
  });
  const bytes = encodeModel({
    name: 'bodies',
    opset: 13,
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 8, 8] }],
    outputs: [{ name: 'y', type: 'float32', shape: null }],
    initialisers: [
      { name: 'w', array: patterned([3, 3, 1, 1]) },
      { name: 'yes', array: { data: Uint8Array.of(1), shape: [] }, type: 'bool' },
    ],
    nodes: [
      choice('plain', [relu], 'p'),
      choice('outer', [choice('inner', [conv('a')], 'i')], 'o'),
      choice('single', [conv('b')], 'y'),
    ],
  });
  const structure = readModel(bytes, 'bodies.onnx');
  const input = imageInput(structure, 'bodies.onnx');
  expect(
    hiddenProducts({
      ...{
        name: 'bodies.onnx',
        bytes,
        structure,
        input,
        externalData: [],
        path: null,
        sha256: '',
      },
    }),
  ).toEqual([
    '2 convolutions or products inside the bodies of If, Loop or Scan are not among the layers: outer, single',
  ]);
});
