import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gabor, luminance, opponentAxes } from '../../src/architectures/filters.ts';
import { gaborBank } from '../../src/architectures/gabor-bank.ts';
import { patchSide, plantedNetwork } from '../../src/architectures/planted.ts';
import { randomCnn } from '../../src/architectures/random-cnn.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { NdArray } from '../../src/records/array.ts';
import type { Engine, Pixels } from '../../src/records/ports.ts';
import { patchFeatures, signalMaps } from '../../src/world/features.ts';
import { drawScenes } from '../../src/world/scene.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 1 });
});
afterAll(() => engine.close());

const run = async (graph: OnnxGraph, input: NdArray): Promise<Record<string, NdArray>> => {
  const session = await engine.open({ bytes: encodeModel(graph) });
  try {
    return (await session.run({ image: input })).fetched;
  } finally {
    await session.release();
  }
};

/** Patches as the networks take them: `[patch, channel, row, column]`, 0 … 1. */
const patchTensor = (
  { data, width }: Pixels,
  corners: readonly (readonly [x: number, y: number])[],
): NdArray<Float32Array> => {
  const size = patchSide * patchSide;
  const values = new Float32Array(corners.length * 3 * size);
  corners.forEach(([x0, y0], patch) => {
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < size; i++) {
        const pixel = (y0 + Math.floor(i / patchSide)) * width + x0 + (i % patchSide);
        values[(patch * 3 + c) * size + i] = data[pixel * 3 + c]! / 255;
      }
  });
  return { data: values, shape: [corners.length, 3, patchSide, patchSide] };
};

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
};

const { pixels } = drawScenes({ seed: 3, count: 1, size: 168, objects: 4 })[0]!;
const corners = [
  [4, 4],
  [36, 52],
  [132, 132],
  [20, 124],
] as const;

describe('the planted network', () => {
  it('computes the features that drive the simulated sites', async () => {
    const outputs = await run(plantedNetwork(), patchTensor(pixels, corners));
    const maps = signalMaps(pixels);
    for (const [layer, kind, channels] of [
      ['v4.pool', 'conjunction', 12],
      ['it.pool', 'pair', 16],
    ] as const) {
      const output = outputs[`/${layer}/Relu_output`]!;
      expect(output.shape).toEqual([corners.length, channels, 3, 3]);
      const expected = corners.flatMap(([x, y]) => [...patchFeatures(kind, maps, x, y)]);
      expect(Math.max(...expected)).toBeGreaterThan(0.3);
      expect(largestDifference(output.data as Float32Array, expected)).toBeLessThan(3e-6);
    }
  });

  it('refuses patches off the lattice or outside the image in its plain counterpart', () => {
    const maps = signalMaps(pixels);
    expect(() => patchFeatures('pair', maps, 5, 4)).toThrow(/lattice/);
    expect(() => patchFeatures('pair', maps, 140, 4)).toThrow(/leaves the image/);
  });
});

/** A network whose named tensors are its outputs. */
const tapped = (graph: OnnxGraph, tensors: readonly string[]): OnnxGraph => ({
  ...graph,
  outputs: tensors.map((name) => ({ name, type: 'float32', shape: null })),
});

describe('the Gabor bank', () => {
  it('gives rectified filter outputs and pooled sums over phase as plain loops do', async () => {
    const tensors = ['/simple/Relu_output', '/pooled/Relu_output'];
    const outputs = await run(tapped(gaborBank(), tensors), patchTensor(pixels, [[36, 52]]));
    const respond = (angle: number, phase: number, row: number, column: number): number => {
      const kernel = gabor({ size: 9, wavelength: 6, sigma: 2.4 }, angle, phase);
      let sum = 0;
      for (let y = 0; y < 9; y++)
        for (let x = 0; x < 9; x++) {
          const from = ((52 + 4 * row + y) * pixels.width + 36 + 4 * column + x) * 3;
          for (let c = 0; c < 3; c++)
            sum += (kernel[y * 9 + x]! * luminance[c]! * pixels.data[from + c]!) / 255;
        }
      return sum;
    };
    const [simple, pooled] = tensors.map((name) => outputs[name]!) as [NdArray, NdArray];
    expect(simple.shape).toEqual([1, 38, 6, 6]);
    expect(pooled.shape).toEqual([1, 8, 3, 3]);
    // Band 1 (45°), phases 0 and 180°, at row 3, column 4.
    const response = respond(Math.PI / 4, 0, 3, 4);
    expect(Math.abs(response)).toBeGreaterThan(0.01);
    expect(simple.data[4 * 36 + 22]).toBeCloseTo(Math.max(0, response), 5);
    expect(simple.data[6 * 36 + 22]).toBeCloseTo(Math.max(0, -response), 5);
    let sum = 0;
    for (const row of [0, 1])
      for (const column of [2, 3])
        for (const phase of [0, Math.PI / 2])
          sum += Math.abs(respond(Math.PI / 4, phase, row, column)) / 4;
    expect(pooled.data[9 + 1]).toBeCloseTo(sum, 5);
  });
});

describe('the random network', () => {
  it('is decided by its seed and keeps the size of its signals, as He initialisation should', async () => {
    expect(encodeModel(randomCnn(1))).toEqual(encodeModel(randomCnn(1)));
    expect(encodeModel(randomCnn(1))).not.toEqual(encodeModel(randomCnn(2)));
    const random = createRandom(9);
    const noise = Float32Array.from({ length: 16 * 3 * patchSide ** 2 }, () => random.normal());
    const outputs = await run(randomCnn(1), { data: noise, shape: [16, 3, patchSide, patchSide] });
    const last = outputs['/conv4/Relu_output']!;
    expect(last.shape).toEqual([16, 48, 3, 3]);
    const values = Array.from(last.data as Float32Array);
    const square = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
    // Mean square 1 before each rectification's half, on average over weights.
    expect(square).toBeGreaterThan(0.3);
    expect(square).toBeLessThan(3);
    expect(values.filter((value) => value === 0).length / values.length).toBeGreaterThan(0.2);
  });
});

describe('filters', () => {
  const settings = { size: 9, wavelength: 6, sigma: 2.4 };
  it.each([
    0,
    Math.PI / 4,
    Math.PI / 2,
    (3 * Math.PI) / 4,
  ])('a Gabor at %f ignores uniform light, has norm 1 and prefers its own stripes', (orientation) => {
    const energyOf = (stripes: number): number =>
      [0, Math.PI / 2].reduce((sum, phase) => {
        const kernel = gabor(settings, orientation, phase);
        const response = kernel.reduce((total, value, i) => {
          const [x, y] = [i % 9, Math.floor(i / 9)];
          const along = x * Math.cos(stripes) + y * Math.sin(stripes);
          return total + value * Math.sin((2 * Math.PI * along) / 6);
        }, 0);
        return sum + response ** 2;
      }, 0);
    const kernel = gabor(settings, orientation, 1);
    expect(kernel.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 12);
    expect(kernel.reduce((sum, value) => sum + value ** 2, 0)).toBeCloseTo(1, 12);
    expect(energyOf(orientation)).toBeGreaterThan(3 * energyOf(orientation + Math.PI / 4));
    expect(energyOf(orientation)).toBeGreaterThan(10 * energyOf(orientation + Math.PI / 2));
  });

  it('colour axes ignore grey', () => {
    for (const axis of opponentAxes.slice(1))
      expect(axis.reduce((sum, weight) => sum + weight, 0)).toBe(0);
    expect(luminance.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
  });
});
