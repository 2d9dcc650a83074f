import type { Float32Nd } from '../records/array.ts';

/** Four steps of float32: sums in another order differ by as much. */
export const ROUNDING = 4 * 2 ** -23;

/**
 * Whether no feature of `[rows, features]` varies over the rows by more than `ROUNDING` times the largest value: what
 * varies then is rounding, and no image. A layer that is not finite is none of these.
 */
export const isRounding = ({ data, shape }: Float32Nd): boolean => {
  const [rows = 0, width = 0] = shape;
  let largest = 0;
  for (const value of data) largest = Math.max(largest, Math.abs(value));
  const limit = ROUNDING * largest;
  if (!Number.isFinite(limit)) return false;
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
export const levelled = ({ data, shape }: Float32Nd): void => {
  const width = shape[1] ?? 0;
  for (let from = width; from < data.length; from += width) data.copyWithin(from, 0, width);
};
