import { pearson, ranks } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import { columnAt, type Group } from './groups.ts';
import { rowsThere } from './missing.ts';

export type CorrelationKind = 'pearson' | 'spearman';

/** What Pearson is applied to: the values, or their ranks within the group (ties share their average rank). */
export const valuesOrRanks = (values: Float64Array, kind: CorrelationKind): Float64Array =>
  kind === 'spearman' ? ranks(values) : values;

/**
 * Correlation of two `[rows, sites]` tables, site by site within each group, over the rows that were recorded (NaN: missing):
 * `[groups, sites]`. NaN where either side is constant.
 */
export const correlate = (
  recorded: Float64Nd,
  predicted: Float64Nd,
  groups: readonly Group[],
  kind: CorrelationKind,
): Float64Nd => {
  const sites = recorded.shape[1]!;
  const data = new Float64Array(groups.length * sites);
  groups.forEach(({ rows }, g) => {
    for (let s = 0; s < sites; s++) {
      const there = rowsThere(recorded, s, rows);
      data[g * sites + s] = pearson(
        valuesOrRanks(columnAt(recorded, s, there), kind),
        valuesOrRanks(columnAt(predicted, s, there), kind),
      );
    }
  });
  return { data, shape: [groups.length, sites] };
};
