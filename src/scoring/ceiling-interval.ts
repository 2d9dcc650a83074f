// How far a ceiling itself is known: the draws of images and sites that the score's interval rests on, applied to it.

import type { Float64Nd } from '../records/array.ts';
import type { Interval } from '../records/score.ts';
import { type Aggregate, aggregate } from './aggregate.ts';
import { bestPairOf, mapsOf, whereBoth } from './best-maps.ts';
import { withoutDivision } from './ceilings.ts';
import { meanOfDefined, medianOfDefined } from './defined.ts';
import { comparedWith } from './evaluate.ts';
import {
  fewImages,
  intervalOf,
  percentileInterval,
  type Resampling,
  replicatesOverGroups,
  tInterval,
} from './intervals.ts';
import type { Layout } from './layout.ts';
import type { BinSet } from './response-sets.ts';
import { reliabilityWithin, rootOf } from './split-half.ts';

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
  const { ceiling, level } = bin;
  const isFixed = kind === 'none' || kind === 'published' || kind === 'median-split-half';
  if (isFixed || Number.isNaN(level)) return null;
  if (kind === 'best-pair') return ofBestPair(layout, bin, resampling);
  const figures = aggregate(ceiling.perSite, withoutDivision(ceiling), 'r/c');
  if (resampling.overImages) return ofImages(figures, resampling);
  return kind === 'split-half'
    ? ofReliabilities(bin, figures, resampling)
    : ofPartners(layout, bin, figures, resampling);
};

const ofImages = (figures: Aggregate, resampling: Resampling): Interval | null => {
  const { images, settings } = resampling;
  if (images <= fewImages)
    return tInterval(
      figures.perGroup.filter((value) => !Number.isNaN(value)),
      figures,
      settings.level,
    );
  return percentileInterval(replicatesOverGroups(resampling, figures.ceiled), resampling, figures);
};

const ofBestPair = (
  { groups, siteIds, grid }: Layout,
  { responses }: BinSet,
  resampling: Resampling,
): Interval | null => {
  const perImage = Float64Array.from(groups, (group) => {
    const maps = mapsOf(responses, group, 'pearson');
    return bestPairOf(maps, maps, grid!.columns);
  });
  const figures = { sitesUsed: siteIds.length };
  if (resampling.images <= fewImages)
    return tInterval(
      perImage.filter((value) => !Number.isNaN(value)),
      figures,
      resampling.settings.level,
    );
  const replicates = resampling.imageDraws.map((drawn) =>
    meanOfDefined(Array.from(drawn, (image) => perImage[image]!)),
  );
  const interval = percentileInterval(replicates, resampling, figures);
  return interval && { ...interval, method: 'bootstrap over images' };
};

/** Split halves over all rows: the ceilings of the draws, or the jackknife over few images. */
const ofReliabilities = (
  { table, ceiling }: BinSet,
  figures: Aggregate,
  resampling: Resampling,
): Interval | null => {
  const { images, siteDraws, ceilings, settings } = resampling;
  if (images > fewImages) {
    const replicates = ceilings!.map((perSite, replicate) =>
      medianOfDefined(Array.from(siteDraws[replicate]!, (site) => perSite[site]!)),
    );
    return percentileInterval(replicates, resampling, figures);
  }
  const without = (image: number): number => {
    const rest = Int32Array.from(table.imageOfRow, (_, row) => row).filter(
      (row) => table.imageOfRow[row] !== image,
    );
    return medianOfDefined(
      ceiling.perSite.data.map((c, site) =>
        Number.isNaN(c) ? c : rootOf(reliabilityWithin(ceiling.basis!, rest, site)),
      ),
    );
  };
  const pseudo = Float64Array.from(
    new Set(table.imageOfRow),
    (image) => images * figures.value - (images - 1) * without(image),
  );
  return tInterval(pseudo, figures, settings.level);
};

/** Best other sites over all rows: as the interval of a score whose predictions are the other site's responses. */
const ofPartners = (
  layout: Layout,
  { recorded, ceiling }: BinSet,
  figures: Aggregate,
  resampling: Resampling,
): Interval | null => {
  const partners = partnersOf(layout, recorded);
  const both: Float64Nd = {
    data: recorded.data.map((value, at) => (Number.isNaN(partners.data[at]!) ? Number.NaN : value)),
    shape: recorded.shape,
  };
  return intervalOf(
    { ...resampling, normalisation: 'r/c' },
    comparedWith(layout, both, partners),
    withoutDivision(ceiling),
    figures,
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
