import { addDots, getColumn, putColumn } from '../numeric/vectors.ts';
import type { NdArray } from '../records/array.ts';
import { matrix, type Products } from './products.ts';
import { type PlaceRange, settleDead, type TargetSet, type Task } from './task.ts';

/** [Y | 1] as a matrix [n, q + 1], row after row: targets and, in the last column, ones. */
const withOnes = ({ sites: q, rows: n, values }: TargetSet): Float64Array => {
  const result = new Float64Array(n * (q + 1));
  for (let j = 0; j < q; j++) putColumn(result, q + 1, j, values.subarray(j * n, (j + 1) * n));
  for (let i = 0; i < n; i++) result[i * (q + 1) + q] = 1;
  return result;
};

/** A linear map of [Y | 1] on all rows, worked out once for the folds of a target set that follow each other. */
export const onAllRows = (
  multiply: (ones: Float64Array, rows: number) => Promise<Float64Array>,
) => {
  let last: { targets: TargetSet; ones: Float64Array; whole: Float64Array } | null = null;
  return async (targets: TargetSet): Promise<{ ones: Float64Array; whole: Float64Array }> => {
    if (last === null || last.targets !== targets) {
      const ones = withOnes(targets);
      last = { targets, ones, whole: await multiply(ones, targets.rows) };
    }
    return last;
  };
};

/** A linear map of [Y | 1] on some ranges of rows alone, with as many values as `size`. */
export const onHeldOut = async (
  { heldOut, targets: { sites } }: Task,
  ones: Float64Array,
  size: number,
  multiply: (rows: PlaceRange, some: Float64Array) => Promise<Float64Array>,
): Promise<Float64Array> => {
  const total = new Float64Array(size);
  for (const [from, to] of heldOut) {
    const part = await multiply([from, to], ones.subarray(from * (sites + 1), to * (sites + 1)));
    for (let k = 0; k < size; k++) total[k] = total[k]! + part[k]!;
  }
  return total;
};

/**
 * F(Y − ȳ) over a task's training rows, target after target [q, length], for a linear map F whose value on all rows of
 * [Y | 1] is `whole` [length, q + 1] and on the held-out rows `test`.
 */
export const onTraining = (
  { mean, live }: Task,
  whole: Float64Array,
  test: Float64Array,
  length: number,
): Float64Array => {
  const q = live.length;
  const result = new Float64Array(q * length);
  for (let i = 0; i < length; i++) {
    const row = i * (q + 1);
    const ones = whole[row + q]! - test[row + q]!;
    for (let j = 0; j < q; j++)
      if (live[j] === 1)
        result[j * length + i] = whole[row + j]! - test[row + j]! - mean[j]! * ones;
  }
  return result;
};

/** a·bᵀ [q, q] made exactly symmetric, with nothing in the rows and columns of targets that take no part. */
export const symmetricProduct = async (
  products: Products,
  task: Task,
  a: Float64Array,
  b: Float64Array,
): Promise<Float64Array> => {
  const q = task.live.length;
  const product = await products.multiply('a·bᵀ', matrix(a, q), matrix(b, q));
  for (let j = 0; j < q; j++)
    for (let k = 0; k < j; k++) {
      const value = (product[j * q + k]! + product[k * q + j]!) / 2;
      product[j * q + k] = value;
      product[k * q + j] = value;
    }
  return settleDead(task, product);
};

/** One product for the vectors of all tasks: they go in as columns, and the columns come out as vectors. */
export const inLockstep = async (
  vectors: readonly Float64Array[],
  multiply: (columns: Float64Array) => Promise<Float64Array>,
): Promise<Float64Array[]> => {
  const m = vectors.length;
  const columns = new Float64Array(m * vectors[0]!.length);
  vectors.forEach((vector, k) => {
    putColumn(columns, m, k, vector);
  });
  const product = await multiply(columns);
  return vectors.map((_, k) => {
    const result = new Float64Array(product.length / m);
    getColumn(product, m, k, result);
    return result;
  });
};

/** One product for the vectors of all tasks, as they lie: row after row in, row after row out. */
export const inRows = async (
  vectors: readonly Float64Array[],
  multiply: (rows: NdArray<Float64Array>) => Promise<Float64Array>,
): Promise<Float64Array[]> => {
  const m = vectors.length;
  const rows = new Float64Array(m * vectors[0]!.length);
  vectors.forEach((vector, k) => {
    rows.set(vector, k * vector.length);
  });
  const product = await multiply(matrix(rows, m));
  const length = product.length / m;
  return vectors.map((_, k) => product.subarray(k * length, (k + 1) * length));
};

/** Responses of a target set from which on the engine multiplies sooner than a message to it and back takes. */
const ENGINE_PAYS = 100_000;

const dotsWithTargets = ({ targets }: Task, vector: Float64Array): Float64Array => {
  const products = new Float64Array(targets.sites);
  addDots(products, targets.values, targets.sites, vector, 0, targets.rows);
  return products;
};

/**
 * Yᵀv [q] for a vector v of each task, with the held-out rows of v set to 0: for large target sets one product of the
 * engine for the tasks of a set that follow each other.
 */
export const alongTargets = async (
  products: Products,
  tasks: readonly Task[],
  vectors: readonly Float64Array[],
): Promise<Float64Array[]> => {
  const results: Float64Array[] = [];
  for (let from = 0; from < tasks.length; ) {
    const { targets } = tasks[from]!;
    let to = from;
    while (to < tasks.length && tasks[to]!.targets === targets) to++;
    const values = matrix(targets.values, targets.sites);
    const some = vectors.slice(from, to);
    if (targets.values.length < ENGINE_PAYS)
      results.push(...some.map((vector, k) => dotsWithTargets(tasks[from + k]!, vector)));
    else results.push(...(await inRows(some, (rows) => products.multiply('a·bᵀ', rows, values))));
    from = to;
  }
  return results;
};
