import type { Float64Nd } from '../records/array.ts';
import { createRandom } from './random.ts';
import { mean, pearson } from './statistics.ts';
import { inUnitsOfSites } from './unit.ts';

export interface SplitSettings {
  /** How many random splits are averaged. */
  readonly splits: number;
  readonly seed: number;
}

/** Means of the two halves of the trials, one pair per split, each `[rows, sites]`. */
export interface HalfMeans {
  readonly first: readonly Float64Nd[];
  readonly second: readonly Float64Nd[];
}

/** What the trials of each row and site are, taken together; all `[rows, sites]`. */
export interface TrialMoments {
  /** Trials that are there. */
  readonly counts: Float64Nd;
  /** Their mean; NaN of none. */
  readonly means: Float64Nd;
  /** Sum of their squared differences from it. */
  readonly within: Float64Nd;
}

/** Reliability of all trials together from the correlation of two equal halves: 2r / (1 + r) (Spearman, Brown, 1910). */
export const spearmanBrown = (r: number): number => (2 * r) / (1 + r);

/**
 * Halves every row's **own** trials at random and averages each half; no trial is dropped, and of an odd number which half is
 * the larger is drawn for each row. A row's trials are shuffled alike for all sites, so that sites recorded together stay
 * together. `trials` is `[rows, trials, sites]`, NaN = missing; means are NaN for rows with fewer than two trials.
 */
export const halves = (trials: Float64Nd, { splits, seed }: SplitSettings): HalfMeans => {
  const [rows, count, sites] = trials.shape as readonly [number, number, number];
  const seeded = createRandom(seed).fork('halves of trials');
  const first: Float64Nd[] = [];
  const second: Float64Nd[] = [];
  for (let split = 0; split < splits; split++) {
    const random = seeded.fork(`${split}`);
    const coins = seeded.fork(`${split}, the larger half`);
    const pair = [new Float64Array(rows * sites), new Float64Array(rows * sites)] as const;
    for (let row = 0; row < rows; row++) {
      const order = random.permutation(count);
      const more = coins.int(2) as 0 | 1;
      for (let site = 0; site < sites; site++) {
        const offset = row * count * sites + site;
        const [a, b] = halfMeans(trials.data, { order, offset, stride: sites, more });
        pair[0][row * sites + site] = a;
        pair[1][row * sites + site] = b;
      }
    }
    first.push({ data: pair[0], shape: [rows, sites] });
    second.push({ data: pair[1], shape: [rows, sites] });
  }
  return { first, second };
};

interface RowOfTrials {
  readonly order: Int32Array;
  readonly offset: number;
  readonly stride: number;
  /** How many more than half of an odd number the first half takes. */
  readonly more: 0 | 1;
}

/** Means of the first and the second half of the trials that are there, taken in the given order. */
const halfMeans = (
  data: Float64Array,
  { order, offset, stride, more }: RowOfTrials,
): [number, number] => {
  let there = 0;
  for (let i = 0; i < order.length; i++) {
    if (!Number.isNaN(data[offset + i * stride]!)) there++;
  }
  if (there < 2) return [Number.NaN, Number.NaN];
  const half = Math.floor((there + more) / 2);
  let taken = 0;
  let a = 0;
  let b = 0;
  for (let i = 0; taken < there; i++) {
    const value = data[offset + order[i]! * stride]!;
    if (Number.isNaN(value)) continue;
    if (taken < half) a += value;
    else b += value;
    taken++;
  }
  return [a / half, b / (there - half)];
};

/** Counts, means and sums of squares of `[rows, trials, sites]`, NaN = missing. */
export const momentsOf = ({ data, shape }: Float64Nd): TrialMoments => {
  const [rows, trials, sites] = shape as readonly [number, number, number];
  const make = (): Float64Nd => ({ data: new Float64Array(rows * sites), shape: [rows, sites] });
  const [counts, means, within] = [make(), make(), make()];
  for (let row = 0; row < rows; row++)
    for (let site = 0; site < sites; site++) {
      const at = row * sites + site;
      let n = 0;
      let centre = 0;
      let squares = 0;
      for (let trial = 0; trial < trials; trial++) {
        const value = data[(row * trials + trial) * sites + site]!;
        if (Number.isNaN(value)) continue;
        // Welford 1962: no cancellation where the mean is large.
        const off = value - centre;
        centre += off / ++n;
        squares += off * (value - centre);
      }
      counts.data[at] = n;
      means.data[at] = n === 0 ? Number.NaN : centre;
      within.data[at] = squares;
    }
  return { counts, means, within };
};

/** One site's trials at some rows, those without any left out. */
export interface SiteTrials {
  /** Trials of each row. */
  readonly counts: Float64Array;
  readonly means: Float64Array;
  readonly within: Float64Array;
  /** Rows with two trials or more, as places in the lists above, and per split the means of their halves. */
  readonly repeated: Int32Array;
  readonly first: readonly Float64Array[];
  readonly second: readonly Float64Array[];
  /** Rows of the table, and those of them that are repeated. */
  readonly rows: Int32Array;
}

/** Those for which it holds; the same list where that is all of them. */
const keptWhere = (all: Int32Array, holds: (each: number) => boolean): Int32Array => {
  for (let i = 0; i < all.length; i++) if (!holds(all[i]!)) return all.filter(holds);
  return all;
};

/** Takes one site's column of halves and moments at the given rows. */
export const siteTrials = (
  { first, second }: HalfMeans,
  { counts, means, within }: TrialMoments,
  rows: Int32Array,
  site: number,
): SiteTrials => {
  const sites = counts.shape[1]!;
  const at = (table: Float64Nd, row: number): number => table.data[row * sites + site]!;
  const there = keptWhere(rows, (row) => at(counts, row) > 0);
  const column = (table: Float64Nd, of: Int32Array): Float64Array => {
    const values = new Float64Array(of.length);
    for (let i = 0; i < of.length; i++) values[i] = at(table, of[i]!);
    return values;
  };
  const places = new Int32Array(there.length);
  for (let place = 0; place < places.length; place++) places[place] = place;
  const repeated = keptWhere(places, (place) => at(counts, there[place]!) > 1);
  const twice = repeated.map((place) => there[place]!);
  return {
    counts: column(counts, there),
    means: column(means, there),
    within: column(within, there),
    repeated,
    first: first.map((table) => column(table, twice)),
    second: second.map((table) => column(table, twice)),
    rows: there,
  };
};

/** How often each row of `SiteTrials` counts, in a resample; null: once. */
export type RowWeights = Float64Array | null;

/** Mean of 1/n_a and 1/n_b over the halves of n ≥ 2 trials, none dropped: 2/n where n is even. */
const noiseOfHalves = (n: number): number => {
  const less = Math.floor(n / 2);
  return (1 / less + 1 / (n - less)) / 2;
};

/**
 * λ: the noise of what is scored in the unit of the noise of halves: the mean over all rows of 1/n, by the mean over the
 * halved rows of the mean of 1/n_a and 1/n_b. ½ for equal, even numbers of trials, which is Spearman–Brown.
 */
export const noiseShare = ({ counts, repeated }: SiteTrials, weights: RowWeights): number => {
  const scored = averaged(counts.length, weights, (place) => 1 / counts[place]!);
  const own = weights === null ? null : takeWeights(weights, repeated);
  const halved = averaged(repeated.length, own, (k) => noiseOfHalves(counts[repeated[k]!]!));
  return scored / halved;
};

const takeWeights = (weights: Float64Array, places: Int32Array): Float64Array => {
  const taken = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) taken[i] = weights[places[i]!]!;
  return taken;
};

const averaged = (length: number, weights: RowWeights, value: (i: number) => number): number => {
  let sum = 0;
  let total = 0;
  for (let i = 0; i < length; i++) {
    const weight = weights === null ? 1 : weights[i]!;
    if (weight === 0) continue;
    sum += weight * value(i);
    total += weight;
  }
  return sum / total;
};

/** Reliability of the scored mean from the correlation r of two halves: 1 / (1 + (1/r − 1)λ); r itself where r ≤ 0. */
export const ofScoredMean = (r: number, lambda: number): number =>
  r > 0 ? 1 / (1 + (1 / r - 1) * lambda) : r;

/** Pooled variance between the trials of a row. */
const trialVariance = ({ counts, within }: SiteTrials, weights: RowWeights): number => {
  let squares = 0;
  let freedom = 0;
  for (let place = 0; place < counts.length; place++) {
    const weight = weights === null ? 1 : weights[place]!;
    squares += weight * within[place]!;
    freedom += weight * (counts[place]! - 1);
  }
  return squares / freedom;
};

/** Variance of the means of some rows, and what the noise of their trials adds to it. */
const varianceOfMeans = (
  { counts, means }: SiteTrials,
  places: Int32Array | null,
  weights: RowWeights,
  noise: number,
): { readonly all: number; readonly noise: number } => {
  const length = places === null ? counts.length : places.length;
  const at = (i: number): number => (places === null ? i : places[i]!);
  const own = weights === null || places === null ? weights : takeWeights(weights, places);
  const centre = averaged(length, own, (i) => means[at(i)]!);
  const spread = averaged(length, own, (i) => (means[at(i)]! - centre) ** 2);
  let n = 0;
  for (let i = 0; i < length; i++) n += own === null ? 1 : own[i]!;
  return {
    all: (spread * n) / (n - 1),
    noise: noise * averaged(length, own, (i) => 1 / counts[at(i)]!),
  };
};

/** Reliability of the scored means by the analysis of variance: 1 − (mean of σ²/n) / (variance of the means). */
export const byVariance = (trials: SiteTrials, weights: RowWeights): number => {
  const { all, noise } = varianceOfMeans(trials, null, weights, trialVariance(trials, weights));
  return 1 - noise / all;
};

/** Beyond this, signals of repeated and of single rows are not taken to vary alike. */
const alikeWithin = 1.5;

/**
 * Whether the rows that are repeated vary otherwise than all that are scored, so that halves of the former say nothing of
 * the latter: the variances of their signals (variance of means less their noise) differ by a factor of more than 1.5.
 */
export const variesOtherwise = (trials: SiteTrials): boolean => {
  if (trials.repeated.length === trials.counts.length || trials.repeated.length < 2) return false;
  const noise = trialVariance(trials, null);
  const all = varianceOfMeans(trials, null, null, noise);
  const repeated = varianceOfMeans(trials, trials.repeated, null, noise);
  const ratio = (all.all - all.noise) / (repeated.all - repeated.noise);
  return !(ratio > 1 / alikeWithin && ratio < alikeWithin);
};

/**
 * Reliability of the mean responses of one site: the mean over splits of Pearson's r between the half means of the
 * repeated rows, corrected to the mean that is scored (`ofScoredMean`); by the analysis of variance where repeated rows vary
 * otherwise. NaN where it is not defined: fewer than two repeated rows, or a half that is constant.
 */
export const reliabilityOf = (trials: SiteTrials): number => {
  const { first, second } = trials;
  const r = mean(first.map((half, split) => pearson(half, second[split]!)));
  if (Number.isNaN(r)) return r;
  return variesOtherwise(trials)
    ? byVariance(trials, null)
    : ofScoredMean(r, noiseShare(trials, null));
};

/** Reliability per site over all rows of `[rows, trials, sites]`; NaN where it is not defined. */
export const splitHalfReliability = (
  trials: Float64Nd,
  settings: SplitSettings,
): { perSite: Float64Array } => {
  const own = inUnitsOfSites(trials);
  const halved = halves(own, settings);
  const moments = momentsOf(own);
  const [rows = 0, , sites = 0] = own.shape;
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  return {
    perSite: Float64Array.from({ length: sites }, (_, site) =>
      reliabilityOf(siteTrials(halved, moments, all, site)),
    ),
  };
};
