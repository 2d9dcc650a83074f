import { type HalfMeans, halves, spearmanBrown } from '../numeric/reliability.ts';
import { mean, pearson } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { CeilingSettings } from '../records/protocol.ts';
import type { FixationGrid } from '../records/recording.ts';
import type { ExcludedSite } from '../records/score.ts';
import { bestOther, bestPairOf, mapsOf, meanOfDefined } from './best-maps.ts';
import type { CorrelationKind } from './correlations.ts';
import { columnAt, type Group } from './groups.ts';
import type { ResponseTable } from './responses.ts';

/** What a perfect model could reach, by the protocol's definition (recipes of [L23] and of split halves). */
export interface Ceiling {
  /** `[groups, sites]`; NaN where a site is left out of that group. All 1 where there is no ceiling per site. */
  readonly perSite: Float64Nd;
  /** One number for all, where the protocol divides after aggregation (`best-pair`); else null. */
  readonly overall: number | null;
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

/** Computes the ceiling of a recording's table. Input error: split halves without repeated trials. */
export const ceilingOf = (
  settings: CeilingSettings,
  table: ResponseTable,
  groups: readonly Group[],
  siteIds: readonly string[],
  kind: CorrelationKind,
  grid: FixationGrid | null,
  seed: number,
): Ceiling => {
  switch (settings.kind) {
    case 'split-half':
      return splitHalf(settings, table, groups, siteIds, seed);
    case 'best-other-site':
      return bestOtherSite(table.mean, groups, siteIds, kind);
    case 'best-pair':
      return bestPair(table.mean, groups, grid);
    case 'none':
      return {
        perSite: constant(groups.length, siteIds.length),
        overall: null,
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
  if (table.trials.shape[1]! < 2)
    throw inputError({
      where: 'protocol: ceiling.kind',
      expected: 'a recording with repeated trials for split-half',
      got: 'one response per stimulus',
      mend: 'write a protocol file (ventral protocols image-cv) with another ceiling: {"kind": "none"}, or best-other-site on grids',
    });
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
    strength: meanOfDefined(reliabilities),
    excluded,
    halves: halved,
  };
};

/** Mean over splits of the Spearman–Brown-corrected Pearson between the half means, over the given rows. */
const reliabilityOf = ({ first, second }: HalfMeans, rows: Int32Array, site: number): number => {
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
    strength: overall,
    excluded: [],
    halves: null,
  };
};
