import { createRandom } from '../numeric/random.ts';
import { inputError } from '../records/errors.ts';

/** Rows held out together; all other rows train. */
export interface Fold {
  readonly name: string;
  /** Rows, ascending. */
  readonly test: Int32Array;
}

export interface KFoldOptions {
  /** Number of rows. */
  readonly rows: number;
  readonly count: number;
  /** Without it, rows are dealt out in their own order (within each stratum). */
  readonly shuffle: boolean;
  /** One class per row, spread evenly over the folds. */
  readonly strata: readonly string[] | null;
  readonly seed: number | string;
}

/** The distinct values in the order of their first appearance, with the rows that have them. */
const groupRows = (labels: readonly string[]): Map<string, number[]> => {
  const groups = new Map<string, number[]>();
  labels.forEach((label, row) => {
    const rows = groups.get(label);
    if (rows === undefined) groups.set(label, [row]);
    else rows.push(row);
  });
  return groups;
};

/** Rows in the order in which they are dealt: shuffled, and class after class where there are classes. */
const dealingOrder = ({ rows, shuffle, strata, seed }: KFoldOptions): number[] => {
  const random = createRandom(seed);
  const order = shuffle ? [...random.permutation(rows)] : Array.from({ length: rows }, (_, i) => i);
  if (strata === null) return order;
  const shuffled = groupRows(order.map((row) => strata[row]!));
  const classes = [...groupRows(strata).keys()];
  return classes.flatMap((name) => shuffled.get(name)!.map((place) => order[place]!));
};

/**
 * `count` folds that partition the rows, sizes differing by at most one; with strata, so does every class's number of
 * rows per fold. Shuffled rows are dealt out one by one, class after class; unshuffled and unstratified folds are
 * consecutive rows. Throws an input error where there are fewer rows than folds, or strata for other rows.
 */
export const kFold = (options: KFoldOptions): Fold[] => {
  const { rows, count, shuffle, strata } = options;
  if (!Number.isInteger(count) || count < 2 || rows < count) {
    throw inputError({
      where: 'folds',
      expected: `2 to ${rows} folds for ${rows} rows`,
      got: `${count}`,
      mend: 'ask for fewer folds or give more stimuli',
    });
  }
  if (strata !== null && strata.length !== rows) {
    throw inputError({
      where: 'folds',
      expected: `a class for each of ${rows} rows`,
      got: `${strata.length}`,
      mend: 'give each row its class',
    });
  }
  const order = dealingOrder(options);
  const consecutive = !shuffle && strata === null;
  const foldOf = new Int32Array(rows);
  order.forEach((row, place) => {
    foldOf[row] = consecutive ? Math.floor((place * count) / rows) : place % count;
  });
  const tests: number[][] = Array.from({ length: count }, () => []);
  for (let row = 0; row < rows; row++) tests[foldOf[row]!]!.push(row);
  return tests.map((test, k) => ({ name: `fold ${k + 1}`, test: Int32Array.from(test) }));
};

/**
 * One fold per distinct group, named by it, in the order of first appearance.
 * Throws an input error where there are fewer than two groups.
 */
export const leaveOneGroupOut = (groups: readonly string[]): Fold[] => {
  const rows = groupRows(groups);
  if (rows.size < 2) {
    throw inputError({
      where: 'folds',
      expected: 'at least two groups to leave out in turn',
      got: `${rows.size}`,
      mend: 'use a recording with more images or another protocol',
    });
  }
  return [...rows].map(([name, test]) => ({ name, test: Int32Array.from(test) }));
};

/** Rows reordered so that each fold is a range; rows that no fold holds out come last. */
export interface FoldOrder {
  /** `order[place]` is the row at that place. */
  readonly order: Int32Array;
  /** Places [from, to) of each fold's test rows. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

/** Throws an input error where a row is held out twice, does not exist, or a fold is empty. */
export const orderByFold = (rows: number, folds: readonly Fold[]): FoldOrder => {
  const order = new Int32Array(rows);
  const taken = new Uint8Array(rows);
  let place = 0;
  const ranges = folds.map(({ name, test }): readonly [number, number] => {
    const from = place;
    for (const row of test) {
      if (row < 0 || row >= rows || taken[row] === 1) {
        throw inputError({
          where: `folds: ${name}`,
          expected: `each of the rows 0 to ${rows - 1} in one fold at most`,
          got: `row ${row}${row >= 0 && row < rows ? ' a second time' : ''}`,
          mend: 'give folds that do not overlap',
        });
      }
      taken[row] = 1;
      order[place++] = row;
    }
    if (place === from) {
      throw inputError({
        where: `folds: ${name}`,
        expected: 'rows to hold out',
        got: 'none',
        mend: 'drop the fold',
      });
    }
    return [from, place];
  });
  for (let row = 0; row < rows; row++) if (taken[row] === 0) order[place++] = row;
  return { order, ranges };
};
