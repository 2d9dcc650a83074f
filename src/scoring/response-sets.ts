import { takeRows } from '../numeric/array.ts';
import type { Float64Nd } from '../records/array.ts';
import type { TimeBin } from '../records/recording.ts';
import type { Ceiling } from './ceiling.ts';
import type { Layout } from './layout.ts';
import type { ResponseTable } from './responses.ts';

/** What the responses of a set are. */
export type SetLabel =
  | { readonly kind: 'time bin'; readonly timeBin: TimeBin }
  | { readonly kind: 'permutation'; readonly of: string; readonly draw: number }
  | {
      readonly kind: 'sub-sample';
      readonly of: 'trials' | 'sites';
      readonly count: number;
      readonly draw: number;
    }
  | { readonly kind: 'half of the trials'; readonly half: 0 | 1; readonly split: number };

/** Responses that a layer is fitted to and held against: of a time bin, or in place of one. */
export interface ResponseSet {
  readonly label: SetLabel;
  /** What regressions are fitted to, `[rows, sites]`; a constant column takes no part. */
  readonly responses: Float64Nd;
  /** What predictions are scored on, `[rows scored, sites]`; NaN in a column that is fitted only. */
  readonly recorded: Float64Nd;
  readonly ceiling: Ceiling;
}

/** The responses of a time bin, trial by trial, with what a perfect model could reach there. */
export interface BinSet extends ResponseSet {
  readonly label: Extract<SetLabel, { kind: 'time bin' }>;
  readonly table: ResponseTable;
  /** The ceiling aggregated as the score is; NaN where no site has one. */
  readonly overallCeiling: number;
}

/** Responses `[rows, sites]` at the rows that are scored: the same table, unless splits overlap. */
export const atScoredRows = (
  { aggregation, scoredRows }: Layout,
  responses: Float64Nd,
): Float64Nd => (aggregation.over === 'splits' ? takeRows(responses, scoredRows) : responses);

/** A set of other responses `[rows, sites]`, all of them scored. */
export const responseSet = (
  layout: Layout,
  label: SetLabel,
  responses: Float64Nd,
  ceiling: Ceiling,
): ResponseSet => ({ label, responses, recorded: atScoredRows(layout, responses), ceiling });
