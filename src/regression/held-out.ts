// Regressions that hold out one or several folds: each fold, and the pairs of folds of nested cross-validation.

import type { Float64Nd } from '../records/array.ts';
import type { Fold } from './folds.ts';

/** One regression: it predicts the rows of the folds that it holds out, and trains on all others. */
export interface Split {
  readonly name: string;
  /** Folds, as indices. */
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

/** The rows that each regression holds out, in the order of its folds. */
export const rowsHeldOut = (folds: readonly Fold[], splits: readonly Split[]): Fold[] =>
  splits.map(({ name, heldOut }) => ({
    name,
    test: Int32Array.from(heldOut.flatMap((fold) => [...folds[fold]!.test])),
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
