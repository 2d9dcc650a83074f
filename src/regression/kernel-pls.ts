import { addRows } from '../numeric/vectors.ts';
import type { PlsSettings } from '../records/protocol.ts';
import type { Gram } from './gram.ts';
import { type GramScore, openGramScores } from './gram-scores.ts';
import { mapTargets, symmetricProduct } from './lockstep.ts';
import type { Products } from './products.ts';
import type { PlsRun } from './steps.ts';
import {
  acceptScores,
  centreOnTraining,
  covarianceHolds,
  nextDirection,
  recordSpread,
  regressTargets,
  type Task,
  traceOf,
  trainingDots,
} from './task.ts';

/** Where the Gram matrix runs out of digits, by its arithmetic: λ as a part of the largest λ. */
export const SOUND_SPREAD = { float32: 1e-4, float64: 1e-11 } as const;
/** Where M runs out of digits: its trace as a part of its first value. */
export const SOUND_COVARIANCE = 1e-12;

interface KernelState {
  readonly task: Task;
  /** G₀ = K·Y [q, n], centred on the training rows. */
  readonly gramTargets: Float64Array;
  /** h_b = K·t_b [A, n], likewise. */
  readonly gramScores: Float64Array;
  readonly firstTrace: number;
  /** s_b [A, n] with t_b = K·s_b, where they are asked for. */
  readonly duals: Float64Array | null;
}

/** Step 1: G₀ and M of each task. */
const prepare = async (
  products: Products,
  { held }: Gram,
  tasks: readonly Task[],
  keepDuals: boolean,
): Promise<KernelState[]> => {
  const states: KernelState[] = [];
  const mapped = await mapTargets(
    tasks,
    (vectors) => products.multiply('a·bᵀ', vectors, { held }),
    (vectors, rows) => products.multiply('a·b', vectors, { held, rows }),
  );
  for (const task of tasks) {
    const { targets, heldOut, scores } = task;
    const { rows: n, sites: q } = targets;
    const gramTargets = mapped.get(task)!;
    const masked = targets.values.slice();
    for (let j = 0; j < q; j++) {
      centreOnTraining(task, gramTargets.subarray(j * n, (j + 1) * n));
      for (const [from, to] of heldOut) masked.fill(0, j * n + from, j * n + to);
    }
    task.covariance = await symmetricProduct(products, task, gramTargets, masked);
    states.push({
      task,
      gramTargets,
      gramScores: new Float64Array(scores.length),
      firstTrace: traceOf(task.covariance, q),
      duals: keepDuals ? new Float64Array(scores.length) : null,
    });
  }
  return states;
};

/** As `lessDots`, but summed one after another: another order would move the last digits of every score. */
const negatedDots = (rows: Float64Array, count: number, vector: Float64Array): Float64Array => {
  const q = vector.length;
  return Float64Array.from({ length: count }, (_, b) => {
    let sum = 0;
    for (let j = 0; j < q; j++) sum -= rows[b * q + j]! * vector[j]!;
    return sum;
  });
};

/**
 * Steps 2 and 3: the direction c, and t = G₀c − Σ_b h_b (q_b·c), made orthogonal to the scores before. False where the
 * task ends.
 */
const advance = (state: KernelState, settings: PlsSettings): boolean => {
  const { task, gramTargets, gramScores, firstTrace, duals } = state;
  const { targets, loadings, scores, components: a, covariance } = task;
  const c = nextDirection(task, settings);
  const spent = traceOf(covariance, targets.sites) < SOUND_COVARIANCE * firstTrace;
  if (a > 0 && spent && task.ending !== 'fitted') {
    task.ending = 'imprecise';
    return false;
  }
  if (c === null) return false;
  const alongEarlier = negatedDots(loadings, a, c);
  const t = new Float64Array(targets.rows);
  addRows(t, gramTargets, targets.sites, c);
  addRows(t, gramScores, a, alongEarlier);
  const taken = acceptScores(task, t);
  if (taken === null) return false;
  if (duals !== null) {
    const dual = new Float64Array(targets.rows);
    addRows(dual, targets.values, targets.sites, c);
    addRows(dual, scores, a, alongEarlier);
    addRows(dual, duals, a, taken);
    duals.set(dual, a * targets.rows);
  }
  return true;
};

/**
 * Steps 4 and 5: q of the new scores t, and M less what they explain. With z = Yᵀh less its part along the earlier
 * scores, that is Σ_b q_b (t_b·h), and θ = t·h. False where the Gram matrix has run out of digits.
 */
const absorb = (
  { task, gramScores }: KernelState,
  { gramScore, alongScores, alongGramScore: z }: GramScore,
  soundSpread: number,
): boolean => {
  regressTargets(task, alongScores);
  const { targets, scores, scoreNorms, loadings, covariance, live, components } = task;
  const { sites: q, rows: n } = targets;
  const a = components - 1;
  gramScores.set(gramScore, a * n);
  const along = trainingDots(task, scores, components, gramScore);
  const theta = along[a]!;
  for (let b = 0; b < a; b++)
    for (let j = 0; j < q; j++) z[j] = z[j]! - along[b]! * loadings[b * q + j]!;
  for (let j = 0; j < q; j++) if (live[j] === 0) z[j] = 0;
  const loading = loadings.subarray(a * q, (a + 1) * q);
  for (let j = 0; j < q; j++)
    for (let k = 0; k < q; k++)
      covariance[j * q + k] =
        covariance[j * q + k]! -
        (z[j]! * loading[k]! + loading[j]! * z[k]! - theta * loading[j]! * loading[k]!);
  return recordSpread(task, theta / scoreNorms[a]!) >= soundSpread && covarianceHolds(task);
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
      const s = duals![a * n + i]!;
      for (let j = 0; j < q; j++) result[i * q + j] = result[i * q + j]! + s * loadings[a * q + j]!;
    }
  return result;
};

/**
 * Components of all states in lockstep, so that each costs one product of K. A task whose λ or M falls below what the
 * arithmetic of K bears ends with `imprecise`; with `stopAtImprecise` that ends the others too.
 */
const iterate = async (
  { products, settings, steps }: PlsRun,
  gram: Gram,
  states: readonly KernelState[],
  stopAtImprecise: boolean,
): Promise<void> => {
  const gramScores = await openGramScores(
    products,
    gram.held,
    states.map(({ task }) => task),
  );
  try {
    let running = states;
    for (let a = 0; a < settings.components; a++) {
      running = running.filter((state) => advance(state, settings));
      if (running.length > 0) {
        const found = await gramScores.of(running.map(({ task }) => task));
        running = running.filter((state, k) => {
          if (absorb(state, found[k]!, SOUND_SPREAD[gram.precision])) return true;
          state.task.ending = 'imprecise';
          state.task.components--;
          return false;
        });
      }
      steps.checkStop();
      steps.step();
      if (stopAtImprecise && states.some(({ task }) => task.ending === 'imprecise')) return;
    }
  } finally {
    await gramScores.release();
  }
};

/**
 * Partial least squares of all tasks from one Gram matrix (after Rännar, Lindgren, Geladi & Wold 1994, J. Chemometrics 8,
 * with neither K nor its products deflated: scores are made orthogonal instead). Fills the tasks in.
 */
export const runKernelPls = async (
  run: PlsRun,
  gram: Gram,
  tasks: readonly Task[],
  stopAtImprecise: boolean,
): Promise<void> => {
  const states = await prepare(run.products, gram, tasks, false);
  await iterate(run, gram, states, stopAtImprecise);
};

/** Runs a single task on all rows; returns its dual coefficients [n, q]. */
export const runDualPls = async (run: PlsRun, gram: Gram, task: Task): Promise<Float64Array> => {
  const states = await prepare(run.products, gram, [task], true);
  await iterate(run, gram, states, true);
  return dualCoefficients(states[0]!);
};
