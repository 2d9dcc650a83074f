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

/** Sites that are looked at together. */
const sitesOfBlock = 6;

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
  readonly shown: number;
  /** `[presentations, sites]`, less the site's mean. */
  readonly values: Float64Array;
  readonly sites: number;
  /** Where the presentations of each row begin, and at the end how many there are. */
  readonly startOf: Int32Array;
  /** Whether some value is missing. */
  readonly missing: boolean;
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
  const blocks = blocksOf(shown);
  const critical = criticalValues();
  const passes = (block: Presentations, order: Int32Array | null): number =>
    countOf(passedIn(table, block, order, critical));
  const found = blocks.reduce((sum, block) => sum + passes(block, null), 0);
  if (found === 0) return false;
  let asMany = 0;
  for (let deal = 0; deal < deals; deal++) {
    const order = random.permutation(shown.shown);
    if (reaches(found, blocks, (block) => passes(block, order))) asMany++;
    if (asMany >= tolerated) return false;
  }
  return true;
};

/** Whether as many sites pass as were found; no further block is looked at once that is known. */
const reaches = (
  found: number,
  blocks: readonly Presentations[],
  passes: (block: Presentations) => number,
): boolean => {
  let count = 0;
  let most = blocks.reduce((sum, { sites }) => sum + 2 * sites, 0);
  for (const block of blocks) {
    const own = passes(block);
    count += own;
    most -= 2 * block.sites - own;
    if (count >= found) return true;
    if (most < found) return false;
  }
  return false;
};

/** The same presentations of a few sites each. */
const blocksOf = (shown: Presentations): Presentations[] => {
  const { sites, values } = shown;
  const blocks: Presentations[] = [];
  for (let first = 0; first < sites; first += sitesOfBlock) {
    const own = Math.min(sitesOfBlock, sites - first);
    const part = new Float64Array(shown.shown * own);
    for (let at = 0; at < shown.shown; at++)
      for (let s = 0; s < own; s++) part[at * own + s] = values[at * sites + first + s]!;
    blocks.push({ ...shown, values: part, sites: own });
  }
  return blocks;
};

const countOf = (passed: Passed): number =>
  passed.reduce((sum, half) => sum + half.reduce((own, each) => own + each, 0), 0);

const presentationsOf = ({ data, shape }: Float64Nd, counted: Int32Array | null): Presentations => {
  const [rows, trials, all] = shape as readonly [number, number, number];
  const columns = counted ?? Int32Array.from({ length: all }, (_, site) => site);
  const sites = columns.length;
  const there = (row: number, trial: number): boolean => {
    for (let s = 0; s < sites; s++)
      if (!Number.isNaN(data[(row * trials + trial) * all + columns[s]!]!)) return true;
    return false;
  };
  const places: [number, number][] = [];
  for (let row = 0; row < rows; row++) {
    const own = Array.from({ length: trials }, (_, trial) => trial).filter((t) => there(row, t));
    if (own.length > 1) for (const trial of own) places.push([row, trial]);
  }
  const from = Float64Array.from(places, ([row, trial]) => (row * trials + trial) * all);
  const values = new Float64Array(places.length * sites);
  for (let s = 0; s < sites; s++) {
    let sum = 0;
    let count = 0;
    for (let at = 0; at < from.length; at++) {
      const value = data[from[at]! + columns[s]!]!;
      values[at * sites + s] = value;
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    for (let at = 0; at < places.length; at++)
      values[at * sites + s] = values[at * sites + s]! - sum / count;
  }
  const startOf = new Int32Array(rows + 1);
  for (const [row] of places) startOf[row + 1]! += 1;
  for (let row = 0; row < rows; row++) startOf[row + 1]! += startOf[row]!;
  return { shown: places.length, values, sites, startOf, missing: values.some(Number.isNaN) };
};

/** Sums over groups, for each site; what is counted stands once for all sites where no value is missing. */
const emptyTally = (sites: number, counted: number) => ({
  total: new Float64Array(sites),
  own: new Float64Array(sites),
  between: new Float64Array(sites),
  within: new Float64Array(sites),
  n: new Float64Array(counted),
  conditions: new Float64Array(counted),
  df1: new Float64Array(counted),
  df2: new Float64Array(counted),
});

type Tally = ReturnType<typeof emptyTally>;

/** Sums over the presentations of one row, for each site. */
interface RowSums {
  readonly sums: Float64Array;
  readonly squares: Float64Array;
  readonly counts: Float64Array;
}

const sumRow = (
  { values, sites, missing, startOf }: Presentations,
  order: Int32Array | null,
  row: number,
  { sums, squares, counts }: RowSums,
): void => {
  sums.fill(0);
  squares.fill(0);
  const [start, end] = [startOf[row]!, startOf[row + 1]!];
  const fromOf = (at: number): number => (order === null ? at : order[at]!) * sites;
  if (!missing) {
    counts.fill(end - start);
    let at = start;
    // Two at a time: this is what takes the time of a ceiling.
    for (; at + 1 < end; at += 2) {
      const [one, other] = [fromOf(at), fromOf(at + 1)];
      for (let s = 0; s < sites; s++) {
        const [a, b] = [values[one + s]!, values[other + s]!];
        sums[s] = sums[s]! + a + b;
        squares[s] = squares[s]! + a * a + b * b;
      }
    }
    if (at === end) return;
    const from = fromOf(at);
    for (let s = 0; s < sites; s++) {
      const value = values[from + s]!;
      sums[s] = sums[s]! + value;
      squares[s] = squares[s]! + value * value;
    }
    return;
  }
  counts.fill(0);
  for (let at = start; at < end; at++) {
    const from = fromOf(at);
    for (let s = 0; s < sites; s++) {
      const value = values[from + s]!;
      if (Number.isNaN(value)) continue;
      sums[s] = sums[s]! + value;
      squares[s] = squares[s]! + value * value;
      counts[s] = counts[s]! + 1;
    }
  }
};

const addRow = (
  { total, own, within, n, conditions, df2 }: Tally,
  { sums, squares, counts }: RowSums,
): void => {
  const each = counts.length > 1 ? 1 : 0;
  for (let s = 0; s < sums.length; s++) {
    const count = counts[each * s]!;
    if (count < 2) continue;
    const mine = sums[s]! ** 2 / count;
    total[s] = total[s]! + sums[s]!;
    own[s] = own[s]! + mine;
    within[s] = within[s]! + (squares[s]! - mine);
  }
  for (let k = 0; k < counts.length; k++) {
    const count = counts[k]!;
    if (count < 2) continue;
    n[k] = n[k]! + count;
    df2[k] = df2[k]! + count - 1;
    conditions[k] = conditions[k]! + 1;
  }
};

const closeGroup = ({ total, own, between, n, conditions, df1 }: Tally): void => {
  const each = n.length > 1 ? 1 : 0;
  for (let s = 0; s < total.length; s++)
    if (conditions[each * s]! > 0)
      between[s] = between[s]! + (own[s]! - total[s]! ** 2 / n[each * s]!);
  for (let k = 0; k < n.length; k++) if (conditions[k]! > 0) df1[k] = df1[k]! + conditions[k]! - 1;
  for (const sums of [total, own, n, conditions]) sums.fill(0);
};

const passedIn = (
  { groups, halfOfRow }: TrialTable,
  shown: Presentations,
  order: Int32Array | null,
  critical: Critical,
): Passed => {
  const { sites, missing } = shown;
  const counted = missing ? sites : 1;
  const tallies = [emptyTally(sites, counted), emptyTally(sites, counted)] as const;
  const row = {
    sums: new Float64Array(sites),
    squares: new Float64Array(sites),
    counts: new Float64Array(counted),
  };
  for (const { rows } of groups) {
    for (let i = 0; i < rows.length; i++) {
      sumRow(shown, order, rows[i]!, row);
      addRow(tallies[halfOfRow[rows[i]!] as 0 | 1], row);
    }
    tallies.forEach(closeGroup);
  }
  const side = ({ between, within, df1, df2 }: Tally): Uint8Array =>
    Uint8Array.from(between, (value, s) => {
      const k = missing ? s : 0;
      if (df1[k] === 0 || df2[k] === 0) return 0;
      return value / df1[k]! > critical(df1[k]!, df2[k]!) * (within[s]! / df2[k]!) ? 1 : 0;
    });
  return [side(tallies[0]), side(tallies[1])];
};

type Critical = (df1: number, df2: number) => number;

/** The value that F exceeds by chance in 5 % of draws, found by bisection and kept. */
const criticalValues = (): Critical => {
  const known = new Map<string, number>();
  const last = { df1: 0, df2: 0, value: 0 };
  return (df1, df2) => {
    if (df1 !== last.df1 || df2 !== last.df2)
      Object.assign(last, { df1, df2, value: criticalValue(known, df1, df2) });
    return last.value;
  };
};

const criticalValue = (known: Map<string, number>, df1: number, df2: number): number => {
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
