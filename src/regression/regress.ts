// Whichever regression a protocol asks for.

import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Engine } from '../records/ports.ts';
import type { RegressionSettings } from '../records/protocol.ts';
import { checkFit, type FitSize, fitBytes, fitOperations } from './estimate.ts';
import type { Fold } from './folds.ts';
import { rowsHeldOut, type Split } from './held-out.ts';
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
import type { RegressionHooks } from './steps.ts';

export type RegressionSize = Omit<FitSize, 'components'>;

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
  settings.kind === 'pls'
    ? fitBytes({ ...size, components: settings.components })
    : ridgeBytes(size);

/** Multiplications of `predictFolds`: divide by `measureSpeed` for seconds. */
export const regressionOperations = (size: RegressionSize, settings: RegressionSettings): number =>
  settings.kind === 'pls'
    ? fitOperations({ ...size, components: settings.components })
    : ridgeOperations(size, settings.alphas.length);

/** `predictHeldOut` or `predictHeldOutRidge`. */
export const predictFolds = async (
  engine: Engine,
  source: FeatureSource,
  targets: readonly Float64Nd[],
  folds: readonly Fold[],
  settings: RegressionSettings,
  hooks: RegressionHooks,
): Promise<Regressed> =>
  settings.kind === 'pls'
    ? {
        ...(await predictHeldOut(engine, source, targets, folds, settings, hooks)),
        alphas: null,
      }
    : predictHeldOutRidge(engine, source, targets, folds, settings, hooks);

export interface OmittedPredictions extends Omit<Regressed, 'predictions'> {
  /** [splits][target sets of the split], each [rows held out, sites], rows in the order of its folds. */
  readonly predictions: Float64Nd[][];
}

/**
 * Predicts the rows that each of several splits holds out, all from one Gram matrix. `alphas`: [splits, sites]
 * per target set. Throws as `predictFolds` does; blocks must not overlap, what is left out may.
 */
export const predictOmitted = async (
  engine: Engine,
  source: FeatureSource,
  targets: readonly Float64Nd[],
  folds: readonly Fold[],
  splits: readonly Split[],
  settings: RegressionSettings,
  hooks: RegressionHooks,
): Promise<OmittedPredictions> => {
  if (settings.kind === 'pls')
    return {
      ...(await predictHeldOutSplitsPls(engine, source, targets, folds, splits, settings, hooks)),
      alphas: null,
    };
  const heldOutFolds = rowsHeldOut(folds, splits);
  const fitted = await predictSplitsRidge(engine, source, targets, heldOutFolds, settings, hooks);
  const predictions = fitted.predictions.map((sets, k) => splits[k]!.sets.map((set) => sets[set]!));
  return { ...fitted, predictions };
};

/** `fitReadout` or `fitRidgeReadout`: weights on the features, from all rows. */
export const fitOnAllRows = (
  engine: Engine,
  source: FeatureSource,
  targets: Float64Nd,
  settings: RegressionSettings,
  hooks?: RegressionHooks,
) =>
  settings.kind === 'pls'
    ? fitReadout(engine, source, targets, settings, hooks)
    : fitRidgeReadout(engine, source, targets, settings, hooks);
