import { afterAll, expect, test } from 'vitest';
import { differentiate } from '../../src/gradient/differentiate.ts';
import { lower } from '../../src/gradient/lower.ts';
import type { Attribute, Attributes, OnnxNode } from '../../src/graph/graph.ts';
import type { NdArray } from '../../src/records/array.ts';
import { relativeError } from '../onnx.ts';
import { closeEngine, float32, graphOf, int64, runGraph } from './run.ts';
import { arrayOf, feedsOf, loweredGradients, spaceCases } from './space.ts';

afterAll(closeEngine);

test.each(spaceCases)('$name: first and second order are PyTorch’s', async (each) => {
  const feeds = await feedsOf(each);
  const found = await runGraph(loweredGradients(each, feeds), feeds);
  for (let index = 0; index < each.count; index++) {
    for (const order of ['first', 'second']) {
      const what = `${order}${index}`;
      const expected = await arrayOf(each, what);
      expect(found[what]!.shape, what).toEqual(expected.shape);
      const error = relativeError(found[what]!.data as Float32Array, expected.data as Float32Array);
      expect(error, what).toBeLessThan(1e-5);
    }
  }
});

/** Pseudo-random numbers of a fixed sequence, not small. */
const waves = (shape: readonly number[], phase: number): NdArray => {
  const size = shape.reduce((product, each) => product * each, 1);
  return float32(
    Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + phase + 0.01 * i * i)),
    shape,
  );
};

const moved = (x: NdArray, v: NdArray, step: number): NdArray =>
  float32(
    Array.from(x.data as Float32Array, (each, i) => each + step * (v.data as Float32Array)[i]!),
    x.shape,
  );

const lossOf = (node: OnnxNode): OnnxNode[] => [
  node,
  { op: 'Mul', inputs: ['y', 'y'], outputs: ['square'] },
  { op: 'ReduceMean', inputs: ['square'], outputs: ['loss'], attributes: { keepdims: { int: 0 } } },
];

/**
 * ∂ mean(y²)/∂x along a direction, from the graph and from central differences, which are exact for a quadratic function:
 * the steps may be as large as the input.
 */
const bothSlopes = async (
  node: OnnxNode,
  shape: readonly number[],
  constants: Readonly<Record<string, NdArray>>,
): Promise<readonly [number, number]> => {
  const [x, v] = [waves(shape, 0.3), waves(shape, 2.1)];
  const plain = graphOf(lossOf(node), { x }, constants, [
    { name: 'loss', type: 'float32', shape: [] },
  ]);
  const graph = lower(differentiate(plain, 'loss', ['x'], { names: ['dx'] }));
  const at = async (input: NdArray): Promise<Record<string, NdArray>> =>
    runGraph(graph, { x: input });
  const { dx } = await at(x);
  const slope = (dx!.data as Float32Array).reduce(
    (sum, each, i) => sum + each * (v.data as Float32Array)[i]!,
    0,
  );
  const [above, below] = [await at(moved(x, v, 1)), await at(moved(x, v, -1))];
  return [slope, (Number(above.loss!.data[0]) - Number(below.loss!.data[0])) / 2];
};

interface Linear {
  readonly name: string;
  readonly op: string;
  readonly shape: readonly number[];
  readonly attributes?: Attributes;
  readonly inputs: readonly string[];
  readonly constants: Readonly<Record<string, NdArray>>;
}

const text = (string: string): Attribute => ({ string });
const resize = (name: string, sizes: readonly number[], attributes: Attributes): Linear => ({
  name: `resize ${name}`,
  op: 'Resize',
  shape: [1, 2, 5, 4],
  attributes,
  inputs: ['x', '', '', 'sizes'],
  constants: { sizes: int64([1, 2, ...sizes]) },
});
const pad = (name: string, mode: string, pads: readonly number[]): Linear => ({
  name: `pad ${name}`,
  op: 'Pad',
  shape: [2, 4, 5],
  attributes: { mode: text(mode) },
  inputs: ['x', 'pads'],
  constants: { pads: int64(pads) },
});
const transposed = (name: string, attributes: Attributes): Linear => ({
  name: `transposed convolution ${name}`,
  op: 'ConvTranspose',
  shape: [1, 2, 4, 5],
  attributes: { strides: { ints: [2, 3] }, ...attributes },
  inputs: ['x', 'w'],
  constants: { w: waves([2, 3, 3, 4], 0.9) },
});

// What PyTorch does not have, or does otherwise than ONNX.
const linear: readonly Linear[] = [
  pad('reflect on every axis', 'reflect', [1, 3, 2, 0, 1, 4]),
  pad('edge on every axis', 'edge', [2, 0, 3, 1, 5, 0]),
  pad('edge and cut off', 'edge', [0, -1, 2, 0, 2, -2]),
  ...['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'].flatMap((rounding) =>
    ['half_pixel', 'asymmetric', 'align_corners'].map((mode) =>
      resize(`nearest ${mode} ${rounding}`, [9, 2], {
        mode: text('nearest'),
        nearest_mode: text(rounding),
        coordinate_transformation_mode: text(mode),
      }),
    ),
  ),
  resize('linear asymmetric', [7, 9], {
    mode: text('linear'),
    coordinate_transformation_mode: text('asymmetric'),
  }),
  resize('linear to one row', [1, 6], {
    mode: text('linear'),
    coordinate_transformation_mode: text('pytorch_half_pixel'),
  }),
  resize('cubic without the outside', [8, 3], {
    mode: text('cubic'),
    exclude_outside: { int: 1 },
    cubic_coeff_a: { float: -0.5 },
  }),
  transposed('to a stated size', { output_shape: { ints: [8, 14] } }),
  transposed('to the same size, upper', { auto_pad: text('SAME_UPPER') }),
  transposed('to the same size, lower', { auto_pad: text('SAME_LOWER') }),
];

test.each(linear)('$name: the slope is that of finite differences', async (each) => {
  const { op, inputs, attributes = {}, shape, constants } = each;
  const node = { op, name: each.name, inputs, outputs: ['y'], attributes };
  const [slope, difference] = await bothSlopes(node, shape, constants);
  expect(Math.abs(slope - difference)).toBeLessThan(1e-5 * Math.max(1, Math.abs(difference)));
});

test('running statistics of batch norm: ONNX’s values, and slopes of finite differences', async () => {
  const [x, v] = [waves([4, 2, 3], 0.3), waves([4, 2, 3], 2.1)];
  const ones = float32([1, 1], [2]);
  const running = float32([0.5, -1], [2]);
  const nodes: OnnxNode[] = [
    {
      op: 'BatchNormalization',
      inputs: ['x', 'ones', 'ones', 'running', 'ones'],
      outputs: ['y', 'mean', 'variance'],
      attributes: { training_mode: { int: 1 }, momentum: { float: 0.75 } },
    },
    { op: 'Mul', inputs: ['mean', 'mean'], outputs: ['square'] },
    { op: 'Add', inputs: ['square', 'variance'], outputs: ['sum'] },
    { op: 'ReduceSum', inputs: ['sum'], outputs: ['loss'], attributes: { keepdims: { int: 0 } } },
  ];
  const vector = { type: 'float32', shape: [2] } as const;
  const plain = graphOf(nodes, { x, running }, { ones }, [
    { name: 'mean', ...vector },
    { name: 'variance', ...vector },
    { name: 'loss', type: 'float32', shape: [] },
  ]);
  const graph = lower(differentiate(plain, 'loss', ['x', 'running'], { names: ['dx', 'dr'] }));
  const at = (input: NdArray) => runGraph(graph, { x: input, running });
  const found = await at(x);
  for (const channel of [0, 1]) {
    const own = Array.from(x.data as Float32Array).filter(
      (_, i) => Math.floor(i / 3) % 2 === channel,
    );
    const mean = own.reduce((sum, each) => sum + each, 0) / 12;
    const variance = own.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 12;
    const kept = 0.75 * Number(running.data[channel]);
    expect(found.mean!.data[channel]).toBeCloseTo(kept + 0.25 * mean, 6);
    expect(found.variance!.data[channel]).toBeCloseTo(0.75 + 0.25 * variance, 6);
    expect(found.dr!.data[channel]).toBeCloseTo(1.5 * (kept + 0.25 * mean), 6);
  }
  const slope = (found.dx!.data as Float32Array).reduce(
    (sum, each, i) => sum + each * (v.data as Float32Array)[i]!,
    0,
  );
  const [above, below] = [await at(moved(x, v, 1)), await at(moved(x, v, -1))];
  const difference = (Number(above.loss!.data[0]) - Number(below.loss!.data[0])) / 2;
  expect(slope).toBeCloseTo(difference, 5);
});
