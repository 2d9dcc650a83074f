import type { Float64Nd } from './array.ts';

/** A value of one draw; null where it is not defined. */
export interface DrawnValues {
  readonly value: number | null;
  readonly raw: number | null;
}

/** Several draws of responses, scored by as many layers as are done: what an interrupted null goes on from. */
export interface ChosenSoFar {
  /** Layers that have been looked at, in the order of the plan. */
  readonly layers: number;
  /** Of each draw what the highest layer reaches; of a choice for each fold, known only when all layers are done. */
  readonly draws: readonly DrawnValues[];
  /** Where a layer is chosen for each fold; null where the best one is taken, and when all layers are done. */
  readonly perFold: {
    /** Highest value so far that the choice goes by, `[draws][folds]`. */
    readonly values: readonly (readonly (number | null)[])[];
    /** What the layers with these values predict, `[draws, rows scored, sites]`. */
    readonly predictions: Float64Nd;
  } | null;
}
