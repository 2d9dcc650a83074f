import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Engine } from '../records/ports.ts';
import type { RidgeSettings } from '../records/protocol.ts';
import { type Features, openFeatures } from './features.ts';
import { type Fold, orderByFold } from './folds.ts';
import { gramMatrix, type StepHooks } from './gram.ts';
import type { HeldOutPredictions, Readout } from './pls.ts';
import { openProducts, type Products } from './products.ts';
import { weightsFromDual } from './readout.ts';
import { choicesOf } from './ridge-errors.ts';
import { type Best, type Range, type Sweep, sweepStrengths } from './ridge-sweep.ts';
import { type RegressionHooks, stepsOf } from './steps.ts';
import { type CentredTargets, centreTargets } from './targets.ts';

export interface RidgePredictions extends HeldOutPredictions {
  /** The chosen strengths, in the settings' unit: one array [folds, sites] per target set. */
  readonly strengths: Float64Nd[];
  /**
   * The criterion (a mean squared error, in squared units of the targets) of the training rows at the chosen strength:
   * [folds, sites] per target set. Targets that share a strength share their mean.
   */
  readonly errors: Float64Nd[];
}

export interface RidgeReadout extends Readout {
  /** The chosen strength of every site, in the settings' unit. */
  readonly strengths: Float64Array;
}

/** Fewer cannot tell one strength from another. */
const LEAST_ROWS = 3;

/** Throws an input error where a fold trains on fewer than three rows. */
export const checkRidge = (rows: number, folds: readonly Fold[]): void => {
  for (const { name, test } of folds)
    if (rows - test.length < LEAST_ROWS)
      throw inputError({
        where: `regression: ${name}`,
        expected: `at least ${LEAST_ROWS} training rows`,
        got: `${rows - test.length}`,
        mend: 'give more stimuli or use a protocol with other folds',
      });
};

/** All sets side by side: [rows, sum of sites], rows in fold order. */
const joined = (sets: readonly CentredTargets[], rows: number): Float64Array => {
  const q = sets.reduce((sum, { sites }) => sum + sites, 0);
  const result = new Float64Array(rows * q);
  let offset = 0;
  for (const { values, sites } of sets) {
    for (let j = 0; j < sites; j++)
      for (let i = 0; i < rows; i++) result[i * q + offset + j] = values[j * rows + i]!;
    offset += sites;
  }
  return result;
};

interface Swept extends Sweep {
  readonly choices: readonly Range[];
  readonly features: Features;
  readonly means: Float64Array;
  readonly constantColumns: number;
}

interface Table {
  readonly source: FeatureSource;
  readonly order: Int32Array;
  readonly ranges: readonly Range[];
  readonly sets: readonly CentredTargets[];
  readonly targets: Float64Array;
}

const sweep = async (
  engine: Engine,
  products: Products,
  { source, order, ranges, sets, targets }: Table,
  settings: RidgeSettings,
  hooks: StepHooks,
  keep: boolean,
): Promise<Swept> => {
  const features = openFeatures(source);
  const { held, means, constantColumns } = await gramMatrix(
    engine,
    products,
    features,
    order,
    'float64',
    hooks,
  );
  if (!keep) features.drop();
  const gram = (await engine.take(held)).data as Float64Array;
  // What rounding leaves of a layer that is constant would be fitted at small strengths.
  if (constantColumns === source.columns) gram.fill(0);
  const counts = sets.map(({ sites }) => sites);
  const choices = choicesOf(counts, settings.perTarget);
  const job = { gram, targets, rows: source.rows, ranges, choices, settings };
  const found = await sweepStrengths(engine, products, job, hooks);
  if (found.best.some(({ errors }) => errors.includes(Number.POSITIVE_INFINITY)))
    throw inputError({
      where: `regression on ${source.name}: strengths`,
      expected: 'at least one strength above the rounding of the Gram matrix',
      got: `${settings.strengths.join(', ')} (${settings.unit})`,
      mend: 'give larger strengths',
    });
  return { ...found, choices, features, means, constantColumns };
};

/** Runs `work` with products and steps that last as long as it does. */
const withProducts = async <T>(
  engine: Engine,
  hooks: RegressionHooks,
  work: (products: Products, hooks: StepHooks) => Promise<T>,
): Promise<T> => {
  const products = openProducts(engine);
  try {
    return await work(products, stepsOf(hooks));
  } finally {
    await products.release();
  }
};

const remarksOf = (
  { best, choices, unusable, constantColumns }: Swept,
  columns: number,
  { strengths, unit }: RidgeSettings,
): string[] => {
  const remarks: string[] = [];
  if (constantColumns > 0)
    remarks.push(`${constantColumns} of ${columns} features are constant over all rows`);
  if (unusable.length > 0)
    remarks.push(
      `strengths ${unusable.join(', ')} are lost in the rounding of the Gram matrix and were left out`,
    );
  const usable = strengths.filter((strength) => !unusable.includes(strength));
  if (usable.length < 2) return remarks;
  const chosen = best.flatMap((each) => choices.map(([first]) => each.strengths[first]!));
  for (const [end, strength] of [
    ['lowest', usable[0]!],
    ['highest', usable.at(-1)!],
  ] as const) {
    const count = chosen.filter((each) => each === strength).length;
    if (count > 0)
      remarks.push(
        `in ${count} of ${chosen.length} choices the ${end} strength of the grid was the best (${strength}, ${unit})`,
      );
  }
  return remarks;
};

/** The value of every target that does not vary over the training rows, or where no feature varies; NaN for others. */
const fixedValues = (
  { targets, order }: Table,
  [from, to]: Range,
  q: number,
  dead: boolean,
): Float64Array => {
  const n = order.length;
  const first = from === 0 ? to : 0;
  const sums = new Float64Array(q);
  const varies = new Uint8Array(q);
  for (let i = first; i < n; i = i + 1 === from ? to : i + 1)
    for (let j = 0; j < q; j++) {
      sums[j] = sums[j]! + targets[i * q + j]!;
      if (targets[i * q + j] !== targets[first * q + j]) varies[j] = 1;
    }
  return sums.map((sum, j) => {
    if (varies[j] === 0) return targets[first * q + j]!;
    return dead ? sum / (n - (to - from)) : Number.NaN;
  });
};

/** One array [rows, sites] for every set, from what `valueAt` says of row and target. */
const split = (
  sets: readonly CentredTargets[],
  rows: number,
  valueAt: (row: number, target: number) => number,
): Float64Nd[] => {
  let offset = 0;
  return sets.map(({ sites }) => {
    const data = new Float64Array(rows * sites);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < sites; j++) data[i * sites + j] = valueAt(i, offset + j);
    offset += sites;
    return { data, shape: [rows, sites] };
  });
};

/** Held-out predictions of all sets side by side [rows, q], in the caller's order. */
const predictionsOf = (table: Table, { best, constantColumns }: Swept): Float64Array => {
  const { order, sets, source } = table;
  const centre = Float64Array.from(sets.flatMap((set) => [...set.centre]));
  const q = centre.length;
  const result = new Float64Array(order.length * q).fill(Number.NaN);
  for (const { range, values } of best) {
    const [from, to] = range;
    const fixed = fixedValues(table, range, q, constantColumns === source.columns);
    for (let place = from; place < to; place++)
      for (let j = 0; j < q; j++)
        result[order[place]! * q + j] =
          centre[j]! + (Number.isNaN(fixed[j]!) ? values[(place - from) * q + j]! : fixed[j]!);
  }
  return result;
};

/**
 * Predicts every fold's rows from a ridge regression on all other rows, as scikit-learn's `Ridge` does, for one or more
 * target sets [rows, sites] at once. Where the settings give several strengths, each fold's training rows choose: by
 * leave-one-out, as scikit-learn's `RidgeCV(alphas, alpha_per_target)` does, or by generalised cross-validation; a
 * strength per target, or one for all targets of a set (then targets of large variance decide).
 *
 * One Gram matrix, and one inverse per strength, serve all folds and target sets. Agrees with scikit-learn to about the
 * rounding of the Gram matrix divided by the strength.
 *
 * The single block of a source, once yielded, is owned. Throws an input error for NaN or infinite features or targets,
 * folds with fewer than three training rows, folds that overlap, and strengths that are all lost in rounding.
 */
export const predictHeldOutRidge = async (
  engine: Engine,
  source: FeatureSource,
  targets: readonly Float64Nd[],
  folds: readonly Fold[],
  settings: RidgeSettings,
  hooks: RegressionHooks,
): Promise<RidgePredictions> => {
  checkRidge(source.rows, folds);
  const { order, ranges } = orderByFold(source.rows, folds);
  const sets = targets.map((set) => centreTargets(set, order));
  const table: Table = { source, order, ranges, sets, targets: joined(sets, source.rows) };
  const swept = await withProducts(engine, hooks, (products, steps) =>
    sweep(engine, products, table, settings, steps, false),
  );
  const { best } = swept;
  const q = table.targets.length / source.rows;
  const predicted = predictionsOf(table, swept);
  return {
    predictions: split(sets, source.rows, (row, target) => predicted[row * q + target]!),
    strengths: split(sets, folds.length, (fold, target) => best[fold]!.strengths[target]!),
    errors: split(sets, folds.length, (fold, target) => best[fold]!.errors[target]!),
    arithmetic: 'float64 gram',
    warnings: remarksOf(swept, source.columns, settings),
  };
};

/** A readout from the dual coefficients of a regression on all rows; targets that do not vary take no part. */
const readoutOf = async (
  engine: Engine,
  products: Products,
  table: Table,
  swept: Swept,
  hooks: StepHooks,
): Promise<Pick<Readout, 'weights' | 'offset'>> => {
  const { sets, order, source } = table;
  const { sites, centre } = sets[0]!;
  const { values } = swept.best[0] as Best;
  const fixed = fixedValues(table, [0, 0], sites, swept.constantColumns === source.columns);
  const dual = values.map((value, k) => (Number.isNaN(fixed[k % sites]!) ? value : 0));
  const bench = { engine, products, features: swept.features, order, hooks };
  const weights = await weightsFromDual(bench, dual);
  const offset = centre.slice();
  for (let k = 0; k < source.columns; k++)
    for (let j = 0; j < sites; j++)
      offset[j] = offset[j]! - swept.means[k]! * weights.data[k * sites + j]!;
  return { weights, offset };
};

/**
 * The same regression fitted on all rows, as weights on the features. `targets` is [rows, sites]. Throws as
 * `predictHeldOutRidge` does.
 */
export const fitRidgeReadout = (
  engine: Engine,
  source: FeatureSource,
  targets: Float64Nd,
  settings: RidgeSettings,
  hooks: RegressionHooks = { progress: () => {}, checkStop: () => {} },
): Promise<RidgeReadout> => {
  checkRidge(source.rows, [{ name: 'all rows', test: new Int32Array(0) }]);
  const order = Int32Array.from({ length: source.rows }, (_, row) => row);
  const sets = [centreTargets(targets, order)];
  const table: Table = {
    source,
    order,
    ranges: [[0, 0]],
    sets,
    targets: joined(sets, source.rows),
  };
  return withProducts(engine, hooks, async (products, steps) => {
    const swept = await sweep(engine, products, table, settings, steps, true);
    return {
      ...(await readoutOf(engine, products, table, swept, steps)),
      strengths: swept.best[0]!.strengths,
      arithmetic: 'float64 gram',
      warnings: remarksOf(swept, source.columns, settings),
    };
  });
};
