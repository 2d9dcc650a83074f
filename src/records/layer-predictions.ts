import type { Float64Nd } from './array.ts';

/** What the values of all layers come from, in the scored time bin: `--keep layer-predictions`. */
export interface LayerPredictions {
  readonly layers: readonly string[];
  /** `[rows, sites]`. */
  readonly recorded: Float64Nd;
  /** Held out, `[layers, rows, sites]`; NaN for a site that a layer could not predict by anything. */
  readonly predicted: Float64Nd;
  /** Rows that are correlated together, by number: all, those of an image, or those of one of overlapping splits. */
  readonly groups: Int32Array;
  /** Fold (or split) that held each row out, by number; empty in files of older versions. */
  readonly folds: Int32Array;
  /** What correlations are divided by, `[groups, sites]`; NaN where a site is left out. */
  readonly ceiling: Float64Nd;
  /** Stimulus of each row. */
  readonly stimulusIds: readonly string[];
  readonly siteIds: readonly string[];
}
