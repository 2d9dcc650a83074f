import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  mean,
  median,
  pearson,
  quantile,
  ranks,
  spearman,
  standardDeviation,
  tQuantile,
} from '../../src/numeric/statistics.ts';

interface Golden {
  pairs: {
    name: string;
    x: number[];
    y: number[];
    pearson: number;
    spearman: number;
    ranksX: number[];
  }[];
  quantiles: {
    values: number[];
    quantiles: [number, number][];
    median: number;
    mean: number;
    population: number;
    sample: number | null;
  }[];
  tQuantiles: [number, number, number][];
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/statistics.json', import.meta.url), 'utf8'),
) as Golden;

describe('correlations agree with SciPy', () => {
  it.each(golden.pairs)('$name', (pair) => {
    expect(Math.abs(pearson(pair.x, pair.y) - pair.pearson)).toBeLessThan(1e-12);
    expect(Math.abs(spearman(pair.x, pair.y) - pair.spearman)).toBeLessThan(1e-12);
    expect([...ranks(pair.x)]).toEqual(pair.ranksX);
  });

  it('is NaN where a side is constant, even at a value that binary fractions cannot hold', () => {
    expect(pearson([0.1, 0.1, 0.1], [1, 2, 3])).toBeNaN();
    expect(spearman([1, 2, 3], [4, 4, 4])).toBeNaN();
    expect(pearson([1], [2])).toBeNaN();
  });

  it('does not change with the unit, however small or large', () => {
    const x = [1, 3, 2, 5, 4.5, 0.25];
    const y = [2, 2.5, 3, 7, 4, 1];
    const plain = pearson(x, y);
    for (const power of [-1060, -600, -200, 200, 600, 1015]) {
      const scaled = x.map((value) => value * 2 ** power);
      expect(pearson(scaled, y)).toBeCloseTo(plain, power < -1022 ? 5 : 14);
      expect(pearson(y, scaled)).toBeCloseTo(plain, power < -1022 ? 5 : 14);
    }
    expect(pearson([Number.POSITIVE_INFINITY, 1, 2], [1, 2, 3])).toBeNaN();
  });

  it('is NaN where a value is NaN', () => {
    expect(pearson([1, Number.NaN, 3], [1, 2, 3])).toBeNaN();
    expect(spearman([1, Number.NaN, 3], [1, 2, 3])).toBeNaN();
  });
});

describe('summaries agree with NumPy', () => {
  it.each(golden.quantiles)('list of $values.length', (list) => {
    for (const [p, value] of list.quantiles) expect(quantile(list.values, p)).toBe(value);
    expect(median(list.values)).toBeCloseTo(list.median, 14);
    expect(mean(list.values)).toBeCloseTo(list.mean, 14);
    expect(standardDeviation(list.values, 0)).toBeCloseTo(list.population, 14);
    if (list.sample === null) expect(standardDeviation(list.values)).toBeNaN();
    else expect(standardDeviation(list.values)).toBeCloseTo(list.sample, 14);
  });

  it('does not reorder its argument', () => {
    const values = Float64Array.of(3, 1, 2);
    median(values);
    expect([...values]).toEqual([3, 1, 2]);
  });

  it('is NaN of nothing and of NaN', () => {
    expect(quantile([], 0.5)).toBeNaN();
    expect(median([1, Number.NaN])).toBeNaN();
  });
});

describe('t quantiles agree with SciPy', () => {
  it('for whole and fractional degrees of freedom', () => {
    for (const [p, df, value] of golden.tQuantiles) {
      const tolerance = (df > 1000 ? 1e-9 : 1e-11) * (1 + Math.abs(value));
      expect(Math.abs(tQuantile(p, df) - value)).toBeLessThanOrEqual(tolerance);
    }
  });

  it('and with the closed form at one degree of freedom', () => {
    for (const p of [0.001, 0.2, 0.6, 0.975]) {
      const exact = Math.tan(Math.PI * (p - 0.5));
      expect(Math.abs(tQuantile(p, 1) / exact - 1)).toBeLessThan(1e-13);
    }
  });

  it('at and beyond the ends', () => {
    expect(tQuantile(0, 5)).toBe(-Infinity);
    expect(tQuantile(1, 5)).toBe(Infinity);
    expect(tQuantile(1.2, 5)).toBeNaN();
    expect(tQuantile(0.5, 0)).toBeNaN();
  });
});
