import type { Engine } from '../records/ports.ts';
import type { RidgeSettings } from '../records/protocol.ts';
import { invertDefinite, invertFactor } from './factor.ts';
import { matrix, type Products } from './products.ts';
import { criterion, rowSums } from './ridge-errors.ts';
import type { Steps } from './steps.ts';

/** What one regression found best, for every target. */
export interface Best {
  /** Rows left out. */
  readonly test: Int32Array;
  /** 1 for every other row. */
  readonly training: Uint8Array;
  /** Criterion at the chosen alpha; Infinity where none was usable. */
  readonly errors: Float64Array;
  /** In the settings' unit. */
  readonly alphas: Float64Array;
  /** Held-out predictions [test, q]; of a regression that leaves nothing out, its dual coefficients [n, q]. */
  readonly values: Float64Array;
}

export interface SweepJob {
  /** K [n, n]; left as it is. */
  readonly gram: Float64Array;
  /** Y [n, q]. */
  readonly targets: Float64Array;
  readonly rows: number;
  /** Rows that each regression leaves out; they may overlap. */
  readonly tests: readonly Int32Array[];
  /** Targets [from, to) that share an alpha. */
  readonly choices: readonly (readonly [from: number, to: number])[];
  readonly settings: RidgeSettings;
}

export interface Sweep {
  readonly best: readonly Best[];
  /** Alphas, in the settings' unit, that are lost in the rounding of the Gram matrix. */
  readonly unusable: readonly number[];
}

/** Of the regression on all rows at one alpha. */
interface Residuals {
  /** Q = (I − H)/α [n, n] and its diagonal. */
  readonly q: Float64Array;
  readonly diagonal: Float64Array;
  /** QY [n, targets]. */
  readonly dual: Float64Array;
}

/** Mean squared length of a centred row of features; 1 where they do not vary. */
export const meanSquare = (gram: Float64Array, n: number): number => {
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram[i * n + i]!;
  return trace > 0 ? trace / n : 1;
};

/** K + αI + c·11ᵀ. The intercept takes up any c; this one keeps the matrix as well-conditioned as the rest of it. */
const penalised = (gram: Float64Array, n: number, alpha: number): Float64Array => {
  const constant = meanSquare(gram, n) / n;
  const result = gram.map((value) => value + constant);
  for (let i = 0; i < n; i++) result[i * n + i] = result[i * n + i]! + alpha;
  return result;
};

/** G − G11ᵀG/1ᵀG1, in place: the inverse restricted to what an intercept leaves. */
const withoutConstant = (inverse: Float64Array, n: number): Float64Array => {
  const sums = new Float64Array(n);
  let total = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) sums[i] = sums[i]! + inverse[i * n + j]!;
    total += sums[i]!;
  }
  for (let i = 0; i < n; i++) {
    const part = sums[i]! / total;
    for (let j = 0; j < n; j++) inverse[i * n + j] = inverse[i * n + j]! - part * sums[j]!;
  }
  return inverse;
};

/** The rows of a matrix [·, width] that `rows` names. */
const gather = (a: Float64Array, width: number, rows: Int32Array): Float64Array => {
  const result = new Float64Array(rows.length * width);
  rows.forEach((row, k) => {
    result.set(a.subarray(row * width, (row + 1) * width), k * width);
  });
  return result;
};

const residualsOf = async (
  engine: Engine,
  products: Products,
  { gram, targets, rows: n }: SweepJob,
  alpha: number,
): Promise<Residuals | null> => {
  const inverse = await invertDefinite(engine, products, penalised(gram, n, alpha), n);
  if (inverse === null) return null;
  withoutConstant(inverse, n);
  const diagonal = Float64Array.from({ length: n }, (_, i) => inverse[i * n + i]!);
  const held = await engine.hold({ data: inverse, shape: [n, n] });
  try {
    const dual = await products.multiply('a·b', { held }, matrix(targets, n));
    return { q: (await engine.take(held)).data as Float64Array, diagonal, dual };
  } catch (thrown) {
    await engine.drop(held);
    throw thrown;
  }
};

/** Of one regression at one alpha. */
interface Fitted {
  /** Residuals of the rows left out [s, targets]. */
  readonly heldOut: Float64Array;
  /** a [n, targets] and the diagonal of its Q [n]; meaningless on the rows left out. */
  readonly dual: Float64Array;
  readonly diagonal: Float64Array;
}

/**
 * The regression without the rows S, from that on all rows: leaving rows out of a bordered system is a Schur complement
 * in its inverse. e_S = Q_SS⁻¹(QY)_S are the residuals of the held-out rows, QY − Q_·S e_S the dual coefficients, and
 * Q − Q_·S Q_SS⁻¹ Q_S· the new Q. Null where Q_SS is singular to rounding.
 */
const leaveOut = async (
  products: Products,
  { q, diagonal, dual }: Residuals,
  test: Int32Array,
): Promise<Fitted | null> => {
  const n = diagonal.length;
  const size = test.length;
  if (size === 0) return { heldOut: new Float64Array(0), dual, diagonal };
  const rows = gather(q, n, test);
  const block = Float64Array.from(
    { length: size * size },
    (_, k) => rows[Math.floor(k / size) * n + test[k % size]!]!,
  );
  if (!(await invertFactor(products, block, size))) return null;
  const factor = matrix(block, size);
  const across = matrix(rows, size);
  const known = matrix(gather(dual, dual.length / n, test), size);
  const half = await products.multiply('a·b', factor, known);
  const heldOut = await products.multiply('aᵀ·b', factor, matrix(half, size));
  const taken = await products.multiply('aᵀ·b', across, matrix(heldOut, size));
  const lost = await products.multiply('a·b', factor, across);
  const rest = diagonal.slice();
  for (let s = 0; s < size; s++)
    for (let i = 0; i < n; i++) rest[i] = rest[i]! - lost[s * n + i]! ** 2;
  return { heldOut, dual: dual.map((value, k) => value - taken[k]!), diagonal: rest };
};

const takeIfBetter = (
  job: SweepJob,
  best: Best,
  alpha: number,
  { heldOut, dual, diagonal }: Fitted,
): void => {
  const { targets, choices, settings } = job;
  const { test, training, values } = best;
  const q = best.errors.length;
  const errors = criterion(rowSums(dual, diagonal, training), settings.choose);
  for (const [first, end] of choices) {
    let error = 0;
    for (let j = first; j < end; j++) error += errors[j]! / (end - first);
    // The weaker of equals; NaN, from an alpha lost in rounding, is never better.
    if (!(error < best.errors[first]!)) continue;
    for (let j = first; j < end; j++) {
      best.errors[j] = error;
      best.alphas[j] = alpha;
      if (test.length === 0) for (let k = j; k < values.length; k += q) values[k] = dual[k]!;
      for (let k = 0; k < test.length; k++)
        values[k * q + j] = targets[test[k]! * q + j]! - heldOut[k * q + j]!;
    }
  }
};

/**
 * Fits every regression at every alpha and keeps, for each choice, what its own training rows find best. Every
 * alpha costs one inverse of n × n, whatever the number of regressions and targets. The chosen errors of targets
 * that share an alpha are their mean.
 */
export const sweepAlphas = async (
  engine: Engine,
  products: Products,
  job: SweepJob,
  steps: Steps,
): Promise<Sweep> => {
  const { gram, rows: n, targets, tests, settings } = job;
  const q = targets.length / n;
  const unit = settings.unit === 'absolute' ? 1 : meanSquare(gram, n);
  const best = tests.map((test): Best => {
    const training = new Uint8Array(n).fill(1);
    for (const row of test) training[row] = 0;
    return {
      test,
      training,
      errors: new Float64Array(q).fill(Number.POSITIVE_INFINITY),
      alphas: new Float64Array(q).fill(Number.NaN),
      values: new Float64Array((test.length === 0 ? n : test.length) * q),
    };
  });
  const unusable: number[] = [];
  steps.expect(settings.alphas.length);
  for (const alpha of settings.alphas) {
    steps.checkStop();
    const residuals = await residualsOf(engine, products, job, alpha * unit);
    if (residuals === null) unusable.push(alpha);
    else
      for (const each of best) {
        const fitted = await leaveOut(products, residuals, each.test);
        steps.checkStop();
        if (fitted !== null) takeIfBetter(job, each, alpha, fitted);
      }
    steps.step();
  }
  return { best, unusable };
};
