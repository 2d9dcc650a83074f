import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { halves, spearmanBrown, splitHalfReliability } from '../../src/numeric/reliability.ts';
import type { Float64Nd } from '../../src/records/array.ts';

/** Trials of sites whose signal has variance 1 and whose noise has the given variance per trial. */
const simulated = (rows: number, trials: number, noise: readonly number[]): Float64Nd => {
  const random = createRandom('reliability');
  const sites = noise.length;
  const data = new Float64Array(rows * trials * sites);
  for (let row = 0; row < rows; row++) {
    const signal = noise.map(() => random.normal());
    for (let trial = 0; trial < trials; trial++) {
      for (let site = 0; site < sites; site++) {
        const value = signal[site]! + Math.sqrt(noise[site]!) * random.normal();
        data[(row * trials + trial) * sites + site] = value;
      }
    }
  }
  return { data, shape: [rows, trials, sites] };
};

describe('split-half reliability', () => {
  it('finds the share of signal variance in the mean of all trials', () => {
    // Reliability of the mean of n trials: σ²_signal / (σ²_signal + σ²_noise / n).
    const trials = simulated(4000, 8, [0.5, 4, 30]);
    const { perSite } = splitHalfReliability(trials, { splits: 5, seed: 1 });
    [0.5, 4, 30].forEach((noise, site) => {
      expect(perSite[site]).toBeCloseTo(1 / (1 + noise / 8), 1.5);
    });
  });

  it('is 1 without noise, and NaN for a constant site', () => {
    const trials = simulated(20, 4, [0, 0]);
    for (let i = 1; i < trials.data.length; i += 2) trials.data[i] = 3;
    const { perSite } = splitHalfReliability(trials, { splits: 3, seed: 1 });
    expect(perSite[0]).toBeCloseTo(1, 12);
    expect(perSite[1]).toBeNaN();
  });

  it('repeats with the seed and changes with it', () => {
    const trials = simulated(50, 6, [2]);
    const of = (seed: number) => splitHalfReliability(trials, { splits: 4, seed }).perSite[0]!;
    expect(of(1)).toBe(of(1));
    expect(of(1)).not.toBe(of(2));
  });

  it('ignores rows with fewer than two trials', () => {
    const full = simulated(30, 4, [1]);
    const more: Float64Nd = { data: new Float64Array(31 * 4).fill(Number.NaN), shape: [31, 4, 1] };
    more.data.set(full.data);
    more.data[30 * 4 + 2] = 1000;
    const settings = { splits: 3, seed: 5 };
    expect(splitHalfReliability(more, settings).perSite).toEqual(
      splitHalfReliability(full, settings).perSite,
    );
  });
});

describe('halves', () => {
  it('uses each trial that is there once, drops one of an odd number, wherever NaN stands', () => {
    const nan = Number.NaN;
    const trials: Float64Nd = {
      data: new Float64Array([1, nan, 2, 4, nan, 8, nan, 16, nan, 32, nan, nan]),
      shape: [3, 4, 1],
    };
    const { first, second } = halves(trials, { splits: 20, seed: 3 });
    const dropped = new Set<number>();
    for (let split = 0; split < 20; split++) {
      const [a, b] = [first[split]!.data, second[split]!.data];
      dropped.add(7 - (a[0]! + b[0]!));
      expect([8, 16]).toContain(a[1]);
      expect(a[1]! + b[1]!).toBe(24);
      expect(a[2]).toBeNaN();
      expect(b[2]).toBeNaN();
    }
    expect(dropped).toEqual(new Set([1, 2, 4]));
  });

  it('shuffles a row alike for all sites', () => {
    const one = simulated(10, 6, [1]);
    const two: Float64Nd = { data: new Float64Array(120), shape: [10, 6, 2] };
    one.data.forEach((value, i) => {
      two.data[2 * i] = value;
      two.data[2 * i + 1] = -value;
    });
    const { first } = halves(two, { splits: 2, seed: 9 });
    for (let row = 0; row < 10; row++) {
      expect(first[1]!.data[2 * row]).toBe(-first[1]!.data[2 * row + 1]!);
    }
  });
});

it('Spearman–Brown doubles the length of a test', () => {
  expect(spearmanBrown(0.5)).toBeCloseTo(2 / 3, 15);
  expect(spearmanBrown(1)).toBe(1);
});
