import { addDots, dot } from '../numeric/vectors.ts';
import type { PlsSettings } from '../records/protocol.ts';

export interface Direction {
  /** Combination c of the targets, scaled so that cᵀMc = 1. */
  readonly weights: Float64Array;
  /** False where scikit-learn's iteration ran into `maxIterations`. */
  readonly settled: boolean;
}

/** M·c of a symmetric matrix. */
export const symmetricImage = (matrix: Float64Array, vector: Float64Array): Float64Array => {
  const q = vector.length;
  const result = new Float64Array(q);
  addDots(result, matrix, q, vector, [0, q]);
  return result;
};

const scale = (vector: Float64Array, factor: number): void => {
  for (let j = 0; j < vector.length; j++) vector[j] = vector[j]! * factor;
};

/**
 * scikit-learn's power iteration (`_get_first_singular_vectors_power_method`), seen from the targets: its weights are
 * w = XᵀYc, so that ‖w‖² = cᵀMc and ‖w − w_old‖² = (c − c_old)ᵀM(c − c_old) with M = YᵀXXᵀY.
 */
const asScikitLearn = (
  matrix: Float64Array,
  start: Float64Array,
  tolerance: number,
  maxIterations: number,
): Direction | null => {
  const q = start.length;
  let c = start;
  let previous: { c: Float64Array; image: Float64Array } | null = null;
  for (let iteration = 1; ; iteration++) {
    const image = symmetricImage(matrix, c);
    const square = dot(c, 0, image, 0, q);
    if (!(square > 0)) return null;
    scale(c, 1 / Math.sqrt(square));
    scale(image, 1 / Math.sqrt(square));
    let change = Infinity;
    if (previous !== null) {
      change = 0;
      for (let j = 0; j < q; j++)
        change += (c[j]! - previous.c[j]!) * (image[j]! - previous.image[j]!);
    }
    if (change < tolerance || q === 1) return { weights: c, settled: true };
    if (iteration >= maxIterations) return { weights: c, settled: false };
    previous = { c, image };
    c = Float64Array.from(image);
  }
};

/** M² / trace(M)²: the same directions, and twice the steps in one. */
const squared = (matrix: Float64Array, q: number): Float64Array => {
  let trace = 0;
  for (let j = 0; j < q; j++) trace += matrix[j * q + j]!;
  const result = new Float64Array(q * q);
  for (let j = 0; j < q; j++) {
    const row = symmetricImage(matrix, matrix.subarray(j * q, (j + 1) * q));
    scale(row, 1 / (trace * trace));
    result.set(row, j * q);
  }
  return result;
};

const STEPS_BEFORE_SQUARING = 64;
const SQUARINGS = 40;

/** The dominant eigenvector to rounding: power steps, with the matrix squared whenever they take long. */
const converged = (matrix: Float64Array, start: Float64Array): Direction | null => {
  const q = start.length;
  let c = start;
  let power = matrix;
  search: for (let squaring = 0; squaring < SQUARINGS; squaring++) {
    for (let step = 0; step < STEPS_BEFORE_SQUARING; step++) {
      const next = symmetricImage(power, c);
      const norm = Math.sqrt(dot(next, 0, next, 0, q));
      if (!(norm > 0)) return null;
      scale(next, 1 / norm);
      let change = 0;
      for (let j = 0; j < q; j++) change += (next[j]! - c[j]!) ** 2;
      c = next;
      if (change < 1e-30 * q) break search;
    }
    power = squared(power, q);
  }
  const square = dot(c, 0, symmetricImage(matrix, c), 0, q);
  if (!(square > 0)) return null;
  scale(c, 1 / Math.sqrt(square));
  return { weights: c, settled: true };
};

/**
 * The combination of targets whose covariance with the features is largest: the dominant eigenvector of the symmetric
 * positive semidefinite M [q, q], sought from target `first` on. Null where M holds nothing to find.
 */
export const dominantDirection = (
  matrix: Float64Array,
  q: number,
  first: number,
  settings: PlsSettings,
): Direction | null => {
  const start = new Float64Array(q);
  start[first] = 1;
  return settings.stopping === 'converged'
    ? converged(matrix, start)
    : asScikitLearn(matrix, start, settings.tolerance, settings.maxIterations);
};

/** x scaled to length 1; null where it is nothing. */
const unitVector = (vector: Float64Array): Float64Array | null => {
  const square = dot(vector, 0, vector, 0, vector.length);
  if (!(square > 0)) return null;
  scale(vector, 1 / Math.sqrt(square));
  return vector;
};

/** What the iteration on weights w ends with: the w before the last, null where the first is the last. */
interface Weights {
  readonly before: Float64Array | null;
  readonly settled: boolean;
}

/** `asScikitLearn`, step for step, seen from the weights: w ← Nw / ‖Nw‖ until ‖w − w_old‖² is small. */
const weightsAsScikitLearn = (
  inner: Float64Array,
  start: Float64Array,
  tolerance: number,
  maxIterations: number,
): Weights | null => {
  let w = start;
  let before: Float64Array | null = null;
  for (let iteration = 1; ; iteration++) {
    let change = Infinity;
    if (before !== null) {
      change = 0;
      for (let k = 0; k < w.length; k++) change += (w[k]! - before[k]!) ** 2;
    }
    if (change < tolerance) return { before, settled: true };
    if (iteration >= maxIterations) return { before, settled: false };
    const next = unitVector(symmetricImage(inner, w));
    if (next === null) return null;
    before = w;
    w = next;
  }
};

/**
 * `dominantDirection` where there are more targets than features: for C = YᵀX [q, p] the same steps are taken by the weights
 * w = Cᵀc, with N = CᵀC [p, p] in place of M = CCᵀ.
 */
export const directionByWeights = (
  inner: Float64Array,
  covariances: Float64Array,
  first: number,
  settings: PlsSettings,
): Direction | null => {
  const p = Math.round(Math.sqrt(inner.length));
  const q = covariances.length / p;
  const row = covariances.slice(first * p, (first + 1) * p);
  const length = Math.sqrt(dot(row, 0, row, 0, p));
  const start = unitVector(row);
  if (start === null) return null;
  const { tolerance, maxIterations } = settings;
  let found: Weights | null;
  if (settings.stopping === 'converged') {
    const dominant = converged(inner, start);
    found = dominant && { before: unitVector(dominant.weights), settled: true };
  } else found = weightsAsScikitLearn(inner, start, tolerance, maxIterations);
  if (found === null) return null;
  const { before, settled } = found;
  const weights = new Float64Array(q);
  if (before === null) {
    weights[first] = 1 / length;
    return { weights, settled };
  }
  addDots(weights, covariances, q, before, [0, p]);
  const image = symmetricImage(inner, before);
  scale(weights, 1 / Math.sqrt(dot(image, 0, image, 0, p)));
  return { weights, settled };
};
