import { halves, spearmanBrown } from '../numeric/reliability.ts';
import { mean, pearson } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { CeilingSettings } from '../records/protocol.ts';
import type { FixationGrid } from '../records/recording.ts';
import type { ExcludedSite } from '../records/score.ts';
import { bestOtherOf, bestPairOf, mapsOf } from './best-maps.ts';
import type { Ceiling } from './ceiling.ts';
import type { CorrelationKind } from './correlations.ts';
import { meanOfDefined, medianOfDefined } from './defined.ts';
import { columnAt, type Group } from './groups.ts';
import type { Layout } from './layout.ts';
import type { ResponseTable } from './responses.ts';
import { checkRepeated, reliabilityWithin, rootOf, splitHalfCeiling } from './split-half.ts';

/** The rows of a table as ceilings take them. */
export interface CeilingRows {
  /** Rows that are correlated together. */
  readonly groups: readonly Group[];
  readonly siteIds: readonly string[];
  readonly correlation: CorrelationKind;
  readonly grid: FixationGrid | null;
  /** Reliability of each site as the recording's owner published it; null where it has none. */
  readonly published: readonly (number | null)[];
}

/** The rows of a layout as ceilings take them. */
export const ceilingRowsOf = ({
  groups,
  siteIds,
  protocol,
  grid,
  published,
}: Layout): CeilingRows => ({
  groups,
  siteIds,
  correlation: protocol.correlation,
  grid,
  published,
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
  { groups, siteIds, correlation, grid, published }: CeilingRows,
  seed: number,
): Ceiling => {
  switch (settings.kind) {
    case 'split-half':
      return splitHalfCeiling(settings, table, { groups, siteIds }, seed);
    case 'published':
      return publishedCeiling(settings, published, { groups, siteIds });
    case 'best-other-site':
      return bestOtherSite(table.mean, groups, siteIds, correlation);
    case 'best-pair':
      return bestPair(table.mean, groups, grid);
    case 'median-split-half':
      return medianSplitHalf(settings.splits, table, groups, seed);
    case 'none':
      return { ...plain, perSite: constant(groups.length, siteIds.length), meanOverAllSites: 1 };
  }
};

const constant = (groups: number, sites: number): Float64Nd => ({
  data: new Float64Array(groups * sites).fill(1),
  shape: [groups, sites],
});

/** What most kinds of ceiling have in common: one per site, of all trials, no site left out. */
const plain = { overall: null, overallError: null, leavesOutRaw: false, excluded: [], basis: null };

/** Roots of reliabilities that the recording's owner published, the same on every image. */
const publishedCeiling = (
  { minimumReliability }: Extract<CeilingSettings, { kind: 'published' }>,
  published: readonly (number | null)[],
  { groups, siteIds }: Pick<CeilingRows, 'groups' | 'siteIds'>,
): Ceiling => {
  const usable = (reliability: number | null): reliability is number =>
    reliability !== null && reliability > 0 && reliability >= minimumReliability;
  const roots = published.map((each) => (usable(each) ? Math.sqrt(each) : Number.NaN));
  return {
    ...plain,
    perSite: {
      data: Float64Array.from(groups.flatMap(() => roots)),
      shape: [groups.length, siteIds.length],
    },
    leavesOutRaw: true,
    meanOverAllSites: meanOfDefined(published.flatMap((each) => (each === null ? [] : [each]))),
    excluded: siteIds.flatMap((site, index): ExcludedSite[] => {
      const reliability = published[index] ?? null;
      if (!Number.isNaN(roots[index])) return [];
      const reason =
        reliability === null
          ? 'no published reliability'
          : `published reliability ${reliability} below ${minimumReliability}`;
      return [{ site, image: null, reason }];
    }),
  };
};

/**
 * Brain-Score's ceiling: the median over sites of the corrected correlation between halves, mean over splits. As there, no
 * trial is dropped, halves of odd numbers are unequal, and Spearman–Brown takes them for equal. Input error
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
  const medians = first.map((half, split) => {
    const other = second[split]!;
    return medianOfDefined(
      Array.from({ length: sites }, (_, s) => {
        const twice = Int32Array.from({ length: rows }, (_row, row) => row).filter(
          (row) => !Number.isNaN(half.data[row * sites + s]!),
        );
        return spearmanBrown(pearson(columnAt(half, s, twice), columnAt(other, s, twice)));
      }),
    );
  });
  const overall = meanOfDefined(medians);
  if (!(overall > 0))
    throw inputError({
      code: 'trials-disagree',
      where: 'protocol: ceiling.kind',
      expected: 'sites whose trials agree (a positive median reliability)',
      got: overall.toFixed(3),
      mend: 'look at the reliabilities, or choose another ceiling',
    });
  const spread = Math.sqrt(mean(medians.map((each) => (each - overall) ** 2)));
  return {
    ...plain,
    perSite: constant(groups.length, sites),
    overall,
    overallError: spread / Math.sqrt(splits),
    meanOverAllSites: overall,
  };
};

/**
 * A ceiling for some of the rows only, for a choice that must not know the others: the groups that lie within
 * them, or, where one group holds all rows, the reliability of its trials on these rows.
 */
export const ceilingOfSomeRows = (
  ceiling: Ceiling,
  groups: readonly Group[],
  within: readonly Group[],
): Ceiling => {
  const sites = ceiling.perSite.shape[1]!;
  const shape = [within.length, sites];
  const { basis } = ceiling;
  if (groups.length > 1 || basis === null) {
    const places = new Map(groups.map(({ name }, g) => [name, g]));
    const data = within.flatMap(({ name }) => {
      const g = places.get(name)!;
      return [...ceiling.perSite.data.subarray(g * sites, (g + 1) * sites)];
    });
    return { ...ceiling, perSite: { data: Float64Array.from(data), shape } };
  }
  const data = ceiling.perSite.data.map((c, s) =>
    Number.isNaN(c) ? c : rootOf(reliabilityWithin(basis, within[0]!.rows, s)),
  );
  return { ...ceiling, perSite: { data, shape } };
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
    const maps = mapsOf(responses, group, 'pearson');
    const best = bestOtherOf(maps, maps, kind);
    correlations.push(...best);
    for (let s = 0; s < sites; s++)
      if (best[s]! > 0) data[g * sites + s] = best[s]!;
      else
        excluded.push({
          site: siteIds[s]!,
          image: groups.length === 1 ? null : group.name,
          reason: Number.isNaN(best[s]!)
            ? 'no map, or a constant one'
            : `no other site correlates positively (best ${best[s]!.toFixed(3)})`,
        });
  });
  return {
    ...plain,
    perSite: { data, shape: [groups.length, sites] },
    meanOverAllSites: meanOfDefined(correlations),
    excluded,
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
  return { ...plain, perSite: constant(groups.length, sites), overall, meanOverAllSites: overall };
};
