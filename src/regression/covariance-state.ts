// One task of partial least squares from covariances: S = YᵀX [q, p] and, by which is smaller, M = SSᵀ or N = SᵀS.

import { addDots, addRows, dot, lessDots } from '../numeric/vectors.ts';
import type { Held } from '../records/ports.ts';
import { type Direction, dominantDirection, dominantWeights, symmetricImage } from './direction.ts';
import { mapTargets, symmetrised } from './lockstep.ts';
import { matrix, type Products } from './products.ts';
import type { PlsRun } from './steps.ts';
import { NEARLY_FITTED, recordSpread, type Task, traceOf } from './task.ts';

/** λ as a part of the largest below which the covariances have too few digits: the error is about 2e-17 over it. */
const SOUND_SPREAD = 1e-9;
/** Likewise the trace of M as a part of its first, and what w = Sᵀc may differ from the length that M gives it. */
const SOUND_TRACE = 1e-12;
const SOUND_LENGTH = 1e-9;
/** M is made afresh from S once its trace has fallen to this part of its value when last made. */
const STALE_TRACE = 1e-3;

/** A task, and which of the layer's splits it belongs to. */
export interface SplitTask {
  readonly task: Task;
  readonly split: number;
}

/** A task on its way, with all that it knows of the features. */
export interface CovarianceState {
  readonly task: Task;
  readonly split: number;
  /** Its place among the tasks of its split. */
  readonly place: number;
  /** S = YᵀX [q, p]: of the residuals, but as at first where the iteration goes over features, which asks for no more. */
  readonly covariances: Float64Array;
  /** p_b and r_b [A, p], with t_b = X·r_b. */
  readonly loadings: Float64Array;
  readonly rotations: Float64Array;
  readonly weights: Float64Array;
  firstTrace: number;
  freshTrace: number;
}

/** Side of the matrix that is iterated on: M = SSᵀ, or N = SᵀS where there are fewer features than targets. */
const sideOf = ({ task, weights }: CovarianceState): number =>
  Math.min(task.live.length, weights.length);

/** Whether the iteration goes over features. */
const isByWeights = ({ task, weights }: CovarianceState): boolean =>
  weights.length < task.live.length;

/** S of the residuals [q, p], S₀(I − Σ r_b p_bᵀ) where S₀ is kept. */
const residualCovariances = async (
  products: Products,
  state: CovarianceState,
): Promise<Float64Array> => {
  const { task, covariances, rotations, loadings } = state;
  const { components: a, live } = task;
  if (!isByWeights(state) || a === 0) return covariances;
  const p = state.weights.length;
  const s = matrix(covariances, live.length);
  const along = await products.multiply('a·bᵀ', s, matrix(rotations.subarray(0, a * p), a));
  const explained = await products.multiply(
    'a·b',
    matrix(along, live.length),
    matrix(loadings.subarray(0, a * p), a),
  );
  return covariances.map((value, k) => value - explained[k]!);
};

const refresh = async (products: Products, state: CovarianceState): Promise<void> => {
  const { task } = state;
  const side = sideOf(state);
  const s = matrix(await residualCovariances(products, state), task.live.length);
  const square = await products.multiply(isByWeights(state) ? 'aᵀ·b' : 'a·bᵀ', s, s);
  task.covariance = symmetrised(square, side);
  state.freshTrace = traceOf(task.covariance, side);
};

/** The tasks with their S and M, or N. */
export const startCovariances = async (
  products: Products,
  x: Held,
  tasks: readonly SplitTask[],
): Promise<CovarianceState[]> => {
  const p = x.shape[1]!;
  const mapped = await mapTargets(
    tasks.map(({ task }) => task),
    (vectors) => products.multiply('a·b', vectors, { held: x }),
    (vectors, rows) => products.multiply('a·b', vectors, { held: x, rows }),
  );
  const places = new Map<number, number>();
  const states: CovarianceState[] = [];
  for (const { task, split } of tasks) {
    const place = places.get(split) ?? 0;
    places.set(split, place + 1);
    const components = task.scoreNorms.length;
    const state: CovarianceState = {
      task,
      split,
      place,
      covariances: mapped.get(task)!,
      loadings: new Float64Array(components * p),
      rotations: new Float64Array(components * p),
      weights: new Float64Array(p),
      firstTrace: 0,
      freshTrace: 0,
    };
    await refresh(products, state);
    state.firstTrace = state.freshTrace;
    states.push(state);
  }
  return states;
};

/** False, always: a task that the covariances have too few digits for. */
const giveUp = ({ task }: CovarianceState): false => {
  task.ending = 'imprecise';
  return false;
};

/** w by the iteration over features, into the state. False where there is none. */
const weightsOverFeatures = (state: CovarianceState, { settings }: PlsRun): boolean => {
  const { task, covariances, rotations, loadings, weights } = state;
  const { live, components: a, covariance } = task;
  const p = weights.length;
  const first = live.indexOf(1);
  const row = covariances.slice(first * p, (first + 1) * p);
  addRows(row, loadings, a, lessDots(rotations, a, row));
  const found = dominantWeights(covariance, row, settings);
  if (found === null) return false;
  if (!found.settled) task.unsettled++;
  weights.set(found.weights);
  return true;
};

/** c by the iteration over targets, and w = Sᵀc, into task and state. False where there is none, or M is not SSᵀ. */
const weightsOverTargets = (state: CovarianceState, { settings }: PlsRun): boolean => {
  const { task, covariances, weights } = state;
  const { live, covariance } = task;
  const q = live.length;
  const first = live.findIndex((alive, j) => alive === 1 && covariance[j * q + j]! > 0);
  const found: Direction | null =
    first < 0 ? null : dominantDirection(covariance, q, first, settings);
  if (found === null) return false;
  weights.fill(0);
  addRows(weights, covariances, q, found.weights);
  const square = dot(weights, 0, weights, 0, weights.length);
  if (!(Math.abs(1 - 1 / square) <= SOUND_LENGTH)) return false;
  if (!found.settled) task.unsettled++;
  const length = Math.sqrt(square);
  for (let k = 0; k < weights.length; k++) weights[k] = weights[k]! / length;
  task.direction = found.weights.map((part) => part / length);
  return true;
};

/** Whether some target is so nearly fitted that its residual would have to be looked at row by row. */
const nearlyFitted = ({
  live,
  residual,
  total,
  components,
}: Pick<Task, 'live' | 'residual' | 'total' | 'components'>): boolean =>
  components > 0 &&
  live.some((alive, j) => alive === 1 && !(residual[j]! > NEARLY_FITTED * total[j]!));

/** c, w = Sᵀc of length 1, and r = w − Σ r_b (p_b·w). False where the task ends. */
export const findWeights = async (run: PlsRun, state: CovarianceState): Promise<boolean> => {
  const { task, loadings, rotations, weights } = state;
  const { live, components: a } = task;
  const p = weights.length;
  if (!live.includes(1)) {
    task.ending = 'fitted';
    return false;
  }
  if (!isByWeights(state) && nearlyFitted(task)) return giveUp(state);
  if (!(traceOf(task.covariance, sideOf(state)) >= STALE_TRACE * state.freshTrace))
    await refresh(run.products, state);
  if (!(state.freshTrace >= SOUND_TRACE * state.firstTrace)) return giveUp(state);
  const found = isByWeights(state)
    ? weightsOverFeatures(state, run)
    : weightsOverTargets(state, run);
  if (!found) return giveUp(state);
  const rotation = rotations.subarray(a * p, (a + 1) * p);
  rotation.set(weights);
  addRows(rotation, rotations, a, lessDots(loadings, a, weights));
  return true;
};

/** rows[j] −= factors[j] · vector. */
const subtractOuter = (rows: Float64Array, factors: Float64Array, vector: Float64Array): void => {
  const p = vector.length;
  for (let j = 0; j < factors.length; j++) {
    const factor = factors[j]!;
    if (factor === 0) continue;
    const row = j * p;
    for (let k = 0; k < p; k++) rows[row + k] = rows[row + k]! - factor * vector[k]!;
  }
};

/** square −= f·gᵀ + g·fᵀ. */
const subtractBoth = (square: Float64Array, f: Float64Array, g: Float64Array): void => {
  const side = f.length;
  for (let j = 0; j < side; j++) {
    const row = j * side;
    const fj = f[j]!;
    const gj = g[j]!;
    for (let k = 0; k < side; k++) square[row + k] = square[row + k]! - (fj * g[k]! + gj * f[k]!);
  }
};

/** q_a [q] = Yᵀt / τ = M·c / τ, since Sᵀc = w, and what it leaves of the residuals. */
const regressOver = (state: CovarianceState, square: number): void => {
  const { task } = state;
  const { live, residual, direction, components: a } = task;
  const q = live.length;
  const products = symmetricImage(task.covariance, direction);
  for (let j = 0; j < q; j++) {
    const loading = live[j] === 1 ? products[j]! / square : 0;
    task.loadings[a * q + j] = loading;
    residual[j] = residual[j]! - square * loading * loading;
  }
};

/** S and M less what the component with t·t = τ = `square` explains: S' = S − f pᵀ with f = τq. */
const deflateTargets = (state: CovarianceState, square: number, p: Float64Array): void => {
  const { task, covariances } = state;
  const { live, components } = task;
  const q = live.length;
  const f = task.loadings.slice((components - 1) * q, components * q).map((part) => square * part);
  // M' = M − (z fᵀ + f zᵀ) with z = Sp − ½‖p‖²f.
  const z = new Float64Array(q);
  addDots(z, covariances, q, p, [0, p.length]);
  const half = dot(p, 0, p, 0, p.length) / 2;
  for (let j = 0; j < q; j++) z[j] = live[j] === 1 ? z[j]! - half * f[j]! : 0;
  subtractBoth(task.covariance, z, f);
  subtractOuter(covariances, f, p);
};

/** N less what the component with weights w explains: S' = S(I − w pᵀ), so N' = (I − p wᵀ)N(I − w pᵀ). */
const deflateFeatures = ({ task, weights: w }: CovarianceState, p: Float64Array): void => {
  const z = symmetricImage(task.covariance, w);
  const half = dot(w, 0, z, 0, w.length) / 2;
  for (let k = 0; k < z.length; k++) z[k] = z[k]! - half * p[k]!;
  subtractBoth(task.covariance, z, p);
};

/** The component of r with A·r = `image`. False where the covariances have too few digits for it. */
export const absorbComponent = (state: CovarianceState, image: Float64Array): boolean => {
  const { task, loadings, rotations, weights } = state;
  const { components: a } = task;
  const p = image.length;
  const square = dot(rotations, a * p, image, 0, p);
  if (!(square > 0)) return giveUp(state);
  for (let k = 0; k < p; k++) image[k] = image[k]! / square;
  if (!isByWeights(state)) regressOver(state, square);
  // w·p = 1 but for rounding.
  else if (!(Math.abs(1 - dot(weights, 0, image, 0, p)) <= SOUND_LENGTH)) return giveUp(state);
  task.scoreNorms[a] = square;
  loadings.set(image, a * p);
  task.components = a + 1;
  const share = recordSpread(task, square * dot(image, 0, image, 0, p));
  if (!(share >= SOUND_SPREAD)) return giveUp(state);
  if (task.components === task.scoreNorms.length) return true;
  if (isByWeights(state)) deflateFeatures(state, image);
  else deflateTargets(state, square, image);
  return true;
};

/** q_a = S₀r_a / τ of all components at once, where the iteration went over features. */
export const finishLoadings = async (products: Products, state: CovarianceState): Promise<void> => {
  const { task, covariances, rotations } = state;
  if (!isByWeights(state) || task.ending === 'imprecise') return;
  const { live, loadings, scoreNorms, residual, total, components } = task;
  const q = live.length;
  const a = scoreNorms.length;
  const along = await products.multiply('a·bᵀ', matrix(rotations, a), matrix(covariances, q));
  for (let b = 0; b < components; b++) {
    // The targets of each component must not have been fitted by those before it.
    if (nearlyFitted({ live, residual, total, components: b })) giveUp(state);
    for (let j = 0; j < q; j++) {
      const product = live[j] === 1 ? along[b * q + j]! : 0;
      loadings[b * q + j] = product / scoreNorms[b]!;
      residual[j] = residual[j]! - (product * product) / scoreNorms[b]!;
    }
  }
};
