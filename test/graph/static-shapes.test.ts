import { readdirSync, readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/graph/decode.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import { inferGraphFacts } from '../../src/graph/facts.ts';
import type { OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { fixInputs } from '../../src/graph/rewrite.ts';
import { nodeFacts, staticShapes } from '../../src/graph/static-shapes.ts';
import { wholeNumbers } from '../../src/graph/storage.ts';
import type { ArrayData } from '../../src/records/array.ts';
import { goldenModel, patterned } from '../onnx.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';

/** Type and shape of every tensor in one run of the engine. */
const dryRun = async (graph: OnnxGraph): Promise<Map<string, string>> => {
  const outputs = graph.nodes
    .flatMap((node) => node.outputs)
    .filter((name) => name !== '')
    .map((name) => ({ name, type: 'undefined', shape: null }) as const);
  const session = await ort.InferenceSession.create(encodeModel({ ...graph, outputs }), {
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
  });
  const feeds = graph.inputs.map(({ name, shape }) => {
    const { data, shape: dims } = patterned(shape as number[]);
    return [name, new ort.Tensor('float32', data, dims)];
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return new Map(
    Object.entries(results).map(([name, { type, dims }]) => [name, `${type} ${dims.join(' ')}`]),
  );
};

const foretold = (graph: OnnxGraph, of: ReadonlyMap<string, string>): Map<string, string> => {
  const facts = staticShapes(graph);
  return new Map(
    [...of.keys()].map((name) => {
      const { type, shape } = facts.get(name)!;
      return [name, `${type} ${shape.join(' ')}`];
    }),
  );
};

const sized = (graph: OnnxGraph): OnnxGraph =>
  fixInputs(
    graph,
    Object.fromEntries(
      graph.inputs.map(({ name, shape }) => [
        name,
        shape!.map((size) => (typeof size === 'number' ? size : 3)),
      ]),
    ),
  );

describe('staticShapes foretells type and shape of every tensor of a run', () => {
  const families = readdirSync(new URL('../golden/families/', import.meta.url)).filter((name) =>
    name.endsWith('.onnx.gz'),
  );
  it.each(families)('of %s', async (file) => {
    const graph = sized(decodeModel(goldenModel(`families/${file}`).bytes, file));
    const run = await dryRun(graph);
    expect(run.size).toBeGreaterThan(10);
    expect(foretold(graph, run)).toEqual(run);
  });

  const folder = sharedPath('data', 'models');
  it.skipIf(folder === null)(
    `of the real networks${folder === null ? `: skipped, ${sharedSkipReason}` : ''}`,
    async () => {
      for (const file of readdirSync(folder!)) {
        const graph = decodeModel(readFileSync(`${folder}/${file}`), file);
        const run = await dryRun(graph);
        expect(foretold(graph, run), file).toEqual(run);
      }
    },
  );
});

describe('operations that no family has', () => {
  const scalar = (name: string, value: number) => ({
    name,
    array: { data: Float32Array.of(value), shape: [] },
  });
  const byte = (name: string, data: Uint8Array | Int8Array, shape: readonly number[]) => ({
    name,
    array: { data, shape },
  });

  it('quantised ones, one-hot codes and sampled grids', async () => {
    const graph: OnnxGraph = {
      name: 'quantised',
      opset: 18,
      inputs: [{ name: 'x', type: 'float32', shape: [1, 2, 5, 5] }],
      outputs: [],
      initialisers: [
        ...[scalar('s', 0.1), byte('z', Uint8Array.of(3), [])],
        byte('w', new Uint8Array(3 * 2 * 2 * 2).fill(7), [3, 2, 2, 2]),
        byte('m', new Uint8Array(5 * 4).fill(9), [5, 4]),
        { name: 'depth', array: { data: BigInt64Array.of(6n), shape: [] } },
        { name: 'values', array: { data: Float32Array.of(0, 1), shape: [2] } },
        { name: 'grid', array: patterned([1, 3, 4, 2]) },
      ],
      nodes: [
        { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['q'] },
        {
          op: 'QLinearConv',
          inputs: ['q', 's', 'z', 'w', 's', 'z', 's', 'z'],
          outputs: ['conv'],
          attributes: { strides: { ints: [2, 1] } },
        },
        { op: 'QLinearMatMul', inputs: ['q', 's', 'z', 'm', 's', 'z', 's', 'z'], outputs: ['p'] },
        { op: 'DequantizeLinear', inputs: ['p', 's', 'z'], outputs: ['real'] },
        { op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['d', 'ds', 'dz'] },
        { op: 'MatMulInteger', inputs: ['d', 'm', 'dz'], outputs: ['whole'] },
        { op: 'ConvInteger', inputs: ['d', 'w', 'dz'], outputs: ['whole conv'] },
        { op: 'ArgMax', inputs: ['x'], outputs: ['top'], attributes: { axis: { int: 1 } } },
        { op: 'OneHot', inputs: ['top', 'depth', 'values'], outputs: ['code'] },
        { op: 'GridSample', inputs: ['x', 'grid'], outputs: ['sampled'] },
        {
          op: 'FusedMatMul',
          domain: 'com.microsoft',
          inputs: ['x', 'real'],
          outputs: ['fused'],
          attributes: { transA: { int: 1 } },
        },
      ],
    };
    const run = await dryRun(graph);
    expect(run.get('code')).toBe('float32 1 1 5 5 6');
    expect(foretold(graph, run)).toEqual(run);
  });
});

const graphOf = (node: OnnxNode, shape: readonly (number | string)[]): OnnxGraph => ({
  name: 'net',
  opset: 18,
  inputs: [{ name: 'x', type: 'float32', shape }],
  outputs: [{ name: 'y', type: 'float32', shape: null }],
  initialisers: [{ name: 'target', array: { data: BigInt64Array.of(2n, -1n), shape: [2] } }],
  nodes: [node],
});

describe('what is not static is refused by name', () => {
  const reshape: OnnxNode = {
    op: 'Reshape',
    name: '/head/Reshape',
    inputs: ['x', 'target'],
    outputs: ['y'],
  };

  it('free inputs', () => {
    expect(() => staticShapes(graphOf(reshape, ['batch', 3]))).toThrow(
      /^input "x": expected a shape of which every size is fixed, got \[\?, 3\]; give its sizes/,
    );
  });

  it('sizes that depend on values, and operations that are not known', () => {
    const nonZero: OnnxNode = { op: 'NonZero', inputs: ['x'], outputs: ['y'] };
    expect(() => staticShapes(graphOf(nonZero, [2, 3]))).toThrow(
      /node "y" \(NonZero\), tensor "y": expected an operation that is known, .* got NonZero/,
    );
    const odd: OnnxNode = {
      op: 'Odd',
      domain: 'my',
      name: '/a/Odd',
      inputs: ['x'],
      outputs: ['y'],
    };
    expect(() => staticShapes(graphOf(odd, [2, 3]))).toThrow(
      /node "\/a\/Odd" \(Odd, layer a\), tensor "y": .* without this operation/,
    );
  });

  it('a batch that is fixed inside the network', () => {
    expect(staticShapes(graphOf(reshape, [4, 3])).get('y')!.shape).toEqual([2, 6]);
    expect(() => staticShapes(graphOf(reshape, [3, 3]))).toThrow(
      /node "\/head\/Reshape" \(Reshape, layer head\), tensor "y".*batch, height and width/,
    );
    const fixed = { ...graphOf(reshape, [3, 3]) };
    const wrong = { name: 'target', array: { data: BigInt64Array.of(2n, 3n), shape: [2] } };
    expect(() => staticShapes({ ...fixed, initialisers: [wrong] })).toThrow(
      /\(Reshape, layer head\), tensor "y"/,
    );
  });
});

describe('sizes that no tensor can have', () => {
  const withTarget = (data: ArrayData, op = 'Reshape'): OnnxGraph => ({
    ...graphOf({ op, name: 'n', inputs: ['x', 'target'], outputs: ['y'] }, [2, 3]),
    initialisers: [{ name: 'target', array: { data, shape: [data.length] } }],
  });

  it.each([
    ['fractions', Float32Array.of(0.26, -1)],
    ['not numbers', Float32Array.of(Number.NaN, 2)],
    ['below zero', BigInt64Array.of(-2n, 3n)],
    ['beyond what can be counted', BigInt64Array.of(2n ** 60n, -1n)],
  ])('are not known: %s', (_, data) => {
    const shape = inferGraphFacts(withTarget(data)).get('y')!.shape ?? [null];
    const known = shape.filter((size) => size !== null);
    expect(known.every((size) => size >= 0 && Number.isSafeInteger(size))).toBe(true);
    expect(shape[0]).toBeNull();
    expect(() => staticShapes(withTarget(data))).toThrow(/\(Reshape\), tensor "y"/);
  });

  it('an axis that a tensor does not have is refused by name', () => {
    const softmax: OnnxNode = {
      ...{ op: 'Softmax', name: 'n', inputs: ['x'], outputs: ['y'] },
      attributes: { axis: { int: -(2 ** 31) } },
    };
    expect(() => staticShapes(graphOf(softmax, [2, 3]))).toThrow(
      /node "n" \(Softmax\): expected an axis of a tensor of rank 2, got -2147483648/,
    );
    const flatten: OnnxNode = { ...softmax, op: 'Flatten', attributes: { axis: { int: 2 } } };
    expect(staticShapes(graphOf(flatten, [2, 3])).get('y')!.shape).toEqual([6, 1]);
  });

  it('whole numbers are clamped to int64, not wrapped', () => {
    expect([...wholeNumbers([-(2 ** 64), 2 ** 64, -Infinity, -3])]).toEqual([
      ...[-(2n ** 63n), 2n ** 63n - 1n, -(2n ** 63n), -3n],
    ]);
  });

  it('products that a double would round are not known', () => {
    const nodes: OnnxNode[] = [
      { op: 'Mul', inputs: ['target', 'target'], outputs: ['square'] },
      { op: 'Reshape', inputs: ['x', 'square'], outputs: ['y'] },
    ];
    const facts = inferGraphFacts({ ...withTarget(BigInt64Array.of(2n ** 40n, 3n)), nodes });
    expect(facts.get('square')!.values).toEqual([null, 9]);
  });
});

describe('nodeFacts', () => {
  it('takes constants where a shape depends on them, and inputs that are left out', () => {
    const x = { type: 'float32', shape: [1, 2, 4, 4] } as const;
    const none = { type: 'undefined', shape: [] } as const;
    const scales = {
      type: 'float32',
      shape: [4],
      values: { data: Float32Array.of(1, 1, 2, 1.5), shape: [4] },
    } as const;
    const node: OnnxNode = { op: 'Resize', inputs: ['x', '', 's'], outputs: ['y'] };
    expect(nodeFacts(node, [x, none, scales], 18)).toEqual([
      { type: 'float32', shape: [1, 2, 8, 6] },
    ]);
    expect(() => nodeFacts(node, [x, none, { ...scales, values: null }], 18)).toThrow(
      /node "y" \(Resize\)/,
    );
  });

  it('knows further outputs and their types', () => {
    const x = { type: 'float32', shape: [1, 2, 4, 4] } as const;
    const pool: OnnxNode = {
      op: 'MaxPool',
      inputs: ['x'],
      outputs: ['y', 'indices'],
      attributes: { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } },
    };
    expect(nodeFacts(pool, [x], 18)).toEqual([
      { type: 'float32', shape: [1, 2, 2, 2] },
      { type: 'int64', shape: [1, 2, 2, 2] },
    ]);
  });
});
