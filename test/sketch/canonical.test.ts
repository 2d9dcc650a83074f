import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/graph/decode.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import type { Initialiser, OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { fixInputs } from '../../src/graph/rewrite.ts';
import { staticShapes } from '../../src/graph/static-shapes.ts';
import { CANONICAL_OPSET, canonical } from '../../src/sketch/canonical.ts';
import { goldenModel, patterned, relativeError, runOnnx } from '../onnx.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';
import {
  arrayOf,
  cases,
  numbers,
  oldTrainingNorm,
  scalar,
  single,
  weights,
} from './canonical-cases.ts';

const everyTensor = ({ nodes }: OnnxGraph): OnnxGraph['outputs'] =>
  nodes.flatMap(({ outputs }) =>
    outputs.flatMap((name) => (name === '' ? [] : [{ name, type: 'undefined', shape: null }])),
  );

/** The largest difference of any output, relative; and every tensor has the shape that was foretold. */
const difference = async (graph: OnnxGraph, bytes = encodeModel(graph)): Promise<number> => {
  const sized = fixInputs(
    graph,
    Object.fromEntries(
      graph.inputs.map(({ name, shape }) => [
        name,
        shape!.map((size) => (typeof size === 'number' ? size : 2)),
      ]),
    ),
  );
  const form = canonical(sized);
  expect(form.opset).toBe(CANONICAL_OPSET);
  const feeds = Object.fromEntries(
    sized.inputs.map(({ name, shape }) => [name, patterned(shape as number[])]),
  );
  const expected = await runOnnx(bytes, feeds);
  const got = await runOnnx(encodeModel({ ...form, outputs: everyTensor(form) }), feeds);
  for (const [name, { shape }] of staticShapes(form)) {
    if (got[name] !== undefined) expect([name, ...got[name].shape]).toEqual([name, ...shape]);
  }
  return Math.max(
    ...graph.outputs.map(({ name }) => {
      expect(got[name]!.shape).toEqual(expected[name]!.shape);
      return relativeError(
        Array.from(got[name]!.data, Number),
        Array.from(expected[name]!.data, Number),
      );
    }),
  );
};

describe('canonical: the same function, and every shape as foretold', () => {
  it.each(cases)('%s', async (_, graph) => {
    expect(await difference(graph)).toBeLessThan(1e-6);
  });

  const families = readdirSync(new URL('../golden/families/', import.meta.url)).filter((name) =>
    name.endsWith('.onnx.gz'),
  );
  it.each(families)('%s', async (file) => {
    const { bytes } = goldenModel(`families/${file}`);
    expect(await difference(decodeModel(bytes, file), bytes)).toBeLessThan(2e-6);
  });
});

describe('canonical', () => {
  const value = (name: string, shape: readonly number[]) =>
    ({ name, type: 'float32', shape }) as const;
  const body = (
    name: string,
    nodes: readonly OnnxNode[],
    initialisers: readonly Initialiser[] = [],
  ) => ({
    graph: {
      name,
      inputs: [],
      outputs: [{ name: nodes.at(-1)!.outputs[0]!, type: 'float32', shape: null } as const],
      initialisers,
      nodes,
    },
  });
  const chain = (...nodes: readonly OnnxNode[]): OnnxGraph => ({
    name: 'chain',
    opset: 17,
    inputs: [value('x', [2, 1, 3])],
    outputs: [{ name: 'y', type: 'undefined', shape: null }],
    initialisers: [{ name: 'one', array: { data: BigInt64Array.of(1n), shape: [1] } }],
    nodes,
  });

  it('takes the branch of a condition that only the shape decides, as squeeze is exported', async () => {
    // Both branches call their tensor alike; one holds a further If.
    const inner: OnnxNode = {
      op: 'If',
      inputs: ['is one'],
      outputs: ['t'],
      attributes: {
        then_branch: body(
          'deep',
          [{ op: 'Squeeze', inputs: ['x', 'axes'], outputs: ['t'] }],
          [{ name: 'axes', array: { data: BigInt64Array.of(1n), shape: [1] } }],
        ),
        else_branch: body('deep else', [{ op: 'Neg', inputs: ['x'], outputs: ['t'] }]),
      },
    };
    const graph = chain(
      { op: 'Shape', inputs: ['x'], outputs: ['s'] },
      { op: 'Gather', inputs: ['s', 'one'], outputs: ['size'] },
      { op: 'Equal', inputs: ['size', 'one'], outputs: ['is one'] },
      {
        op: 'If',
        inputs: ['is one'],
        outputs: ['z'],
        attributes: {
          then_branch: body('then', [inner]),
          else_branch: body('else', [{ op: 'Abs', inputs: ['x'], outputs: ['t'] }]),
        },
      },
      { op: 'Exp', inputs: ['z'], outputs: ['y'] },
    );
    const form = canonical(graph);
    expect(form.nodes.map(({ op }) => op)).toEqual(['Squeeze', 'Exp']);
    const x = patterned([2, 1, 3]);
    expect(await runOnnx(encodeModel(form), { x })).toEqual(
      await runOnnx(encodeModel(graph), { x }),
    );
  });

  it('keeps the names of inputs and outputs, and every node in its layer', () => {
    const form = canonical(single(20, 'Gelu', [2, 3]));
    expect(form.outputs[0]!.name).toBe('y');
    expect(form.nodes.map(({ name }) => name!.replace(/~\d+$/, ''))).toEqual([
      '/layer/Div',
      '/layer/Erf',
      '/layer/Add',
      '/layer/Mul',
      '/layer/Mul',
    ]);
    expect(new Set(form.nodes.map(({ name }) => name)).size).toBe(5);
  });

  it('merges what one operation says as well, and nothing else', async () => {
    const pad = (mode: string, given: string): OnnxNode => ({
      op: 'Pad',
      inputs: ['x', given],
      outputs: ['p'],
      attributes: { mode: { string: mode } },
    });
    const conv: OnnxNode = { op: 'Conv', inputs: ['p', 'w'], outputs: ['c'] };
    const clip = (input: string, low: string, high: string, output: string): OnnxNode => ({
      op: 'Clip',
      inputs: [input, low, high],
      outputs: [output],
    });
    const bound = (name: string, number: number): Initialiser => ({ name, array: scalar(number) });
    const graph = (...nodes: readonly OnnxNode[]): OnnxGraph => ({
      ...chain(...nodes),
      initialisers: [
        { name: 'w', array: weights(2, 1, 2) },
        { name: 'spatial', array: arrayOf([0, 0, 1, 0, 0, 2]) },
        { name: 'channels', array: arrayOf([0, 1, 0, 0, 0, 0]) },
        { name: 'w2', array: weights(2, 2, 2) },
        ...[bound('-1', -1), bound('0', 0), bound('0.5', 0.5), bound('6', 6)],
      ],
    });
    const ops = async (whole: OnnxGraph): Promise<string> => {
      expect(await difference(whole)).toBeLessThan(1e-6);
      return canonical(whole)
        .nodes.map(({ op }) => op)
        .join(' ');
    };
    const both = [clip('c', '-1', '0.5', 'd'), clip('d', '0', '6', 'y')];
    expect(await ops(graph(pad('constant', 'spatial'), conv, ...both))).toBe('Conv Clip');
    // Bounds that do not overlap depend on the order.
    const apart = [clip('c', '-1', '0', 'd'), clip('d', '0.5', '6', 'y')];
    expect(await ops(graph(pad('constant', 'spatial'), conv, ...apart))).toBe('Conv Clip Clip');
    const wide = { ...conv, inputs: ['p', 'w2'] };
    expect(await ops(graph(pad('constant', 'channels'), wide, ...both))).toBe('Pad Conv Clip');
    expect(await ops(graph(pad('edge', 'spatial'), conv, ...both))).toBe('Pad Conv Clip');
    // Another reads what lies between.
    const shared: OnnxNode = { op: 'ReduceMax', inputs: ['p'], outputs: ['m'] };
    const used = { ...graph(pad('constant', 'spatial'), conv, shared, ...both) };
    const two = { ...used, outputs: [...used.outputs, { ...used.outputs[0]!, name: 'm' }] };
    expect(await ops(two)).toBe('Pad Conv ReduceMax Clip');
  });

  it('reads training mode off the outputs up to opset 13, and leaves out what nothing reads', () => {
    const form = canonical(oldTrainingNorm(['y', 'v']));
    const [node] = form.nodes;
    expect(node!.outputs).toEqual(['y', 'm', 'v']);
    expect(node!.attributes).toMatchObject({ training_mode: { int: 1 } });
    expect(staticShapes(form).get('v')!.shape).toEqual([4]);
  });

  it.each([
    [
      'saved statistics of a batch',
      oldTrainingNorm(['y', 'saved_mean']),
      /"\/layer\/BatchNormalization" .*: expected running statistics only/,
    ],
    [
      'an opset that is too old',
      { ...single(17, 'Relu', [2]), opset: 6 },
      /opset from 7 to 22, got opset 6/,
    ],
    [
      'dropout at random',
      single(13, 'Dropout', [2], {}, { r: scalar(0.5), t: { data: Uint8Array.of(1), shape: [] } }),
      /\(Dropout\): expected a network without chance, got dropout of 0.5/,
    ],
    [
      'a free size that matters',
      single(13, 'Conv', ['n', 1, 'h', 5], { auto_pad: 'SAME_UPPER' }, { w: weights(1, 1, 3, 3) }),
      /"x", got \[\?, 1, \?, 5\]; fix the sizes/,
    ],
    [
      'averages with dilations',
      single(19, 'AveragePool', [1, 1, 5], { kernel_shape: [2], dilations: [2] }),
      /got one with dilations/,
    ],
    [
      'coordinates of its own',
      single(
        19,
        'Resize',
        [1, 1, 3, 3],
        { coordinate_transformation_mode: 'half_pixel_symmetric' },
        { ' ': [], s: numbers(1, 1, 2, 2) },
      ),
      /got half_pixel_symmetric/,
    ],
  ])('refuses %s', (_, graph, message) => {
    expect(() => canonical(graph)).toThrow(message);
  });

  const unfolded = sharedPath('data', 'models', 'mobilenet_v1_0.25_128_unfolded.onnx');
  it.skipIf(unfolded === null)(
    `2,292 nodes of an old exporter become 61, to the last bit${unfolded === null ? `: skipped, ${sharedSkipReason}` : ''}`,
    async () => {
      const bytes = readFileSync(unfolded!);
      expect(readModel(bytes, 'unfolded').nodes).toHaveLength(2292);
      const form = canonical(decodeModel(bytes, 'unfolded'));
      expect(form.nodes).toHaveLength(61);
      const x = patterned([1, 3, 128, 128]);
      expect(await runOnnx(encodeModel(form), { x })).toEqual(await runOnnx(bytes, { x }));
    },
  );
});
