import type { Float64Nd } from '../records/array.ts';
import type { PlsSettings } from '../records/protocol.ts';
import { checkFeatures, checkFit } from './estimate.ts';
import { openFeatures } from './features.ts';
import { type Arithmetic, type PlsContext, runPls } from './fit.ts';
import { type Fold, type FoldOrder, orderByFold } from './folds.ts';
import type { PlsForm } from './forms.ts';
import { eachFold, putTogether, rowsHeldOut, type Split } from './held-out.ts';
import type { ReadoutJob, RegressionJob } from './job.ts';
import { openProducts } from './products.ts';
import { fitWeights } from './readout.ts';
import { stepsOf } from './steps.ts';
import { type CentredTargets, centreTargets } from './targets.ts';
import { type PlaceRange, startTask } from './task.ts';
import type { Job, PredictPlaces } from './task-groups.ts';
import { type FitOutcome, warningsOf } from './warnings.ts';

export interface HeldOutPredictions {
  /** One per target set, [rows, sites] in the caller's order; NaN in rows that no fold holds out. */
  readonly predictions: Float64Nd[];
  readonly arithmetic: Arithmetic;
  readonly warnings: string[];
}

/** Opens the products and the steps of one call, and closes the products after it. */
const inPlsContext = async <T>(
  { engine, source, settings, watch }: ReadoutJob<PlsSettings>,
  order: Int32Array,
  work: (context: PlsContext) => Promise<T>,
): Promise<T> => {
  const products = openProducts(engine);
  try {
    const features = openFeatures(source);
    const steps = stepsOf(watch, source.name);
    return await work({ engine, products, features, order, settings, steps });
  } finally {
    await products.release();
  }
};

interface Collected {
  readonly job: Job;
  /** [splits][sets of the split], each [rows held out, sites]. */
  readonly predictions: Float64Nd[][];
  readonly outcomes: FitOutcome[];
}

/** The regressions of all splits as a job, and what it will have collected when it is done. */
export const collectHeldOut = (
  sets: readonly CentredTargets[],
  { ranges }: FoldOrder,
  splits: readonly Split[],
  components: number,
): Collected => {
  const heldOut = splits.map((split) => split.heldOut.map((fold) => ranges[fold]!));
  // Set after set, so that the tasks of one set follow each other and share its products.
  const parts = splits
    .flatMap(({ sets: wanted }, split) => wanted.map((set, place) => ({ split, set, place })))
    .sort((a, b) => a.set - b.set);
  const predictions = splits.map((): Float64Nd[] => []);
  const outcomes: FitOutcome[] = [];
  const ascending = heldOut.map((places) => [...places].sort(([a], [b]) => a - b));
  const job: Job = {
    count: parts.length,
    sites: Math.max(...sets.map(({ sites }) => sites)),
    splits: ascending,
    splitOf: (index) => parts[index]!.split,
    start: (index, keepsScores) => {
      const { split, set } = parts[index]!;
      return startTask(sets[set]!, ascending[split]!, components, keepsScores);
    },
    finish: (index, task, { deflated, predict }) => {
      const { split, set, place } = parts[index]!;
      predictions[split]![place] = predictedAt(predict, heldOut[split]!, sets[set]!);
      const { components: reached, ending, unsettled } = task;
      outcomes[index] = { components: reached, ending, unsettled, deflated };
    },
  };
  return { job, predictions, outcomes };
};

const predictedAt = (
  predict: PredictPlaces,
  ranges: readonly PlaceRange[],
  { centre, sites, unit }: CentredTargets,
): Float64Nd => {
  const rows = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  const data = new Float64Array(rows * sites);
  let offset = 0;
  for (const [from, to] of ranges) {
    data.set(predict(from, to), offset);
    offset += (to - from) * sites;
  }
  for (let k = 0; k < data.length; k++) data[k] = unit * data[k]! + centre[k % sites]!;
  return { data, shape: [rows, sites] };
};

/**
 * Predicts every fold's rows from a partial least squares regression on all other rows, as scikit-learn's
 * `PLSRegression(n_components, scale=False, max_iter, tol)` does, for one or more target sets [rows, sites] at once.
 *
 * All folds and target sets come from one Gram matrix of the layer, or from its features where these are few. The order
 * of rows and folds changes predictions only by rounding. On features of full rank predictions agree with scikit-learn
 * to 1e-9 of a target's standard deviation, on ill-conditioned ones to 1e-6; from a float32 Gram matrix, which `auto` tries
 * on very large layers only, to about 1e-6, and to 1e-3 where the features' spectrum falls steeply. Where the features'
 * rank or the targets are spent before the last component, scikit-learn goes on to fit rounding noise and we stop;
 * `warnings` says so.
 *
 * The single block of a source, once yielded, is owned and overwritten. Throws an input error for NaN or infinite
 * features or targets, fewer features than components, folds with too few training rows, and folds that overlap. `form`
 * is for tests: null takes what `plsForm` chooses.
 */
export const predictHeldOut = async (
  job: RegressionJob<PlsSettings>,
  folds: readonly Fold[],
  form: PlsForm | null = null,
): Promise<HeldOutPredictions> => {
  const splits = eachFold(folds, job.targets.length);
  const { predictions, ...rest } = await predictHeldOutSplitsPls(job, folds, splits, form);
  return { predictions: putTogether(folds, job.source.rows, predictions), ...rest };
};

/**
 * Partial least squares of splits that hold out several folds at once, as nested cross-validation does: each predicts the
 * rows that it held out, [splits][its target sets][rows held out, sites], rows in the order of its folds.
 * Throws as `predictHeldOut` does.
 */
export const predictHeldOutSplitsPls = async (
  job: RegressionJob<PlsSettings>,
  folds: readonly Fold[],
  splits: readonly Split[],
  form: PlsForm | null = null,
): Promise<Omit<HeldOutPredictions, 'predictions'> & { predictions: Float64Nd[][] }> => {
  const { source, targets, settings } = job;
  checkFit(source.rows, rowsHeldOut(folds, splits), settings);
  checkFeatures(source.name, source.columns, settings);
  const foldOrder = orderByFold(source.rows, folds);
  const sets = targets.map((set) => centreTargets(set, foldOrder.order));
  const collected = collectHeldOut(sets, foldOrder, splits, settings.components);
  const { arithmetic, constantColumns } = await inPlsContext(job, foldOrder.order, (context) =>
    runPls(context, collected.job, form),
  );
  const warnings = warningsOf(collected.outcomes, constantColumns, source.columns, settings);
  return { predictions: collected.predictions, arithmetic, warnings };
};

/** A linear readout: predicted = features · weights + offset. */
export interface Readout {
  /** [columns, sites]. */
  readonly weights: Float64Nd;
  /** [sites]. */
  readonly offset: Float64Array;
  readonly arithmetic: Arithmetic;
  readonly warnings: string[];
}

/**
 * The regression of `predictHeldOut` fitted on all rows, as weights on the features: on those rows it predicts what scikit-learn's
 * `predict` does. `targets` is [rows, sites]. The single block of a source is owned and overwritten; throws as
 * `predictHeldOut` does.
 */
export const fitReadout = async (
  job: ReadoutJob<PlsSettings>,
  targets: Float64Nd,
): Promise<Readout> => {
  const { source, settings } = job;
  checkFit(source.rows, [{ name: 'all rows', test: new Int32Array(0) }], settings);
  checkFeatures(source.name, source.columns, settings);
  const order = Int32Array.from({ length: source.rows }, (_, row) => row);
  const set = centreTargets(targets, order);
  const start = () => startTask(set, [], settings.components, true);
  const fitted = await inPlsContext(job, order, (context) => fitWeights(context, start));
  const { weights, means, constantColumns, arithmetic, outcome } = fitted;
  const { sites, centre, unit } = set;
  if (unit !== 1)
    for (let k = 0; k < weights.data.length; k++) weights.data[k] = unit * weights.data[k]!;
  const offset = centre.slice();
  for (let k = 0; k < source.columns; k++)
    for (let j = 0; j < sites; j++)
      offset[j] = offset[j]! - means[k]! * weights.data[k * sites + j]!;
  const warnings = warningsOf([outcome], constantColumns, source.columns, settings);
  return { weights, offset, arithmetic, warnings };
};
