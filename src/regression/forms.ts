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
 * - `fused`: on YᵀX, with a product with X and one with Xᵀ a component in place of XᵀX;
 * - `features`: the same with scores of all rows, which has digits where the other two have not;
 * - `gram`: on XXᵀ, which serves all fits;
 * - `rows`: on XXᵀ and YYᵀ, where there are many targets.
 */
export type PlsForm = 'covariance' | 'fused' | 'features' | 'gram' | 'rows';

/** Whether a layer is small enough to work on its features instead of on a Gram matrix. */
export const isNarrow = (rows: number, columns: number): boolean => columns <= 0.75 * rows;

/** Bytes that the covariances of all splits may take: about what stays in a cache, since each component reads them all. */
const COVARIANCE_BYTES = 16e6;

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
 * Covariances take n p² multiplications to make and T A p² to use, T fits of A components; without them these take 2 T A n p.
 * Where both come to much the same, the size of the covariances decides.
 */
export const plsForm = (size: FormSize): PlsForm => {
  const { rows: n, columns: p, splits, fits, components } = size;
  if (isShortOverRows(size)) return 'rows';
  if (!isNarrow(n, p)) return 'gram';
  const parts = fits * components;
  const pays = p * (n + parts) < 2 * n * parts;
  return pays && 8 * splits * p * p <= COVARIANCE_BYTES ? 'covariance' : 'fused';
};
