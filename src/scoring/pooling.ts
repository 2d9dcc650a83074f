// Rows that different regressions predicted, made fit to be correlated together.

import type { Float64Nd } from '../records/array.ts';
import type { HeldOutRows } from './design.ts';
import { trainedMean } from './mean-predictions.ts';

/** Recorded and predicted responses of the rows that are scored, `[rows, sites]` each. */
export interface Both {
  readonly recorded: Float64Nd;
  readonly predicted: Float64Nd;
}

/**
 * Both less the mean response of the rows that the row's own regression was trained on, site by site. What a regression
 * predicts lies about that mean, which is high where the mean of the rows held out is low: pooled over folds as they are,
 * predictions run against responses (by −.08 at 30 images), the more so the smaller the folds.
 *
 * @param responses `[rows, sites]`, what was fitted.
 */
export const aroundTraining = (
  responses: Float64Nd,
  { recorded, predicted }: Both,
  heldOut: readonly HeldOutRows[],
): Both => {
  const sites = recorded.shape[1]!;
  const both = {
    recorded: { data: Float64Array.from(recorded.data), shape: recorded.shape },
    predicted: { data: Float64Array.from(predicted.data), shape: predicted.shape },
  };
  for (const { rows, test } of heldOut) {
    const means = trainedMean(responses, test);
    for (const { data } of [both.recorded, both.predicted])
      for (const row of rows)
        for (let s = 0, at = row * sites; s < sites; s++, at++) data[at] = data[at]! - means[s]!;
  }
  return both;
};

/**
 * Both sides around the training means, of predictions that were kept, with the fold of each row: a row's training rows are those of all other folds. For
 * rows that are all scored, each once.
 */
export const aroundOtherFolds = (both: Both, folds: Int32Array): Both => {
  const names = [...new Set(folds)];
  // One fold alone has no others: there is nothing to be less than.
  if (names.length < 2) return both;
  return aroundTraining(both.recorded, both, foldRows(folds));
};

/** The rows of each fold. */
export const foldRows = (folds: Int32Array): HeldOutRows[] =>
  [...new Set(folds)].map((fold) => {
    const rows = Int32Array.from(folds, (_, row) => row).filter((row) => folds[row] === fold);
    return { name: `${fold}`, rows, test: rows };
  });
