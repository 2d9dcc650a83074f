import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { pearson } from '../../src/numeric/statistics.ts';
import { kFold } from '../../src/regression/folds.ts';
import { withoutMeanPredictions } from '../../src/scoring/mean-predictions.ts';

const rows = 40;
const random = createRandom('guesses');
// Far from 0, where rounding is coarse.
const responses = Float64Array.from({ length: rows }, () => 1e5 + random.normal());

const meansOfOthers = (count: number): Float64Array => {
  const means = new Float64Array(rows);
  for (const { test } of kFold({ rows, count, shuffle: true, strata: null, seed: 1 })) {
    const others = responses.filter((_, row) => !test.includes(row));
    const mean = others.reduce((sum, each) => sum + each) / others.length;
    for (const row of test) means[row] = mean;
  }
  return means;
};

describe('predictions by the mean of the training rows', () => {
  it.each([
    5,
    rows,
  ])('would correlate negatively over %i folds, and are taken for none', (count) => {
    const folds = kFold({ rows, count, shuffle: true, strata: null, seed: 1 });
    const means = meansOfOthers(count);
    expect(pearson(responses, means)).toBeLessThan(-0.2);
    // Site 0 is guessed; site 1 but for one row.
    const both = Float64Array.from({ length: 2 * rows }, (_, i) => means[i >> 1]!);
    both[7] = both[7]! + 1e-3;
    const recorded = Float64Array.from({ length: 2 * rows }, (_, i) => responses[i >> 1]!);
    const shape = [rows, 2];
    const heldOut = folds.map(({ test }) => ({ rows: test, test: test }));
    const table = { data: recorded, shape };
    const { data } = withoutMeanPredictions(
      { responses: table, recorded: table },
      { data: both, shape },
      heldOut,
    );
    expect(data.filter((_, i) => i % 2 === 0).every(Number.isNaN)).toBe(true);
    expect(data.filter((_, i) => i % 2 === 1)).toEqual(both.filter((_, i) => i % 2 === 1));
  });
});
