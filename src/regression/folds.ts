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
  /** One group per row; rows of a group are never parted. Default: each row its own. */
  readonly groups?: readonly string[] | null;
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
 * Deals whole groups, the large ones first: each goes to the fold that has least of its classes so far, of equals to
 * the smallest fold, of those to the first. So single rows, which come last, even out what groups left uneven.
 */
const dealGroups = (
  { rows, count, strata }: KFoldOptions,
  order: readonly number[],
  groups: readonly string[],
): Int32Array => {
  const classOf = (row: number): string => strata?.[row] ?? '';
  const classSizes = new Map<string, number>();
  for (let row = 0; row < rows; row++)
    classSizes.set(classOf(row), (classSizes.get(classOf(row)) ?? 0) + 1);
  const dealt = [...groupRows(order.map((row) => groups[row]!)).values()]
    .map((places) => places.map((place) => order[place]!))
    .sort((a, b) => b.length - a.length);
  const held = Array.from({ length: count }, () => new Map<string, number>());
  const sizes = new Int32Array(count);
  const foldOf = new Int32Array(rows);
  for (const members of dealt) {
    // Shares, so that a row of a rare class weighs more than one of a frequent class.
    const loads = held.map((classes) =>
      members.reduce((sum, row) => {
        const name = classOf(row);
        return sum + (classes.get(name) ?? 0) / classSizes.get(name)!;
      }, 0),
    );
    let best = 0;
    for (let fold = 1; fold < count; fold++) {
      const gain = loads[best]! - loads[fold]!;
      if (gain > 1e-9 || (gain > -1e-9 && sizes[fold]! < sizes[best]!)) best = fold;
    }
    sizes[best]! += members.length;
    for (const row of members) {
      foldOf[row] = best;
      held[best]!.set(classOf(row), (held[best]!.get(classOf(row)) ?? 0) + 1);
    }
  }
  return foldOf;
};

const dealRows = (
  { rows, count, shuffle, strata }: KFoldOptions,
  order: readonly number[],
): Int32Array => {
  const consecutive = !shuffle && strata === null;
  const foldOf = new Int32Array(rows);
  order.forEach((row, place) => {
    foldOf[row] = consecutive ? Math.floor((place * count) / rows) : place % count;
  });
  return foldOf;
};

const checkGroups = (groups: readonly string[], count: number): readonly string[] => {
  const distinct = new Set(groups).size;
  if (distinct >= count) return groups;
  throw inputError({
    where: 'folds',
    expected: `2 to ${distinct} folds for ${distinct} groups`,
    got: `${count}`,
    mend: 'ask for fewer folds, or leave the groups out',
  });
};

const checkLabels = (what: string, labels: readonly string[] | null, rows: number): void => {
  if (labels === null || labels.length === rows) return;
  throw inputError({
    where: 'folds',
    expected: `a ${what} for each of ${rows} rows`,
    got: `${labels.length}`,
    mend: `give each row its ${what}`,
  });
};

/**
 * `count` folds that partition the rows, sizes differing by at most one; with strata, so does every class's number of
 * rows per fold. Shuffled rows are dealt out one by one, class after class; unshuffled and unstratified folds are
 * consecutive rows. Groups with several rows are dealt whole, so that sizes and classes are as even as they allow, also
 * unshuffled. Throws an input error where there are fewer rows or groups than folds, or labels for other rows.
 */
export const kFold = (options: KFoldOptions): Fold[] => {
  const { rows, count, strata } = options;
  if (!Number.isInteger(count) || count < 2 || rows < count) {
    throw inputError({
      where: 'folds',
      expected: `2 to ${rows} folds for ${rows} rows`,
      got: `${count}`,
      mend: 'ask for fewer folds or give more stimuli',
    });
  }
  const groups = options.groups ?? null;
  checkLabels('class', strata, rows);
  checkLabels('group', groups, rows);
  const order = dealingOrder(options);
  const foldOf =
    groups === null || new Set(groups).size === rows
      ? dealRows(options, order)
      : dealGroups(options, order, checkGroups(groups, count));
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
