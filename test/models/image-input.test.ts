import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxNode, ValueInfo } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { imageInput } from '../../src/models/image-input.ts';

const model = (inputs: readonly ValueInfo[], nodes: readonly OnnxNode[] = []) =>
  imageInput(
    readModel(
      encodeModel({
        name: 'g',
        opset: 13,
        inputs,
        outputs: [],
        initialisers: [],
        nodes: [{ op: 'Identity', inputs: [inputs[0]?.name ?? ''], outputs: ['y'] }, ...nodes],
      }),
      'net.onnx',
    ),
    'net.onnx',
  );

const image = (shape: ValueInfo['shape'], type: ValueInfo['type'] = 'float32'): ValueInfo => ({
  name: 'x',
  type,
  shape,
});

describe('imageInput', () => {
  it('tells layouts, and fixed from free sizes', () => {
    expect(model([image(['n', 3, 224, 200])])).toEqual({
      name: 'x',
      layout: 'NCHW',
      batch: null,
      height: 224,
      width: 200,
      channels: 3,
    });
    expect(model([image([1, 224, 200, 3])])).toMatchObject({
      layout: 'NHWC',
      batch: 1,
      height: 224,
      width: 200,
    });
    expect(model([image(['n', 3, 'h', 'w'])])).toMatchObject({
      layout: 'NCHW',
      height: null,
      width: null,
    });
    expect(model([image(['n', 'h', 'w', 3])])).toMatchObject({ layout: 'NHWC', height: null });
    expect(model([image([8, 'c', 32, 32])])).toMatchObject({ layout: 'NCHW', batch: 8 });
  });

  it('settles a free channel size by what the graph does first', () => {
    const inputs = [image(['n', 'a', 'b', 'c'])];
    expect(model(inputs).layout).toBe('NCHW');
    const bytes = encodeModel({
      name: 'g',
      opset: 13,
      inputs,
      outputs: [],
      initialisers: [],
      nodes: [
        {
          op: 'Transpose',
          inputs: ['x'],
          outputs: ['y'],
          attributes: { perm: { ints: [0, 3, 1, 2] } },
        },
      ],
    });
    expect(imageInput(readModel(bytes, 'n'), 'n').layout).toBe('NHWC');
  });

  it('takes grey images, wherever their channel is', () => {
    expect(model([image(['n', 1, 28, 28])])).toMatchObject({ layout: 'NCHW', channels: 1 });
    expect(model([image(['n', 28, 'w', 1])])).toMatchObject({ layout: 'NHWC', channels: 1 });
    const mask = { ...image([1, 1, 8, 8]), name: 'mask' };
    expect(model([mask, image([1, 3, 8, 8])])).toMatchObject({ name: 'x', channels: 3 });
  });

  it('leaves other inputs alone', () => {
    const words: ValueInfo = { name: 'words', type: 'int64', shape: [1, 77] };
    expect(model([words, image([1, 3, 8, 8])]).name).toBe('x');
  });

  it.each([
    [
      'bytes',
      [image([1, 3, 8, 8], 'uint8')],
      /x: uint8 \[1, 3, 8, 8\]; .*without its own preprocessing/,
    ],
    [
      'half precision',
      [image([1, 3, 8, 8], 'float16')],
      /got x: float16 .*; export the network in float32/,
    ],
    ['lines', [image([1, 28, 28, 28])], /got x: float32 \[1, 28, 28, 28\]; .*RGB or grey/],
    ['vectors', [image(['n', 784])], /got x: float32 \[n, 784\]/],
    ['no shape', [image(null)], /got x: float32;/],
    [
      'videos',
      [image([1, 3, 16, 112, 112])],
      /3 channels \(NCHW or NHWC\), got x: float32 \[1, 3, 16/,
    ],
    [
      'two images',
      [image([1, 3, 8, 8]), { ...image([1, 3, 8, 8]), name: 'z' }],
      /x: .*; z: .*one image input only/,
    ],
    ['nothing', [], /got a model without inputs/],
  ] as const)('refuses %s, and says what was found', (_, inputs, message) => {
    expect(() => model(inputs)).toThrow(message);
    expect(() => model(inputs)).toThrow(/^net\.onnx: input: expected an image input/);
  });
});
