import { bestOther } from '../numeric/best-other.ts';
import { type HalfMeans, halves, spearmanBrown } from '../numeric/reliability.ts';
import { mean, pearson } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { CeilingSettings } from '../records/protocol.ts';
import type { FixationGrid } from '../records/recording.ts';
import type { ExcludedSite } from '../records/score.ts';
import { bestPairOf, mapsOf } from './best-maps.ts';
import type { CorrelationKind } from './correlations.ts';
import { meanOfDefined, medianOfDefined } from './defined.ts';
import { columnAt, type Group } from './groups.ts';
import type { Layout } from './layout.ts';
import type { ResponseTable } from './responses.ts';

/** What a perfect model could reach, by the protocol's definition (recipes of [L23] and of split halves). */
export interface Ceiling {
  /** `[groups, sites]`; NaN where a site is left out of that group. All 1 where there is no ceiling per site. */
  readonly perSite: Float64Nd;
  /** One number for all, where the protocol divides after aggregation; else null. */
  readonly overall: number | null;
  /** Spread of `overall` over its splits / √splits, where it has splits; else null. */
  readonly overallError: number | null;
  /** Whether a site that has no ceiling counts for nothing, not even uncorrected. */
  readonly leavesOutRaw: boolean;
  /**
   * What `best-ceiling` compares time bins by: the mean over all sites (and images) before any is left out, so that a
   * bin with one lucky site does not win. A reliability for split halves, a correlation otherwise.
   */
  readonly strength: number;
  /** Sites left out, with the group's image where it is only for that. */
  readonly excluded: readonly ExcludedSite[];
  /** Halves of the trials per split, which the interval resamples; null for other ceilings. */
  readonly halves: HalfMeans | null;
}

/** The rows of a table as ceilings take them. */
export interface CeilingRows {
  /** Rows that are correlated together. */
  readonly groups: readonly Group[];
  readonly siteIds: readonly string[];
  readonly correlation: CorrelationKind;
  readonly grid: FixationGrid | null;
}

/** The rows of a layout as ceilings take them. */
export const ceilingRowsOf = ({ groups, siteIds, protocol, grid }: Layout): CeilingRows => ({
  groups,
  siteIds,
  correlation: protocol.correlation,
  grid,
});

/** Sites that have a ceiling in some group, as columns. */
export const sitesInUse = ({ perSite: { data, shape } }: Pick<Ceiling, 'perSite'>): Int32Array => {
  const [groups, sites] = shape as readonly [number, number];
  const used = new Uint8Array(sites);
  for (let g = 0; g < groups; g++)
    for (let s = 0; s < sites; s++) if (!Number.isNaN(data[g * sites + s]!)) used[s] = 1;
  return Int32Array.from({ length: sites }, (_, site) => site).filter((site) => used[site] === 1);
};

/** What each correlation is divided by, `[groups, sites]`, be it before or after aggregation; NaN where left out. */
export const divisorsOf = ({
  perSite,
  overall,
}: Pick<Ceiling, 'perSite' | 'overall'>): Float64Nd => ({
  data: perSite.data.map((each) => overall ?? each),
  shape: perSite.shape,
});

/** The ceiling of every site that has one set to 1, so that correlations stay as they are. */
export const withoutDivision = (ceiling: Ceiling): Ceiling => ({
  ...ceiling,
  perSite: {
    data: ceiling.perSite.data.map((c) => (Number.isNaN(c) ? c : 1)),
    shape: ceiling.perSite.shape,
  },
});

/** Computes the ceiling of a recording's table. Input error: split halves without repeated trials. */
export const ceilingOf = (
  settings: CeilingSettings,
  table: ResponseTable,
  { groups, siteIds, correlation, grid }: CeilingRows,
  seed: number,
): Ceiling => {
  switch (settings.kind) {
    case 'split-half':
      return splitHalf(settings, table, groups, siteIds, seed);
    case 'best-other-site':
      return bestOtherSite(table.mean, groups, siteIds, correlation);
    case 'best-pair':
      return bestPair(table.mean, groups, grid);
    case 'median-split-half':
      return medianSplitHalf(settings.splits, table, groups, seed);
    case 'none':
      return {
        perSite: constant(groups.length, siteIds.length),
        overall: null,
        overallError: null,
        leavesOutRaw: false,
        strength: 1,
        excluded: [],
        halves: null,
      };
  }
};

const constant = (groups: number, sites: number): Float64Nd => ({
  data: new Float64Array(groups * sites).fill(1),
  shape: [groups, sites],
});

const splitHalf = (
  { splits, minimumReliability }: Extract<CeilingSettings, { kind: 'split-half' }>,
  table: ResponseTable,
  groups: readonly Group[],
  siteIds: readonly string[],
  seed: number,
): Ceiling => {
  checkRepeated(table);
  const halved = halves(table.trials, { splits, seed });
  const sites = siteIds.length;
  const data = new Float64Array(groups.length * sites);
  const reliabilities: number[] = [];
  const excluded: ExcludedSite[] = [];
  groups.forEach((group, g) => {
    for (let s = 0; s < sites; s++) {
      const reliability = reliabilityOf(halved, group.rows, s);
      reliabilities.push(reliability);
      const usable = reliability > 0 && reliability >= minimumReliability;
      data[g * sites + s] = usable ? Math.sqrt(reliability) : Number.NaN;
      if (usable) continue;
      excluded.push({
        site: siteIds[s]!,
        image: groups.length === 1 ? null : group.name,
        reason: Number.isNaN(reliability)
          ? 'reliability not defined (constant or too few trials)'
          : `reliability ${reliability.toFixed(3)} below ${minimumReliability}`,
      });
    }
  });
  return {
    perSite: { data, shape: [groups.length, sites] },
    overall: null,
    overallError: null,
    leavesOutRaw: true,
    strength: meanOfDefined(reliabilities),
    excluded,
    halves: halved,
  };
};

const checkRepeated = ({ trials }: ResponseTable): void => {
  if (trials.shape[1]! >= 2) return;
  throw inputError({
    where: 'protocol: ceiling.kind',
    expected: 'a recording with repeated trials for halves of them',
    got: 'one response per stimulus',
    mend: 'use the protocol ventral, or write one (ventral protocols image-cv) with another ceiling: {"kind": "none"}, or best-other-site on grids',
  });
};

/**
 * Brain-Score's ceiling: the median over sites of the corrected correlation between halves, mean over splits. Input error
 * where it is not positive: nothing could be divided by it.
 */
const medianSplitHalf = (
  splits: number,
  table: ResponseTable,
  groups: readonly Group[],
  seed: number,
): Ceiling => {
  checkRepeated(table);
  const { first, second } = halves(table.trials, { splits, seed });
  const [rows, sites] = table.mean.shape as [number, number];
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  const medians = first.map((half, split) => {
    const one = { first: [half], second: [second[split]!] };
    return medianOfDefined(Array.from({ length: sites }, (_, s) => reliabilityOf(one, all, s)));
  });
  const overall = meanOfDefined(medians);
  if (!(overall > 0))
    throw inputError({
      where: 'protocol: ceiling.kind',
      expected: 'sites whose trials agree (a positive median reliability)',
      got: overall.toFixed(3),
      mend: 'look at the reliabilities (ventral data inspect), or choose another ceiling',
    });
  const spread = Math.sqrt(mean(medians.map((each) => (each - overall) ** 2)));
  return {
    perSite: constant(groups.length, sites),
    overall,
    overallError: spread / Math.sqrt(splits),
    leavesOutRaw: false,
    strength: overall,
    excluded: [],
    halves: null,
  };
};

/**
 * The same ceiling for some of the rows only, for a choice that must not know the others: the groups that lie within
 * them, or, where one group holds all rows, the reliability of its trials on these rows.
 */
export const ceilingWithin = (
  ceiling: Ceiling,
  groups: readonly Group[],
  within: readonly Group[],
): Ceiling => {
  const sites = ceiling.perSite.shape[1]!;
  const shape = [within.length, sites];
  const { halves: halved } = ceiling;
  if (groups.length > 1 || halved === null) {
    const places = new Map(groups.map(({ name }, g) => [name, g]));
    const data = within.flatMap(({ name }) => {
      const g = places.get(name)!;
      return [...ceiling.perSite.data.subarray(g * sites, (g + 1) * sites)];
    });
    return { ...ceiling, perSite: { data: Float64Array.from(data), shape } };
  }
  const data = ceiling.perSite.data.map((c, s) =>
    Number.isNaN(c) ? c : Math.sqrt(Math.max(0, reliabilityOf(halved, within[0]!.rows, s)) || NaN),
  );
  return { ...ceiling, perSite: { data, shape } };
};

/** Mean over splits of the Spearman–Brown-corrected Pearson between the half means, over the given rows. */
export const reliabilityOf = (
  { first, second }: HalfMeans,
  rows: Int32Array,
  site: number,
): number => {
  const sites = first[0]!.shape[1]!;
  // Which rows have two trials does not depend on the split.
  const there = rows.filter((row) => !Number.isNaN(first[0]!.data[row * sites + site]!));
  return mean(
    first.map((half, split) =>
      spearmanBrown(pearson(columnAt(half, site, there), columnAt(second[split]!, site, there))),
    ),
  );
};

/**
 * [L23] text: for a site and an image, the highest signed correlation of its map with another site's map of the
 * same image. Not a reliability and no upper bound. Left out where it is ≤ 0.
 */
const bestOtherSite = (
  responses: Float64Nd,
  groups: readonly Group[],
  siteIds: readonly string[],
  kind: CorrelationKind,
): Ceiling => {
  const sites = siteIds.length;
  if (sites < 2)
    throw inputError({
      where: 'protocol: ceiling.kind',
      expected: 'at least two usable sites for best-other-site',
      got: `${sites}`,
      mend: 'use another ceiling (split-half where trials repeat, or none)',
    });
  const data = new Float64Array(groups.length * sites).fill(Number.NaN);
  const correlations: number[] = [];
  const excluded: ExcludedSite[] = [];
  groups.forEach((group, g) => {
    const maps = mapsOf(responses, group, kind);
    const best = bestOther(maps, maps);
    correlations.push(...best);
    for (let s = 0; s < sites; s++)
      if (best[s]! > 0) data[g * sites + s] = best[s]!;
      else
        excluded.push({
          site: siteIds[s]!,
          image: groups.length === 1 ? null : group.name,
          reason: Number.isNaN(best[s]!)
            ? 'constant map'
            : `no other site correlates positively (best ${best[s]!.toFixed(3)})`,
        });
  });
  return {
    perSite: { data, shape: [groups.length, sites] },
    overall: null,
    overallError: null,
    leavesOutRaw: false,
    strength: meanOfDefined(correlations),
    excluded,
    halves: null,
  };
};

/**
 * [L23] released code: the row-by-row Pearson correlations of two sites' maps, averaged; the highest pair per image,
 * mean over images. The last site is left out, as the released loops do. Only to reproduce the released numbers.
 */
const bestPair = (
  responses: Float64Nd,
  groups: readonly Group[],
  grid: FixationGrid | null,
): Ceiling => {
  const sites = responses.shape[1]!;
  if (grid === null || sites < 3)
    throw inputError({
      where: 'protocol: ceiling.kind',
      expected: 'a grid recording with at least three usable sites for best-pair',
      got: grid === null ? 'one response per image' : `${sites} sites`,
      mend: 'use another ceiling',
    });
  const perImage = groups.map((group) => {
    const maps = mapsOf(responses, group, 'pearson');
    return bestPairOf(maps, maps, grid.columns);
  });
  const overall = meanOfDefined(perImage);
  return {
    perSite: constant(groups.length, sites),
    overall,
    overallError: null,
    leavesOutRaw: false,
    strength: overall,
    excluded: [],
    halves: null,
  };
};
