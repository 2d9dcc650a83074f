// Partial least squares where there are many targets: nothing of targets × targets, nor of targets × rows beside the
// targets themselves. The power iteration goes over u = Yc, a vector over rows, in place of c.

import { dot } from '../numeric/vectors.ts';
import type { Held } from '../records/ports.ts';
import type { PlsSettings } from '../records/protocol.ts';
import type { Gram } from './gram.ts';
import { SOUND_COVARIANCE, SOUND_SPREAD } from './kernel-pls.ts';
import { matrix, type Products, type RowStep } from './products.ts';
import type { PlsRun } from './steps.ts';
import {
  acceptScores,
  centreOnTraining,
  type PredictedRanges,
  recordSpread,
  regressTargets,
  retireFitted,
  type Task,
  trainingScores,
} from './task.ts';

/** What the tasks of one target set share: Y [q, n] and L = YᵀY [n, n], held. */
interface HeldTargets {
  readonly y: Held;
  readonly l: Held;
}

/** Where the iteration of one component ended. */
interface Found {
  /** u with uᵀKu = 1 on the training rows, and K·u over all rows. */
  readonly unit: Float64Array;
  readonly image: Float64Array;
  /** About the largest λ of M; Infinity where one step was all. */
  readonly strength: number;
  readonly settled: boolean;
}

/** The first target that takes part, centred on the training rows, 0 on the others. */
const firstTarget = ({ targets, live, mean, training, scores, scoreNorms, components }: Task) => {
  const { rows: n, values } = targets;
  const j = live.indexOf(1);
  const u = new Float64Array(n);
  for (const [from, to] of training)
    for (let i = from; i < to; i++) u[i] = values[j * n + i]! - mean[j]!;
  for (let b = 0; b < components; b++) {
    const along = dot(u, 0, scores, b * n, n) / scoreNorms[b]!;
    for (const [from, to] of training)
      for (let i = from; i < to; i++) u[i] = u[i]! - along * scores[b * n + i]!;
  }
  return u;
};

/** 1 where a task trains [T, n]. */
const masksOf = (tasks: readonly Task[], n: number): Float64Array => {
  const masks = new Float64Array(tasks.length * n);
  tasks.forEach(({ training }, k) => {
    for (const [from, to] of training) masks.fill(1, k * n + from, k * n + to);
  });
  return masks;
};

/** The mean and the scores so far as orthonormal vectors over each task's training rows [T, count + 1, n]. */
const basesOf = (tasks: readonly Task[], n: number, count: number): Float64Array => {
  const bases = new Float64Array(tasks.length * (count + 1) * n);
  tasks.forEach(({ training, trained, scores, scoreNorms, components }, k) => {
    const own = k * (count + 1) * n;
    for (const [from, to] of training) {
      bases.fill(1 / Math.sqrt(trained), own + from, own + to);
      for (let b = 0; b < Math.min(count, components); b++) {
        const length = Math.sqrt(scoreNorms[b]!);
        const row = own + (b + 1) * n;
        for (let i = from; i < to; i++) bases[row + i] = scores[b * n + i]! / length;
      }
    }
  });
  return bases;
};

/** Vectors of length n end to end. */
const endToEnd = (vectors: readonly Float64Array[], n: number): Float64Array => {
  const all = new Float64Array(vectors.length * n);
  vectors.forEach((vector, k) => {
    all.set(vector, k * n);
  });
  return all;
};

/** A task on its way through the iteration. */
interface Walker {
  readonly task: Task;
  readonly place: number;
  u: Float64Array;
  unit: Float64Array;
  image: Float64Array;
}

/**
 * What the k-th of the tasks comes to in one step, the `iteration`-th: null while it goes on, 'nothing' where no feature
 * varies with its targets.
 */
const outcomeOf = (
  { unit, image, square, change }: RowStep,
  k: number,
  iteration: number,
  { tolerance, maxIterations }: PlsSettings,
): Found | 'nothing' | null => {
  if (!(square[k]! > 0)) return 'nothing';
  const settled = iteration > 1 && change[k]! < tolerance;
  if (!settled && iteration < maxIterations) return null;
  const n = unit.length / square.length;
  return {
    unit: unit.slice(k * n, (k + 1) * n),
    image: image.slice(k * n, (k + 1) * n),
    strength: iteration > 1 ? Math.sqrt(square[k]!) : Infinity,
    settled,
  };
};

/** scikit-learn's power iteration of some of the tasks together, `ROW_STEPS` steps at a time. */
const findDirections = async (
  { products, settings }: PlsRun,
  squares: Readonly<Record<'k' | 'l' | 'masks', Held>>,
  all: readonly Task[],
  running: readonly Task[],
): Promise<Map<Task, Found>> => {
  const n = squares.k.shape[0]!;
  const components = Math.max(...running.map((task) => task.components));
  const bases = await products.hold({
    data: basesOf(all, n, components),
    shape: [all.length, components + 1, n],
  });
  const found = new Map<Task, Found>();
  let walkers: Walker[] = running.map((task) => ({
    task,
    place: all.indexOf(task),
    u: firstTarget(task),
    unit: new Float64Array(n),
    image: new Float64Array(n),
  }));
  try {
    for (let iteration = 1; walkers.length > 0; ) {
      const m = walkers.length;
      const { steps, next } = await products.rowSteps({
        ...Object.fromEntries(Object.entries(squares).map(([name, held]) => [name, { held }])),
        bases: { held: bases },
        which: { data: BigInt64Array.from(walkers, ({ place }) => BigInt(place)), shape: [m] },
        u0: matrix(
          endToEnd(
            walkers.map(({ u }) => u),
            n,
          ),
          m,
        ),
        unit: matrix(
          endToEnd(
            walkers.map(({ unit }) => unit),
            n,
          ),
          m,
        ),
        image: matrix(
          endToEnd(
            walkers.map(({ image }) => image),
            n,
          ),
          m,
        ),
      });
      const done = new Set<Walker>();
      for (const step of steps) {
        walkers.forEach((walker, k) => {
          if (done.has(walker)) return;
          const outcome = outcomeOf(step, k, iteration, settings);
          if (outcome === null) return;
          done.add(walker);
          if (outcome !== 'nothing') found.set(walker.task, outcome);
        });
        iteration++;
      }
      const last = steps.at(-1)!;
      walkers.forEach((walker, k) => {
        walker.u = next.subarray(k * n, (k + 1) * n);
        walker.unit = last.unit.subarray(k * n, (k + 1) * n);
        walker.image = last.image.subarray(k * n, (k + 1) * n);
      });
      walkers = walkers.filter((walker) => !done.has(walker));
    }
  } finally {
    await products.drop(bases);
  }
  return found;
};

/** How far uᵀt may be from the uᵀKu = 1 that u was scaled to: as `covarianceHolds`. */
const COVARIANCE_TOLERANCE = 0.01;

/** The scores t = K·u. False where the task ends. */
const advance = (task: Task, found: Found | undefined, strongest: number): boolean => {
  if (found === undefined) {
    task.ending = 'exhausted';
    return false;
  }
  const { unit, image, strength, settled } = found;
  if (!settled) task.unsettled++;
  if (task.components > 0 && strength < SOUND_COVARIANCE * strongest) {
    task.ending = 'imprecise';
    return false;
  }
  centreOnTraining(task, image);
  if (acceptScores(task, image) === null) return false;
  const n = unit.length;
  const along = dot(unit, 0, task.scores, (task.components - 1) * n, n);
  if (Math.abs(along - 1) < COVARIANCE_TOLERANCE) return true;
  task.ending = 'imprecise';
  task.components--;
  return false;
};

/** q of the last scores t [m, n]; false where K has run out of digits. */
const absorb = async (
  products: Products,
  { held, precision }: Gram,
  { y }: HeldTargets,
  tasks: readonly Task[],
): Promise<Task[]> => {
  const n = held.shape[0]!;
  const m = tasks.length;
  const trained = tasks.map(trainingScores);
  const t = matrix(endToEnd(trained, n), m);
  const images = await products.multiply('a·bᵀ', { held }, t);
  const along = await products.multiply('a·bᵀ', t, { held: y });
  const q = along.length / m;
  return tasks.filter((task, k) => {
    regressTargets(task, along.subarray(k * q, (k + 1) * q));
    let theta = 0;
    for (let i = 0; i < n; i++) theta += trained[k]![i]! * images[i * m + k]!;
    const spread = theta / task.scoreNorms[task.components - 1]!;
    if (recordSpread(task, spread) >= SOUND_SPREAD[precision]) return true;
    task.ending = 'imprecise';
    task.components--;
    return false;
  });
};

const iterate = async (
  run: PlsRun,
  gram: Gram,
  held: HeldTargets,
  tasks: readonly Task[],
  stopAtImprecise: boolean,
): Promise<void> => {
  const { products, settings, steps } = run;
  const n = gram.held.shape[0]!;
  const masks = await products.hold(matrix(masksOf(tasks, n), tasks.length));
  const strongest = new Map<Task, number>();
  try {
    let running = tasks;
    for (let a = 0; a < settings.components; a++) {
      running = running.filter((task) => {
        retireFitted(task);
        if (task.live.includes(1)) return true;
        task.ending = 'fitted';
        return false;
      });
      if (running.length > 0) {
        const squares = { k: gram.held, l: held.l, masks };
        const found = await findDirections(run, squares, tasks, running);
        running = running.filter((task) => {
          const own = found.get(task);
          const strength = own === undefined || own.strength === Infinity ? 0 : own.strength;
          strongest.set(task, Math.max(strongest.get(task) ?? 0, strength));
          return advance(task, own, strongest.get(task)!);
        });
      }
      if (running.length > 0) running = await absorb(products, gram, held, running);
      steps.checkStop();
      steps.step();
      if (stopAtImprecise && tasks.some(({ ending }) => ending === 'imprecise')) return;
    }
  } finally {
    await products.drop(masks);
  }
};

/** Σ_a t_a q_aᵀ + ȳ of the ranges that a task holds out. */
const predictRanges = async (products: Products, task: Task): Promise<PredictedRanges> => {
  const { scores, loadings, mean, targets, components: a } = task;
  const n = targets.rows;
  const q = targets.sites;
  const predicted = new Map<number, Float64Array>();
  for (const [from, to] of task.heldOut) {
    const rows = new Float64Array((to - from) * q);
    if (a > 0) {
      const own = new Float64Array(a * (to - from));
      for (let b = 0; b < a; b++)
        own.set(scores.subarray(b * n + from, b * n + to), b * (to - from));
      const product = products.multiply(
        'aᵀ·b',
        matrix(own, a),
        matrix(loadings.subarray(0, a * q), a),
      );
      rows.set(await product);
    }
    for (let i = 0; i < to - from; i++)
      for (let j = 0; j < q; j++) rows[i * q + j] = rows[i * q + j]! + mean[j]!;
    predicted.set(from, rows);
  }
  return predicted;
};

/**
 * `runKernelPls` for tasks of one target set with many targets, stopping as scikit-learn does: with M = YᵀKY, the steps
 * c ← Mc are those of u = Yc ← LKu, L = YYᵀ, on what the earlier scores leave of the training rows. Returns predictions.
 */
export const runRowPls = async (
  run: PlsRun,
  gram: Gram,
  tasks: readonly Task[],
  stopAtImprecise: boolean,
): Promise<ReadonlyMap<Task, PredictedRanges>> => {
  const { products } = run;
  const { values, sites, rows } = tasks[0]!.targets;
  const y = await products.hold(matrix(values.slice(), sites));
  try {
    const square = await products.multiply('aᵀ·b', { held: y }, { held: y });
    const l = await products.hold(matrix(square, rows));
    try {
      await iterate(run, gram, { y, l }, tasks, stopAtImprecise);
    } finally {
      await products.drop(l);
    }
  } finally {
    await products.drop(y);
  }
  const predicted = new Map<Task, PredictedRanges>();
  for (const task of tasks) predicted.set(task, await predictRanges(products, task));
  return predicted;
};
