import type { FloatNd } from '../records/array.ts';

/**
 * Four steps of float32, by which sums in another order differ: of float64 where numbers are finer than float32. (A network
 * may also turn what it computed in float32 into float64.)
 */
export const roundingOf = (data: Float32Array | Float64Array): number =>
  data instanceof Float32Array || data.every((value) => Math.fround(value) === value)
    ? 4 * 2 ** -23
    : 4 * 2 ** -52;

/**
 * Whether no feature of `[rows, features]` varies over the rows by more than rounding (`roundingOf`) times the largest value: what
 * varies then is rounding, and no image. A layer that is not finite is none of these.
 */
export const isRounding = ({ data, shape }: FloatNd): boolean => {
  const [rows = 0, width = 0] = shape;
  let largest = 0;
  for (const value of data) largest = Math.max(largest, Math.abs(value));
  if (!Number.isFinite(largest)) return false;
  const limit = roundingOf(data) * largest;
  for (let column = 0; column < width; column++) {
    let [low, high] = [data[column]!, data[column]!];
    for (let at = column; at < rows * width; at += width) {
      low = Math.min(low, data[at]!);
      high = Math.max(high, data[at]!);
    }
    if (high - low > limit) return false;
  }
  return true;
};

/** Every row as the first. */
export const levelled = ({ data, shape }: FloatNd): void => {
  const width = shape[1] ?? 0;
  for (let from = width; from < data.length; from += width) data.copyWithin(from, 0, width);
};
