import { dot } from '../numeric/vectors.ts';
import type { PlsSettings } from '../records/protocol.ts';

export interface Direction {
  /** Combination c of the targets, scaled so that cᵀMc = 1. */
  readonly weights: Float64Array;
  /** False where scikit-learn's iteration ran into `maxIterations`. */
  readonly settled: boolean;
}

/** Four rows of a symmetric matrix from `i` on, and the columns that are their mirror: added to M·c. */
const addFourRows = (
  result: Float64Array,
  matrix: Float64Array,
  vector: Float64Array,
  i: number,
): void => {
  const q = vector.length;
  const r0 = i * q;
  const r1 = r0 + q;
  const r2 = r1 + q;
  const r3 = r2 + q;
  const v0 = vector[i]!;
  const v1 = vector[i + 1]!;
  const v2 = vector[i + 2]!;
  const v3 = vector[i + 3]!;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let k = 0; k < i; k++) {
    const m0 = matrix[r0 + k]!;
    const m1 = matrix[r1 + k]!;
    const m2 = matrix[r2 + k]!;
    const m3 = matrix[r3 + k]!;
    const v = vector[k]!;
    s0 += m0 * v;
    s1 += m1 * v;
    s2 += m2 * v;
    s3 += m3 * v;
    result[k] = result[k]! + (m0 * v0 + m1 * v1 + (m2 * v2 + m3 * v3));
  }
  for (let k = i; k < i + 4; k++) {
    const v = vector[k]!;
    s0 += matrix[r0 + k]! * v;
    s1 += matrix[r1 + k]! * v;
    s2 += matrix[r2 + k]! * v;
    s3 += matrix[r3 + k]! * v;
  }
  result[i] = result[i]! + s0;
  result[i + 1] = result[i + 1]! + s1;
  result[i + 2] = result[i + 2]! + s2;
  result[i + 3] = result[i + 3]! + s3;
};

/** M·c of an exactly symmetric matrix: its lower half is read, once for both halves. */
export const symmetricImage = (matrix: Float64Array, vector: Float64Array): Float64Array => {
  const q = vector.length;
  const result = new Float64Array(q);
  let i = 0;
  for (; i + 3 < q; i += 4) addFourRows(result, matrix, vector, i);
  for (; i < q; i++) {
    const row = i * q;
    const v = vector[i]!;
    result[i] = result[i]! + dot(matrix, row, vector, 0, i + 1);
    for (let k = 0; k < i; k++) result[k] = result[k]! + matrix[row + k]! * v;
  }
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

/** `asScikitLearn`, step for step, seen from the weights: w ← Nw / ‖Nw‖ until ‖w − w_old‖² is small. */
const weightsAsScikitLearn = (
  inner: Float64Array,
  start: Float64Array,
  tolerance: number,
  maxIterations: number,
): Direction | null => {
  let weights = start;
  for (let iteration = 1; iteration < maxIterations; iteration++) {
    const next = unitVector(symmetricImage(inner, weights));
    if (next === null) return null;
    let change = 0;
    for (let k = 0; k < next.length; k++) change += (next[k]! - weights[k]!) ** 2;
    weights = next;
    if (change < tolerance) return { weights, settled: true };
  }
  return { weights, settled: false };
};

/**
 * `dominantDirection` where there are more targets than features: for C = YᵀX [q, p] the same steps are taken by the weights
 * w = Cᵀc of length 1, with N = CᵀC [p, p] in place of M = CCᵀ. `start` is the row of C of the target to begin with, and is
 * overwritten. Gives w.
 */
export const dominantWeights = (
  inner: Float64Array,
  start: Float64Array,
  settings: PlsSettings,
): Direction | null => {
  const first = unitVector(start);
  if (first === null) return null;
  const { tolerance, maxIterations, stopping } = settings;
  if (stopping === 'scikit-learn')
    return weightsAsScikitLearn(inner, first, tolerance, maxIterations);
  const dominant = converged(inner, first);
  const weights = dominant && unitVector(dominant.weights);
  return weights && { weights, settled: true };
};
