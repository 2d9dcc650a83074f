import { transposedMatrix } from '../numeric/vectors.ts';
import type { Held } from '../records/ports.ts';
import { stackTargets } from './lockstep.ts';
import { matrix, type Products } from './products.ts';
import { type Task, trainingMasks } from './task.ts';

/** What a component asks of the Gram matrix K for one task, t being the task's last scores on its training rows. */
export interface GramScore {
  /** h = K·t, centred on the training rows [n]; a view. */
  readonly gramScore: Float64Array;
  /** Yᵀt and Yᵀh over the training rows [q]. */
  readonly alongScores: Float64Array;
  readonly alongGramScore: Float64Array;
}

export interface GramScores {
  /** Of tasks of the group that was opened, in one run of the engine. */
  of(running: readonly Task[]): Promise<GramScore[]>;
  release(): Promise<void>;
}

/** Scores of the training rows, 0 on the others. */
const putScores = ({ training, scores, components }: Task, row: Float64Array): void => {
  const from = (components - 1) * row.length;
  for (const [first, end] of training) row.set(scores.subarray(from + first, from + end), first);
};

/**
 * Lays the targets and the training rows of a group of tasks beside the Gram matrix in the engine, where they stay until
 * `release`: a component then sends and receives little more than one vector of each task, once.
 */
export const openGramScores = async (
  products: Products,
  gram: Held,
  tasks: readonly Task[],
): Promise<GramScores> => {
  const n = gram.shape[0]!;
  const m = tasks.length;
  const { data, rows, first } = stackTargets(tasks);
  const y = await products.hold(matrix(data, rows));
  const mask = await products.hold(matrix(trainingMasks(tasks, n), n));
  const places = new Map(tasks.map((task, place) => [task, place]));
  // Rows of tasks that have ended keep their last scores; nobody reads what comes of them.
  const t = new Float64Array(m * n);
  return {
    of: async (running) => {
      for (const task of running) {
        const row = places.get(task)! * n;
        putScores(task, t.subarray(row, row + n));
      }
      const { h, yt, yh } = await products.gramScores(
        gram,
        matrix(t, m),
        { held: mask },
        { held: y },
      );
      const all = transposedMatrix(h, n, m);
      return running.map((task) => {
        const { trained, mean, targets } = task;
        const k = places.get(task)!;
        const row = first.get(targets)!;
        const total = yh[(rows - 1) * m + k]!;
        const gramScore = all.subarray(k * n, (k + 1) * n);
        for (let i = 0; i < n; i++) gramScore[i] = gramScore[i]! - total / trained;
        return {
          gramScore,
          alongScores: mean.map((_, j) => yt[(row + j) * m + k]!),
          alongGramScore: mean.map((centre, j) => yh[(row + j) * m + k]! - total * centre),
        };
      });
    },
    release: async () => {
      await products.drop(mask);
      await products.drop(y);
    },
  };
};
