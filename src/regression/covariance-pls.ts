// Partial least squares from covariances: no vector over the rows is made outside the engine (Dayal & MacGregor 1997,
// "improved kernel algorithm 2"; the covariances of all splits from blocks of rows after Engstrøm & Jensen 2017).

import { dot } from '../numeric/vectors.ts';
import type { Held } from '../records/ports.ts';
import {
  absorbComponent,
  type CovarianceState,
  findWeights,
  finishLoadings,
  type SplitTask,
  startCovariances,
} from './covariance-state.ts';
import type { Moments } from './moments.ts';
import { matrix, type Products } from './products.ts';
import type { PlsRun } from './steps.ts';
import type { PlaceRange, PredictedRanges, Task } from './task.ts';
import { openByCovariances, openByScores } from './training-images.ts';

/** Centred features held in the engine, and what the training rows of some splits hold of them. */
export interface CovarianceLayer {
  /** X [n, p], rows in fold order. */
  readonly x: Held;
  /** A of each split, held [splits, p, p]; null: none is made, and A·r comes through the scores. */
  readonly covariances: Held | null;
  /** Column sums over the training rows [splits, p]. */
  readonly sums: Moments['sums'];
}

/** Σ_a t_a q_aᵀ + ȳ at the places that the tasks of one split hold out. */
const predictSplit = async (
  products: Products,
  { x, sums }: CovarianceLayer,
  states: readonly CovarianceState[],
  rows: PlaceRange,
): Promise<Float64Array[]> => {
  const p = x.shape[1]!;
  const { split, task } = states[0]!;
  const a = task.scoreNorms.length;
  const rotations = new Float64Array(states.length * a * p);
  states.forEach((state, k) => {
    rotations.set(state.rotations, k * a * p);
  });
  const stacked = matrix(rotations, states.length * a);
  const scores = await products.multiply('a·bᵀ', stacked, { held: x, rows });
  const count = rows[1] - rows[0];
  for (let b = 0; b < states.length * a; b++) {
    const mean = dot(rotations, b * p, sums, split * p, p) / task.trained;
    for (let i = b * count; i < (b + 1) * count; i++) scores[i] = scores[i]! - mean;
  }
  const predicted: Float64Array[] = [];
  for (const [k, { task: each }] of states.entries()) {
    const own = matrix(scores.slice(k * a * count, (k + 1) * a * count), a);
    const rowsOfTask = await products.multiply('aᵀ·b', own, matrix(each.loadings, a));
    const q = each.live.length;
    for (let i = 0; i < count; i++)
      for (let j = 0; j < q; j++) rowsOfTask[i * q + j] = rowsOfTask[i * q + j]! + each.mean[j]!;
    predicted.push(rowsOfTask);
  }
  return predicted;
};

const predictAll = async (
  products: Products,
  layer: CovarianceLayer,
  states: readonly CovarianceState[],
): Promise<Map<Task, PredictedRanges>> => {
  const all = new Map(states.map(({ task }) => [task, new Map<number, Float64Array>()]));
  for (const state of states) await finishLoadings(products, state);
  const sound = states.filter(({ task }) => task.ending !== 'imprecise');
  for (const split of new Set(sound.map((state) => state.split))) {
    const some = sound.filter((state) => state.split === split);
    for (const range of some[0]!.task.heldOut) {
      const predicted = await predictSplit(products, layer, some, range);
      some.forEach(({ task }, k) => {
        all.get(task)!.set(range[0], predicted[k]!);
      });
    }
  }
  return all;
};

/**
 * Components of all tasks in lockstep. A task ends with `imprecise` where the covariances have too few digits for it, and
 * is to be run again in another form; the others come with their predictions. Tasks of a split lie beside each other.
 */
export const runCovariancePls = async (
  run: PlsRun,
  layer: CovarianceLayer,
  tasks: readonly SplitTask[],
): Promise<ReadonlyMap<Task, PredictedRanges>> => {
  const { products, settings, steps } = run;
  const states = await startCovariances(products, layer.x, tasks);
  const images =
    layer.covariances === null
      ? await openByScores(products, layer.x, states)
      : openByCovariances(products, layer.covariances, states);
  try {
    let running: CovarianceState[] = states;
    for (let a = 0; a < settings.components; a++) {
      const directed: CovarianceState[] = [];
      for (const state of running) if (await findWeights(run, state)) directed.push(state);
      running = directed;
      if (running.length > 0) {
        const found = await images.of(running);
        running = running.filter((state, k) => absorbComponent(state, found[k]!));
      }
      steps.checkStop();
      steps.step();
    }
  } finally {
    await images.release();
  }
  return predictAll(products, layer, states);
};
