// A·r for the covariances A = XᵀX of each task's training rows: by A itself, or through the scores X·r.

import type { Held } from '../records/ports.ts';
import type { CovarianceState } from './covariance-state.ts';
import { matrix, type Products } from './products.ts';
import { trainingMasks } from './task.ts';

/** A·r of the last rotations of tasks, of those that were opened [p] each. */
export interface TrainingImages {
  of(running: readonly CovarianceState[]): Promise<Float64Array[]>;
  release(): Promise<void>;
}

/** By the A of all splits, held [splits, p, p]: one product with those that the tasks belong to. */
export const openByCovariances = (
  products: Products,
  covariances: Held,
  tasks: readonly CovarianceState[],
): TrainingImages => {
  const splits = tasks.map(({ split }) => split);
  const range = [Math.min(...splits), Math.max(...splits) + 1] as const;
  return {
    of: (running) => covarianceImages(products, covariances, range, running),
    release: async () => undefined,
  };
};

const covarianceImages = async (
  products: Products,
  covariances: Held,
  [first, end]: readonly [number, number],
  states: readonly CovarianceState[],
): Promise<Float64Array[]> => {
  const p = covariances.shape[1]!;
  const width = 1 + Math.max(...states.map(({ place }) => place));
  const vectors = new Float64Array((end - first) * p * width);
  for (const { task, rotations, split, place } of states) {
    const from = (split - first) * p * width + place;
    const row = task.components * p;
    for (let k = 0; k < p; k++) vectors[from + k * width] = rotations[row + k]!;
  }
  const product = await products.multiplyStacked(
    { held: covariances, rows: [first, end] },
    { data: vectors, shape: [end - first, p, width] },
  );
  return states.map(({ split, place }) => {
    const from = (split - first) * p * width + place;
    return Float64Array.from({ length: p }, (_, k) => product[from + k * width]!);
  });
};

/** Through the scores: two products with X [n, p], and no A. */
export const openByScores = async (
  products: Products,
  x: Held,
  tasks: readonly CovarianceState[],
): Promise<TrainingImages> => {
  const [n = 0, p = 0] = x.shape;
  const m = tasks.length;
  const masks = trainingMasks(
    tasks.map(({ task }) => task),
    n,
  );
  const mask = await products.hold(matrix(masks, n));
  const share = { data: Float64Array.from(tasks, ({ task }) => 1 / task.trained), shape: [m] };
  const places = new Map(tasks.map((state, place) => [state, place]));
  // Rows of tasks that have ended keep their last rotations; nobody reads what comes of them.
  const r = new Float64Array(m * p);
  return {
    of: async (running) => {
      for (const state of running) {
        const from = state.task.components * p;
        r.set(state.rotations.subarray(from, from + p), places.get(state)! * p);
      }
      const images = await products.trainingImages({
        x: { held: x },
        r: matrix(r, m),
        mask: { held: mask },
        share,
      });
      return running.map((state) => {
        const from = places.get(state)! * p;
        return images.subarray(from, from + p);
      });
    },
    release: () => products.drop(mask),
  };
};
