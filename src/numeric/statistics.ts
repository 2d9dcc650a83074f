import { ascendingOrder } from './radix.ts';
import { tDistributionQuantile, upperTail } from './special.ts';

type Numbers = ArrayLike<number>;

/** Arithmetic mean; NaN of nothing. */
export const mean = (values: Numbers): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
};

/**
 * The `p`-quantile (0 ≤ p ≤ 1) with linear interpolation, as `numpy.quantile` does by default; NaN of nothing, or
 * where any value is NaN. `values` is left as it is.
 */
export const quantile = (values: Numbers, p: number): number => {
  if (values.length === 0) return Number.NaN;
  // Typed arrays sort NaN to the end.
  const sorted = Float64Array.from(values).sort();
  if (Number.isNaN(sorted[sorted.length - 1]!)) return Number.NaN;
  return quantileOfSorted(sorted, p);
};

/** `quantile` of ascending numbers, none of them NaN. */
export const quantileOfSorted = (sorted: Numbers, p: number): number => {
  const position = p * (sorted.length - 1);
  const low = Math.floor(position);
  const a = sorted[low]!;
  const b = sorted[Math.min(low + 1, sorted.length - 1)]!;
  const t = position - low;
  // NumPy interpolates from the nearer end, which matters in the last bit.
  return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
};

/** The middle value, or the mean of the two middle ones; NaN of nothing, or where any value is NaN. */
export const median = (values: Numbers): number => quantile(values, 0.5);

/**
 * Standard deviation with divisor `n − lost`: `lost` = 1 (default) for a sample, 0 for a population.
 * NaN where `n ≤ lost`.
 */
export const standardDeviation = (values: Numbers, lost: 0 | 1 = 1): number => {
  if (values.length <= lost) return Number.NaN;
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - centre) ** 2;
  return Math.sqrt(sum / (values.length - lost));
};

/** Of the mean: a norm of differences from it below this is rounding (SciPy's `pearsonr` warns of such input). */
const constantWithin = 1e-13;

const deviationProducts = (x: Numbers, y: Numbers) => {
  const meanX = mean(x);
  const meanY = mean(y);
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = x[i]! - meanX;
    const dy = y[i]! - meanY;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return { xx, yy, xy, meanX, meanY };
};

/** A sum of squares with all its digits. */
const isSound = (square: number): boolean => square > 1e-280 && square < 1e300;

/** Deviations from the mean in units of the largest; null where they are rounding, or not finite. */
const scaledDeviations = (values: Numbers): Float64Array | null => {
  const centre = mean(values);
  const deviations = Float64Array.from(values, (value) => value - centre);
  const largest = deviations.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!(largest > constantWithin * Math.abs(centre) && largest < Number.POSITIVE_INFINITY))
    return null;
  return deviations.map((value) => value / largest);
};

/**
 * Pearson's correlation of two equally long lists. NaN where it is not defined: fewer than two pairs, one side
 * constant but for rounding, any value NaN or infinite.
 */
export const pearson = (x: Numbers, y: Numbers): number => {
  if (x.length < 2) return Number.NaN;
  const { xx, yy, xy, meanX, meanY } = deviationProducts(x, y);
  // Squares that leave double precision: the same in units of the largest deviation.
  if (!isSound(xx) || !isSound(yy)) {
    const [p, q] = [scaledDeviations(x), scaledDeviations(y)];
    return p === null || q === null ? Number.NaN : pearson(p, q);
  }
  const [sizeX, sizeY] = [Math.sqrt(xx), Math.sqrt(yy)];
  if (sizeX <= constantWithin * Math.abs(meanX) || sizeY <= constantWithin * Math.abs(meanY))
    return Number.NaN;
  const r = xy / (sizeX * sizeY);
  return r > 1 ? 1 : r < -1 ? -1 : r;
};

/** Ranks from 1, ties share their average rank. NaN ranks as NaN wherever any value is NaN. */
export const ranks = (values: Numbers): Float64Array => {
  const n = values.length;
  for (let i = 0; i < n; i++)
    if (Number.isNaN(values[i]!)) return new Float64Array(n).fill(Number.NaN);
  const order =
    values instanceof Float32Array
      ? ascendingOrder(values)
      : Int32Array.from({ length: n }, (_, i) => i).sort((a, b) =>
          values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0,
        );
  return ranksInOrder(values, order);
};

/** `ranks` of numbers whose ascending order is known. */
export const ranksInOrder = (values: Numbers, order: Int32Array): Float64Array => {
  const n = values.length;
  const result = new Float64Array(n);
  for (let from = 0; from < n; ) {
    let to = from + 1;
    while (to < n && values[order[to]!] === values[order[from]!]) to++;
    for (let i = from; i < to; i++) result[order[i]!] = (from + 1 + to) / 2;
    from = to;
  }
  return result;
};

/** Spearman's rank correlation with average ranks for ties; NaN where `pearson` of the ranks is. */
export const spearman = (x: Numbers, y: Numbers): number => pearson(ranks(x), ranks(y));

/**
 * Quantile of Student's t distribution: the t with P(T ≤ t) = p, 0 ≤ p ≤ 1, `df` > 0 degrees of freedom (not
 * necessarily whole). NaN outside these ranges.
 */
export const tQuantile = (p: number, df: number): number => tDistributionQuantile(p, df);

/** P(T > t) of Student's t distribution, t ≥ 0, `df` > 0 degrees of freedom (not necessarily whole). */
export const tTail = (t: number, df: number): number => upperTail(t, df);

/**
 * The range that leaves (1 − level) / 2 of the values on either side; those that are not defined do not count. NaN where
 * none is defined.
 */
export const percentileRange = (
  values: Iterable<number>,
  level: number,
): { readonly low: number; readonly high: number } => {
  const defined = Array.from(values).filter((value) => !Number.isNaN(value));
  const tail = (1 - level) / 2;
  return { low: quantile(defined, tail), high: quantile(defined, 1 - tail) };
};
