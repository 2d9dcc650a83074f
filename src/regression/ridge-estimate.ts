import type { FitSize } from './estimate.ts';
import { CHUNK_BYTES, PANEL_ROWS } from './gram.ts';

/** What lies about between two collections of garbage, and what the engine keeps. */
const GARBAGE_BYTES = 96 * 2 ** 20;

type RidgeSize = Omit<FitSize, 'components' | 'stopping'>;

/**
 * Peak bytes of `predictHeldOutRidge` on a source in one block, that block (4 bytes a feature) included: while the Gram
 * matrix is made, or beside it while it is inverted.
 */
export const ridgeBytes = ({ rows, columns, folds, sets, sites }: RidgeSize): number => {
  const square = 8 * rows * rows;
  const targets = 8 * rows * sets * sites;
  const making = 4 * rows * columns + CHUNK_BYTES + 4 * PANEL_ROWS * 8 * rows;
  // The matrix that is factored, what its halves and panels take, the inverse, and a fold's rows of it.
  const inverting = square * (4 + 2 / Math.max(folds, 1)) + 6 * targets;
  return 1.1 * (square + Math.max(making, inverting) + 3 * targets) + GARBAGE_BYTES;
};

/** Multiplications of `predictHeldOutRidge` in units of those of a large product. */
export const ridgeOperations = (
  { rows, columns, folds, sets, sites }: RidgeSize,
  alphas: number,
): number =>
  (rows * rows * columns) / 2 +
  alphas * rows * rows * ((7 / 6 + 1 / folds) * rows + 4 * 2 * sets * sites);
