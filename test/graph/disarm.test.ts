import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/graph/decode.ts';
import { disarmedGraph } from '../../src/graph/disarm.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import type {
  Attribute,
  Attributes,
  Initialiser,
  OnnxGraph,
  OnnxNode,
} from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { spliceModel } from '../../src/graph/splice.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import { relativeError, runOnnx } from '../onnx.ts';

interface Variant {
  readonly opset?: number;
  readonly pool?: 'MaxPool' | 'AveragePool';
  /** Pads of the pool; null leaves them out. */
  readonly own?: readonly number[] | null;
  readonly pads?: readonly number[];
  readonly between?: readonly Omit<OnnxNode, 'outputs'>[];
  readonly shape?: readonly number[];
  readonly constants?: readonly Initialiser[];
  readonly more?: Attributes;
}

const int64 = (name: string, values: readonly number[]): Initialiser => ({
  name,
  array: { data: BigInt64Array.from(values, BigInt), shape: [values.length] },
});
const one: Initialiser = { name: 'one', array: { data: Float32Array.of(1), shape: [] } };
const ints = (...values: readonly number[]): Attribute => ({ ints: values });

/** A Pad with zeros, what lies between, and a pool of 3 × 3 at stride 2. */
const graphOf = ({
  opset = 13,
  pool = 'MaxPool',
  own = [0, 0, 0, 0],
  pads = [0, 0, 1, 1, 0, 0, 1, 1],
  between = [],
  shape = [1, 2, 8, 8],
  constants = [],
  more = {},
}: Variant): OnnxGraph => {
  const pad: OnnxNode =
    opset < 11
      ? { op: 'Pad', inputs: ['x'], outputs: ['t0'], attributes: { pads: { ints: pads } } }
      : { op: 'Pad', inputs: ['x', 'pads'], outputs: ['t0'] };
  const moved = between.map(
    (node, index): OnnxNode => ({
      ...node,
      inputs: [`t${index}`, ...node.inputs],
      outputs: [`t${index + 1}`],
    }),
  );
  return {
    name: 'pad and pool',
    opset,
    inputs: [{ name: 'x', type: 'float32', shape }],
    outputs: [{ name: 'y', type: 'undefined', shape: null }],
    initialisers: [...(opset < 11 ? [] : [int64('pads', pads)]), ...constants],
    nodes: [
      pad,
      ...moved,
      {
        op: pool,
        inputs: [`t${between.length}`],
        outputs: ['y'],
        attributes: {
          kernel_shape: ints(3, 3),
          strides: ints(2, 2),
          ...(own === null ? {} : { pads: { ints: own } }),
          ...more,
        },
      },
    ],
  };
};

/** Negative everywhere, so that a zero of the padding is the largest of its window. */
const negative = (shape: readonly number[]): Float32Nd => ({
  data: Float32Array.from(
    { length: shape.reduce((size, each) => size * each, 1) },
    (_, i) => -1 - ((i * 37) % 101) / 50,
  ),
  shape,
});

const all = { graphOptimizationLevel: 'all' } as const;
const disabled = { graphOptimizationLevel: 'disabled' } as const;

const spliced = (graph: OnnxGraph): Uint8Array => {
  const bytes = encodeModel(graph);
  return spliceModel(bytes, readModel(bytes, 'model.onnx'), { outputs: ['y'] });
};

const transpose = (...perm: readonly number[]) => ({
  op: 'Transpose',
  inputs: [],
  attributes: { perm: { ints: perm } },
});
const plain = (op: string, inputs: readonly string[] = [], attributes = {}) => ({
  op,
  inputs,
  attributes,
});

const variants: Readonly<Record<string, Variant>> = {
  'side by side': {},
  'no pads of the pool named': { own: null },
  'uneven pads': { pads: [0, 0, 0, 0, 0, 0, 1, 1] },
  'a pool with padding of its own': { own: [1, 1, 1, 1] },
  'pads as wide as the kernel': { pads: [0, 0, 3, 3, 0, 0, 3, 3] },
  'opset 7': { opset: 7 },
  'opset 9': { opset: 9, own: null },
  'opset 21': { opset: 21 },
  'an Identity between': { between: [plain('Identity')] },
  'a Dropout between': { between: [plain('Dropout')] },
  'a Cast between': { between: [plain('Cast', [], { to: { int: 1 } })] },
  'a product with 1 between': { between: [plain('Mul', ['one'])], constants: [one] },
  'an Expand to its own size between': {
    between: [plain('Expand', ['size'])],
    constants: [int64('size', [1, 2, 10, 10])],
  },
  'two transpositions between': { between: [transpose(0, 2, 3, 1), transpose(0, 3, 1, 2)] },
  'channels last, transposed': {
    shape: [1, 8, 8, 2],
    pads: [0, 1, 1, 0, 0, 1, 1, 0],
    between: [transpose(0, 3, 1, 2)],
  },
  'an AveragePool behind wide pads': { pool: 'AveragePool', pads: [0, 0, 3, 3, 0, 0, 3, 3] },
  'an AveragePool that pads as well': {
    pool: 'AveragePool',
    own: [2, 2, 2, 2],
    more: { count_include_pad: { int: 1 } },
  },
  'an AveragePool behind wide pads, opset 9': {
    opset: 9,
    pool: 'AveragePool',
    pads: [0, 0, 3, 3, 0, 0, 3, 3],
  },
};

describe('a Pad with zeros before a pool', () => {
  it.each(
    Object.entries(variants),
  )('%s: optimised as it stands in the file', async (_, variant) => {
    const graph = graphOf(variant);
    const x = negative(variant.shape ?? [1, 2, 8, 8]);
    const { y: expected } = await runOnnx(encodeModel(graph), { x }, disabled);
    const { y } = await runOnnx(spliced(graph), { x }, all);
    expect(y!.shape).toEqual(expected!.shape);
    expect(relativeError(y!.data, expected!.data)).toBeLessThan(1e-6);
    if ((variant.opset ?? 13) < 11) return;
    const decoded = encodeModel(disarmedGraph(graph));
    const { y: again } = await runOnnx(decoded, { x }, all);
    expect(relativeError(again!.data, expected!.data)).toBeLessThan(1e-6);
  });

  it('is merged with minus infinity by the engine otherwise, which would make all this needless', async () => {
    const x = negative([1, 2, 8, 8]);
    const bytes = encodeModel(graphOf({}));
    const { y: expected } = await runOnnx(bytes, { x }, disabled);
    const { y } = await runOnnx(bytes, { x }, all);
    expect(relativeError(y!.data, expected!.data)).toBeGreaterThan(0.5);
  });

  it.each([
    ['an initialiser', false],
    ['a Constant node', true],
  ])('of half precision, its zero %s', async (_, isNode) => {
    const zero = { name: 'zero', type: 'float16', array: { data: Uint16Array.of(0), shape: [] } };
    const graph = graphOf({
      between: [plain('Identity')],
      constants: isNode ? [] : [zero as Initialiser],
    });
    const [pad, identity, pool] = graph.nodes as [OnnxNode, OnnxNode, OnnxNode];
    const half: OnnxGraph = {
      ...graph,
      nodes: [
        ...(isNode
          ? [
              {
                op: 'Constant',
                inputs: [],
                outputs: ['zero'],
                attributes: { value: { tensor: zero.array, type: 'float16' as const } },
              },
            ]
          : []),
        { op: 'Cast', inputs: ['x'], outputs: ['h'], attributes: { to: { int: 10 } } },
        { ...pad, inputs: ['h', 'pads', 'zero'] },
        identity,
        { ...pool, outputs: ['z'] },
        { op: 'Cast', inputs: ['z'], outputs: ['y'], attributes: { to: { int: 1 } } },
      ],
    };
    const x = negative([1, 2, 8, 8]);
    const { y: expected } = await runOnnx(encodeModel(half), { x }, disabled);
    expect(Math.max(...expected!.data)).toBe(0);
    const { y } = await runOnnx(spliced(half), { x }, all);
    expect(relativeError(y!.data, expected!.data)).toBeLessThan(1e-3);
  });

  it('of 8-bit integers', async () => {
    const zero: Initialiser = { name: 'zero', array: { data: Int8Array.of(0), shape: [] } };
    const graph = graphOf({ constants: [zero] });
    const [pad, pool] = graph.nodes as [OnnxNode, OnnxNode];
    const small: OnnxGraph = {
      ...graph,
      nodes: [
        { op: 'Cast', inputs: ['x'], outputs: ['h'], attributes: { to: { int: 3 } } },
        { ...pad, inputs: ['h', 'pads', 'zero'] },
        { ...pool, outputs: ['z'] },
        { op: 'Cast', inputs: ['z'], outputs: ['y'], attributes: { to: { int: 1 } } },
      ],
    };
    const x = negative([1, 2, 8, 8]);
    const { y: expected } = await runOnnx(encodeModel(small), { x }, disabled);
    const { y } = await runOnnx(spliced(small), { x }, all);
    expect(y!.data).toEqual(expected!.data);
  });

  it('leaves other padding as bytes: before a convolution, with another value, reflected', () => {
    const value: Initialiser = { name: 'low', array: { data: Float32Array.of(-9), shape: [] } };
    const graph = graphOf({ constants: [value] });
    const [pad, pool] = graph.nodes as [OnnxNode, OnnxNode];
    for (const other of [
      { ...pad, inputs: ['x', 'pads', 'low'] },
      { ...pad, attributes: { mode: { string: 'reflect' } } },
    ]) {
      const file = spliced({ ...graph, nodes: [other, pool] });
      const { nodes, initialisers } = decodeModel(file, 'model.onnx');
      expect(nodes[0]!.inputs).toEqual(other.inputs);
      expect(initialisers.map(({ name }) => name)).not.toContain('ventral.zero.float32');
    }
  });

  it('disarms once: what was disarmed stays as it is', () => {
    const once = disarmedGraph(graphOf({}));
    expect(once.initialisers.map(({ name }) => name)).toEqual(['pads', 'ventral.zero.float32']);
    expect(disarmedGraph(once)).toEqual(once);
  });
});
