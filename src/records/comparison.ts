import type { Interval } from './interval.ts';

/** What one score is better by than another, site by site. */
export interface PairedEffect {
  /** Median over sites of paired differences `first − second` (grids: mean over images of that), in the unit of the value. */
  readonly value: number;
  readonly interval: Interval | null;
  /** Two-sided, from the same t. */
  readonly p: number | null;
  /** Sites that favour the first, and the second; of the rest neither. */
  readonly first: number;
  readonly second: number;
  readonly sites: number;
}

/** Difference `first − second` of two scores on the same recording under the same protocol. */
export interface Comparison {
  readonly first: string;
  readonly second: string;
  readonly difference: number;
  /** Of the difference; null where the images are too few for one. */
  readonly interval: Interval | null;
  /** Two-sided, from the t that gives the interval. */
  readonly p: number;
  /** Holm's correction over all comparisons made together. */
  readonly adjusted: number;
  /** Null where predictions were not kept with both scores. */
  readonly effect: PairedEffect | null;
  /** Draws in which the difference was not defined. */
  readonly undefinedDraws: number;
  readonly method: string;
}
