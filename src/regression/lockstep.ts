import { addDots, getColumn, putColumn } from '../numeric/vectors.ts';
import type { NdArray } from '../records/array.ts';
import { matrix, type Products } from './products.ts';
import { type PlaceRange, settleDead, type TargetSet, type Task } from './task.ts';

/** The distinct target sets of some tasks side by side, and a column of ones after them. */
interface SharedTargets {
  /** [n, columns]. */
  readonly columns: number;
  readonly data: Float64Array;
  /** The first column of each set. */
  readonly first: ReadonlyMap<TargetSet, number>;
}

const sideBySide = (tasks: readonly Task[]): SharedTargets => {
  const sets = [...new Set(tasks.map(({ targets }) => targets))];
  const { rows: n } = sets[0]!;
  const columns = sets.reduce((sum, { sites }) => sum + sites, 1);
  const data = new Float64Array(n * columns).fill(1);
  const first = new Map<TargetSet, number>();
  let column = 0;
  for (const set of sets) {
    first.set(set, column);
    for (let j = 0; j < set.sites; j++, column++)
      putColumn(data, columns, column, set.values.subarray(j * n, (j + 1) * n));
  }
  return { columns, data, first };
};

/** Tasks by the rows that they hold out. */
const byHeldOut = (tasks: readonly Task[]): (readonly Task[])[] => {
  const groups = new Map<string, Task[]>();
  for (const task of tasks) {
    const key = task.heldOut.join(' ');
    groups.set(key, [...(groups.get(key) ?? []), task]);
  }
  return [...groups.values()];
};

/** A linear map on some rows: of columns [to − from, m] as a matrix [length, m]. */
export type RowsMap = (rows: PlaceRange, columns: Float64Array) => Promise<Float64Array>;

/**
 * F(Y − ȳ) over each task's training rows, target after target [q, length], for a linear map F of all rows: worked out
 * once for all rows and all target sets, and once for each range that is held out, whose part is taken away.
 */
export const mapTargets = async (
  tasks: readonly Task[],
  onAll: (columns: Float64Array) => Promise<Float64Array>,
  onRows: RowsMap,
): Promise<ReadonlyMap<Task, Float64Array>> => {
  const { columns, data, first } = sideBySide(tasks);
  const whole = await onAll(data);
  const results = new Map<Task, Float64Array>();
  for (const alike of byHeldOut(tasks)) {
    const rest = whole.slice();
    for (const [from, to] of alike[0]!.heldOut) {
      const part = await onRows([from, to], data.subarray(from * columns, to * columns));
      for (let k = 0; k < rest.length; k++) rest[k] = rest[k]! - part[k]!;
    }
    for (const task of alike)
      results.set(task, lessMeans(task, rest, columns, first.get(task.targets)!));
  }
  return results;
};

/** F(Y) − ȳ F(1) of one task, from the columns of its targets and the last. */
const lessMeans = (
  { mean, live }: Task,
  mapped: Float64Array,
  columns: number,
  first: number,
): Float64Array => {
  const q = live.length;
  const length = mapped.length / columns;
  const result = new Float64Array(q * length);
  for (let i = 0; i < length; i++) {
    const row = i * columns;
    const ones = mapped[row + columns - 1]!;
    for (let j = 0; j < q; j++)
      if (live[j] === 1) result[j * length + i] = mapped[row + first + j]! - mean[j]! * ones;
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
