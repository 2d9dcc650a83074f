// Images and sites are drawn both: how far a value would move with others of each.

import { mean, standardDeviation, tQuantile, tTail } from '../numeric/statistics.ts';
import type { Interval } from '../records/interval.ts';

/** A value in draws with replacement of images alone, of sites alone, and of both; NaN where it is not defined. */
export interface TwoFactorDraws {
  readonly images: readonly number[];
  readonly sites: readonly number[];
  readonly joint: readonly number[];
}

/** How many images and sites were drawn from. */
export interface Factors {
  readonly images: number;
  readonly sites: number;
}

export interface TwoFactorError {
  /** Standard error of the value. */
  readonly error: number;
  readonly degrees: number;
  /** Draws in which the value is not defined. */
  readonly lost: number;
}

const defined = (values: readonly number[]): number[] =>
  values.filter((value) => !Number.isNaN(value));

/** n / (n − 1), by which a bootstrap's variance is too small. */
const inflation = (n: number): number => n / (n - 1);

/**
 * V = 2 (V_images + V_sites) − V_joint: joint draws count the image × site term three times, of which this takes two away
 * (Schütt, Kipnis, Diedrichsen & Kriegeskorte, eLife 2023). Each term is first multiplied by n / (n − 1) of its
 * factors; V lies between the larger of V_images and V_sites and V_joint. Degrees of freedom: those of the smaller factor.
 * Of a single site only images are drawn. NaN where fewer than two draws are defined.
 */
export const twoFactorError = (draws: TwoFactorDraws, factors: Factors): TwoFactorError => {
  const lost = [draws.images, draws.sites, draws.joint].reduce(
    (sum, values) => sum + values.length - defined(values).length,
    0,
  );
  const variance = (values: readonly number[]): number => standardDeviation(defined(values)) ** 2;
  const ofImages = inflation(factors.images) * variance(draws.images);
  if (factors.sites < 2) return { error: Math.sqrt(ofImages), degrees: factors.images - 1, lost };
  const ofSites = inflation(factors.sites) * variance(draws.sites);
  const both = inflation(factors.images) * inflation(factors.sites);
  const crossed = both * (variance(draws.joint) - variance(draws.images) - variance(draws.sites));
  const value = Math.min(
    Math.max(ofImages + ofSites - crossed, ofImages, ofSites),
    both * variance(draws.joint),
  );
  return {
    error: Math.sqrt(value),
    degrees: Math.min(factors.images, factors.sites) - 1,
    lost,
  };
};

/** value ± t · error at a level; p, two-sided, of a value of 0. */
export const tRange = (
  value: number,
  { error, degrees }: Pick<TwoFactorError, 'error' | 'degrees'>,
  level: number,
): { readonly low: number; readonly high: number; readonly p: number } => {
  const half = tQuantile(1 - (1 - level) / 2, degrees) * error;
  return {
    low: value - half,
    high: value + half,
    p: error === 0 ? (value === 0 ? 1 : 0) : 2 * tTail(Math.abs(value) / error, degrees),
  };
};

/** `tRange` as a record; no interval where the error is not known. */
export const intervalAround = (
  value: number,
  found: TwoFactorError,
  how: Pick<Interval, 'level' | 'method' | 'n' | 'approximate'>,
): { readonly interval: Interval | null; readonly p: number } => {
  const { low, high, p } = tRange(value, found, how.level);
  if (Number.isNaN(low)) return { interval: null, p };
  const lost = found.lost > 0 ? { undefinedDraws: found.lost } : {};
  return { interval: { low, high, ...how, ...lost }, p };
};

/** Standard error of a mean over images, about these fitted readouts. */
export const errorOfMean = (values: ArrayLike<number>): TwoFactorError => ({
  error: standardDeviation(values) / Math.sqrt(values.length),
  degrees: values.length - 1,
  lost: 0,
});

/**
 * Standard error of a mean over n images that `folds` readouts were tested on, about networks whose readouts are fitted to other
 * images too: V = s² (1 / n + 1 / n_training), the correction of Nadeau & Bengio (Machine Learning 52, 2003) for training images
 * that folds share; n_training = n (folds − 1) / folds. Of a single fold nothing is shared, and it is about that fit.
 */
export const errorOfRefitted = (values: ArrayLike<number>, folds: number): TwoFactorError => {
  const found = errorOfMean(values);
  const shared = folds > 1 ? folds / (folds - 1) : 0;
  return { ...found, error: found.error * Math.sqrt(1 + shared) };
};

/** The interval of a value from its draws; null where too few of them are defined. */
export const twoFactorInterval = (
  value: number,
  draws: TwoFactorDraws,
  factors: Factors,
  level: number,
): Interval | null => {
  const method = factors.sites < 2 ? 'bootstrap over images' : 'bootstrap over images and sites';
  const how = { level, method, n: { ...factors }, approximate: false };
  return intervalAround(value, twoFactorError(draws, factors), how).interval;
};

/** The t interval of a mean over images; null for fewer than two, and where one of them is not defined. */
export const tInterval = (
  values: Float64Array,
  { sitesUsed }: { readonly sitesUsed: number },
  level: number,
): Interval | null => {
  const n = values.length;
  if (n < 2 || values.some(Number.isNaN)) return null;
  return intervalAround(mean(values), errorOfMean(values), {
    ...{ level, method: 't over images', approximate: true },
    n: { images: n, sites: sitesUsed },
  }).interval;
};
