// Regressions that leave out one or several blocks of rows: folds, and the pairs of folds of nested cross-validation.

import type { Float64Nd } from '../records/array.ts';
import type { Fold } from './folds.ts';

/** One regression: it trains on the rows of no block of its own, and predicts the rows of its blocks. */
export interface Split {
  readonly name: string;
  /** Blocks left out, as indices. */
  readonly heldOut: readonly number[];
  /** Target sets predicted, as indices. */
  readonly sets: readonly number[];
}

/** Each fold left out in turn, for all of some target sets. */
export const eachFold = (folds: readonly Fold[], sets: number): Split[] =>
  folds.map(({ name }, fold) => ({
    name,
    heldOut: [fold],
    sets: Array.from({ length: sets }, (_, set) => set),
  }));

/** The rows that each regression leaves out, in the order of its blocks. */
export const rowsHeldOut = (heldOut: readonly Fold[], splits: readonly Split[]): Fold[] =>
  splits.map(({ name, heldOut: own }) => ({
    name,
    test: Int32Array.from(own.flatMap((fold) => [...heldOut[fold]!.test])),
  }));

/**
 * Predictions `[folds][sets]`, each [rows held out, sites], as one table [rows, sites] per target set; NaN in rows that no
 * fold holds out.
 */
export const putTogether = (
  folds: readonly Fold[],
  rows: number,
  predictions: readonly (readonly Float64Nd[])[],
): Float64Nd[] =>
  predictions[0]!.map(({ shape: [, sites = 0] }, set) => {
    const data = new Float64Array(rows * sites).fill(Number.NaN);
    folds.forEach(({ test }, fold) => {
      const { data: part } = predictions[fold]![set]!;
      test.forEach((row, k) => {
        data.set(part.subarray(k * sites, (k + 1) * sites), row * sites);
      });
    });
    return { data, shape: [rows, sites] };
  });
