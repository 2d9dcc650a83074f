import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxNode } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { imageInput } from '../../src/models/image-input.ts';
import type { Network } from '../../src/models/network.ts';
import { patterned } from '../onnx.ts';

/** A convolution with ReLU, its map as tokens, a product with ReLU, and what comes behind it. */
export const tokenNetwork = (
  batch: number | string,
  side: number,
  last: readonly OnnxNode[],
): Network => {
  const bytes = encodeModel({
    name: 'tokens',
    opset: 13,
    inputs: [{ name: 'x', type: 'float32', shape: [batch, 3, side, side] }],
    outputs: [{ name: 'y', type: 'float32', shape: null }],
    initialisers: [
      { name: 'w', array: patterned([4, 3, 1, 1]) },
      { name: 'v', array: patterned([4, 5]) },
      { name: 'u', array: patterned([5, 5]) },
      { name: 'flat', array: { data: BigInt64Array.of(0n, 0n, -1n), shape: [3] } },
    ],
    nodes: [
      { op: 'Conv', name: 'stem', inputs: ['x', 'w'], outputs: ['c'] },
      { op: 'Relu', inputs: ['c'], outputs: ['r'] },
      { op: 'Reshape', inputs: ['r', 'flat'], outputs: ['nct'] },
      {
        op: 'Transpose',
        inputs: ['nct'],
        outputs: ['tnc'],
        attributes: { perm: { ints: [2, 0, 1] } },
      },
      { op: 'MatMul', name: 'fc', inputs: ['tnc', 'v'], outputs: ['h'] },
      { op: 'Relu', inputs: ['h'], outputs: ['tokens'] },
      ...last,
    ],
  });
  const structure = readModel(bytes, 'tokens.onnx');
  return {
    ...{ name: 'tokens.onnx', bytes, structure, externalData: [], path: null, sha256: '' },
    input: imageInput(structure, 'tokens.onnx'),
  };
};

/** A product behind the tokens. */
export const tail: readonly OnnxNode[] = [
  { op: 'MatMul', name: 'next', inputs: ['tokens', 'u'], outputs: ['n'] },
  { op: 'Relu', inputs: ['n'], outputs: ['y'] },
];

/** The same, of tokens from which the mean over the images was taken. */
export const mixing: readonly OnnxNode[] = [
  {
    op: 'ReduceMean',
    inputs: ['tokens'],
    outputs: ['mean'],
    attributes: { axes: { ints: [1] } },
  },
  { op: 'Sub', inputs: ['tokens', 'mean'], outputs: ['centred'] },
  { op: 'MatMul', name: 'next', inputs: ['centred', 'u'], outputs: ['n'] },
  { op: 'Relu', inputs: ['n'], outputs: ['y'] },
];
