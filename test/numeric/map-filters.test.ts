import { describe, expect, it } from 'vitest';
import { convolveMap, gaussianKernel, resizeMap } from '../../src/numeric/map-filters.ts';
import { ascendingOrder } from '../../src/numeric/radix.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { ranks } from '../../src/numeric/statistics.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import { difference, floatsOf, humanMapsGolden } from '../human-maps-golden.ts';

describe('resizing of maps', () => {
  it.each(
    humanMapsGolden.resized,
  )('agrees with PyTorch and Pillow on $map.shape → $plain.shape', (golden) => {
    const map = floatsOf(golden.map);
    const [rows, columns] = golden.plain.shape as [number, number];
    expect(difference(resizeMap(map, rows, columns, false), floatsOf(golden.plain))).toBeLessThan(
      2e-6,
    );
    expect(
      difference(resizeMap(map, rows, columns, true), floatsOf(golden.antialiased)),
    ).toBeLessThan(2e-6);
  });

  it('takes each channel for itself', () => {
    const map = floatsOf(humanMapsGolden.resized[0]!.map);
    const [height, width] = map.shape as [number, number];
    const both: Float32Nd = {
      data: Float32Array.from({ length: map.data.length * 2 }, (_, i) =>
        i % 2 === 0 ? map.data[i / 2]! : 7,
      ),
      shape: [height, width, 2],
    };
    const got = resizeMap(both, 5, 6, true);
    expect(got.shape).toEqual([5, 6, 2]);
    const first = { data: got.data.filter((_, i) => i % 2 === 0), shape: [5, 6] };
    expect(difference(first, resizeMap(map, 5, 6, true))).toBe(0);
    for (const value of got.data.filter((_, i) => i % 2 === 1)) expect(value).toBeCloseTo(7, 5);
  });
});

describe('blurring', () => {
  it('puts the kernel where its origin says, with nothing beyond the border', () => {
    const map: Float32Nd = { data: Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0), shape: [3, 3] };
    const shift = { weights: Float64Array.of(0, 1, 0.5), origin: 0 };
    const stay = { weights: Float64Array.of(1), origin: 0 };
    // out[y, x] = in[y, x + 1] + in[y, x + 2] / 2
    expect([...convolveMap(map, stay, shift).data]).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0]);
    expect([...convolveMap(map, shift, stay).data]).toEqual([0, 1, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('has Gaussian weights that sum to 1', () => {
    const { weights, origin } = gaussianKernel(-3, 3, 0, 1.5);
    expect(origin).toBe(3);
    expect(weights.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 14);
    expect(weights[2]! / weights[3]!).toBeCloseTo(Math.exp(-1 / 4.5), 14);
  });
});

describe('order of float32', () => {
  it('is that of a comparison, with signs, zeros, infinities and ties', () => {
    const random = createRandom('radix');
    const values = Float32Array.from({ length: 5000 }, (_, i) =>
      i % 7 === 0 ? Math.round(3 * random.normal()) : random.normal() * 10 ** random.int(12),
    );
    values.set([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, -0, 0, -1e-45, 1e-45], 100);
    const byComparison = Int32Array.from(values, (_, i) => i).sort(
      (a, b) => values[a]! - values[b]! || a - b,
    );
    // ∞ − ∞ is no number, but there is one of each.
    expect([...ascendingOrder(values)]).toEqual([...byComparison]);
    expect([...ranks(values)]).toEqual([...ranks(Array.from(values))]);
  });
});
