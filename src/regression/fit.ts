import type { Float64Nd, FloatNd } from '../records/array.ts';
import type { Held } from '../records/ports.ts';
import type { PlsSettings } from '../records/protocol.ts';
import { runCovariancePls } from './covariance-pls.ts';
import { FLOAT32_PAYS, taskBytes } from './estimate.ts';
import { runFeaturePls } from './feature-pls.ts';
import type { FeatureBlocks } from './features.ts';
import { type PlsForm, plsForm } from './forms.ts';
import { type Gram, gramMatrix, type LayerContext } from './gram.ts';
import { runKernelPls } from './kernel-pls.ts';
import { trainingMoments } from './moments.ts';
import {
  type DenseFeatures,
  denseOperator,
  type FeatureOperator,
  readDense,
  streamedOperator,
} from './operators.ts';
import { runRowPls } from './row-pls.ts';
import { type PredictedRanges, predictPlaces, type Task } from './task.ts';
import {
  inGroups,
  type Job,
  type PredictPlaces,
  type RunGroup,
  splitGroups,
} from './task-groups.ts';

/** In which arithmetic the regression of a layer ended. */
export type Arithmetic = 'covariance' | 'float32 gram' | 'float64 gram' | 'features' | 'deflated';

export interface Fit {
  readonly arithmetic: Arithmetic;
  readonly constantColumns: number;
}

/** A layer, and everything that partial least squares on it works with. */
export interface PlsContext extends LayerContext {
  readonly settings: PlsSettings;
  /** Where a Gram matrix in this order comes from, unless it is to be made of the features. */
  readonly gramOf?: (precision: Gram['precision']) => Promise<Gram>;
}

const fromScores =
  (task: Task): PredictPlaces =>
  (from, to) =>
    predictPlaces(task, from, to);

const fromRanges =
  (ranges: PredictedRanges): PredictPlaces =>
  (from) =>
    ranges.get(from)!;

/** The forms that work on a Gram matrix. */
type GramForm = Extract<PlsForm, 'gram' | 'rows'>;

const everyIndex = ({ count }: Job): number[] => Array.from({ length: count }, (_, index) => index);

const onFeatures = async (
  context: PlsContext,
  job: Job,
  indices: readonly number[],
  operator: FeatureOperator,
  deflated: boolean,
): Promise<void> => {
  const run: RunGroup = async (tasks) => {
    await runFeaturePls(context, operator, tasks, false);
  };
  await inGroups(context, 'features', { job, indices }, run, (index, task) => {
    job.finish(index, task, { deflated, predict: fromScores(task) });
    return true;
  });
};

/** The forms that iterate on covariances. */
type CovarianceForm = Extract<PlsForm, 'covariance' | 'fused'>;

/** Fits all tasks; returns those that the form has too few digits for. */
const fitCovariances = async (
  context: PlsContext,
  job: Job,
  form: CovarianceForm,
  x: Held,
): Promise<number[]> => {
  const { engine, products } = context;
  const imprecise: number[] = [];
  const p = x.shape[1]!;
  const { splits } = job;
  const moments = await trainingMoments(products, x, splits, form === 'covariance');
  const covariances =
    form === 'covariance'
      ? await engine.hold({ data: moments.covariances, shape: [splits.length, p, p] })
      : null;
  const layer = { x, covariances, sums: moments.sums };
  try {
    for (const group of splitGroups(context, form, job)) {
      const tasks = group.map((index) => ({
        task: job.start(index, false),
        split: job.splitOf(index),
      }));
      const predicted = await runCovariancePls(context, layer, tasks);
      tasks.forEach(({ task }, k) => {
        if (task.ending === 'imprecise') imprecise.push(group[k]!);
        else {
          const predict = fromRanges(predicted.get(task)!);
          job.finish(group[k]!, task, { deflated: false, predict });
        }
      });
    }
  } finally {
    if (covariances !== null) await engine.drop(covariances);
  }
  // Set after set again, so that the tasks of one set follow each other.
  return imprecise.sort((a, b) => a - b);
};

/** `fitCovariances` on features that come back. */
const onCovariances = async (
  context: PlsContext,
  job: Job,
  form: CovarianceForm,
  dense: DenseFeatures,
): Promise<{ dense: DenseFeatures; imprecise: number[] }> => {
  const held = await context.engine.hold(dense.x);
  let imprecise: number[];
  let x: Float64Nd;
  try {
    imprecise = await fitCovariances(context, job, form, held);
  } finally {
    x = (await context.engine.take(held)) as Float64Nd;
  }
  return { dense: { ...dense, x }, imprecise };
};

const fitNarrow = async (
  context: PlsContext,
  job: Job,
  form: CovarianceForm | 'features',
): Promise<Fit> => {
  const { engine, products, features, order } = context;
  let dense = await readDense(features, order);
  features.drop();
  const { constantColumns } = dense;
  let indices = everyIndex(job);
  if (form !== 'features') {
    const fitted = await onCovariances(context, job, form, dense);
    const arithmetic = form === 'covariance' ? 'covariance' : 'features';
    if (fitted.imprecise.length === 0) return { arithmetic, constantColumns };
    dense = fitted.dense;
    indices = fitted.imprecise;
  }
  const operator = await denseOperator(engine, products, dense);
  try {
    await onFeatures(context, job, indices, operator, false);
  } finally {
    await operator.release();
  }
  return { arithmetic: 'features', constantColumns };
};

/** Makes the Gram matrix, lends it, and gives its memory back. */
export const withGram = async <T>(
  context: PlsContext,
  precision: Gram['precision'],
  use: (gram: Gram) => Promise<T>,
): Promise<T> => {
  const { engine, gramOf } = context;
  const gram = await (gramOf === undefined ? gramMatrix(context, precision) : gramOf(precision));
  try {
    return await use(gram);
  } finally {
    await engine.drop(gram.held);
  }
};

/** Arithmetics of the Gram matrix in the order in which they are tried; the last is always float64. */
export const precisionsFor = (
  { rows, columns }: FeatureBlocks,
  { gram }: PlsSettings,
): readonly Gram['precision'][] =>
  gram === 'float32' || (gram === 'auto' && rows * rows * columns >= FLOAT32_PAYS)
    ? ['float32', 'float64']
    : ['float64'];

/** Runs a group from the Gram matrix; where it makes predictions on the way, these are put into `predicted`. */
const gramGroup =
  (
    context: PlsContext,
    form: GramForm,
    gram: Gram,
    predicted: Map<Task, PredictedRanges>,
  ): RunGroup =>
  async (tasks) => {
    const stopAtImprecise = gram.precision === 'float32';
    if (form === 'gram') return runKernelPls(context, gram, tasks, stopAtImprecise);
    for (const set of new Set(tasks.map(({ targets }) => targets))) {
      const some = tasks.filter(({ targets }) => targets === set);
      for (const [task, ranges] of await runRowPls(context, gram, some, stopAtImprecise))
        predicted.set(task, ranges);
    }
  };

/** A Gram matrix and the tasks that it was too imprecise for; null where it was float32 and there is one. */
const fitWithGram = (
  context: PlsContext,
  job: Job,
  form: GramForm,
  precision: Gram['precision'],
): Promise<{ gram: Gram; imprecise: number[] } | null> =>
  withGram(context, precision, async (gram) => {
    const imprecise: number[] = [];
    const predicted = new Map<Task, PredictedRanges>();
    const sound = await inGroups(
      context,
      form,
      { job, indices: everyIndex(job) },
      gramGroup(context, form, gram, predicted),
      (index, task) => {
        if (task.ending === 'imprecise') imprecise.push(index);
        const ranges = predicted.get(task);
        const predict = ranges === undefined ? fromScores(task) : fromRanges(ranges);
        job.finish(index, task, { deflated: false, predict });
        predicted.delete(task);
        return task.ending !== 'imprecise' || precision === 'float64';
      },
    );
    return sound ? { gram, imprecise } : null;
  });

/** Bytes of one task on the features beyond which what the Gram matrix had digits for is kept. */
const MOST_DEFLATED_BYTES = 2 ** 30;

/** The features for the tasks that the Gram matrix is too imprecise for; null where these cannot be fitted on them. */
const featuresAgain = async (
  { features, settings: { components } }: PlsContext,
  job: Job,
  imprecise: readonly number[],
): Promise<FloatNd | null> => {
  const { rows, columns } = features;
  const bytes = taskBytes('features', { rows, columns, sites: job.sites, components });
  return imprecise.length > 0 && bytes <= MOST_DEFLATED_BYTES ? features.resident() : null;
};

const fitWide = async (context: PlsContext, job: Job, form: GramForm): Promise<Fit> => {
  for (const precision of precisionsFor(context.features, context.settings)) {
    const fitted = await fitWithGram(context, job, form, precision);
    if (fitted === null) continue;
    const { gram, imprecise } = fitted;
    const { constantColumns } = gram;
    const block = await featuresAgain(context, job, imprecise);
    if (block === null) return { arithmetic: `${precision} gram`, constantColumns };
    const { engine, products, features, order } = context;
    features.drop();
    const operator = await streamedOperator(engine, products, block, order, gram.means);
    try {
      await onFeatures(context, job, imprecise, operator, true);
    } finally {
      await operator.release();
    }
    return { arithmetic: 'deflated', constantColumns };
  }
  throw new Error('the last arithmetic is never given up');
};

/**
 * Runs a job in float32 where that is accurate enough, else in float64: on the features where there are few; else from a float32
 * Gram matrix where that pays, unless one task finds it too imprecise; else from a float64 one; and those tasks that
 * find even that too imprecise again on the features, where these lie in memory as a whole.
 */
export const runPls = async (context: PlsContext, job: Job, form: PlsForm | null): Promise<Fit> => {
  const { features, settings } = context;
  const { rows, columns } = features;
  const { sites, count: fits, splits } = job;
  const size = { rows, columns, sites, splits: splits.length, fits, ...settings };
  const chosen = form ?? plsForm(size);
  return chosen === 'gram' || chosen === 'rows'
    ? fitWide(context, job, chosen)
    : fitNarrow(context, job, chosen);
};
