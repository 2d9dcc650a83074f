// Which way partial least squares goes on a layer. The rules know sizes alone, those that decide which results may be taken
// from a cache, so that a score does not depend on the machine.

import type { PlsSettings } from '../records/protocol.ts';

/** Sizes of a regression: features [rows, columns], `splits` sets of held-out rows, `fits` of target sets in all. */
export interface FormSize extends Pick<PlsSettings, 'components' | 'stopping'> {
  readonly rows: number;
  readonly columns: number;
  /** Targets of a set, at most. */
  readonly sites: number;
  readonly splits: number;
  readonly fits: number;
}

/**
 * - `covariance`: on XᵀX and YᵀX of the training rows, where these are smaller than what they come from;
 * - `features`: on X itself, a product with X and one with Xᵀ a component;
 * - `gram`: on XXᵀ, which serves all fits;
 * - `rows`: on XXᵀ and YYᵀ, where there are many targets.
 */
export type PlsForm = 'covariance' | 'features' | 'gram' | 'rows';

/** Whether a layer is small enough to work on its features instead of on a Gram matrix. */
export const isNarrow = (rows: number, columns: number): boolean => columns <= 0.75 * rows;

/** Bytes that the covariances of all splits may take. */
const COVARIANCE_BYTES = 250e6;
/** Multiplications in the products that make covariances count less than those of the thin ones that they save. */
const COVARIANCE_GAIN = 0.8;

/** Targets that count as many: below, a step of the power iteration takes less time than a message to the engine. */
const MANY_SITES = 256;

/** Rows that a step over rows may have beside the targets, or features, of a step over these. */
const ROWS_GAIN = 1.6;

/**
 * Whether the power iteration takes least time over rows: 2 n² multiplications a step, of the engine and for all splits
 * together, against q² (over targets) or p² (over features) for each. As measured; what limits both is memory.
 */
const isShortOverRows = ({ rows, columns, sites, stopping }: FormSize): boolean => {
  const shortest = isNarrow(rows, columns) ? Math.min(sites, columns) : sites;
  return stopping === 'scikit-learn' && sites >= MANY_SITES && rows < ROWS_GAIN * shortest;
};

/**
 * Covariances take n p² multiplications to make and T A p² / 2 to use, T fits of A components; work on the features takes
 * 2 T A n p. With more targets than features only covariances are iterated on over the features.
 */
export const plsForm = (size: FormSize): PlsForm => {
  const { rows: n, columns: p, sites, splits, fits, components } = size;
  if (isShortOverRows(size)) return 'rows';
  if (!isNarrow(n, p)) return 'gram';
  const parts = 2 * fits * components;
  const pays = sites > p || p < (COVARIANCE_GAIN * n * parts) / (n + parts);
  return pays && 8 * splits * p * p <= COVARIANCE_BYTES ? 'covariance' : 'features';
};
