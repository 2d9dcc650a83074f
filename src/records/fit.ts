import type { Float64Nd } from './array.ts';

/** One layer's finished regression: what a score that was interrupted goes on from. */
export interface LayerFit {
  readonly features: number;
  /** Held-out predictions, `[response sets, rows scored, sites]`; overlapping splits' rows one split after the other. */
  readonly predictions: Float64Nd;
  /**
   * For each set by which a layer is chosen and each fold, what the choice goes by: the layer's value on other folds,
   * from regressions that saw neither; null where not defined. Null where the protocol chooses the best layer.
   */
  readonly selectionValues: readonly (readonly (number | null)[])[] | null;
  readonly arithmetic: string;
  /** Ridge: chosen alphas `[response sets][folds][sites]`, or one per fold where sites share it; else null. */
  readonly alphas: readonly (readonly (readonly number[])[])[] | null;
  readonly warnings: readonly string[];
}
