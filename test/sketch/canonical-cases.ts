import type { Attribute, Initialiser, OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import type { ArrayData, NdArray } from '../../src/records/array.ts';
import { patterned } from '../onnx.ts';

// One operation each, as the opsets write it.

type Values = Readonly<Record<string, NdArray | readonly number[]>>;

export const arrayOf = (value: NdArray | readonly number[]): NdArray<ArrayData> =>
  'data' in value ? value : { data: BigInt64Array.from(value, BigInt), shape: [value.length] };

const attributesOf = (values: Readonly<Record<string, unknown>>): Record<string, Attribute> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string'
        ? { string: value }
        : Array.isArray(value)
          ? { ints: value }
          : Number.isInteger(value)
            ? { int: value as number }
            : (value as Attribute),
    ]),
  );

/** One operation on `x` (and constants, by name) at an opset; an empty name leaves an input out. */
export const single = (
  opset: number,
  op: string,
  shape: readonly (number | string)[],
  attributes: Readonly<Record<string, unknown>> = {},
  constants: Values = {},
  outputs: readonly string[] = ['y'],
): OnnxGraph => {
  const [domain, name] = op.includes('.')
    ? [op.replace(/\.\w+$/, ''), op.split('.').at(-1)!]
    : ['', op];
  const initialisers: Initialiser[] = Object.entries(constants)
    .filter(([key]) => key.trim() !== '')
    .map(([key, value]) => ({ name: key, array: arrayOf(value) }));
  const inputs = ['x', ...Object.keys(constants).map((key) => key.trim())];
  const node: OnnxNode = {
    op: name,
    name: `/layer/${name}`,
    inputs,
    outputs,
    attributes: attributesOf(attributes),
    ...(domain === '' ? {} : { domain }),
  };
  return {
    name: 'single',
    opset,
    inputs: [{ name: 'x', type: 'float32', shape }],
    outputs: outputs.map((each) => ({ name: each, type: 'undefined', shape: null })),
    initialisers,
    nodes: [node],
  };
};

const float = (value: number): Attribute => ({ float: value });
export const numbers = (...values: number[]): NdArray => ({
  data: Float32Array.from(values),
  shape: [values.length],
});
export const scalar = (value: number): NdArray => ({ data: Float32Array.of(value), shape: [] });
export const weights = (...shape: number[]): NdArray => patterned(shape);

/** Before opset 8 these repeated nothing. */
const operands = (opset: number): Values =>
  opset < 8 ? { a: weights(2, 3) } : { a: weights(3), b: weights(2, 1) };

const image = [1, 4, 7, 6];
const norm = { a: weights(4), b: weights(4) };
const positive: NdArray = { data: Float32Array.of(0.5, 1, 1.5, 2), shape: [4] };

/** As PyTorch exports networks in training mode at opset 12 and 13: no attribute, but further outputs say so. */
export const oldTrainingNorm = (results: readonly string[]): OnnxGraph => {
  const outputs = ['y', 'm', 'v', 'saved_mean', 'saved_variance'];
  const statistics = { ...norm, mean: weights(4), var: positive };
  const graph = single(13, 'BatchNormalization', image, {}, statistics, outputs);
  return { ...graph, outputs: graph.outputs.filter(({ name }) => results.includes(name)) };
};

export const cases: readonly (readonly [title: string, graph: OnnxGraph])[] = [
  ...[7, 9, 11, 13, 17, 18, 20, 21].flatMap((opset): [string, OnnxGraph][] => [
    [
      `Conv of opset ${opset}, padded alike above`,
      single(
        opset,
        'Conv',
        image,
        { auto_pad: 'SAME_UPPER', strides: [2, 3] },
        { w: weights(2, 4, 3, 2) },
      ),
    ],
    [
      `Conv of opset ${opset}, padded alike below, in groups`,
      single(
        opset,
        'Conv',
        image,
        { auto_pad: 'SAME_LOWER', strides: [2, 1], group: 2 },
        { w: weights(2, 2, 2, 4) },
      ),
    ],
    [
      `MaxPool of opset ${opset}`,
      single(opset, 'MaxPool', image, {
        kernel_shape: [3, 2],
        auto_pad: 'SAME_UPPER',
        strides: [2, 2],
      }),
    ],
    [
      `AveragePool of opset ${opset}`,
      single(opset, 'AveragePool', image, {
        kernel_shape: [3, 3],
        pads: [1, 0, 1, 2],
        count_include_pad: 1,
      }),
    ],
    [`Softmax of opset ${opset}`, single(opset, 'Softmax', [2, 3, 2, 3], {})],
    [`LogSoftmax of opset ${opset}, axis 2`, single(opset, 'LogSoftmax', [2, 3, 4], { axis: 2 })],
    [`LogSoftmax of opset ${opset}, axis 1`, single(opset, 'LogSoftmax', [2, 3, 4], { axis: 1 })],
    [`Flatten of opset ${opset}`, single(opset, 'Flatten', [2, 3, 4], { axis: 2 })],
    [
      `Concat of opset ${opset}`,
      single(opset, 'Concat', [2, 3], { axis: 1 }, { c: weights(2, 2) }),
    ],
    [`Sum of opset ${opset}`, single(opset, 'Sum', [2, 3], {}, operands(opset))],
    [`Mean of opset ${opset}`, single(opset, 'Mean', [2, 3], {}, operands(opset))],
    [`Max of opset ${opset}`, single(opset, 'Max', [2, 3], {}, operands(opset))],
    [`Min of opset ${opset}, one operand`, single(opset, 'Min', [2, 3])],
    [
      `Reshape of opset ${opset} with 0 and −1`,
      single(opset, 'Reshape', [2, 3, 4], {}, { shape: [0, -1] }),
    ],
  ]),
  ...[7, 9, 11, 13, 17].flatMap((opset): [string, OnnxGraph][] =>
    ['ReduceMean', 'ReduceMax', 'ReduceL2', 'ReduceLogSumExp', 'ReduceSumSquare', 'ReduceL1'].map(
      (op) => [
        `${op} of opset ${opset}`,
        single(opset, op, [2, 3, 4], { axes: [-1, 0], keepdims: 0 }),
      ],
    ),
  ),
  ['ReduceProd over all', single(13, 'ReduceProd', [2, 3], {})],
  ['ReduceSum of opset 11', single(11, 'ReduceSum', [2, 3, 4], { axes: [1] })],
  ['ReduceSum of opset 13', single(13, 'ReduceSum', [2, 3, 4], {}, { axes: [-2] })],
  ['ReduceSum of opset 13 over nothing given', single(13, 'ReduceSum', [2, 3, 4])],
  ['ReduceMin of opset 20', single(20, 'ReduceMin', [2, 3, 4], {}, { axes: [2] })],
  ['Squeeze of opset 11', single(11, 'Squeeze', [1, 3, 1], { axes: [-1] })],
  ['Squeeze without axes', single(13, 'Squeeze', [1, 3, 1])],
  ['Unsqueeze of opset 11', single(11, 'Unsqueeze', [3, 4], { axes: [-1, 0] })],
  ['Unsqueeze of opset 13', single(13, 'Unsqueeze', [3, 4], {}, { axes: [1, -1] })],
  ['Split of opset 11', single(11, 'Split', [2, 6], { axis: -1, split: [1, 5] }, {}, ['y', 'z'])],
  ['Split of opset 13, even', single(13, 'Split', [2, 6], { axis: 1 }, {}, ['y', 'z', 'q'])],
  [
    'Split of opset 18, uneven',
    single(18, 'Split', [2, 7], { axis: 1, num_outputs: 3 }, {}, ['y', 'z', 'q']),
  ],
  [
    'Slice of opset 9',
    single(9, 'Slice', [4, 5], { starts: [1, -3], ends: [9, 2 ** 63], axes: [0, 1] }),
  ],
  ['Slice backwards', single(13, 'Slice', [4, 5], {}, { s: [-1], e: [-6], a: [-1], t: [-2] })],
  [
    'Pad of opset 7',
    single(7, 'Pad', [1, 1, 3, 3], { pads: [0, 0, 1, 0, 0, 0, 2, 1], value: float(1.5) }),
  ],
  ['Pad of opset 11', single(11, 'Pad', [2, 3], { mode: 'reflect' }, { pads: [0, 1, 0, 2] })],
  [
    'Pad of opset 13 with a value',
    single(13, 'Pad', [2, 3], {}, { pads: [1, 0, 0, -1], value: scalar(2) }),
  ],
  [
    'Pad of opset 18 on named axes',
    single(18, 'Pad', [2, 3], { mode: 'edge' }, { pads: [1, 2], '': [], axes: [-1] }),
  ],
  [
    'Pad of opset 19, wrapped',
    single(19, 'Pad', [2, 3, 4], { mode: 'wrap' }, { pads: [0, 1, 2, 0, 0, 3] }),
  ],
  [
    'Upsample of opset 9',
    single(9, 'Upsample', [1, 1, 3, 4], { mode: 'nearest' }, { s: numbers(1, 1, 2, 1.5) }),
  ],
  [
    'Upsample of opset 7',
    single(7, 'Upsample', [1, 1, 3, 4], { mode: 'linear', scales: { floats: [1, 1, 2, 2] } }),
  ],
  [
    'Resize of opset 10',
    single(10, 'Resize', [1, 1, 3, 4], { mode: 'linear' }, { s: numbers(1, 1, 2, 2) }),
  ],
  [
    'Resize of opset 11 by size',
    single(
      11,
      'Resize',
      [1, 2, 3, 4],
      { mode: 'linear' },
      { r: numbers(), s: numbers(), n: [1, 2, 5, 7] },
    ),
  ],
  [
    'Resize of opset 13, nearest',
    single(13, 'Resize', [1, 2, 3, 4], {}, { ' ': [], s: numbers(1, 1, 1.7, 0.6) }),
  ],
  [
    'Resize of opset 18 on named axes',
    single(
      18,
      'Resize',
      [1, 2, 3, 4],
      { mode: 'linear', axes: [2, 3] },
      { ' ': [], s: numbers(2, 1.5) },
    ),
  ],
  [
    'Resize of opset 18, antialiased',
    single(
      18,
      'Resize',
      [1, 2, 8, 8],
      { mode: 'linear', antialias: 1 },
      { ' ': [], s: numbers(1, 1, 0.5, 0.6) },
    ),
  ],
  ['TopK of opset 9', single(9, 'TopK', [2, 5], { k: 2 }, {}, ['y', 'indices'])],
  [
    'TopK of opset 11',
    single(11, 'TopK', [2, 5], { axis: 0, largest: 0 }, { k: [1] }, ['y', 'indices']),
  ],
  [
    'Scatter of opset 9',
    single(
      9,
      'Scatter',
      [3, 3],
      { axis: 1 },
      { i: { data: BigInt64Array.of(2n, 0n), shape: [1, 2] }, u: weights(1, 2) },
    ),
  ],
  ['Gather with a negative axis', single(13, 'Gather', [2, 3], { axis: -1 }, { i: [2, -3] })],
  ['DepthToSpace', single(13, 'DepthToSpace', [1, 8, 2, 3], { blocksize: 2 })],
  [
    'DepthToSpace, columns first',
    single(13, 'DepthToSpace', [1, 8, 2, 3], { blocksize: 2, mode: 'CRD' }),
  ],
  ['SpaceToDepth', single(13, 'SpaceToDepth', [1, 2, 4, 6], { blocksize: 2 })],
  ['Clip of opset 7', single(7, 'Clip', [2, 3], { min: float(-0.5), max: float(0.25) })],
  ['Clip of opset 7 from above', single(7, 'Clip', [2, 3], { max: float(0.25) })],
  ['Clip of opset 13 from below', single(13, 'Clip', [2, 3], {}, { min: scalar(0) })],
  ['Dropout of opset 7', single(7, 'Dropout', [2, 3], { ratio: float(0.5) })],
  ['Dropout of opset 13', single(13, 'Dropout', [2, 3], {}, { ratio: scalar(0.5) })],
  ['Cast to the same type', single(13, 'Cast', [2, 3], { to: 1 })],
  ['Cast to double', single(19, 'Cast', [2, 3], { to: 11 })],
  ['CastLike', single(15, 'CastLike', [2, 3], {}, { like: [1] })],
  [
    'BatchNormalization of opset 7',
    single(7, 'BatchNormalization', image, {}, { ...norm, mean: weights(4), var: positive }),
  ],
  [
    'BatchNormalization of opset 15',
    single(
      15,
      'BatchNormalization',
      image,
      { epsilon: float(0.1) },
      { ...norm, mean: weights(4), var: positive },
    ),
  ],
  [
    'BatchNormalization in training',
    single(
      15,
      'BatchNormalization',
      image,
      { training_mode: 1 },
      { ...norm, mean: weights(4), var: positive },
      ['y', 'm', 'v'],
    ),
  ],
  ['InstanceNormalization', single(13, 'InstanceNormalization', image, {}, norm)],
  [
    'LayerNormalization',
    single(17, 'LayerNormalization', [2, 3, 4], {}, { a: weights(4), b: weights(4) }),
  ],
  [
    'GroupNormalization of opset 18',
    single(18, 'GroupNormalization', image, { num_groups: 2 }, { a: weights(2), b: weights(2) }),
  ],
  [
    'GroupNormalization of opset 21',
    single(21, 'GroupNormalization', image, { num_groups: 2 }, norm),
  ],
  ['MeanVarianceNormalization', single(13, 'MeanVarianceNormalization', image)],
  ['Gelu', single(20, 'Gelu', [2, 3])],
  ['Gelu by tanh', single(20, 'Gelu', [2, 3], { approximate: 'tanh' })],
  ['Mish', single(18, 'Mish', [2, 3])],
  ['HardSwish', single(14, 'HardSwish', [2, 3])],
  ['com.microsoft.Gelu', single(17, 'com.microsoft.Gelu', [2, 3])],
  ['com.microsoft.BiasGelu', single(17, 'com.microsoft.BiasGelu', [2, 3], {}, { b: weights(3) })],
  ['com.microsoft.FastGelu', single(17, 'com.microsoft.FastGelu', [2, 3], {}, { b: weights(3) })],
  ['com.microsoft.QuickGelu', single(17, 'com.microsoft.QuickGelu', [2, 3], { alpha: float(1.5) })],
  [
    'com.microsoft.SkipLayerNormalization',
    single(
      17,
      'com.microsoft.SkipLayerNormalization',
      [1, 2, 3],
      { epsilon: float(0.01) },
      { s: weights(1, 2, 3), a: weights(3), b: weights(3), c: weights(3) },
    ),
  ],
  [
    'com.microsoft.FusedConv',
    single(
      17,
      'com.microsoft.FusedConv',
      image,
      { activation: 'Relu', pads: [1, 0, 0, 0] },
      { w: weights(2, 4, 2, 2) },
    ),
  ],
  [
    'com.microsoft.FusedGemm',
    single(
      17,
      'com.microsoft.FusedGemm',
      [2, 3],
      { activation: 'Tanh', transB: 1 },
      { w: weights(4, 3), b: weights(4) },
    ),
  ],
  [
    'com.microsoft.FusedMatMul',
    single(
      17,
      'com.microsoft.FusedMatMul',
      [2, 3, 4],
      { transA: 1, transB: 1, alpha: float(0.5) },
      { w: weights(2, 5, 3) },
    ),
  ],
  [
    'MaxPool up to the last window',
    single(13, 'MaxPool', image, { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  ],
  [
    'AveragePool up to the last window',
    single(13, 'AveragePool', image, { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  ],
  [
    'AveragePool up to the last window, padding counted',
    single(13, 'AveragePool', image, {
      kernel_shape: [3, 3],
      strides: [2, 2],
      ceil_mode: 1,
      count_include_pad: 1,
      pads: [1, 1, 1, 1],
    }),
  ],
  [
    'MaxPool with its indices',
    single(13, 'MaxPool', image, { kernel_shape: [2, 2] }, {}, ['y', 'indices']),
  ],
  [
    'Conv on one axis',
    single(
      13,
      'Conv',
      [1, 2, 7],
      { auto_pad: 'SAME_UPPER', strides: [3] },
      { w: weights(2, 2, 4) },
    ),
  ],
  [
    'ConvTranspose',
    single(
      13,
      'ConvTranspose',
      image,
      { strides: [2, 2], output_padding: [1, 0], pads: [1, 0, 0, 1] },
      { w: weights(4, 2, 3, 3) },
    ),
  ],
  [
    'ConvTranspose, padded alike above',
    single(
      13,
      'ConvTranspose',
      image,
      { strides: [2, 2], auto_pad: 'SAME_UPPER' },
      { w: weights(4, 2, 3, 3) },
    ),
  ],
  [
    'ConvTranspose, padded alike below',
    single(
      13,
      'ConvTranspose',
      image,
      { strides: [2, 2], auto_pad: 'SAME_LOWER' },
      { w: weights(4, 2, 3, 3) },
    ),
  ],
  [
    'ConvTranspose of a given size',
    single(
      13,
      'ConvTranspose',
      image,
      { strides: [2, 2], output_shape: [14, 12] },
      { w: weights(4, 2, 3, 3) },
    ),
  ],
];
