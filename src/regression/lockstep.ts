import { addDots, getColumn, putColumn } from '../numeric/vectors.ts';
import type { NdArray } from '../records/array.ts';
import { matrix, type Products } from './products.ts';
import { deactivate, type PlaceRange, type TargetSet, type Task } from './task.ts';

/** The distinct target sets of some tasks, one under the other, and a row of ones under them. */
export interface StackedTargets {
  /** [rows, n]. */
  readonly data: Float64Array;
  readonly rows: number;
  /** The first row of each set. */
  readonly first: ReadonlyMap<TargetSet, number>;
}

export const stackTargets = (tasks: readonly Task[]): StackedTargets => {
  const sets = [...new Set(tasks.map(({ targets }) => targets))];
  const n = sets[0]!.rows;
  const rows = sets.reduce((sum, { sites }) => sum + sites, 1);
  const data = new Float64Array(rows * n).fill(1, (rows - 1) * n);
  const first = new Map<TargetSet, number>();
  let row = 0;
  for (const set of sets) {
    first.set(set, row);
    data.set(set.values, row * n);
    row += set.sites;
  }
  return { data, rows, first };
};

/** Each range that is held out, and the tasks that hold it out. */
const byRange = (tasks: readonly Task[]): (readonly [PlaceRange, readonly Task[]])[] => {
  const ranges = new Map<string, readonly [PlaceRange, Task[]]>();
  for (const task of tasks)
    for (const range of task.heldOut) {
      const key = range.join(' ');
      const known = ranges.get(key);
      if (known === undefined) ranges.set(key, [range, [task]]);
      else known[1].push(task);
    }
  return [...ranges.values()];
};

/** The places [from, to) of a matrix [rows, n]. */
const somePlaces = (
  { data, rows }: StackedTargets,
  [from, to]: PlaceRange,
): NdArray<Float64Array> => {
  const n = data.length / rows;
  const some = new Float64Array(rows * (to - from));
  for (let j = 0; j < rows; j++) some.set(data.subarray(j * n + from, j * n + to), j * (to - from));
  return matrix(some, rows);
};

type Rows = NdArray<Float64Array>;

/**
 * F(Y − ȳ) over each task's training rows [q, length], for a linear map F that takes and gives vectors as the rows of a
 * matrix: worked out once on all places and for all target sets, and once on each range that is held out, whose part is
 * taken away.
 */
export const mapTargets = async (
  tasks: readonly Task[],
  onAll: (vectors: Rows) => Promise<Float64Array>,
  onRange: (vectors: Rows, range: PlaceRange) => Promise<Float64Array>,
): Promise<ReadonlyMap<Task, Float64Array>> => {
  const stacked = stackTargets(tasks);
  const whole = await onAll(matrix(stacked.data, stacked.rows));
  const length = whole.length / stacked.rows;
  const mapped = new Map<Task, Float64Array>();
  for (const task of tasks) {
    const result = new Float64Array(task.live.length * length);
    addCentred(result, task, whole, stacked, 1);
    mapped.set(task, result);
  }
  for (const [range, without] of byRange(tasks)) {
    const part = await onRange(somePlaces(stacked, range), range);
    for (const task of without) addCentred(mapped.get(task)!, task, part, stacked, -1);
  }
  return mapped;
};

/** Adds sign · (F(Y) − ȳ F(1)) of one task, nothing for targets that take no part. */
const addCentred = (
  result: Float64Array,
  { mean, live, targets }: Task,
  mapped: Float64Array,
  { rows, first }: StackedTargets,
  sign: 1 | -1,
): void => {
  const length = mapped.length / rows;
  const ones = (rows - 1) * length;
  for (let j = 0; j < live.length; j++) {
    if (live[j] === 0) continue;
    const from = (first.get(targets)! + j) * length;
    const to = j * length;
    const centre = mean[j]!;
    for (let i = 0; i < length; i++)
      result[to + i] = result[to + i]! + sign * (mapped[from + i]! - centre * mapped[ones + i]!);
  }
};

/** The mean of a matrix [side, side] and its transpose; changes `square`. */
export const symmetrised = (square: Float64Array, side: number): Float64Array => {
  for (let j = 0; j < side; j++)
    for (let k = 0; k < j; k++) {
      const value = (square[j * side + k]! + square[k * side + j]!) / 2;
      square[j * side + k] = value;
      square[k * side + j] = value;
    }
  return square;
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
  return deactivate(task, symmetrised(product, q));
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
const inRows = async (
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
  addDots(products, targets.values, targets.sites, vector, [0, targets.rows]);
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
