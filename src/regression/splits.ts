// Splits whose held-out rows may overlap, such as shuffle splits: each is a regression of its own, all share one Gram
// matrix.

import type { Float64Nd } from '../records/array.ts';
import type { PlsSettings } from '../records/protocol.ts';
import { checkFeatures, checkFit } from './estimate.ts';
import { type FeatureBlocks, openFeatures } from './features.ts';
import { type Arithmetic, runPls } from './fit.ts';
import { type Fold, orderByFold } from './folds.ts';
import { type Gram, gramMatrix, type LayerContext } from './gram.ts';
import { eachFold } from './held-out.ts';
import type { RegressionJob } from './job.ts';
import { collectHeldOut } from './pls.ts';
import { openProducts } from './products.ts';
import { predictSplitsRidge } from './ridge.ts';
import { stepsOf } from './steps.ts';
import { centreTargets } from './targets.ts';
import { type FitOutcome, warningsOf } from './warnings.ts';

/** Rows held out together, and the target sets that are predicted there, by number. */
export interface SplitOfRows extends Fold {
  readonly sets: readonly number[];
}

export interface SplitPredictions {
  /** [splits][target sets of the split], each [rows held out, sites] in the order of the split's `test`. */
  readonly predictions: Float64Nd[][];
  /** Of every split. */
  readonly arithmetics: readonly Arithmetic[];
  /** Ridge: chosen alphas [splits, sites] per target set; null for other regressions. */
  readonly alphas: readonly Float64Nd[] | null;
  readonly warnings: string[];
}

type Order = Int32Array;

/** Rows and columns of a symmetric matrix in another order. */
const permuted = (gram: Float64Array, order: Order): Float64Array => {
  const n = order.length;
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = order[i]! * n;
    for (let j = 0; j < n; j++) result[i * n + j] = gram[row + order[j]!]!;
  }
  return result;
};

/** Makes the Gram matrix of each precision once, and lends it in any order of rows. */
const lendGram = (
  context: Omit<LayerContext, 'order'>,
): ((order: Order, precision: Gram['precision']) => Promise<Gram>) => {
  const made = new Map<Gram['precision'], Omit<Gram, 'held'> & { data: Float64Array }>();
  const { engine, features } = context;
  const n = features.rows;
  const asGiven = Int32Array.from({ length: n }, (_, row) => row);
  return async (order, precision) => {
    let base = made.get(precision);
    if (base === undefined) {
      const { held, ...rest } = await gramMatrix({ ...context, order: asGiven }, precision);
      base = { ...rest, data: (await engine.take(held)).data as Float64Array };
      made.set(precision, base);
    }
    const { data, ...rest } = base;
    return { ...rest, held: await engine.hold({ data: permuted(data, order), shape: [n, n] }) };
  };
};

/** Features that stay for the next split: what would be changed in place is a copy. */
const lendFeatures = (features: FeatureBlocks): FeatureBlocks => ({
  ...features,
  resident: async () => {
    const block = await features.resident();
    return block === null ? null : { ...block, data: block.data.slice() };
  },
  drop: () => undefined,
});

const predictPls = async (
  { engine, source, targets, settings, watch }: RegressionJob<PlsSettings>,
  splits: readonly SplitOfRows[],
): Promise<SplitPredictions> => {
  checkFit(source.rows, splits, settings);
  checkFeatures(source.name, source.columns, settings);
  const products = openProducts(engine);
  const features = openFeatures(source);
  const steps = stepsOf(watch, source.name);
  const gramIn = lendGram({ engine, products, features, steps });
  const predictions: Float64Nd[][] = [];
  const arithmetics: Arithmetic[] = [];
  const outcomes: FitOutcome[] = [];
  let constant = 0;
  try {
    for (const split of splits) {
      const foldOrder = orderByFold(source.rows, [split]);
      const { order } = foldOrder;
      const sets = split.sets.map((set) => centreTargets(targets[set]!, order));
      const collected = collectHeldOut(
        sets,
        foldOrder,
        eachFold([split], sets.length),
        settings.components,
      );
      const { arithmetic, constantColumns } = await runPls(
        {
          engine,
          products,
          features: lendFeatures(features),
          order,
          settings,
          steps,
          gramOf: (precision) => gramIn(order, precision),
        },
        collected.job,
        null,
      );
      predictions.push(collected.predictions[0]!);
      arithmetics.push(arithmetic);
      outcomes.push(...collected.outcomes);
      constant = constantColumns;
    }
  } finally {
    await products.release();
  }
  const warnings = warningsOf(outcomes, constant, source.columns, settings);
  return { predictions, arithmetics, alphas: null, warnings };
};

/**
 * Predicts the held-out rows of every split from a regression on all its other rows, as `predictFolds` does for folds that
 * do not overlap. A wide layer costs one Gram matrix for all splits. Throws as `predictFolds` does, but for the overlap.
 */
export const predictSplits = async (
  job: RegressionJob,
  splits: readonly SplitOfRows[],
): Promise<SplitPredictions> => {
  const { settings } = job;
  if (settings.kind === 'pls') return predictPls({ ...job, settings }, splits);
  const { predictions, alphas, arithmetic, warnings } = await predictSplitsRidge(
    { ...job, settings },
    splits,
  );
  return {
    predictions: predictions.map((tables, split) => splits[split]!.sets.map((set) => tables[set]!)),
    alphas,
    arithmetics: splits.map(() => arithmetic),
    warnings,
  };
};
