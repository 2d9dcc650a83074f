// Sites that predict sites, once from each half of the trials.

import { type HalfMeans, halves } from '../numeric/reliability.ts';
import type { Float64Nd } from '../records/array.ts';
import type { HalfPredictions } from './consistency.ts';
import type { Layout } from './layout.ts';
import { atScoredRows } from './response-sets.ts';
import type { ResponseTable } from './responses.ts';

/** Predictions of all sites from tables of predicting responses; `[rows, sites]` → `[rows scored, sites]`. */
export type Predictor = (
  responses: Float64Nd,
  predictors: Float64Nd,
) => Promise<{
  readonly predicted: Float64Nd;
  readonly arithmetic: string;
  readonly warnings: readonly string[];
}>;

/** Halves of the trials of predicted and predicting sites. */
export interface Halved {
  readonly responses: readonly [Float64Nd, Float64Nd];
  readonly predictors: readonly [Float64Nd, Float64Nd];
}

/** Whether every response that is there has two trials. */
const isWhole = ({ first, second }: HalfMeans, { mean }: ResponseTable): boolean =>
  [...first, ...second].every(({ data }) =>
    data.every((half, at) => !Number.isNaN(half) || Number.isNaN(mean.data[at]!)),
  );

const pairs = ({ first, second }: HalfMeans): [Float64Nd, Float64Nd][] =>
  first.map((half, split) => [half, second[split]!]);

/**
 * Halves of both recordings' trials; of equally many the same ones, so that areas recorded at once share no trial between
 * the predicted and the predicting half. Null where some response has fewer than two.
 */
export const ownHalves = (
  responses: ResponseTable,
  predictors: ResponseTable,
  splits: number,
  seed: number,
): Halved[] | null => {
  const a = halves(responses.trials, { splits, seed });
  const b = halves(predictors.trials, { splits, seed });
  if (!isWhole(a, responses) || !isWhole(b, predictors)) return null;
  const theirs = pairs(b);
  return pairs(a).map((own, split) => ({ responses: own, predictors: theirs[split]! }));
};

/** Halves of the trials that all sites share. */
export const sharedHalves = (
  table: ResponseTable,
  splits: number,
  seed: number,
): Halved[] | null => {
  const halved = halves(table.trials, { splits, seed });
  return isWhole(halved, table)
    ? pairs(halved).map((own) => ({ responses: own, predictors: own }))
    : null;
};

/** Each half of the responses from the other half of the predictors' trials. */
export const predictHalves = async (
  layout: Layout,
  predict: Predictor,
  { responses: [first, second], predictors }: Halved,
): Promise<HalfPredictions> => {
  const ofFirst = await predict(first, predictors[1]);
  const ofSecond = await predict(second, predictors[0]);
  return {
    recorded: [atScoredRows(layout, first), atScoredRows(layout, second)],
    predicted: [ofFirst.predicted, ofSecond.predicted],
  };
};
