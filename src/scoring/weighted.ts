/** Rows of a resample as counts: `counts[row]` times each row. */
export type Counts = Float64Array;

/**
 * Pearson correlation of `x` and `y` with each row counted `counts[row]` times: equals Pearson of the resample.
 * NaN where either side is constant in the resample.
 */
export const weightedPearson = (x: Float64Array, y: Float64Array, counts: Counts): number => {
  let n = 0;
  let sx = 0;
  let sy = 0;
  for (let i = 0; i < x.length; i++) {
    const w = counts[i]!;
    n += w;
    sx += w * x[i]!;
    sy += w * y[i]!;
  }
  const mx = sx / n;
  const my = sy / n;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let i = 0; i < x.length; i++) {
    const w = counts[i]!;
    if (w === 0) continue;
    const dx = x[i]! - mx;
    const dy = y[i]! - my;
    xx += w * dx * dx;
    yy += w * dy * dy;
    xy += w * dx * dy;
  }
  // A constant side leaves rounding noise only, relative to the size of its mean.
  const tiny = (square: number, centre: number) => square <= n * (1e-13 * centre) ** 2;
  return tiny(xx, mx) || tiny(yy, my) ? Number.NaN : xy / Math.sqrt(xx * yy);
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
