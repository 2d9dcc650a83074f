// Cholesky factors of symmetric matrices by halves: the leaves here, the products between the halves in the engine.

import { dot } from '../numeric/vectors.ts';
import type { Engine } from '../records/ports.ts';
import { PANEL_ROWS } from './gram.ts';
import { matrix, type Products } from './products.ts';

/** Below this a product is not worth the way to the engine. */
const LEAF_ROWS = 128;

/** A block [rows, columns) × [rows, columns) of a matrix [·, n] as a matrix of its own. */
const copyBlock = (
  a: Float64Array,
  n: number,
  [top, bottom]: readonly [number, number],
  [left, right]: readonly [number, number],
): Float64Array => {
  const width = right - left;
  const block = new Float64Array((bottom - top) * width);
  for (let i = top; i < bottom; i++)
    block.set(a.subarray(i * n + left, i * n + right), (i - top) * width);
  return block;
};

/** A triangular block on the diagonal as a matrix of its own, with nothing above its diagonal. */
const copyTriangle = (a: Float64Array, n: number, from: number, to: number): Float64Array => {
  const width = to - from;
  const block = new Float64Array(width * width);
  for (let i = from; i < to; i++)
    block.set(a.subarray(i * n + from, i * n + i + 1), (i - from) * width);
  return block;
};

/** L⁻¹ in the place of the lower triangle of A = LLᵀ; false where a pivot is not above `floor`. */
const factorLeaf = (
  a: Float64Array,
  n: number,
  from: number,
  to: number,
  floor: number,
): boolean => {
  for (let i = from; i < to; i++) {
    const row = i * n + from;
    for (let j = from; j < i; j++) {
      const other = j * n + from;
      a[row + j - from] =
        (a[row + j - from]! - dot(a, row, a, other, j - from)) / a[other + j - from]!;
    }
    const pivot = a[row + i - from]! - dot(a, row, a, row, i - from);
    if (!(pivot > floor)) return false;
    a[row + i - from] = Math.sqrt(pivot);
  }
  const column = new Float64Array(to - from);
  for (let j = from; j < to; j++) {
    column.fill(0);
    for (let i = j; i < to; i++) {
      const known = dot(a, i * n + j, column, j - from, i - j);
      column[i - from] = ((i === j ? 1 : 0) - known) / a[i * n + i]!;
    }
    // Columns to the right do not need this column of L any more; the diagonal they do.
    for (let i = j + 1; i < to; i++) a[i * n + j] = column[i - from]!;
  }
  for (let i = from; i < to; i++) a[i * n + i] = 1 / a[i * n + i]!;
  return true;
};

const factorRange = async (
  products: Products,
  a: Float64Array,
  n: number,
  from: number,
  to: number,
  floor: number,
): Promise<boolean> => {
  if (to - from <= LEAF_ROWS) return factorLeaf(a, n, from, to, floor);
  const half = from + Math.ceil((to - from) / 2);
  if (!(await factorRange(products, a, n, from, half, floor))) return false;
  const above = matrix(copyTriangle(a, n, from, half), half - from);
  const crossing = matrix(copyBlock(a, n, [half, to], [from, half]), to - half);
  // L₂₁ = A₂₁L₁₁⁻ᵀ; the lower half goes on with A₂₂ − L₂₁L₂₁ᵀ.
  const lower = matrix(await products.multiply('a·bᵀ', crossing, above), to - half);
  const square = await products.multiply('a·bᵀ', lower, lower);
  for (let i = half; i < to; i++)
    for (let j = half; j <= i; j++)
      a[i * n + j] = a[i * n + j]! - square[(i - half) * (to - half) + j - half]!;
  if (!(await factorRange(products, a, n, half, to, floor))) return false;
  // (L⁻¹)₂₁ = −L₂₂⁻¹L₂₁L₁₁⁻¹.
  const right = matrix(await products.multiply('a·b', lower, above), to - half);
  const below = matrix(copyTriangle(a, n, half, to), to - half);
  const result = await products.multiply('a·b', below, right);
  const width = half - from;
  for (let i = half; i < to; i++)
    for (let j = from; j < half; j++) a[i * n + j] = -result[(i - half) * width + j - from]!;
  return true;
};

/**
 * L⁻¹ of a symmetric positive definite A = LLᵀ [n, n], in place: reads the lower triangle of `a`, and leaves there L⁻¹
 * with zeros above. False, with `a` spoiled, where A is not positive definite to rounding.
 */
export const invertFactor = async (
  products: Products,
  a: Float64Array,
  n: number,
): Promise<boolean> => {
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, a[i * n + i]!);
  if (!(await factorRange(products, a, n, 0, n, n * Number.EPSILON * largest))) return false;
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n);
  return true;
};

/**
 * A⁻¹ [n, n] of a symmetric positive definite A, whose lower triangle is read; null where it is not so to rounding.
 * `a` is spoiled. About 7/6 n³ multiplications and, at the most, 3 n² · 8 bytes beside `a`.
 */
export const invertDefinite = async (
  engine: Engine,
  products: Products,
  a: Float64Array,
  n: number,
): Promise<Float64Array | null> => {
  if (!(await invertFactor(products, a, n))) return null;
  const inverse = new Float64Array(n * n);
  const panels = Array.from({ length: Math.ceil(n / PANEL_ROWS) }, (_, k) => {
    const [from, to] = [k * PANEL_ROWS, Math.min((k + 1) * PANEL_ROWS, n)];
    return { from, left: matrix(copyBlock(a, n, [from, n], [from, to]), n - from) };
  });
  const held = await engine.hold({ data: a, shape: [n, n] });
  try {
    for (const { from, left } of panels) {
      const rows = await products.multiply('aᵀ·b', left, { held, rows: [from, n] });
      inverse.set(rows, from * n);
    }
  } finally {
    await engine.drop(held);
  }
  return inverse;
};
