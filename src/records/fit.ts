import type { Float64Nd } from './array.ts';

/** One layer's finished regression: what a score that was interrupted goes on from. */
export interface LayerFit {
  readonly features: number;
  /** Held-out predictions, `[time bins, rows, sites]`. */
  readonly predictions: Float64Nd;
  readonly arithmetic: string;
  /** Ridge: chosen strengths `[time bins][folds][sites]`, or one per fold where sites share it; else null. */
  readonly strengths: readonly (readonly (readonly number[])[])[] | null;
  readonly warnings: readonly string[];
}
