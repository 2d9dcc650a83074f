// The fits of a layer in groups that memory has room for.

import { GROUP_BYTES, taskBytes } from './estimate.ts';
import type { FeatureBlocks } from './features.ts';
import type { PlsForm } from './forms.ts';
import type { Steps } from './steps.ts';
import type { PlaceRange, Task } from './task.ts';

/** Predictions [to − from, sites] at places that a task holds out. */
export type PredictPlaces = (from: number, to: number) => Float64Array;

/** How a task came to its predictions. */
export interface Finished {
  readonly deflated: boolean;
  readonly predict: PredictPlaces;
}

/**
 * The folds of all target sets: tasks are made when their turn comes and handed over when they are done, so that only
 * some of them are in memory. A task that is run again is handed over again.
 */
export interface Job {
  readonly count: number;
  readonly sites: number;
  /** What each split holds out, ascending, and the split of a task. */
  readonly splits: readonly (readonly PlaceRange[])[];
  splitOf(index: number): number;
  start(index: number, keepsScores: boolean): Task;
  finish(index: number, task: Task, finished: Finished): void;
}

/** What a group is sized by. */
interface GroupContext {
  readonly features: Pick<FeatureBlocks, 'rows' | 'columns'>;
  readonly settings: { readonly components: number };
  readonly steps: Steps;
}

export type RunGroup = (tasks: readonly Task[]) => Promise<void>;

/** Tasks of a group at least, and bytes of each, where two groups are on their way: below, messages are what takes time. */
const LEAST_BESIDE = 16;
const LEAST_BESIDE_BYTES = 2 ** 20;

/**
 * Runs tasks in groups that fit in memory, two at a time: while the engine multiplies for one, what is done outside the
 * engine is done for the other. `goOn` is asked after each.
 */
export const inGroups = async (
  { features: { rows, columns }, settings: { components }, steps }: GroupContext,
  form: PlsForm,
  { job, indices }: { readonly job: Job; readonly indices: readonly number[] },
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
    const tasks = pair.map((group) => group.map((index) => job.start(index, true)));
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

/** Splits [from, to) and their tasks, as many at a time as fit in memory. */
export const splitGroups = (
  { features: { rows, columns }, settings: { components }, steps }: GroupContext,
  form: PlsForm,
  job: Job,
): number[][] => {
  const bySplit = job.splits.map((): number[] => []);
  for (let index = 0; index < job.count; index++) bySplit[job.splitOf(index)]!.push(index);
  const bytes = taskBytes(form, { rows, columns, sites: job.sites, components });
  const groups: number[][] = [];
  for (const indices of bySplit) {
    const last = groups.at(-1);
    if (last !== undefined && (last.length + indices.length) * bytes <= GROUP_BYTES)
      last.push(...indices);
    else if (indices.length > 0) groups.push(indices);
  }
  steps.expect(groups.length * components);
  return groups;
};
