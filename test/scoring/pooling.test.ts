import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { mean, pearson } from '../../src/numeric/statistics.ts';
import { trainedMean } from '../../src/scoring/mean-predictions.ts';
import { aroundOtherFolds, aroundTraining, foldRows } from '../../src/scoring/pooling.ts';

const [rows, folds] = [30, 10];

/** One site of noise, and predictions that know nothing: the training mean, and noise of their own. */
const world = (seed: number, spread: number) => {
  const random = createRandom(seed);
  const shape = [rows, 1];
  const recorded = { data: Float64Array.from({ length: rows }, () => 5 + random.normal()), shape };
  const foldOf = Int32Array.from({ length: rows }, (_, row) => row % folds);
  const heldOut = foldRows(foldOf);
  const predicted = { data: new Float64Array(rows), shape };
  for (const { rows: held, test } of heldOut)
    for (const row of held)
      predicted.data[row] = trainedMean(recorded, test)[0]! + spread * random.normal();
  return { recorded, predicted, heldOut, foldOf };
};

describe('rows of several folds, correlated together', () => {
  it('do not run against their predictions once both are less the training mean', () => {
    const worlds = Array.from({ length: 400 }, (_, seed) => world(seed, 0.3));
    const before = worlds.map(({ recorded, predicted }) => pearson(recorded.data, predicted.data));
    const after = worlds.map(({ recorded, predicted, heldOut }) => {
      const both = aroundTraining(recorded, { recorded, predicted }, heldOut);
      return pearson(both.recorded.data, both.predicted.data);
    });
    expect(mean(before)).toBeLessThan(-0.08);
    // Standard error .009.
    expect(Math.abs(mean(after))).toBeLessThan(0.03);
  });

  it('are the same from folds that were kept', () => {
    const { recorded, predicted, heldOut, foldOf } = world(1, 0.5);
    const both = { recorded, predicted };
    expect(aroundOtherFolds(both, foldOf)).toEqual(aroundTraining(recorded, both, heldOut));
    expect(aroundOtherFolds(both, new Int32Array(rows))).toEqual(both);
  });
});
