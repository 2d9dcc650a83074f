/** Pairs among runs of equal neighbours. */
const tiedPairs = (sorted: Int32Array, equal: (a: number, b: number) => boolean): number => {
  let pairs = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1;
    while (to < sorted.length && equal(sorted[from]!, sorted[to]!)) to++;
    pairs += ((to - from) * (to - from - 1)) / 2;
    from = to;
  }
  return pairs;
};

/** Sorts `order` by `values`, stably, and returns how many exchanges of neighbours that took. */
const exchanges = (order: Int32Array, values: ArrayLike<number>): number => {
  const n = order.length;
  let from: Int32Array = order;
  let to: Int32Array = new Int32Array(n);
  let count = 0;
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = Math.min(start + width, n);
      const end = Math.min(start + 2 * width, n);
      let left = start;
      let right = middle;
      for (let k = start; k < end; k++) {
        const takeRight =
          right < end && (left >= middle || values[from[right]!]! < values[from[left]!]!);
        if (takeRight) count += middle - left;
        to[k] = takeRight ? from[right++]! : from[left++]!;
      }
    }
    [from, to] = [to, from];
  }
  if (from !== order) order.set(from);
  return count;
};

/**
 * Kendall's τ_a of two equally long lists: (concordant − discordant) / all pairs, ties counting as neither. NaN for
 * fewer than two pairs, or where any value is NaN. Time n log n (Knight 1966, Journal of the American Statistical
 * Association 61).
 */
export const kendallTauA = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
  const n = x.length;
  if (n < 2) return Number.NaN;
  for (let i = 0; i < n; i++) if (Number.isNaN(x[i]!) || Number.isNaN(y[i]!)) return Number.NaN;
  const order = Int32Array.from({ length: n }, (_, i) => i).sort((a, b) =>
    x[a] === x[b] ? y[a]! - y[b]! : x[a]! - x[b]!,
  );
  const tiedX = tiedPairs(order, (a, b) => x[a] === x[b]);
  const tiedBoth = tiedPairs(order, (a, b) => x[a] === x[b] && y[a] === y[b]);
  const discordant = exchanges(order, y);
  const tiedY = tiedPairs(order, (a, b) => y[a] === y[b]);
  const pairs = (n * (n - 1)) / 2;
  return (pairs - tiedX - tiedY + tiedBoth - 2 * discordant) / pairs;
};
