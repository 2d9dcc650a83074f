import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { patterned } from '../onnx.ts';
import { smallGraph } from './small-model.ts';

const ints = (name: string, ...values: readonly number[]) => ({
  name,
  array: { data: BigInt64Array.from(values, BigInt), shape: [values.length] },
});

/** `smallGraph` for images of three channels. */
const convolutional: OnnxGraph = {
  ...smallGraph,
  inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 4, 4] }],
  initialisers: smallGraph.initialisers.map((each) =>
    each.name === 'w' ? { name: 'w', array: patterned([2, 3, 3, 3]) } : each,
  ),
};

const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: NonNullable<OnnxNode['attributes']> = {},
): OnnxNode => ({ op, name: `/blocks.0/${outputs[0]}/${op}`, inputs, outputs, attributes });

/** Patches, a token in front, attention among them, a split of features, and a classifier with a softmax. */
const tokens: OnnxGraph = {
  name: 'tokens',
  opset: 17,
  inputs: [{ name: 'x', type: 'float32', shape: [1, 3, 4, 4] }],
  outputs: [{ name: 'p', type: 'float32', shape: [1, 5] }],
  initialisers: [
    { name: 'w', array: patterned([4, 3, 2, 2]) },
    { name: 'cls', array: patterned([1, 1, 4]) },
    { name: 'qkv', array: patterned([4, 12]) },
    { name: 'gamma', array: patterned([4]) },
    { name: 'fc', array: patterned([4, 5]) },
    { name: 'b', array: patterned([5]) },
    ...[ints('flat', 1, 4, -1), ints('zero', 0), ints('one', 1), ints('parts', 4, 4, 4)],
  ],
  nodes: [
    node('Conv', ['x', 'w'], ['patch'], { strides: { ints: [2, 2] } }),
    node('Reshape', ['patch', 'flat'], ['rows']),
    node('Transpose', ['rows'], ['tokens'], { perm: { ints: [0, 2, 1] } }),
    node('Concat', ['cls', 'tokens'], ['all'], { axis: { int: 1 } }),
    node('LayerNormalization', ['all', 'gamma'], ['norm'], { axis: { int: -1 } }),
    node('MatMul', ['norm', 'qkv'], ['joint']),
    node('Split', ['joint', 'parts'], ['q', 'k', 'v'], { axis: { int: 2 } }),
    node('Transpose', ['k'], ['kt'], { perm: { ints: [0, 2, 1] } }),
    node('MatMul', ['q', 'kt'], ['dots']),
    node('Softmax', ['dots'], ['weights'], { axis: { int: -1 } }),
    node('MatMul', ['weights', 'v'], ['mixed']),
    node('Add', ['mixed', 'all'], ['sum']),
    node('Slice', ['sum', 'zero', 'one', 'one'], ['first']),
    node('Squeeze', ['first', 'one'], ['token']),
    node('Gemm', ['token', 'fc', 'b'], ['logits']),
    node('Softmax', ['logits'], ['p'], { axis: { int: 1 } }),
  ],
};

export const convolutionalModel: Uint8Array = encodeModel(convolutional);
export const tokenModel: Uint8Array = encodeModel(tokens);
