import type { Float64Nd } from '../records/array.ts';
import type { CorrelationKind } from './correlations.ts';
import { columnAt } from './groups.ts';
import {
  ascending,
  type Counts,
  centred,
  takeCounts,
  weightedPearson,
  weightedRanks,
} from './weighted.ts';

/** A column whose resamples are correlated: values about 0, and for rank correlations their order. */
export interface Side {
  readonly values: Float64Array;
  readonly order: Int32Array | null;
  /** Rows that the values are of, as places among those asked for; null: all. */
  readonly places: Int32Array | null;
}

/** Places of the values that are there; null: all. */
const placesThere = (values: Float64Array): Int32Array | null => {
  for (let i = 0; i < values.length; i++)
    if (Number.isNaN(values[i]!))
      return Int32Array.from(values, (_, place) => place).filter(
        (place) => !Number.isNaN(values[place]!),
      );
  return null;
};

/** One column of a `[rows, columns]` table at the given rows, less those where a value is missing; null where all are. */
export const sideOf = (
  table: Float64Nd,
  column: number,
  rows: Int32Array,
  kind: CorrelationKind,
): Side | null => {
  const all = columnAt(table, column, rows);
  const places = placesThere(all);
  if (places?.length === 0 || all.length === 0) return null;
  const about = inItsUnit(
    centred(places === null ? all : all.filter((value) => !Number.isNaN(value))),
  );
  return { values: about, order: kind === 'spearman' ? ascending(about) : null, places };
};

/** Squares of numbers outside this range leave double precision. */
const range = { least: 1e-100, most: 1e100 } as const;

/** Values in units of a power of two where their squares would be lost: correlations know no unit. */
const inItsUnit = (values: Float64Array): Float64Array => {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  if (!(largest > 0) || (largest > range.least && largest < range.most)) return values;
  const unit = 2 ** Math.round(Math.log2(largest));
  return values.map((value) => value / unit);
};

const inResample = ({ values, order }: Side, counts: Counts): Float64Array =>
  order === null ? values : weightedRanks(values, order, counts);

/** Whether two sides are of the same rows. */
const areOfTheSame = (a: Side, b: Side): boolean => {
  const [p, q] = [a.places, b.places];
  if (a.values.length !== b.values.length || p === null || q === null) return p === q;
  for (let i = 0; i < p.length; i++) if (p[i] !== q[i]) return false;
  return true;
};

/**
 * Correlation of two columns with each row counted as often as it was drawn; NaN where a column is missing, or the two are of
 * other rows.
 */
export const correlationIn = (a: Side | null, b: Side | null, counts: Counts): number => {
  if (a === null || b === null || !areOfTheSame(a, b)) return Number.NaN;
  const own = a.places === null ? counts : takeCounts(counts, a.places);
  return weightedPearson(inResample(a, own), inResample(b, own), own);
};
