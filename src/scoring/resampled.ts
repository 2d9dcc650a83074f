import type { Float64Nd } from '../records/array.ts';
import type { CorrelationKind } from './correlations.ts';
import { columnAt } from './groups.ts';
import { ascending, type Counts, centred, weightedPearson, weightedRanks } from './weighted.ts';

/** A column whose resamples are correlated: values about 0, and for rank correlations their order. */
export interface Side {
  readonly values: Float64Array;
  readonly order: Int32Array | null;
}

/** One column of a `[rows, columns]` table at the given rows; null where a value is missing. */
export const sideOf = (
  table: Float64Nd,
  column: number,
  rows: Int32Array,
  kind: CorrelationKind,
): Side | null => {
  const values = columnAt(table, column, rows);
  if (values.some(Number.isNaN)) return null;
  const about = centred(values);
  return { values: about, order: kind === 'spearman' ? ascending(about) : null };
};

const inResample = ({ values, order }: Side, counts: Counts): Float64Array =>
  order === null ? values : weightedRanks(values, order, counts);

/** Correlation of two columns with each row counted as often as it was drawn; NaN where a column is missing. */
export const correlationIn = (a: Side | null, b: Side | null, counts: Counts): number =>
  a === null || b === null
    ? Number.NaN
    : weightedPearson(inResample(a, counts), inResample(b, counts), counts);
