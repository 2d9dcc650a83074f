import type { PlsSettings } from '../records/protocol.ts';
import { FLOAT32_PAYS, GROUP_BYTES, isNarrow, taskBytes } from './estimate.ts';
import { runFeaturePls } from './feature-pls.ts';
import type { FeatureBlocks } from './features.ts';
import { type Gram, gramMatrix, type LayerContext } from './gram.ts';
import { runKernelPls } from './kernel-pls.ts';
import { denseOperator, type FeatureOperator, streamedOperator } from './operators.ts';
import type { Task } from './task.ts';

/** In which arithmetic the regression of a layer ended. */
export type Arithmetic = 'float32 gram' | 'float64 gram' | 'features' | 'deflated';

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

/**
 * The folds of all target sets: tasks are made when their turn comes and handed over when they are done, so that only
 * some of them are in memory. A task that is run again is handed over again.
 */
export interface Job {
  readonly count: number;
  readonly sites: number;
  start(index: number): Task;
  finish(index: number, task: Task, deflated: boolean): void;
}

type RunGroup = (tasks: readonly Task[]) => Promise<void>;

/** Tasks of a group at least, and bytes of each, where two groups are on their way: below, messages are what takes time. */
const LEAST_BESIDE = 16;
const LEAST_BESIDE_BYTES = 2 ** 20;

/**
 * Runs tasks in groups that fit in memory, two at a time: while the engine multiplies for one, what is done outside the
 * engine is done for the other. `goOn` is asked after each.
 */
const inGroups = async (
  { features: { rows, columns }, settings: { components }, steps }: PlsContext,
  form: 'gram' | 'features',
  job: Job,
  indices: readonly number[],
  run: RunGroup,
  goOn: (index: number, task: Task) => boolean,
): Promise<boolean> => {
  const bytes = taskBytes(form, { rows, columns, sites: job.sites, components });
  const most = Math.max(1, Math.floor(GROUP_BYTES / bytes));
  const paysBeside = bytes >= LEAST_BESIDE_BYTES && most >= 2 * LEAST_BESIDE;
  const beside = paysBeside && indices.length >= 2 * LEAST_BESIDE ? 2 : 1;
  const size = Math.ceil(Math.min(most, indices.length) / beside);
  const groups: (readonly number[])[] = [];
  for (let k = 0; k < indices.length; k += size) groups.push(indices.slice(k, k + size));
  steps.expect(groups.length * components);
  for (let k = 0; k < groups.length; k += beside) {
    const pair = groups.slice(k, k + beside);
    const tasks = pair.map((group) => group.map((index) => job.start(index)));
    await allDone(tasks.map(run));
    if (!pair.every((group, g) => group.every((index, i) => goOn(index, tasks[g]![i]!))))
      return false;
  }
  return true;
};

/** Waits for all, also where one fails: nothing may be on its way any more when the products are closed. */
const allDone = async (running: readonly Promise<void>[]): Promise<void> => {
  for (const outcome of await Promise.allSettled(running))
    if (outcome.status === 'rejected') throw outcome.reason;
};

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
  await inGroups(context, 'features', job, indices, run, (index, task) => {
    job.finish(index, task, deflated);
    return true;
  });
};

const fitNarrow = async (context: PlsContext, job: Job): Promise<Fit> => {
  const { engine, products, features, order } = context;
  const operator = await denseOperator(engine, products, features, order);
  features.drop();
  try {
    await onFeatures(context, job, everyIndex(job), operator, false);
  } finally {
    await operator.release();
  }
  return { arithmetic: 'features', constantColumns: operator.constantColumns };
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

/** A Gram matrix and the tasks that it was too imprecise for; null where it was float32 and there is one. */
const fitWithGram = (
  context: PlsContext,
  job: Job,
  precision: Gram['precision'],
): Promise<{ gram: Gram; imprecise: number[] } | null> =>
  withGram(context, precision, async (gram) => {
    const imprecise: number[] = [];
    const run: RunGroup = (tasks) => runKernelPls(context, gram, tasks, precision === 'float32');
    const sound = await inGroups(context, 'gram', job, everyIndex(job), run, (index, task) => {
      if (task.ending === 'imprecise') imprecise.push(index);
      job.finish(index, task, false);
      return task.ending !== 'imprecise' || precision === 'float64';
    });
    return sound ? { gram, imprecise } : null;
  });

const fitWide = async (context: PlsContext, job: Job): Promise<Fit> => {
  for (const precision of precisionsFor(context.features, context.settings)) {
    const fitted = await fitWithGram(context, job, precision);
    if (fitted === null) continue;
    const { gram, imprecise } = fitted;
    const { constantColumns } = gram;
    const block = imprecise.length > 0 ? await context.features.resident() : null;
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
export const runPls = (context: PlsContext, job: Job): Promise<Fit> =>
  isNarrow(context.features.rows, context.features.columns)
    ? fitNarrow(context, job)
    : fitWide(context, job);
