/** Rows of a resample as counts: `counts[row]` times each row. */
export type Counts = Float64Array;

/** The counts of some rows, or, from counts of images, those of the rows whose images are named. */
export const takeCounts = (counts: Counts, rows: Int32Array): Counts => {
  const taken = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = counts[rows[i]!]!;
  return taken;
};

/** Values less their mean, so that sums of squares in `weightedPearson` keep their digits. */
export const centred = (values: Float64Array): Float64Array => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = values[i]! - mean;
  return result;
};

/**
 * Pearson correlation of `x` and `y` with each row counted `counts[row]` times: equals Pearson of the resample. One
 * pass, so both sides should be `centred`, or ranks. NaN where either side is constant in the resample.
 */
export const weightedPearson = (x: Float64Array, y: Float64Array, counts: Counts): number => {
  let n = 0;
  let sx = 0;
  let sy = 0;
  let sxx = 0;
  let syy = 0;
  let sxy = 0;
  for (let i = 0; i < x.length; i++) {
    const w = counts[i]!;
    const a = x[i]!;
    const b = y[i]!;
    const wa = w * a;
    const wb = w * b;
    n += w;
    sx += wa;
    sy += wb;
    sxx += wa * a;
    syy += wb * b;
    sxy += wa * b;
  }
  const xx = sxx - (sx * sx) / n;
  const yy = syy - (sy * sy) / n;
  // A constant side leaves only the rounding of the difference above.
  if (!(xx > 1e-12 * sxx) || !(yy > 1e-12 * syy)) return Number.NaN;
  return (sxy - (sx * sy) / n) / Math.sqrt(xx * yy);
};

/** Row indices from the smallest value to the largest. */
export const ascending = (values: Float64Array): Int32Array =>
  Int32Array.from(values, (_, index) => index).sort((a, b) => values[a]! - values[b]!);

/** Average ranks within the resample; `order` is `ascending(values)`, sorted once for all resamples. */
export const weightedRanks = (
  values: Float64Array,
  order: Int32Array,
  counts: Counts,
): Float64Array => {
  const result = new Float64Array(values.length);
  let below = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    let tied = 0;
    while (to < order.length && values[order[to]!] === values[order[from]!])
      tied += counts[order[to++]!]!;
    for (let i = from; i < to; i++) result[order[i]!] = below + (tied + 1) / 2;
    below += tied;
    from = to;
  }
  return result;
};
