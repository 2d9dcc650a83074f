// The split sequences of scikit-learn 1.2 for a whole `random_state`, so that published splits can be repeated.

import { createMersenne, type Mersenne } from '../numeric/mersenne.ts';
import { inputError } from '../records/errors.ts';
import type { Fold } from './folds.ts';

/** One split: rows in the order in which scikit-learn gives them. Rows in neither are left out. */
export interface SklearnSplit {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/** Exactly one of the two is given; the other side takes the rest of the rows. */
export type Share = { readonly test: number } | { readonly train: number };

const wrong = (expected: string, got: string, mend: string) =>
  inputError({ where: 'folds', expected, got, mend });

const sizesOf = (rows: number, share: Share): { train: number; test: number } => {
  const given = 'test' in share ? share.test : share.train;
  if (!(given > 0 && given < 1))
    throw wrong('a share of rows between 0 and 1', String(given), 'give another share');
  const test = 'test' in share ? Math.ceil(given * rows) : rows - Math.floor(given * rows);
  const train = rows - test;
  if (train < 1 || test < 1)
    throw wrong(
      'rows to train on and rows to hold out',
      `${train} and ${test}`,
      'give more stimuli or another share',
    );
  return { train, test };
};

/** `KFold(count, shuffle=True, random_state=seed)`: test rows ascending. Input error with fewer rows than folds. */
export const sklearnKFold = (rows: number, count: number, seed: number): Fold[] => {
  if (!Number.isInteger(count) || count < 2 || rows < count)
    throw wrong(`2 to ${rows} folds for ${rows} rows`, String(count), 'ask for fewer folds');
  const order = createMersenne(seed).permutation(rows);
  const small = Math.floor(rows / count);
  let from = 0;
  return Array.from({ length: count }, (_, k) => {
    const to = from + small + (k < rows % count ? 1 : 0);
    const test = order.slice(from, to).sort();
    from = to;
    return { name: `fold ${k + 1}`, test };
  });
};

/** `ShuffleSplit(count, test_size or train_size, random_state=seed)`. */
export const shuffleSplits = (
  rows: number,
  count: number,
  share: Share,
  seed: number,
): SklearnSplit[] => {
  const { test } = sizesOf(rows, share);
  const random = createMersenne(seed);
  return Array.from({ length: count }, () => {
    const order = random.permutation(rows);
    return { train: order.slice(test), test: order.slice(0, test) };
  });
};

/** As Python compares text: by code point, not by UTF-16 unit. */
const byCodePoint = (a: string, b: string): number => {
  const [left, right] = [[...a], [...b]];
  for (let k = 0; k < Math.min(left.length, right.length); k++) {
    const difference = left[k]!.codePointAt(0)! - right[k]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
};

/** Rows of each class, ascending, classes sorted. */
const classRows = (classes: readonly string[]): Int32Array[] => {
  const rows = new Map<string, number[]>();
  classes.forEach((name, row) => {
    const some = rows.get(name);
    if (some === undefined) rows.set(name, [row]);
    else some.push(row);
  });
  return [...rows]
    .sort(([a], [b]) => byCodePoint(a, b))
    .map(([, members]) => Int32Array.from(members));
};

/** scikit-learn's `_approximate_mode`: how many of `draws` each class gets, ties broken by lot. */
const proportionally = (counts: readonly number[], draws: number, random: Mersenne): number[] => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const exact = counts.map((count) => (count / total) * draws);
  const taken = exact.map(Math.floor);
  let missing = draws - taken.reduce((sum, count) => sum + count, 0);
  const remainders = exact.map((value, k) => value - taken[k]!);
  for (const value of [...new Set(remainders)].sort((a, b) => b - a)) {
    if (missing === 0) break;
    const tied = remainders.flatMap((remainder, k) => (remainder === value ? [k] : []));
    const now = Math.min(tied.length, missing);
    for (const place of random.permutation(tied.length).subarray(0, now)) {
      const k = tied[place]!;
      taken[k] = taken[k]! + 1;
    }
    missing -= now;
  }
  return taken;
};

const concatenated = (parts: readonly Int32Array[]): Int32Array => {
  const result = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
};

/**
 * `StratifiedShuffleSplit(count, test_size or train_size, random_state=seed).split(·, classes)` for one class per row,
 * classes being text. Input errors as scikit-learn's: a class with a single row, fewer rows on a side than classes.
 */
export const stratifiedShuffleSplits = (
  classes: readonly string[],
  count: number,
  share: Share,
  seed: number,
): SklearnSplit[] => {
  const sizes = sizesOf(classes.length, share);
  const groups = classRows(classes);
  const smallest = Math.min(...groups.map(({ length }) => length));
  if (smallest < 2)
    throw wrong('at least two rows of every class', String(smallest), 'stratify by another column');
  if (Math.min(sizes.train, sizes.test) < groups.length)
    throw wrong(
      `at least ${groups.length} rows on both sides, one for every class`,
      `${sizes.train} to train on and ${sizes.test} to hold out`,
      'give more stimuli or another share',
    );
  const random = createMersenne(seed);
  return Array.from({ length: count }, () => {
    const counts = groups.map(({ length }) => length);
    const forTraining = proportionally(counts, sizes.train, random);
    const rest = counts.map((size, k) => size - forTraining[k]!);
    const forTest = proportionally(rest, sizes.test, random);
    const orders = groups.map((rows) => random.shuffled(rows));
    const train = orders.map((rows, k) => rows.subarray(0, forTraining[k]!));
    const test = orders.map((rows, k) =>
      rows.subarray(forTraining[k]!, forTraining[k]! + forTest[k]!),
    );
    return {
      train: random.shuffled(concatenated(train)),
      test: random.shuffled(concatenated(test)),
    };
  });
};
