// Which sites respond to the stimuli at all: a one-way analysis of variance of their trials, on each half of the images.

import { createRandom } from '../numeric/random.ts';
import { fUpperTail } from '../numeric/special.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Group } from './groups.ts';

/** One-sided: the 95 % lower bound of the reliability lies above 0. */
const significance = 0.05;

/** Draws in which trials are dealt anew, and how many of them may have as many sites for a bin to have a score. */
const deals = 200;
const tolerated = 10;

/** Sites on which what could come from chance is counted, at most. */
const mostCounted = 200;

/** The responses of one time bin, trial by trial, and which half of the images each row belongs to. */
export interface TrialTable {
  /** `[rows, trials, sites]`; NaN = missing. */
  readonly trials: Float64Nd;
  /** Rows that are correlated together. */
  readonly groups: readonly Group[];
  /** Half of each row, 0 or 1; all 0 where there are too few images to halve. */
  readonly halfOfRow: Uint8Array;
}

/** Per half and site whether the responses differ between rows by more than chance; `[half][site]`. */
export type Passed = readonly [Uint8Array, Uint8Array];

/** Presentations of rows that have at least two: where each is shown, and the responses to it. */
interface Presentations {
  readonly rowOf: Int32Array;
  /** `[presentations, sites]`, less the site's mean. */
  readonly values: Float64Array;
  readonly sites: number;
}

/**
 * Sites whose 95 % lower bound of reliability (intraclass correlation of a one-way analysis of variance, from the F
 * distribution; McGraw & Wong 1996) is above 0, on each half of the images. Differences between groups do not count.
 */
export const passedOn = (table: TrialTable): Passed => {
  const shown = presentationsOf(table.trials, null);
  return passedIn(table, shown, null, criticalValues());
};

/**
 * Whether more sites pass (on either half, both counted) than in 95 % of 200 draws in which trials are dealt anew to rows,
 * the same way for all sites, so that noise that they share stays. Of more than 200 sites, a seeded 200 are counted.
 */
export const moreThanChance = (table: TrialTable, seed: number): boolean => {
  const random = createRandom(seed).fork('trials dealt anew');
  const sites = table.trials.shape[2]!;
  const counted = sites > mostCounted ? random.permutation(sites).slice(0, mostCounted) : null;
  const shown = presentationsOf(table.trials, counted);
  const critical = criticalValues();
  const found = countOf(passedIn(table, shown, null, critical));
  if (found === 0) return false;
  let asMany = 0;
  for (let deal = 0; deal < deals; deal++) {
    const order = random.permutation(shown.rowOf.length);
    if (countOf(passedIn(table, shown, order, critical)) >= found) asMany++;
    if (asMany >= tolerated) return false;
  }
  return true;
};

const countOf = (passed: Passed): number =>
  passed.reduce((sum, half) => sum + half.reduce((own, each) => own + each, 0), 0);

const presentationsOf = ({ data, shape }: Float64Nd, counted: Int32Array | null): Presentations => {
  const [rows, trials, all] = shape as readonly [number, number, number];
  const columns = counted ?? Int32Array.from({ length: all }, (_, site) => site);
  const sites = columns.length;
  const there = (row: number, trial: number): boolean =>
    columns.some((site) => !Number.isNaN(data[(row * trials + trial) * all + site]!));
  const places: [number, number][] = [];
  for (let row = 0; row < rows; row++) {
    const own = Array.from({ length: trials }, (_, trial) => trial).filter((t) => there(row, t));
    if (own.length > 1) for (const trial of own) places.push([row, trial]);
  }
  const values = new Float64Array(places.length * sites);
  for (let s = 0; s < sites; s++) {
    let sum = 0;
    let count = 0;
    places.forEach(([row, trial], at) => {
      const value = data[(row * trials + trial) * all + columns[s]!]!;
      values[at * sites + s] = value;
      if (Number.isNaN(value)) return;
      sum += value;
      count++;
    });
    for (let at = 0; at < places.length; at++) values[at * sites + s]! -= sum / count;
  }
  return { rowOf: Int32Array.from(places, ([row]) => row), values, sites };
};

/** Sums over the presentations of each row, `[rows, sites]`, in a given order of what was shown. */
const sumsOver = (
  rows: number,
  { rowOf, values, sites }: Presentations,
  order: Int32Array | null,
) => {
  const sums = new Float64Array(rows * sites);
  const squares = new Float64Array(rows * sites);
  const counts = new Float64Array(rows * sites);
  for (let at = 0; at < rowOf.length; at++) {
    const from = (order === null ? at : order[at]!) * sites;
    const to = rowOf[at]! * sites;
    for (let s = 0; s < sites; s++) {
      const value = values[from + s]!;
      if (Number.isNaN(value)) continue;
      sums[to + s]! += value;
      squares[to + s]! += value * value;
      counts[to + s]! += 1;
    }
  }
  return { sums, squares, counts };
};

const passedIn = (
  { trials, groups, halfOfRow }: TrialTable,
  shown: Presentations,
  order: Int32Array | null,
  critical: Critical,
): Passed => {
  const { sites } = shown;
  const { sums, squares, counts } = sumsOver(trials.shape[0]!, shown, order);
  const one = (half: number, site: number): number => {
    let [between, within, df1, df2] = [0, 0, 0, 0];
    for (const { rows } of groups) {
      let [total, n, own, conditions] = [0, 0, 0, 0];
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!;
        const at = row * sites + site;
        const count = counts[at]!;
        if (halfOfRow[row] !== half || count < 2) continue;
        total += sums[at]!;
        n += count;
        own += sums[at]! ** 2 / count;
        within += squares[at]! - sums[at]! ** 2 / count;
        df2 += count - 1;
        conditions++;
      }
      if (conditions === 0) continue;
      between += own - total ** 2 / n;
      df1 += conditions - 1;
    }
    if (df1 === 0 || df2 === 0) return 0;
    return between / df1 > critical(df1, df2) * (within / df2) ? 1 : 0;
  };
  const side = (half: number): Uint8Array =>
    Uint8Array.from({ length: sites }, (_, site) => one(half, site));
  return [side(0), side(1)];
};

type Critical = (df1: number, df2: number) => number;

/** The value that F exceeds by chance in 5 % of draws, found by bisection and kept. */
const criticalValues = (): Critical => {
  const known = new Map<string, number>();
  return (df1, df2) => {
    const key = `${df1} ${df2}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    let [low, high] = [1e-9, 1e9];
    for (let step = 0; step < 100; step++) {
      const middle = Math.sqrt(low * high);
      if (fUpperTail(middle, df1, df2) > significance) low = middle;
      else high = middle;
    }
    known.set(key, high);
    return high;
  };
};
