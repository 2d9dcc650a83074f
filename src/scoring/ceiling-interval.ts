// How far a ceiling itself is known: the draws of images and sites that the score's interval rests on, applied to it.

import { standardDeviation } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Interval } from '../records/interval.ts';
import { type Aggregate, aggregate } from './aggregate.ts';
import { bestPairOf, mapsOf, whereBoth } from './best-maps.ts';
import { withoutDivision } from './ceilings.ts';
import { meanOfDefined, medianOfDefined, weightedMeanOfDefined } from './defined.ts';
import { comparedWith } from './evaluate.ts';
import {
  drawsOfGroups,
  drawsOfTables,
  fewImages,
  intervalFromDraws,
  intervalOf,
  perDrawnImage,
  type Resampling,
} from './intervals.ts';
import type { Layout } from './layout.ts';
import type { BinSet } from './response-sets.ts';
import { reliabilityWithin, rootOf } from './split-half.ts';
import { tInterval, tRange } from './two-factor.ts';

/**
 * The interval of the ceiling of a time bin, in the unit of the ceiling; of few images by t over images. Which
 * other site is the best one for a site, and which pair of sites for an image, is held fixed: only images are drawn for
 * `best-pair`. Null where there is no ceiling, for a published one, whose error is not known, for a ceiling that is one number
 * over splits of the trials, and for a single image.
 */
export const ceilingIntervalOf = (
  layout: Layout,
  bin: BinSet,
  resampling: Resampling,
): Interval | null => {
  const { kind } = layout.protocol.ceiling;
  const { ceiling, overallCeiling } = bin;
  const isFixed = kind === 'none' || kind === 'published' || kind === 'median-split-half';
  if (isFixed || Number.isNaN(overallCeiling)) return null;
  if (kind === 'best-pair') return ofBestPair(layout, bin, resampling);
  const aggregated = aggregate(ceiling.perSite, withoutDivision(ceiling), 'r/c');
  if (resampling.overImages) return ofImages(layout, aggregated, resampling);
  return kind === 'split-half'
    ? ofReliabilities(layout, bin, aggregated, resampling)
    : ofPartners(layout, bin, aggregated, resampling);
};

const ofImages = (
  { groups, drawnWith }: Layout,
  aggregated: Aggregate,
  resampling: Resampling,
): Interval | null => {
  const { images, settings } = resampling;
  return images <= fewImages
    ? tInterval(
        perDrawnImage(aggregated.perGroup, { groups, drawnWith }),
        aggregated,
        settings.level,
      )
    : intervalFromDraws(
        resampling,
        aggregated,
        drawsOfGroups(resampling, aggregated.ceiled, groups),
      );
};

const ofBestPair = (
  { groups, siteIds, grid, drawnWith }: Layout,
  { responses }: BinSet,
  { images, rowCounts, settings: { level } }: Resampling,
): Interval | null => {
  const perImage = Float64Array.from(groups, (group) => {
    const maps = mapsOf(responses, group, 'pearson');
    return bestPairOf(maps, maps, grid!.columns);
  });
  const values = perDrawnImage(perImage, { groups, drawnWith });
  if (images <= fewImages) return tInterval(values, { sitesUsed: siteIds.length }, level);
  const draws = rowCounts.map((counts) =>
    weightedMeanOfDefined(
      [...perImage],
      groups.map(({ rows }) => counts[rows[0]!]!),
    ),
  );
  const error = standardDeviation(draws) * Math.sqrt(images / (images - 1));
  const { low, high } = tRange(meanOfDefined(perImage), { error, degrees: images - 1 }, level);
  return {
    ...{ low, high, level, method: 'bootstrap over images', approximate: false },
    n: { images, sites: siteIds.length },
  };
};

/** Split halves over all rows: the ceilings of the draws, or the jackknife over few images. */
const ofReliabilities = (
  { drawnWith }: Layout,
  { table, ceiling }: BinSet,
  aggregated: Aggregate,
  resampling: Resampling,
): Interval | null => {
  const { images, ceilings, settings } = resampling;
  if (images > fewImages)
    return intervalFromDraws(
      resampling,
      aggregated,
      drawsOfTables(
        ceilings!.map((perSite) => [perSite]),
        [ceiling.perSite.data],
        resampling,
      ),
    );
  const without = (image: number): number => {
    const rest = Int32Array.from(table.imageOfRow, (_, row) => row).filter(
      (row) => drawnWith[row] !== image,
    );
    return medianOfDefined(
      ceiling.perSite.data.map((c, site) =>
        Number.isNaN(c) ? c : rootOf(reliabilityWithin(ceiling.basis!, rest, site)),
      ),
    );
  };
  const pseudo = Float64Array.from(
    new Set(drawnWith),
    (image) => images * aggregated.value - (images - 1) * without(image),
  );
  return tInterval(pseudo, aggregated, settings.level);
};

/** Best other sites over all rows: as the interval of a score whose predictions are the other site's responses. */
const ofPartners = (
  layout: Layout,
  { recorded, ceiling }: BinSet,
  aggregated: Aggregate,
  resampling: Resampling,
): Interval | null => {
  const partners = partnersOf(layout, recorded);
  const both: Float64Nd = {
    data: recorded.data.map((value, at) => (Number.isNaN(partners.data[at]!) ? Number.NaN : value)),
    shape: recorded.shape,
  };
  return intervalOf(
    { ...resampling, normalisation: 'r/c' },
    comparedWith(layout, { recorded: both, predicted: partners }),
    withoutDivision(ceiling),
    aggregated,
  );
};

/** The responses of each site's best other one, `[rows, sites]`; NaN where either is missing, or there is none. */
const partnersOf = ({ protocol, groups }: Layout, recorded: Float64Nd): Float64Nd => {
  const sites = recorded.shape[1]!;
  const data = new Float64Array(recorded.data.length).fill(Number.NaN);
  for (const group of groups) {
    const maps = mapsOf(recorded, group, 'pearson');
    for (let site = 0; site < sites; site++) {
      let best: number | null = null;
      let highest = Number.NEGATIVE_INFINITY;
      for (let other = 0; other < sites; other++) {
        const r =
          other === site ? Number.NaN : whereBoth(maps[site]!, maps[other]!, protocol.correlation);
        if (r > highest) [best, highest] = [other, r];
      }
      if (best === null) continue;
      for (const row of group.rows) {
        const [own, theirs] = [row * sites + site, row * sites + best];
        if (!Number.isNaN(recorded.data[own]!)) data[own] = recorded.data[theirs]!;
      }
    }
  }
  return { data, shape: recorded.shape };
};
