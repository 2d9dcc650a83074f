/** Difference `first − second` of two scores on the same recording under the same protocol. */
export interface Comparison {
  readonly first: string;
  readonly second: string;
  readonly difference: number;
  /** 95 % interval of the difference; null where the images are too few for one. */
  readonly interval: { readonly low: number; readonly high: number } | null;
  /** Two-sided. */
  readonly p: number;
  /** Holm's correction over all comparisons made together. */
  readonly adjusted: number;
  readonly method: string;
}
