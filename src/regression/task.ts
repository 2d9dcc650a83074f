import { addDots, addRows, dot, sumOf } from '../numeric/vectors.ts';
import type { PlsSettings } from '../records/protocol.ts';
import { type Direction, dominantDirection } from './direction.ts';

/** Targets of one set, shared by its folds: `values` [q, n], target after target, rows in fold order, centred. */
export interface TargetSet {
  readonly sites: number;
  readonly rows: number;
  readonly values: Float64Array;
}

/**
 * Why a task has no further component:
 * - `fitted`: nothing of the targets is left to fit (scikit-learn's "Y residual is constant");
 * - `exhausted`: the features have no further direction above rounding that varies with a target;
 * - `imprecise`: the Gram matrix has too few digits for the next one.
 */
export type Ending = 'fitted' | 'exhausted' | 'imprecise';

/** Places [from, to) of the fold order. */
export type PlaceRange = readonly [from: number, to: number];

/** Predicted rows [to − from, q] of a task by the first place of each range that it holds out. */
export type PredictedRanges = ReadonlyMap<number, Float64Array>;

/**
 * One regression of one target set on its way through the components. All sums over rows are over training rows: those
 * of the places that are not held out.
 */
export interface Task {
  readonly targets: TargetSet;
  /** Ascending and disjoint. */
  readonly heldOut: readonly PlaceRange[];
  /** The places between them, which train. */
  readonly training: readonly PlaceRange[];
  /** Number of training rows. */
  readonly trained: number;
  /** Mean of each target over training rows. */
  readonly mean: Float64Array;
  /** M = YᵀKY of the residuals [q, q]; empty until a form of the iteration makes it. */
  covariance: Float64Array;
  /** c of the last component, scaled so that its scores t should have cᵀYᵀt = 1. */
  direction: Float64Array;
  /** 0 where a target is constant or fitted, and so takes no further part. */
  readonly live: Uint8Array;
  /** Residual sum of squares of each target, now and at first. */
  readonly residual: Float64Array;
  readonly total: Float64Array;
  /** Scores t_a [A, n] of all rows (empty in forms that make none), τ_a = t_aᵀt_a, target loadings q_a [A, q]. */
  readonly scores: Float64Array;
  readonly scoreNorms: Float64Array;
  readonly loadings: Float64Array;
  /** λ_a: variance of the features along t_a, in units of XXᵀ. */
  readonly spreads: Float64Array;
  components: number;
  ending: Ending | null;
  /** Components at which scikit-learn's iteration ran into its limit. */
  unsettled: number;
}

/** scikit-learn takes a target for fitted where no residual exceeds this. */
const NOTHING = 10 * Number.EPSILON;
/** Below this part of a target's first sum of squares, its residual is looked at itself. */
export const NEARLY_FITTED = 1e-10;
/** Residuals of this part of a target's norm are rounding. */
const ROUNDING = 1e-12;

/** What ascending, disjoint ranges leave of [0, n). */
const between = (heldOut: readonly PlaceRange[], n: number): PlaceRange[] => {
  const starts = [0, ...heldOut.map(([, to]) => to)];
  const ends = [...heldOut.map(([from]) => from), n];
  return starts.map((from, k): PlaceRange => [from, ends[k]!]).filter(([from, to]) => from < to);
};

const sumOver = (ranges: readonly PlaceRange[], vector: Float64Array): number => {
  let sum = 0;
  for (const [from, to] of ranges) sum += sumOf(vector, from, to);
  return sum;
};

export const startTask = (
  targets: TargetSet,
  heldOut: readonly PlaceRange[],
  components: number,
  keepsScores: boolean,
): Task => {
  const { sites: q, rows: n, values } = targets;
  const training = between(heldOut, n);
  const trained = training.reduce((sum, [from, to]) => sum + to - from, 0);
  const mean = new Float64Array(q);
  const total = new Float64Array(q);
  const live = new Uint8Array(q);
  for (let j = 0; j < q; j++) {
    const target = values.subarray(j * n, (j + 1) * n);
    const centre = sumOver(training, target) / trained;
    let square = 0;
    let largest = 0;
    let varies = false;
    const first = target[training[0]![0]]!;
    for (const [from, to] of training)
      for (let i = from; i < to; i++) {
        const residual = target[i]! - centre;
        square += residual * residual;
        largest = Math.max(largest, Math.abs(residual));
        varies ||= target[i] !== first;
      }
    mean[j] = varies ? centre : first;
    total[j] = square;
    live[j] = varies && largest >= NOTHING ? 1 : 0;
  }
  return {
    targets,
    heldOut,
    training,
    trained,
    mean,
    covariance: new Float64Array(0),
    direction: new Float64Array(q),
    live,
    residual: total.slice(),
    total,
    scores: new Float64Array(keepsScores ? components * n : 0),
    scoreNorms: new Float64Array(components),
    loadings: new Float64Array(components * q),
    spreads: new Float64Array(components),
    components: 0,
    ending: null,
    unsettled: 0,
  };
};

/** 1 where a task trains [n, tasks]. */
export const trainingMasks = (tasks: readonly Task[], n: number): Float64Array => {
  const m = tasks.length;
  const masks = new Float64Array(n * m);
  tasks.forEach(({ training }, k) => {
    for (const [from, to] of training) for (let i = from; i < to; i++) masks[i * m + k] = 1;
  });
  return masks;
};

/** rows[b] · vector over the training rows, for the first `count` rows of a matrix [·, n]. */
export const trainingDots = (
  { training }: Task,
  rows: Float64Array,
  count: number,
  vector: Float64Array,
): Float64Array => {
  const result = new Float64Array(count);
  for (const [from, to] of training) addDots(result, rows, count, vector, [from, to]);
  return result;
};

/** vectorᵀother over the training rows. */
export const trainingDot = (
  { training }: Task,
  vector: Float64Array,
  other: Float64Array,
): number => {
  let sum = 0;
  for (const [from, to] of training) sum += dot(vector, from, other, from, to - from);
  return sum;
};

/** Subtracts the mean over the training rows from all rows. */
export const centreOnTraining = ({ training, trained }: Task, vector: Float64Array): void => {
  const centre = sumOver(training, vector) / trained;
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! - centre;
};

export const traceOf = (square: Float64Array, q: number): number => {
  let trace = 0;
  for (let j = 0; j < q; j++) trace += square[j * q + j]!;
  return trace;
};

/** M with nothing in the rows and columns of targets that take no part; changes `matrix`. */
export const deactivate = ({ live }: Task, matrix: Float64Array): Float64Array => {
  const q = live.length;
  for (let j = 0; j < q; j++)
    for (let k = 0; k < q; k++) if (live[j] === 0 || live[k] === 0) matrix[j * q + k] = 0;
  return matrix;
};

/** Whether target `j` has no residual left on the training rows, looked at row by row. */
const isFitted = (
  { targets, mean, loadings, scores, components, heldOut, total }: Task,
  j: number,
) => {
  const { rows: n, sites: q, values } = targets;
  const residual = values.slice(j * n, (j + 1) * n);
  for (let i = 0; i < n; i++) residual[i] = residual[i]! - mean[j]!;
  const weights = new Float64Array(components);
  for (let a = 0; a < components; a++) weights[a] = -loadings[a * q + j]!;
  addRows(residual, scores, components, weights);
  for (const [from, to] of heldOut) residual.fill(0, from, to);
  const largest = residual.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest < NOTHING || dot(residual, 0, residual, 0, n) < ROUNDING * ROUNDING * total[j]!;
};

/** Takes targets that are fitted out of the task; returns whether there are any. */
export const retireFitted = (task: Task): boolean => {
  const { live, residual, total, components } = task;
  if (components === 0) return false;
  let retired = false;
  for (let j = 0; j < live.length; j++) {
    const nearly = live[j] === 1 && residual[j]! <= NEARLY_FITTED * total[j]!;
    if (!nearly || !isFitted(task, j)) continue;
    live[j] = 0;
    retired = true;
  }
  return retired;
};

/**
 * The next combination of targets, or null where the task ends: with `fitted` where no target is left, `exhausted`
 * where no feature varies together with one.
 */
export const nextDirection = (task: Task, settings: PlsSettings): Float64Array | null => {
  const { live, covariance } = task;
  const q = live.length;
  if (retireFitted(task)) deactivate(task, covariance);
  if (!live.includes(1)) {
    task.ending = 'fitted';
    return null;
  }
  let found: Direction | null = null;
  for (let j = 0; j < q && found === null; j++)
    if (live[j] === 1 && covariance[j * q + j]! > 0)
      found = dominantDirection(covariance, q, j, settings);
  if (found === null) {
    task.ending = 'exhausted';
    return null;
  }
  if (!found.settled) task.unsettled++;
  task.direction = found.weights;
  return found.weights;
};

/** Where orthogonalising leaves no more than this of a square, its rounding is no longer small beside what is left. */
const CANCELLED = 1e-4;

/** Makes centred t orthogonal to all scores before; returns what was added of each. */
const orthogonalise = (task: Task, t: Float64Array): Float64Array => {
  const { scores, scoreNorms, components: a } = task;
  const added = trainingDots(task, scores, a, t);
  for (let b = 0; b < a; b++) added[b] = -added[b]! / scoreNorms[b]!;
  addRows(t, scores, a, added);
  centreOnTraining(task, t);
  return added;
};

/**
 * Takes scores t as the task's next component a: centres them and makes them orthogonal to all before. Returns what
 * was added of each earlier component, or null (and ends the task) where t is nothing but rounding.
 */
export const acceptScores = (task: Task, t: Float64Array): Float64Array | null => {
  const { scores, scoreNorms, components: a } = task;
  const added = orthogonalise(task, t);
  let square = trainingDot(task, t, t);
  const taken = added.reduce((sum, part, b) => sum + part * part * scoreNorms[b]!, 0);
  if (square < CANCELLED * taken) {
    orthogonalise(task, t).forEach((more, b) => {
      added[b] = added[b]! + more;
    });
    square = trainingDot(task, t, t);
  }
  if (!(square > 0)) {
    task.ending = 'exhausted';
    return null;
  }
  scores.set(t, a * t.length);
  scoreNorms[a] = square;
  task.components = a + 1;
  return added;
};

/** Regresses the targets on the last component: `products` [q] is Yᵀt over the training rows. */
export const regressTargets = (task: Task, products: Float64Array): void => {
  const { scoreNorms, loadings, residual, live, targets, components } = task;
  const q = targets.sites;
  const a = components - 1;
  for (let j = 0; j < q; j++) {
    const loading = live[j] === 1 ? products[j]! / scoreNorms[a]! : 0;
    loadings[a * q + j] = loading;
    residual[j] = residual[j]! - scoreNorms[a]! * loading * loading;
  }
};

/** Rounding meets what it was chosen for by chance: within half of itself too often, within this part hardly ever. */
const COVARIANCE_TOLERANCE = 0.01;

/**
 * Whether the last scores have the covariance with the targets that they were chosen for. Where all that is left of the
 * covariances is rounding they do not; the same direction would then come back, with ever smaller scores.
 */
export const covarianceHolds = ({ direction, scoreNorms, loadings, components }: Task): boolean => {
  const q = direction.length;
  const a = components - 1;
  return (
    Math.abs(scoreNorms[a]! * dot(direction, 0, loadings, a * q, q) - 1) < COVARIANCE_TOLERANCE
  );
};

/** Puts λ of the last component on record and returns it as a part of the largest. */
export const recordSpread = (task: Task, spread: number): number => {
  const { spreads, components } = task;
  spreads[components - 1] = spread;
  let largest = 0;
  for (let a = 0; a < components; a++) largest = Math.max(largest, spreads[a]!);
  return spread / largest;
};

/** A copy of a vector over rows with the held-out ones set to 0. */
export const onTrainingRows = ({ heldOut }: Task, vector: Float64Array): Float64Array => {
  const masked = vector.slice();
  for (const [from, to] of heldOut) masked.fill(0, from, to);
  return masked;
};

/** The last component's scores with the held-out rows set to 0. */
export const trainingScores = (task: Task): Float64Array => {
  const { scores, components, targets } = task;
  const n = targets.rows;
  return onTrainingRows(task, scores.subarray((components - 1) * n, components * n));
};

/** ȳ + Σ_a t_a q_aᵀ at the places [from, to): [to − from, q]. */
export const predictPlaces = (task: Task, from: number, to: number): Float64Array => {
  const { targets, scores, loadings, mean, components } = task;
  const { sites: q, rows: n } = targets;
  const result = new Float64Array((to - from) * q);
  for (let i = from; i < to; i++)
    for (let j = 0; j < q; j++) {
      let value = mean[j]!;
      for (let a = 0; a < components; a++) value += scores[a * n + i]! * loadings[a * q + j]!;
      result[(i - from) * q + j] = value;
    }
  return result;
};
