import { inputError } from '../records/errors.ts';

/**
 * - `biased`: Gretton et al. 2005, tr(K L) of centred Gram matrices, rows compared with themselves included;
 * - `unbiased`: Song et al. 2012, Journal of Machine Learning Research 13, equation 5: without the diagonals.
 */
export type HsicEstimate = 'biased' | 'unbiased';

const sumOfProducts = (k: Float64Array, l: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < k.length; i++) sum += k[i]! * l[i]!;
  return sum;
};

const centred = (k: Float64Array, n: number): Float64Array => {
  const means = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) means[i] = means[i]! + k[i * n + j]! / n;
  const all = means.reduce((sum, value) => sum + value, 0) / n;
  return k.map((value, at) => value - means[Math.floor(at / n)]! - means[at % n]! + all);
};

/** K without its diagonal, and what Song's estimate makes of its sums ("U-centring", Székely & Rizzo 2014). */
const withoutDiagonal = (k: Float64Array, n: number): Float64Array => {
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) if (i !== j) sums[i] = sums[i]! + k[i * n + j]!;
  const all = sums.reduce((sum, value) => sum + value, 0);
  return k.map((value, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    if (i === j) return 0;
    return value - (sums[i]! + sums[j]!) / (n - 2) + all / ((n - 1) * (n - 2));
  });
};

const prepared = (k: Float64Array, n: number, estimate: HsicEstimate): Float64Array =>
  estimate === 'biased' ? centred(k, n) : withoutDiagonal(k, n);

const divisor = (n: number, estimate: HsicEstimate): number =>
  estimate === 'biased' ? (n - 1) ** 2 : n * (n - 3);

const check = (k: Float64Array, l: Float64Array, estimate: HsicEstimate): number => {
  const n = Math.round(Math.sqrt(k.length));
  const least = estimate === 'biased' ? 2 : 4;
  if (k.length !== l.length || n * n !== k.length || n < least)
    throw inputError({
      where: 'CKA',
      expected: `two Gram matrices of the same rows, at least ${least}`,
      got: `${k.length} and ${l.length} entries`,
      mend: 'compare layers on the same stimuli',
    });
  return n;
};

/** Hilbert–Schmidt independence criterion of two Gram matrices [n, n], centred or not. Input error: different rows. */
export const hsic = (k: Float64Array, l: Float64Array, estimate: HsicEstimate): number => {
  const n = check(k, l, estimate);
  const sum = sumOfProducts(prepared(k, n, estimate), prepared(l, n, estimate));
  return sum / divisor(n, estimate);
};

/**
 * Linear centred kernel alignment of two layers, from their Gram matrices [n, n], centred or not (Kornblith et al. 2019,
 * equation 4): 1 for layers that are rotations and multiples of each other. `biased` lies in 0 … 1, and near 1 for any
 * two layers with many more features than rows; `unbiased` is near 0 for independent layers, and may be negative. NaN
 * where a layer does not vary. Input error: different rows, or fewer than the estimate needs (2, 4).
 */
export const linearCka = (k: Float64Array, l: Float64Array, estimate: HsicEstimate): number => {
  const n = check(k, l, estimate);
  const [a, b] = [prepared(k, n, estimate), prepared(l, n, estimate)];
  const scale = Math.sqrt(sumOfProducts(a, a)) * Math.sqrt(sumOfProducts(b, b));
  return scale > 0 ? sumOfProducts(a, b) / scale : Number.NaN;
};
