import type { Float64Nd } from '../records/array.ts';
import type { Protocol } from '../records/protocol.ts';
import type { FoldScore, SiteScore } from '../records/score.ts';
import type { Ceiling } from './ceiling.ts';
import { sitesInUse } from './ceilings.ts';
import { meanOfDefined, medianOfDefined, nullable } from './defined.ts';
import type { Layout } from './layout.ts';

/** A layer's values in the order that the protocol aggregates them. NaN where nothing is defined. */
export interface Aggregate {
  readonly value: number;
  readonly raw: number;
  readonly ceiling: number;
  /** `[groups, sites]`: r / ceiling; NaN where left out. */
  readonly ceiled: Float64Nd;
  /** `[groups, sites]`: r; NaN where left out of the raw values too. */
  readonly kept: Float64Nd;
  /** Value of each group (image); what a t interval over images rests on. */
  readonly perGroup: Float64Array;
  readonly sitesUsed: number;
}

const rowOf = (table: Float64Nd, g: number): Float64Array =>
  table.data.subarray(g * table.shape[1]!, (g + 1) * table.shape[1]!) as Float64Array;

const columnOf = (table: Float64Nd, s: number): number[] =>
  Array.from({ length: table.shape[0]! }, (_, g) => table.data[g * table.shape[1]! + s]!);

/** r / c, or r² / c with the sign of r. */
export const normalised = (r: number, c: number, by: Protocol['normalisation']): number =>
  by === 'r/c' ? r / c : (r * Math.abs(r)) / c;

/**
 * raw = mean over groups of the median over sites of r; value = the same of r / c (so value ≠ raw / ceiling);
 * ceiling = the same of c. With a ceiling after aggregation, value = raw / ceiling, or raw² / ceiling. A site left out by
 * split-half reliability is left out of raw as well; one without a positive best other site only of value and ceiling
 * [L23].
 */
export const aggregate = (
  correlations: Float64Nd,
  ceiling: Ceiling,
  normalisation: Protocol['normalisation'],
): Aggregate => {
  const groups = correlations.shape[0]!;
  const ceiled = Float64Array.from(correlations.data, (r, index) =>
    normalised(r, ceiling.overall ?? ceiling.perSite.data[index]!, normalisation),
  );
  const table: Float64Nd = { data: ceiled, shape: correlations.shape };
  const kept: Float64Nd = {
    data: ceiling.leavesOutRaw
      ? correlations.data.map((r, index) => (Number.isNaN(ceiled[index]!) ? Number.NaN : r))
      : correlations.data,
    shape: correlations.shape,
  };
  const groupIndices = Array.from({ length: groups }, (_, g) => g);
  const perGroup = Float64Array.from(groupIndices, (g) => medianOfDefined(rowOf(table, g)));
  const raw = meanOfDefined(groupIndices.map((g) => medianOfDefined(rowOf(kept, g))));
  return {
    value:
      ceiling.overall === null
        ? meanOfDefined(perGroup)
        : normalised(raw, ceiling.overall, normalisation),
    raw,
    ceiling:
      ceiling.overall ??
      meanOfDefined(groupIndices.map((g) => medianOfDefined(rowOf(ceiling.perSite, g)))),
    ceiled: table,
    kept,
    perGroup,
    sitesUsed: sitesInUse({ perSite: table }).length,
  };
};

/** Per-site values: the mean over groups (images) in which the site is defined. */
export const siteScores = (
  siteIds: readonly string[],
  ceiling: Ceiling,
  { ceiled, kept }: Aggregate,
): SiteScore[] =>
  siteIds.map((site, s) => ({
    site,
    raw: nullable(meanOfDefined(columnOf(kept, s))),
    ceiling: nullable(ceiling.overall ?? meanOfDefined(columnOf(ceiling.perSite, s))),
    value: nullable(meanOfDefined(columnOf(ceiled, s))),
  }));

/**
 * Per-fold values, median over sites, raw and ceiled. Over `sites`: the correlation within the fold's own held-out
 * rows. Over images: the mean over the images that the fold held out.
 */
export const foldScores = (
  { heldOut, groups, aggregation }: Pick<Layout, 'heldOut' | 'groups' | 'aggregation'>,
  withinFolds: Float64Nd,
  ceiling: Ceiling,
  { ceiled, kept }: Aggregate,
): FoldScore[] =>
  heldOut.map(({ name, rows }, f) => {
    if (aggregation.over === 'rows') {
      const r = rowOf(withinFolds, f);
      const c = rowOf(ceiling.perSite, 0);
      const used = r.filter((_, s) => !ceiling.leavesOutRaw || !Number.isNaN(c[s]!));
      return {
        fold: name,
        raw: nullable(medianOfDefined(used)),
        value: nullable(medianOfDefined(r.map((each, s) => each / c[s]!))),
      };
    }
    const own = new Set(rows);
    const inside = groups.flatMap((group, g) => (own.has(group.rows[0]!) ? [g] : []));
    const medians = (table: Float64Nd) => inside.map((g) => medianOfDefined(rowOf(table, g)));
    return {
      fold: name,
      raw: nullable(meanOfDefined(medians(kept))),
      value: nullable(meanOfDefined(medians(ceiled))),
    };
  });
