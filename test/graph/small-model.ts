import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { patterned } from '../onnx.ts';

/** A network of many kinds of operation and attribute, all of them small: most of its bytes are structure. */
export const smallGraph: OnnxGraph = {
  name: 'small',
  opset: 17,
  opsets: { 'com.microsoft': 1 },
  inputs: [{ name: 'x', type: 'float32', shape: ['n', 2, 4, 4] }],
  outputs: [
    { name: 'y', type: 'float32', shape: ['n', 4] },
    { name: 'mean', type: 'float32', shape: null },
  ],
  initialisers: [
    { name: 'w', array: patterned([2, 2, 3, 3]) },
    { name: 'fc', array: patterned([8, 4]) },
    { name: 'scale', array: { data: Float32Array.of(1, 2), shape: [2] } },
    { name: 'shift', array: { data: Float32Array.of(0.5, -0.5), shape: [2] } },
    { name: 'one', array: { data: BigInt64Array.of(1n), shape: [1] } },
    { name: 'yes', array: { data: Uint8Array.of(1), shape: [] }, type: 'bool' },
  ],
  nodes: [
    {
      op: 'Conv',
      name: '/stem/Conv',
      inputs: ['x', 'w'],
      outputs: ['c'],
      attributes: { auto_pad: { string: 'SAME_UPPER' }, strides: { ints: [1, 1] } },
      metadata: { namespace: 'stem' },
    },
    {
      op: 'InstanceNormalization',
      inputs: ['c', 'scale', 'shift'],
      outputs: ['norm'],
      attributes: { epsilon: { float: 2 ** -10 } },
    },
    { op: 'Gelu', domain: 'com.microsoft', inputs: ['norm'], outputs: ['g'] },
    { op: 'Where', inputs: ['yes', 'g', 'c'], outputs: ['chosen'] },
    {
      op: 'AveragePool',
      inputs: ['chosen'],
      outputs: ['p'],
      attributes: { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } },
    },
    {
      op: 'Constant',
      inputs: [],
      outputs: ['zero'],
      attributes: { value_ints: { ints: [0] } },
    },
    {
      op: 'Constant',
      inputs: [],
      outputs: ['rest'],
      attributes: { value: { tensor: { data: BigInt64Array.of(-1n), shape: [1] } } },
    },
    { op: 'Shape', inputs: ['p'], outputs: ['shape'] },
    {
      op: 'Slice',
      inputs: ['shape', 'zero', 'one'],
      outputs: ['batch'],
    },
    {
      op: 'Concat',
      inputs: ['batch', 'rest'],
      outputs: ['target'],
      attributes: { axis: { int: 0 } },
    },
    { op: 'Reshape', inputs: ['p', 'target'], outputs: ['flat'] },
    { op: 'MatMul', inputs: ['flat', 'fc'], outputs: ['y'] },
    { op: 'ReduceMean', inputs: ['y'], outputs: ['mean'], attributes: { axes: { ints: [-1] } } },
  ],
};

export const smallModel: Uint8Array = encodeModel(smallGraph);

const branch = (name: string, op: string) => ({
  graph: {
    name,
    inputs: [],
    outputs: [{ name: 't', type: 'float32', shape: null } as const],
    initialisers: [{ name: 'bias', array: patterned([3]) }],
    nodes: [
      { op, inputs: ['x'], outputs: ['s'] },
      { op: 'Add', inputs: ['s', 'bias'], outputs: ['t'] },
    ],
  },
});

/** A branch that the shape of the input decides, as exporters write `squeeze`. */
export const branchModel: Uint8Array = encodeModel({
  name: 'branches',
  opset: 17,
  inputs: [{ name: 'x', type: 'float32', shape: [2, 3] }],
  outputs: [{ name: 'y', type: 'float32', shape: null }],
  initialisers: [{ name: 'two', array: { data: BigInt64Array.of(2n), shape: [] } }],
  nodes: [
    { op: 'Size', inputs: ['x'], outputs: ['size'] },
    { op: 'Mod', inputs: ['size', 'two'], outputs: ['odd'] },
    { op: 'Cast', inputs: ['odd'], outputs: ['is odd'], attributes: { to: { int: 9 } } },
    {
      op: 'If',
      inputs: ['is odd'],
      outputs: ['y'],
      attributes: { then_branch: branch('then', 'Neg'), else_branch: branch('else', 'Abs') },
    },
  ],
});
