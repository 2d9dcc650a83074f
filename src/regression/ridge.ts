import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Engine } from '../records/ports.ts';
import type { RidgeSettings } from '../records/protocol.ts';
import { type FeatureBlocks, openFeatures } from './features.ts';
import { type Fold, orderByFold } from './folds.ts';
import { gramMatrix, type StepHooks } from './gram.ts';
import { putTogether } from './held-out.ts';
import type { HeldOutPredictions, Readout } from './pls.ts';
import { openProducts, type Products } from './products.ts';
import { weightsFromDual } from './readout.ts';
import { choicesOf } from './ridge-errors.ts';
import { type Sweep, sweepAlphas } from './ridge-sweep.ts';
import { fixedValues, type RidgeTable, split, tableOf } from './ridge-table.ts';
import { type RegressionHooks, stepsOf } from './steps.ts';

export interface RidgePredictions extends HeldOutPredictions {
  /** The chosen alphas, in the settings' unit: one array [folds, sites] per target set. */
  readonly alphas: Float64Nd[];
  /**
   * The criterion (a mean squared error, in squared units of the targets) of the training rows at the chosen alpha:
   * [folds, sites] per target set. Targets that share an alpha share their mean.
   */
  readonly errors: Float64Nd[];
}

export interface RidgeReadout extends Readout {
  /** The chosen alpha of every site, in the settings' unit. */
  readonly alphas: Float64Array;
}

/** Fewer cannot tell one alpha from another. */
export const LEAST_ROWS = 3;

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

interface Swept extends Sweep {
  readonly choices: readonly (readonly [from: number, to: number])[];
  readonly features: FeatureBlocks;
  readonly means: Float64Array;
  readonly constantColumns: number;
}

const sweep = async (
  engine: Engine,
  products: Products,
  { source, order, tests, sets, targets }: RidgeTable,
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
  // What rounding leaves of a layer that is constant would be fitted at small alphas.
  if (constantColumns === source.columns) gram.fill(0);
  const counts = sets.map(({ sites }) => sites);
  const choices = choicesOf(counts, settings.perTarget);
  const job = { gram, targets, rows: source.rows, tests, choices, settings };
  const found = await sweepAlphas(engine, products, job, hooks);
  if (found.best.some(({ errors }) => errors.includes(Number.POSITIVE_INFINITY)))
    throw inputError({
      where: `regression on ${source.name}: alphas`,
      expected: 'at least one alpha above the rounding of the Gram matrix',
      got: `${settings.alphas.join(', ')} (${settings.unit})`,
      mend: 'give larger alphas',
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

const warningsOf = (
  { best, choices, unusable, constantColumns }: Swept,
  columns: number,
  { alphas, unit }: RidgeSettings,
): string[] => {
  const warnings: string[] = [];
  if (constantColumns > 0)
    warnings.push(`${constantColumns} of ${columns} features are constant over all rows`);
  if (unusable.length > 0)
    warnings.push(
      `alphas ${unusable.join(', ')} are lost in the rounding of the Gram matrix and were left out`,
    );
  const usable = alphas.filter((alpha) => !unusable.includes(alpha));
  if (usable.length < 2) return warnings;
  const chosen = best.flatMap((each) => choices.map(([first]) => each.alphas[first]!));
  for (const [end, alpha] of [
    ['lowest', usable[0]!],
    ['highest', usable.at(-1)!],
  ] as const) {
    const count = chosen.filter((each) => each === alpha).length;
    if (count > 0)
      warnings.push(
        `in ${count} of ${chosen.length} choices the ${end} alpha of the grid was the best (${alpha}, ${unit})`,
      );
  }
  return warnings;
};

/** Predictions of every regression for the rows that it left out, [test, q] each. */
const heldOutOf = (table: RidgeTable, { best, constantColumns }: Swept): Float64Array[] => {
  const centre = Float64Array.from(table.sets.flatMap((set) => [...set.centre]));
  const q = centre.length;
  return best.map((each) => {
    const fixed = fixedValues(table, each, constantColumns === table.source.columns);
    return each.values.map((value, k) => {
      const j = k % q;
      return centre[j]! + table.units[j]! * (Number.isNaN(fixed[j]!) ? value : fixed[j]!);
    });
  });
};

/** What every way of leaving rows out has in common. */
const predictTests = async (
  engine: Engine,
  table: RidgeTable,
  settings: RidgeSettings,
  hooks: RegressionHooks,
) => {
  const { source, sets, tests, units } = table;
  const swept = await withProducts(engine, hooks, (products, steps) =>
    sweep(engine, products, table, settings, steps, false),
  );
  const { best } = swept;
  return {
    heldOut: heldOutOf(table, swept),
    alphas: split(sets, tests.length, (fold, target) => best[fold]!.alphas[target]!),
    errors: split(
      sets,
      tests.length,
      (fold, target) => best[fold]!.errors[target]! * units[target]! ** 2,
    ),
    arithmetic: 'float64 gram' as const,
    warnings: warningsOf(swept, source.columns, settings),
  };
};

/**
 * Predicts every fold's rows from a ridge regression on all other rows, as scikit-learn's `Ridge` does, for one or more
 * target sets [rows, sites] at once. Where the settings give several alphas, each fold's training rows choose: by
 * leave-one-out, as scikit-learn's `RidgeCV(alphas, alpha_per_target)` does, or by generalised cross-validation; a
 * alpha per target, or one for all targets of a set (then targets of large variance decide).
 *
 * One Gram matrix, and one inverse per alpha, serve all folds and target sets. Agrees with scikit-learn to about the
 * rounding of the Gram matrix divided by the alpha.
 *
 * The single block of a source, once yielded, is owned. Throws an input error for NaN or infinite features or targets,
 * folds with fewer than three training rows, folds that overlap, and alphas that are all lost in rounding.
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
  orderByFold(source.rows, folds);
  const { predictions, ...rest } = await predictSplitsRidge(
    engine,
    source,
    targets,
    folds,
    settings,
    hooks,
  );
  return { ...rest, predictions: putTogether(folds, source.rows, predictions) };
};

export interface RidgeSplits extends Omit<RidgePredictions, 'predictions'> {
  /** [splits][target sets], each [rows held out, sites] in the order of the split's `test`. */
  readonly predictions: Float64Nd[][];
}

/**
 * `predictHeldOutRidge` for splits whose held-out rows may overlap, such as shuffle splits: each split's predictions for
 * itself. Throws as that does, but for the overlap.
 */
export const predictSplitsRidge = async (
  engine: Engine,
  source: FeatureSource,
  targets: readonly Float64Nd[],
  splits: readonly Fold[],
  settings: RidgeSettings,
  hooks: RegressionHooks,
): Promise<RidgeSplits> => {
  checkRidge(source.rows, splits);
  for (const each of splits) orderByFold(source.rows, [each]);
  const tests = splits.map(({ test }) => test);
  const table = tableOf(source, targets, tests);
  const { heldOut, ...rest } = await predictTests(engine, table, settings, hooks);
  const q = table.targets.length / source.rows;
  const predictions = tests.map((test, index) =>
    split(table.sets, test.length, (row, target) => heldOut[index]![row * q + target]!),
  );
  return { ...rest, predictions };
};

/** A readout from the dual coefficients of a regression on all rows; targets that do not vary take no part. */
const readoutOf = async (
  engine: Engine,
  products: Products,
  table: RidgeTable,
  swept: Swept,
  hooks: StepHooks,
): Promise<Pick<Readout, 'weights' | 'offset'>> => {
  const { sets, order, source } = table;
  const { sites, centre, unit } = sets[0]!;
  const all = swept.best[0]!;
  const fixed = fixedValues(table, all, swept.constantColumns === source.columns);
  const dual = all.values.map((value, k) => (Number.isNaN(fixed[k % sites]!) ? unit * value : 0));
  const bench = { engine, products, features: swept.features, order, hooks };
  const weights = await weightsFromDual(bench, dual);
  const offset = centre.slice();
  for (let k = 0; k < source.columns; k++)
    for (let j = 0; j < sites; j++)
      offset[j] = offset[j]! - swept.means[k]! * weights.data[k * sites + j]!;
  return { weights, offset };
};

/**
 * Ridge regression fitted on all rows, as weights on the features. `targets` is [rows, sites]. Throws as
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
  const table = tableOf(source, [targets], [new Int32Array(0)]);
  return withProducts(engine, hooks, async (products, steps) => {
    const swept = await sweep(engine, products, table, settings, steps, true);
    return {
      ...(await readoutOf(engine, products, table, swept, steps)),
      alphas: swept.best[0]!.alphas,
      arithmetic: 'float64 gram',
      warnings: warningsOf(swept, source.columns, settings),
    };
  });
};
