import { addDots, addRows, dot, lessDots, transposedMatrix } from '../numeric/vectors.ts';
import type { NdArray } from '../records/array.ts';
import type { PlsSettings } from '../records/protocol.ts';
import { alongTargets, inLockstep, mapTargets, symmetricProduct } from './lockstep.ts';
import type { FeatureOperator } from './operators.ts';
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
  trainingScores,
} from './task.ts';

/** M is made afresh from C once it has fallen to this part of its value when last made: its digits are then few. */
const STALE_COVARIANCE = 1e-3;

interface FeatureState {
  readonly task: Task;
  /** C = YᵀX [q, p] of the residuals. */
  readonly covariances: Float64Array;
  /** p_b [A, p]. */
  readonly loadings: Float64Array;
  /** r_b [A, p] with t_b = X·r_b, where they are asked for. */
  readonly rotations: Float64Array | null;
  readonly weights: Float64Array;
  freshTrace: number;
}

const prepare = async (
  products: Products,
  operator: FeatureOperator,
  tasks: readonly Task[],
  keepRotations: boolean,
): Promise<FeatureState[]> => {
  const p = operator.columns;
  const states: FeatureState[] = [];
  const asColumns = ({ data, shape: [m, n] }: NdArray<Float64Array>) =>
    transposedMatrix(data, m!, n!);
  const mapped = await mapTargets(
    tasks,
    async (vectors) => {
      const m = vectors.shape[0]!;
      return transposedMatrix(await operator.loadings(asColumns(vectors)), p, m);
    },
    async (vectors, [from, to]) => {
      const m = vectors.shape[0]!;
      return transposedMatrix(await operator.partialLoadings(asColumns(vectors), from, to), p, m);
    },
  );
  for (const task of tasks) {
    const q = task.targets.sites;
    const covariances = mapped.get(task)!;
    task.covariance = await symmetricProduct(products, task, covariances, covariances);
    const components = task.scoreNorms.length;
    states.push({
      task,
      covariances,
      loadings: new Float64Array(components * p),
      rotations: keepRotations ? new Float64Array(components * p) : null,
      weights: new Float64Array(p),
      freshTrace: traceOf(task.covariance, q),
    });
  }
  return states;
};

/** The direction c, and the unit weights w = Cᵀc. False where the task ends. */
const direct = async (
  products: Products,
  state: FeatureState,
  settings: PlsSettings,
): Promise<boolean> => {
  const { task, covariances, weights } = state;
  const q = task.live.length;
  if (traceOf(task.covariance, q) < STALE_COVARIANCE * state.freshTrace) {
    task.covariance = await symmetricProduct(products, task, covariances, covariances);
    state.freshTrace = traceOf(task.covariance, q);
  }
  const c = nextDirection(task, settings);
  if (c === null) return false;
  weights.fill(0);
  addRows(weights, covariances, q, c);
  const norm = Math.sqrt(dot(weights, 0, weights, 0, weights.length));
  for (let k = 0; k < weights.length; k++) weights[k] = weights[k]! / norm;
  task.direction = c.map((part) => part / norm);
  return true;
};

/** t = X·w less what the earlier components hold of it. False where the task ends. */
const score = ({ task, loadings, rotations, weights }: FeatureState, t: Float64Array): boolean => {
  const { scores, components: a } = task;
  const p = weights.length;
  const along = lessDots(loadings, a, weights);
  addRows(t, scores, a, along);
  centreOnTraining(task, t);
  const taken = acceptScores(task, t);
  if (taken === null) return false;
  if (rotations !== null) {
    const rotation = weights.slice();
    addRows(rotation, rotations, a, along);
    addRows(rotation, rotations, a, taken);
    rotations.set(rotation, a * p);
  }
  return true;
};

/** p = Xᵀt/τ; deflates C and M by it. False where t or what it was chosen for is no more than rounding. */
const absorb = (state: FeatureState, product: Float64Array, soundSpread: number): boolean => {
  const { task, covariances, loadings } = state;
  const { scoreNorms, loadings: targetLoadings, covariance, live, components } = task;
  const a = components - 1;
  const q = live.length;
  const p = product.length;
  const square = scoreNorms[a]!;
  for (let k = 0; k < p; k++) product[k] = product[k]! / square;
  loadings.set(product, a * p);
  const length = dot(product, 0, product, 0, p);
  const loading = targetLoadings.subarray(a * q, (a + 1) * q);
  const z = new Float64Array(q);
  addDots(z, covariances, q, product, [0, p]);
  for (let j = 0; j < q; j++) {
    const factor = square * loading[j]!;
    if (factor === 0) continue;
    const row = j * p;
    for (let k = 0; k < p; k++) covariances[row + k] = covariances[row + k]! - factor * product[k]!;
  }
  for (let j = 0; j < q; j++)
    for (let k = 0; k < q; k++)
      covariance[j * q + k] =
        covariance[j * q + k]! -
        square *
          (z[j]! * loading[k]! + loading[j]! * z[k]! - square * length * loading[j]! * loading[k]!);
  return recordSpread(task, square * length) >= soundSpread && covarianceHolds(task);
};

/**
 * NIPALS of all tasks in lockstep on the features themselves, never deflating a copy of them: each component costs two
 * products, X·w and Xᵀt, and C = YᵀX is deflated instead (Dayal & MacGregor 1997, "modified kernel algorithm 1").
 * Keeps scikit-learn's digits where the features are nearly rank-deficient; a task ends with `exhausted` where their
 * rank, as `numpy.linalg.matrix_rank` judges it, is spent. With `keepRotations` the result holds, for each task, the
 * r_a [A, p] with t_a = X·r_a.
 */
export const runFeaturePls = async (
  { products, settings, steps }: PlsRun,
  operator: FeatureOperator,
  tasks: readonly Task[],
  keepRotations: boolean,
): Promise<(Float64Array | null)[]> => {
  const states = await prepare(products, operator, tasks, keepRotations);
  const soundSpread = (Math.max(operator.rows, operator.columns) * Number.EPSILON) ** 2;
  let running = states;
  for (let a = 0; a < settings.components; a++) {
    const directed: FeatureState[] = [];
    for (const state of running) if (await direct(products, state, settings)) directed.push(state);
    running = directed;
    if (running.length > 0) {
      const scores = await inLockstep(
        running.map(({ weights }) => weights),
        operator.scores,
      );
      running = running.filter((state, k) => score(state, scores[k]!));
    }
    if (running.length > 0) {
      const tasks = running.map(({ task }) => task);
      const trained = tasks.map(trainingScores);
      const targetLoadings = await alongTargets(products, tasks, trained);
      tasks.forEach((task, k) => {
        regressTargets(task, targetLoadings[k]!);
      });
      const loadings = await inLockstep(trained, operator.loadings);
      running = running.filter((state, k) => {
        if (absorb(state, loadings[k]!, soundSpread)) return true;
        state.task.ending = 'exhausted';
        state.task.components--;
        return false;
      });
    }
    steps.checkStop();
    steps.step();
  }
  return states.map(({ rotations }) => rotations);
};
