import { addRows } from '../numeric/vectors.ts';
import type { Held } from '../records/ports.ts';
import type { PlsSettings } from '../records/protocol.ts';
import type { Gram, StepHooks } from './gram.ts';
import {
  alongTargets,
  inLockstep,
  inRows,
  onAllRows,
  onHeldOut,
  onTraining,
  symmetricProduct,
} from './lockstep.ts';
import { matrix, type Products } from './products.ts';
import {
  acceptScores,
  centreOnTraining,
  nextDirection,
  onTrainingRows,
  recordSpread,
  regressTargets,
  type Task,
  traceOf,
  trainingDot,
  trainingDots,
  trainingScores,
} from './task.ts';

/** Where the Gram matrix runs out of digits, by its arithmetic: λ as a part of the largest λ. */
const SOUND_SPREAD = { float32: 1e-4, float64: 1e-11 } as const;
/** The same for M as a part of its first value. */
const SOUND_COVARIANCE = 1e-12;

interface KernelState {
  readonly task: Task;
  /** G₀ = K·Y [q, n], centred on the training rows. */
  readonly images: Float64Array;
  /** h_b = K·t_b [A, n], deflated; r_b [A, q]. */
  readonly scoreImages: Float64Array;
  readonly corrections: Float64Array;
  readonly firstTrace: number;
  /** What t_b and h_b are made of: rows s with t_b = K·s and likewise for h_b, where they are asked for. */
  readonly duals: { readonly scores: Float64Array; readonly images: Float64Array } | null;
}

/** Steps 1: G₀ and M of each task, with one product of K for all folds of a target set. */
const prepare = async (
  products: Products,
  { held }: Gram,
  tasks: readonly Task[],
  keepDuals: boolean,
): Promise<KernelState[]> => {
  const states: KernelState[] = [];
  const shared = onAllRows((ones, n) => products.multiply('a·b', { held }, matrix(ones, n)));
  for (const task of tasks) {
    const { targets, heldOut, scores } = task;
    const { rows: n, sites: q } = targets;
    const { ones, whole } = await shared(targets);
    const part = await onHeldOut(task, ones, whole.length, (rows, some) =>
      products.multiply('aᵀ·b', { held, rows }, matrix(some, rows[1] - rows[0])),
    );
    const images = onTraining(task, whole, part, n);
    const masked = targets.values.slice();
    for (let j = 0; j < q; j++) {
      centreOnTraining(task, images.subarray(j * n, (j + 1) * n));
      for (const [from, to] of heldOut) masked.fill(0, j * n + from, j * n + to);
    }
    task.covariance = await symmetricProduct(products, task, images, masked);
    const like = () => new Float64Array(scores.length);
    states.push({
      task,
      images,
      scoreImages: like(),
      corrections: new Float64Array(task.loadings.length),
      firstTrace: traceOf(task.covariance, q),
      duals: keepDuals ? { scores: like(), images: like() } : null,
    });
  }
  return states;
};

/** rows[b] · vector for the first `count` rows, negated. */
const negatedDots = (rows: Float64Array, count: number, vector: Float64Array): Float64Array => {
  const q = vector.length;
  return Float64Array.from({ length: count }, (_, b) => {
    let sum = 0;
    for (let j = 0; j < q; j++) sum -= rows[b * q + j]! * vector[j]!;
    return sum;
  });
};

/** Steps 2 and 3: the direction c, and t = G₀c − Σ_b [h_b (q_b·c) + t_b (r_b·c)]. False where the task ends. */
const advance = (state: KernelState, settings: PlsSettings): boolean => {
  const { task, images, scoreImages, corrections, firstTrace, duals } = state;
  const { targets, loadings, scores, components: a, covariance } = task;
  const c = nextDirection(task, settings);
  const spent = traceOf(covariance, targets.sites) < SOUND_COVARIANCE * firstTrace;
  if (a > 0 && spent && task.ending !== 'fitted') {
    task.ending = 'imprecise';
    return false;
  }
  if (c === null) return false;
  const alongImages = negatedDots(loadings, a, c);
  const alongScores = negatedDots(corrections, a, c);
  const t = new Float64Array(targets.rows);
  addRows(t, images, targets.sites, c);
  addRows(t, scoreImages, a, alongImages);
  addRows(t, scores, a, alongScores);
  const taken = acceptScores(task, t);
  if (taken === null) return false;
  if (duals !== null) {
    const dual = new Float64Array(targets.rows);
    addRows(dual, targets.values, targets.sites, c);
    addRows(dual, duals.images, a, alongImages);
    addRows(dual, duals.scores, a, alongScores);
    addRows(dual, duals.scores, a, taken);
    duals.scores.set(dual, a * targets.rows);
  }
  return true;
};

/** Step 4: deflates h = K·t. */
const deflate = ({ task, scoreImages, duals }: KernelState, h: Float64Array): void => {
  const { targets, scores, squares, components } = task;
  const n = targets.rows;
  const a = components - 1;
  centreOnTraining(task, h);
  const along = trainingDots(task, scores, a, h);
  for (let b = 0; b < a; b++) along[b] = -along[b]! / squares[b]!;
  addRows(h, scores, a, along);
  scoreImages.set(h, a * n);
  if (duals === null) return;
  const dual = scores.slice(a * n, (a + 1) * n);
  addRows(dual, duals.scores, a, along);
  duals.images.set(dual, a * n);
};

/** Step 5: updates M, with z = Yᵀh. False where the Gram matrix has run out of digits. */
const absorb = (
  { task, corrections }: KernelState,
  h: Float64Array,
  z: Float64Array,
  soundSpread: number,
): boolean => {
  const { targets, scores, squares, loadings, covariance, live, components } = task;
  const { sites: q, rows: n } = targets;
  const a = components - 1;
  const square = squares[a]!;
  const theta = trainingDot(task, scores.subarray(a * n, (a + 1) * n), h);
  const loading = loadings.subarray(a * q, (a + 1) * q);
  for (let j = 0; j < q; j++) {
    if (live[j] === 0) z[j] = 0;
    corrections[a * q + j] = (z[j]! - theta * loading[j]!) / square;
  }
  for (let j = 0; j < q; j++)
    for (let k = 0; k < q; k++)
      covariance[j * q + k] =
        covariance[j * q + k]! -
        (z[j]! * loading[k]! + loading[j]! * z[k]! - theta * loading[j]! * loading[k]!);
  return recordSpread(task, theta / square) >= soundSpread;
};

/**
 * Coefficients of the training rows [n, q] such that features·(Xᵀ·coefficients) are the centred predictions:
 * Σ_a s_a q_aᵀ with t_a = K·s_a.
 */
const dualCoefficients = ({ task, duals }: KernelState): Float64Array => {
  const { targets, loadings, components } = task;
  const { sites: q, rows: n } = targets;
  const result = new Float64Array(n * q);
  for (let a = 0; a < components; a++)
    for (let i = 0; i < n; i++) {
      const s = duals!.scores[a * n + i]!;
      for (let j = 0; j < q; j++) result[i * q + j] = result[i * q + j]! + s * loadings[a * q + j]!;
    }
  return result;
};

/** From this many vectors on the engine is faster with rows than with columns. */
const ROWS_PAY = 32;

/** K·v of each vector v; K is symmetric. */
const imagesOf = (
  products: Products,
  held: Held,
  vectors: readonly Float64Array[],
): Promise<Float64Array[]> =>
  vectors.length < ROWS_PAY
    ? inLockstep(vectors, (columns) =>
        products.multiply('a·b', { held }, matrix(columns, held.shape[0]!)),
      )
    : inRows(vectors, (rows) => products.multiply('a·bᵀ', rows, { held }));

/** What follows the scores of a component: t regressed on, its image h deflated, M updated. Those that go on. */
const complete = async (
  products: Products,
  { held, precision }: Gram,
  states: readonly KernelState[],
): Promise<KernelState[]> => {
  const tasks = states.map(({ task }) => task);
  const scores = tasks.map(trainingScores);
  const loadings = await alongTargets(products, tasks, scores);
  const images = await imagesOf(products, held, scores);
  states.forEach((state, k) => {
    regressTargets(state.task, loadings[k]!);
    deflate(state, images[k]!);
  });
  const masked = images.map((h, k) => onTrainingRows(tasks[k]!, h));
  const along = await alongTargets(products, tasks, masked);
  return states.filter((state, k) => {
    if (absorb(state, images[k]!, along[k]!, SOUND_SPREAD[precision])) return true;
    state.task.ending = 'imprecise';
    state.task.components--;
    return false;
  });
};

/**
 * Components of all states in lockstep, so that each costs one product of K. A task whose λ or M falls below what the
 * arithmetic of K bears ends with `imprecise`; with `stopAtImprecise` that ends the others too.
 */
const iterate = async (
  products: Products,
  gram: Gram,
  states: readonly KernelState[],
  settings: PlsSettings,
  stopAtImprecise: boolean,
  hooks: StepHooks,
): Promise<void> => {
  let running = states;
  for (let a = 0; a < settings.components; a++) {
    running = running.filter((state) => advance(state, settings));
    if (running.length > 0) running = await complete(products, gram, running);
    hooks.checkStop();
    hooks.step();
    if (stopAtImprecise && states.some(({ task }) => task.ending === 'imprecise')) return;
  }
};

/**
 * Partial least squares of all tasks from one Gram matrix (after Rännar, Lindgren, Geladi & Wold 1994, J. Chemometrics 8,
 * with K never deflated but only what is made of it). Fills the tasks in.
 */
export const runKernelPls = async (
  products: Products,
  gram: Gram,
  tasks: readonly Task[],
  settings: PlsSettings,
  stopAtImprecise: boolean,
  hooks: StepHooks,
): Promise<void> => {
  const states = await prepare(products, gram, tasks, false);
  await iterate(products, gram, states, settings, stopAtImprecise, hooks);
};

/** The same for a single task on all rows; returns its dual coefficients [n, q]. */
export const runDualPls = async (
  products: Products,
  gram: Gram,
  task: Task,
  settings: PlsSettings,
  hooks: StepHooks,
): Promise<Float64Array> => {
  const states = await prepare(products, gram, [task], true);
  await iterate(products, gram, states, settings, true, hooks);
  return dualCoefficients(states[0]!);
};
