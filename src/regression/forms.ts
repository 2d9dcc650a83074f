// Which way partial least squares goes on a layer. The rules know sizes alone, those that decide which results may be taken
// from a cache, so that a score does not depend on the machine.

/** Sizes of a regression: features [rows, columns], `splits` sets of held-out rows, `fits` of target sets in all. */
export interface FormSize {
  readonly rows: number;
  readonly columns: number;
  readonly splits: number;
  readonly fits: number;
  readonly components: number;
}

/**
 * - `covariance`: on XᵀX and YᵀX of the training rows, where these are smaller than what they come from;
 * - `features`: on X itself, a product with X and one with Xᵀ a component;
 * - `gram`: on XXᵀ, which serves all fits.
 */
export type PlsForm = 'covariance' | 'features' | 'gram';

/** Whether a layer is small enough to work on its features instead of on a Gram matrix. */
export const isNarrow = (rows: number, columns: number): boolean => columns <= 0.75 * rows;

/** Bytes that the covariances of all splits may take. */
const COVARIANCE_BYTES = 250e6;
/** Multiplications in the products that make covariances count less than those of the thin ones that they save. */
const COVARIANCE_GAIN = 0.8;

/**
 * Covariances take n p² multiplications to make and T A p² / 2 to use, T fits of A components; work on the features takes
 * 2 T A n p.
 */
export const plsForm = ({ rows: n, columns: p, splits, fits, components }: FormSize): PlsForm => {
  if (!isNarrow(n, p)) return 'gram';
  const parts = 2 * fits * components;
  const pays = p < (COVARIANCE_GAIN * n * parts) / (n + parts);
  return pays && 8 * splits * p * p <= COVARIANCE_BYTES ? 'covariance' : 'features';
};
