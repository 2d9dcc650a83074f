// Whichever regression a protocol asks for.

import type { Float64Nd } from '../records/array.ts';
import type { RegressionSettings } from '../records/protocol.ts';
import { checkFit, type FitSize, fitBytes, fitOperations } from './estimate.ts';
import type { Fold } from './folds.ts';
import { rowsHeldOut, type Split } from './held-out.ts';
import type { ReadoutJob, RegressionJob } from './job.ts';
import {
  fitReadout,
  type HeldOutPredictions,
  predictHeldOut,
  predictHeldOutSplitsPls,
} from './pls.ts';
import {
  checkRidge,
  fitRidgeReadout,
  LEAST_ROWS,
  predictHeldOutRidge,
  predictSplitsRidge,
} from './ridge.ts';
import { ridgeBytes, ridgeOperations } from './ridge-estimate.ts';

export type RegressionSize = Omit<FitSize, 'components' | 'stopping'>;

export interface Regressed extends HeldOutPredictions {
  /** Ridge: chosen alphas [folds, sites], one array per target set; null for other regressions. */
  readonly alphas: readonly Float64Nd[] | null;
}

/** Throws an input error where a fold trains on too few rows. */
export const checkRegression = (
  rows: number,
  folds: readonly Fold[],
  settings: RegressionSettings,
): void => (settings.kind === 'pls' ? checkFit(rows, folds, settings) : checkRidge(rows, folds));

/** Rows that a regression must train on at least. */
export const leastRows = (settings: RegressionSettings): number =>
  settings.kind === 'pls' ? settings.components + 1 : LEAST_ROWS;

/** Features that a layer must have at least. */
export const leastFeatures = (settings: RegressionSettings): number =>
  settings.kind === 'pls' ? settings.components : 1;

/** Peak bytes of `predictFolds`, a source in one block included. */
export const regressionBytes = (size: RegressionSize, settings: RegressionSettings): number =>
  settings.kind === 'pls' ? fitBytes({ ...size, ...settings }) : ridgeBytes(size);

/** Multiplications of `predictFolds`: divide by `measureSpeed` for seconds. */
export const regressionOperations = (size: RegressionSize, settings: RegressionSettings): number =>
  settings.kind === 'pls'
    ? fitOperations({ ...size, ...settings })
    : ridgeOperations(size, settings.alphas.length);

/** `predictHeldOut` or `predictHeldOutRidge`. */
export const predictFolds = async (
  job: RegressionJob,
  folds: readonly Fold[],
): Promise<Regressed> => {
  const { settings } = job;
  return settings.kind === 'pls'
    ? { ...(await predictHeldOut({ ...job, settings }, folds)), alphas: null }
    : predictHeldOutRidge({ ...job, settings }, folds);
};

export interface SplitsPredictions extends Omit<Regressed, 'predictions'> {
  /** [splits][target sets of the split], each [rows held out, sites], rows in the order of its folds. */
  readonly predictions: Float64Nd[][];
}

/**
 * Predicts the rows that each of several splits holds out, all from one Gram matrix. `alphas`: [splits, sites]
 * per target set. Throws as `predictFolds` does; folds must not overlap, what splits hold out may.
 */
export const predictHeldOutSplits = async (
  job: RegressionJob,
  folds: readonly Fold[],
  splits: readonly Split[],
): Promise<SplitsPredictions> => {
  const { settings } = job;
  if (settings.kind === 'pls')
    return {
      ...(await predictHeldOutSplitsPls({ ...job, settings }, folds, splits)),
      alphas: null,
    };
  const fitted = await predictSplitsRidge({ ...job, settings }, rowsHeldOut(folds, splits));
  const predictions = fitted.predictions.map((sets, k) => splits[k]!.sets.map((set) => sets[set]!));
  return { ...fitted, predictions };
};

/** `fitReadout` or `fitRidgeReadout`: weights on the features, from all rows. */
export const fitOnAllRows = (job: ReadoutJob, targets: Float64Nd) => {
  const { settings } = job;
  return settings.kind === 'pls'
    ? fitReadout({ ...job, settings }, targets)
    : fitRidgeReadout({ ...job, settings }, targets);
};
