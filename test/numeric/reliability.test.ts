import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import {
  byVariance,
  halves,
  momentsOf,
  noiseShare,
  ofScoredMean,
  reliabilityOf,
  siteTrials,
  spearmanBrown,
  splitHalfReliability,
  variesOtherwise,
} from '../../src/numeric/reliability.ts';
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

  it('is that of the mean that is scored, for odd and for unequal numbers of trials', () => {
    for (const trials of [2, 3, 5, 7]) {
      const { perSite } = splitHalfReliability(simulated(4000, trials, [2.25]), {
        splits: 5,
        seed: 1,
      });
      expect(Math.abs(perSite[0]! - 1 / (1 + 2.25 / trials))).toBeLessThan(0.02);
    }
    // Every other row has two trials, the others seven: mean of σ²/n over all.
    const unequal = simulated(4000, 7, [2.25]);
    for (let row = 0; row < 4000; row += 2) unequal.data.fill(Number.NaN, row * 7 + 2, row * 7 + 7);
    const { perSite } = splitHalfReliability(unequal, { splits: 5, seed: 1 });
    expect(Math.abs(perSite[0]! - 1 / (1 + 2.25 * (1 / 2 + 1 / 7) * 0.5))).toBeLessThan(0.03);
  });

  it('takes the noise of rows shown once into account', () => {
    // 3,000 rows once, 600 ten times: v / (v + mean of σ²/n).
    const trials = simulated(3600, 10, [1]);
    for (let row = 0; row < 3000; row++) trials.data.fill(Number.NaN, row * 10 + 1, row * 10 + 10);
    const truth = 1 / (1 + (3000 * 1 + 600 * 0.1) / 3600);
    const { perSite } = splitHalfReliability(trials, { splits: 5, seed: 1 });
    expect(Math.abs(perSite[0]! - truth)).toBeLessThan(0.04);
    const all = Int32Array.from({ length: 3600 }, (_, row) => row);
    const own = siteTrials(halves(trials, { splits: 5, seed: 1 }), momentsOf(trials), all, 0);
    expect(own.repeated).toHaveLength(600);
    expect(variesOtherwise(own)).toBe(false);
    expect(noiseShare(own, null)).toBeCloseTo((3000 + 60) / 3600 / 0.2, 12);
    expect(Math.abs(byVariance(own, null) - truth)).toBeLessThan(0.04);
  });

  it('rests on the analysis of variance where repeated rows vary otherwise than the rest', () => {
    const trials = simulated(3600, 10, [1]);
    for (let row = 0; row < 3000; row++) trials.data.fill(Number.NaN, row * 10 + 1, row * 10 + 10);
    // The signal of the repeated rows is a third of the others'.
    for (let row = 3000; row < 3600; row++) {
      const at = row * 10;
      const own = trials.data.subarray(at, at + 10);
      const mean = own.reduce((sum, each) => sum + each, 0) / 10;
      for (let t = 0; t < 10; t++) own[t]! -= (2 / 3) * mean;
    }
    const variance = (3000 + 600 / 9) / 3600;
    const truth = variance / (variance + (3000 + 60) / 3600);
    const { perSite } = splitHalfReliability(trials, { splits: 5, seed: 1 });
    expect(Math.abs(perSite[0]! - truth)).toBeLessThan(0.04);
  });

  it('agrees with the analysis of variance, weighted rows too', () => {
    const trials = simulated(1000, 4, [2]);
    const all = Int32Array.from({ length: 1000 }, (_, row) => row);
    const own = siteTrials(halves(trials, { splits: 20, seed: 1 }), momentsOf(trials), all, 0);
    expect(Math.abs(byVariance(own, null) - reliabilityOf(own))).toBeLessThan(0.01);
    // Each of the first 500 rows twice is the table of these rows twice.
    const weights = Float64Array.from({ length: 1000 }, (_, row) => (row < 500 ? 2 : 0));
    const twice = { data: new Float64Array(4000), shape: [1000, 4, 1] };
    for (let row = 0; row < 1000; row++)
      twice.data.set(trials.data.subarray((row >> 1) * 4, (row >> 1) * 4 + 4), row * 4);
    const doubled = siteTrials(halves(twice, { splits: 1, seed: 1 }), momentsOf(twice), all, 0);
    expect(byVariance(own, weights)).toBeCloseTo(byVariance(doubled, null), 12);
    expect(noiseShare(own, weights)).toBeCloseTo(0.5, 12);
  });
});

describe('halves', () => {
  it('uses each trial that is there once, an odd one in either half, wherever NaN stands', () => {
    const nan = Number.NaN;
    const trials: Float64Nd = {
      data: new Float64Array([1, nan, 2, 4, nan, 8, nan, 16, nan, 32, nan, nan]),
      shape: [3, 4, 1],
    };
    const { first, second } = halves(trials, { splits: 20, seed: 3 });
    const halvesOfThree = new Set<string>();
    for (let split = 0; split < 20; split++) {
      const [a, b] = [first[split]!.data, second[split]!.data];
      halvesOfThree.add([a[0]!, b[0]!].join(' | '));
      expect([8, 16]).toContain(a[1]);
      expect(a[1]! + b[1]!).toBe(24);
      expect(a[2]).toBeNaN();
      expect(b[2]).toBeNaN();
    }
    expect(halvesOfThree).toEqual(
      new Set(['1 | 3', '3 | 1', '2 | 2.5', '2.5 | 2', '4 | 1.5', '1.5 | 4']),
    );
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
  expect(ofScoredMean(0.5, 0.5)).toBeCloseTo(spearmanBrown(0.5), 15);
  expect(ofScoredMean(-0.1, 0.5)).toBe(-0.1);
});
