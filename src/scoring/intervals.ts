import { createRandom } from '../numeric/random.ts';
import { byVariance, noiseShare, ofScoredMean, variesOtherwise } from '../numeric/reliability.ts';
import { mean, percentileRange, standardDeviation, tQuantile } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Protocol } from '../records/protocol.ts';
import type { Interval } from '../records/score.ts';
import { type Aggregate, aggregate, normalised } from './aggregate.ts';
import type { Ceiling, CeilingBasis } from './ceiling.ts';
import { sitesInUse } from './ceilings.ts';
import { type CorrelationKind, correlate } from './correlations.ts';
import { meanOfDefined, medianOfDefined } from './defined.ts';
import type { Group } from './groups.ts';
import type { Layout } from './layout.ts';
import { correlationIn, sideOf } from './resampled.ts';
import { rootOf, trialsWithin } from './split-half.ts';
import { type Counts, centred, takeCounts, weightedPearson } from './weighted.ts';

/** At this many images or fewer a percentile bootstrap covers too little, and a t interval is given (§11). */
export const fewImages = 20;

/** What all layers of a recording share: the draws, and the ceilings within them. */
export interface Resampling {
  readonly settings: Protocol['interval'];
  readonly images: number;
  readonly sites: number;
  /** Whether the groups are images, which are drawn as such; else the images within each group are. */
  readonly overImages: boolean;
  readonly normalisation: Protocol['normalisation'];
  /** Per replicate: how often each row is drawn; empty at few images. */
  readonly rowCounts: readonly Counts[];
  /** Per replicate: how often each group (image) is drawn, for aggregation over images. */
  readonly imageDraws: readonly Int32Array[];
  readonly siteDraws: readonly Int32Array[];
  /** Per replicate and site, the ceiling in that resample; null where the protocol's ceiling is held fixed. */
  readonly ceilings: readonly Float64Array[] | null;
}

/** The rows of a layout as draws take them. */
export type ResampledRows = Pick<
  Layout,
  'protocol' | 'aggregation' | 'imageOfScored' | 'siteIds' | 'groups'
>;

/**
 * Draws images and sites with replacement, jointly, the same for all layers (so that layers are compared on the same
 * draws); takes some seconds on large recordings. Where the ceiling is a split-half reliability over all rows, it is
 * computed anew in each draw.
 */
export const prepareResampling = (
  { protocol, aggregation, imageOfScored, siteIds, groups }: ResampledRows,
  ceiling: Ceiling,
  seed: number,
): Resampling => {
  const { interval: settings, normalisation } = protocol;
  const images = [...new Set(imageOfScored)];
  const random = createRandom(seed).fork('interval');
  const replicates = images.length <= fewImages ? 0 : settings.replicates;
  const draw = (count: number) => Int32Array.from({ length: count }, () => random.int(count));
  const imageDraws = Array.from({ length: replicates }, () => draw(images.length));
  // Sites that are left out everywhere are not drawn: they would only thin the draws.
  const usable = sitesInUse(ceiling);
  const siteDraws = Array.from({ length: replicates }, () =>
    draw(usable.length).map((index) => usable[index]!),
  );
  const place = new Map(images.map((image, index) => [image, index]));
  const rowCounts = imageDraws.map((drawn) => {
    const perImage = new Float64Array(images.length);
    for (const index of drawn) perImage[index]! += 1;
    return Float64Array.from(imageOfScored, (image) => perImage[place.get(image)!]!);
  });
  const overRows = groups.length === 1 && ceiling.basis !== null;
  return {
    settings,
    images: images.length,
    sites: siteIds.length,
    overImages: aggregation.over === 'images',
    normalisation,
    rowCounts,
    imageDraws,
    siteDraws,
    ceilings: overRows ? resampledCeilings(ceiling.basis!, ceiling.perSite, rowCounts) : null,
  };
};

/** Every site's ceiling in each draw of rows: r, λ and ρ computed anew on the rows that the ceiling is of. */
const resampledCeilings = (
  basis: CeilingBasis,
  perSite: Float64Nd,
  rowCounts: readonly Counts[],
): Float64Array[] => {
  const sites = perSite.shape[1]!;
  const all = Int32Array.from(rowCounts[0] ?? [], (_, row) => row);
  const result = rowCounts.map(() => new Float64Array(sites).fill(Number.NaN));
  for (let s = 0; s < sites; s++) {
    if (Number.isNaN(perSite.data[s]!)) continue;
    const trials = trialsWithin(basis, all, s);
    const a = trials.first.map(centred);
    const b = trials.second.map(centred);
    const otherwise = variesOtherwise(trials);
    const twice = trials.repeated.map((place) => trials.rows[place]!);
    rowCounts.forEach((counts, replicate) => {
      const within = takeCounts(counts, trials.rows);
      const ofHalves = (): number => {
        const repeated = takeCounts(counts, twice);
        const r = mean(a.map((half, split) => weightedPearson(half, b[split]!, repeated)));
        return ofScoredMean(r, noiseShare(trials, within));
      };
      result[replicate]![s] = rootOf(otherwise ? byVariance(trials, within) : ofHalves());
    });
  }
  return result;
};

/** What is correlated, rows in the same order. */
export interface Compared {
  /** `[rows, sites]`. */
  readonly recorded: Float64Nd;
  readonly predicted: Float64Nd;
  readonly imageOfRow: Int32Array;
  /** Rows that are correlated together. */
  readonly groups: readonly Group[];
  readonly correlation: CorrelationKind;
}

/**
 * 95 % (or `settings.level`) interval of a layer's value, on stored held-out predictions, conditional on the fits.
 * Few images: a t interval over images (over the jackknife's pseudo-values where the correlation is over all rows).
 * Otherwise the percentile bootstrap over images and sites. Null where the value itself is not defined.
 */
export const intervalOf = (
  resampling: Resampling,
  compared: Compared,
  ceiling: Ceiling,
  figures: Aggregate,
): Interval | null => {
  if (Number.isNaN(figures.value)) return null;
  const { settings, images, overImages, normalisation } = resampling;
  if (images <= fewImages) {
    const values = overImages
      ? figures.perGroup.filter((value) => !Number.isNaN(value))
      : pseudoValues(
          compared,
          figures.value,
          (correlations) => aggregate(correlations, ceiling, normalisation).value,
        );
    return tInterval(values, figures, settings.level);
  }
  const replicates = overImages
    ? replicatesOverGroups(resampling, figures.ceiled)
    : replicatesOverRows(resampling, compared, ceiling);
  return percentileInterval(replicates, resampling, figures);
};

/** The percentile interval of what the replicates gave; those that are not defined do not count. Null where none is. */
export const percentileInterval = (
  replicates: readonly number[],
  { settings: { level }, images }: Resampling,
  { sitesUsed }: Pick<Aggregate, 'sitesUsed'>,
): Interval | null => {
  const range = percentileRange(replicates, level);
  if (Number.isNaN(range.low)) return null;
  return {
    ...range,
    level,
    method: 'bootstrap over images and sites',
    images,
    sites: sitesUsed,
    approximate: false,
  };
};

/** The t interval of a mean over images; null for fewer than two, and where one of them is not defined. */
export const tInterval = (
  values: Float64Array,
  { sitesUsed }: Pick<Aggregate, 'sitesUsed'>,
  level: number,
): Interval | null => {
  const n = values.length;
  if (n < 2 || values.some(Number.isNaN)) return null;
  const half = (tQuantile(1 - (1 - level) / 2, n - 1) * standardDeviation(values)) / Math.sqrt(n);
  const centre = mean(values);
  return {
    low: centre - half,
    high: centre + half,
    level,
    method: 't over images',
    images: n,
    sites: sitesUsed,
    approximate: true,
  };
};

/** Jackknife over images: n·value − (n − 1)·value without image i. The ceiling is held fixed. */
const pseudoValues = (
  { recorded, predicted, imageOfRow, groups, correlation }: Compared,
  value: number,
  valueOfCorrelations: (correlations: Float64Nd) => number,
): Float64Array => {
  const images = [...new Set(imageOfRow)];
  return Float64Array.from(images, (image) => {
    const rest = groups.map(({ name, rows }) => ({
      name,
      rows: rows.filter((row) => imageOfRow[row] !== image),
    }));
    const without = valueOfCorrelations(correlate(recorded, predicted, rest, correlation));
    return images.length * value - (images.length - 1) * without;
  });
};

/** Draws of images within each group: median over the drawn sites of what a site has there, mean over groups. */
const replicatesOverRows = (
  { rowCounts, siteDraws, ceilings, normalisation }: Resampling,
  { recorded, predicted, groups, correlation }: Compared,
  ceiling: Ceiling,
): number[] => {
  const sites = recorded.shape[1]!;
  const medians = groups.map(({ rows }) => {
    const ceiled = rowCounts.map(() => new Float64Array(sites).fill(Number.NaN));
    const drawn =
      groups.length === 1 ? rowCounts : rowCounts.map((counts) => takeCounts(counts, rows));
    for (let s = 0; s < sites; s++) {
      if (Number.isNaN(ceiling.perSite.data[s]!)) continue;
      const x = sideOf(recorded, s, rows, correlation);
      const y = sideOf(predicted, s, rows, correlation);
      drawn.forEach((counts, replicate) => {
        const r = correlationIn(x, y, counts);
        const c = ceilings === null ? ceiling.perSite.data : ceilings[replicate]!;
        // A ceiling for all sites is taken into account after aggregation.
        ceiled[replicate]![s] = r / c[s]!;
      });
    }
    return ceiled.map((values, replicate) =>
      medianOfDefined(Array.from(siteDraws[replicate]!, (s) => values[s]!)),
    );
  });
  return rowCounts.map((_, replicate) => {
    const value = meanOfDefined(medians.map((each) => each[replicate]!));
    return ceiling.overall === null ? value : normalised(value, ceiling.overall, normalisation);
  });
};

/** Drawn images of drawn sites: mean over images of the median over sites of a table `[images, sites]`. */
export const replicatesOverGroups = (
  { imageDraws, siteDraws }: Pick<Resampling, 'imageDraws' | 'siteDraws'>,
  ceiled: Float64Nd,
): number[] => {
  const sites = ceiled.shape[1]!;
  return imageDraws.map((drawn, replicate) => {
    const chosen = siteDraws[replicate]!;
    const medians = new Map<number, number>();
    const medianOf = (g: number): number =>
      medianOfDefined(Array.from(chosen, (s) => ceiled.data[g * sites + s]!));
    for (const g of drawn) if (!medians.has(g)) medians.set(g, medianOf(g));
    const values = Array.from(drawn, (g) => medians.get(g)!).filter(
      (value) => !Number.isNaN(value),
    );
    return mean(values);
  });
};
