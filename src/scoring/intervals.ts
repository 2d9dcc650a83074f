import { createRandom } from '../numeric/random.ts';
import {
  byVariance,
  noiseShare,
  ofScoredMean,
  type SiteTrials,
  variesOtherwise,
} from '../numeric/reliability.ts';
import { mean } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Interval } from '../records/interval.ts';
import type { Protocol } from '../records/protocol.ts';
import { type Aggregate, aggregate, normalised } from './aggregate.ts';
import type { Ceiling, CeilingBasis } from './ceiling.ts';
import { sitesInUse } from './ceilings.ts';
import { type CorrelationKind, correlate } from './correlations.ts';
import { meanOfDefined, medianOfDefined, weightedMeanOfDefined } from './defined.ts';
import type { Group } from './groups.ts';
import type { Layout } from './layout.ts';
import type { Both } from './pooling.ts';
import { correlationIn, sideOf } from './resampled.ts';
import { rootOf, trialsWithin } from './split-half.ts';
import { type TwoFactorDraws, tInterval, twoFactorInterval } from './two-factor.ts';
import { type Counts, centred, takeCounts, weightedPearson } from './weighted.ts';

/** At this many images or fewer a percentile bootstrap covers too little, and a t interval is given (§11). */
export const fewImages = 20;

/** What all layers of a recording share: the draws, and the ceilings within them. */
export interface Resampling {
  readonly settings: Protocol['interval'];
  /** That are drawn: nearly equal ones together, so that these count as one. */
  readonly images: number;
  /** Whether the groups are images, which are drawn as such; else the images within each group are. */
  readonly overImages: boolean;
  readonly normalisation: Protocol['normalisation'];
  /** Per replicate: how often each row is drawn; empty at few images. */
  readonly rowCounts: readonly Counts[];
  /** Sites that are drawn from. */
  readonly inUse: Int32Array;
  readonly siteDraws: readonly Int32Array[];
  /** Per replicate and site, the ceiling in that resample; null where the protocol's ceiling is held fixed. */
  readonly ceilings: readonly Float64Array[] | null;
}

/** The rows of a layout as draws take them. */
export type ResampledRows = Pick<Layout, 'protocol' | 'aggregation' | 'drawnWith' | 'groups'>;

/**
 * Draws images and sites with replacement, the same for all layers (so that layers are compared on the same draws); takes
 * some seconds on large recordings. Images that are nearly equal are drawn together. Where the ceiling is a split-half
 * reliability over all rows, it is computed anew in each draw.
 */
export const prepareResampling = (
  { protocol, aggregation, drawnWith, groups }: ResampledRows,
  ceiling: Ceiling,
  seed: number,
): Resampling => {
  const { interval: settings, normalisation } = protocol;
  const images = [...new Set(drawnWith)];
  const random = createRandom(seed).fork('interval');
  const replicates = images.length <= fewImages ? 0 : settings.replicates;
  const draw = (count: number) => Int32Array.from({ length: count }, () => random.int(count));
  const imageDraws = Array.from({ length: replicates }, () => draw(images.length));
  // Sites that are left out everywhere are not drawn: they would only thin the draws.
  const inUse = sitesInUse(ceiling);
  const siteDraws = Array.from({ length: replicates }, () =>
    draw(inUse.length).map((index) => inUse[index]!),
  );
  const place = new Map(images.map((image, index) => [image, index]));
  const rowCounts = imageDraws.map((drawn) => {
    const perImage = new Float64Array(images.length);
    for (const index of drawn) perImage[index]! += 1;
    return Float64Array.from(drawnWith, (image) => perImage[place.get(image)!]!);
  });
  const overRows = groups.length === 1 && ceiling.basis !== null;
  return {
    settings,
    images: images.length,
    overImages: aggregation.over === 'images',
    normalisation,
    rowCounts,
    inUse,
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
  const [first] = rowCounts;
  if (first === undefined) return [];
  const sites = perSite.shape[1]!;
  const all = Int32Array.from(first, (_, row) => row);
  const result = rowCounts.map(() => new Float64Array(sites).fill(Number.NaN));
  let drawn: DrawnRows | undefined;
  for (let s = 0; s < sites; s++) {
    if (Number.isNaN(perSite.data[s]!)) continue;
    const trials = trialsWithin(basis, all, s);
    const a = trials.first.map(centred);
    const b = trials.second.map(centred);
    const otherwise = variesOtherwise(trials);
    drawn = drawn?.isOf(trials) ? drawn : drawnRows(trials, rowCounts);
    const { within, repeated, lambda } = drawn;
    for (let replicate = 0; replicate < rowCounts.length; replicate++) {
      const ofHalves = (): number => {
        const counts = repeated(replicate);
        const r = mean(a.map((half, split) => weightedPearson(half, b[split]!, counts)));
        return ofScoredMean(r, lambda(replicate));
      };
      result[replicate]![s] = rootOf(
        otherwise ? byVariance(trials, within(replicate)) : ofHalves(),
      );
    }
  }
  return result;
};

/** What draws of rows are for a site, and for all others with the same rows and numbers of trials. */
interface DrawnRows {
  readonly isOf: (trials: SiteTrials) => boolean;
  readonly within: (replicate: number) => Counts;
  readonly repeated: (replicate: number) => Counts;
  readonly lambda: (replicate: number) => number;
}

const drawnRows = (trials: SiteTrials, rowCounts: readonly Counts[]): DrawnRows => {
  const { rows, counts } = trials;
  const twice = trials.repeated.map((place) => rows[place]!);
  const length = rowCounts[0]!.length;
  const takenAt = (replicate: number, of: Int32Array): Counts =>
    of.length === length ? rowCounts[replicate]! : takeCounts(rowCounts[replicate]!, of);
  const within = (replicate: number): Counts => takenAt(replicate, rows);
  const lambdas = rowCounts.map((_, replicate) => noiseShare(trials, within(replicate)));
  return {
    isOf: (other) => areEqual(rows, other.rows) && areEqual(counts, other.counts),
    within,
    repeated: (replicate) => takenAt(replicate, twice),
    lambda: (replicate) => lambdas[replicate]!,
  };
};

const areEqual = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

/** What is correlated, rows in the same order. */
export interface Compared extends Both {
  /** Rows with the same number are drawn together: those of an image, and of nearly equal images. */
  readonly drawnWith: Int32Array;
  /** Rows that are correlated together. */
  readonly groups: readonly Group[];
  readonly correlation: CorrelationKind;
}

/**
 * 95 % (or `settings.level`) interval of a layer's value, on stored held-out predictions, conditional on the fits.
 * Few images: a t interval over images (over the jackknife's pseudo-values where the correlation is over all rows), which is
 * about these sites. Otherwise the two-factor bootstrap over images and sites. Null where the value itself is not defined.
 */
export const intervalOf = (
  resampling: Resampling,
  compared: Compared,
  ceiling: Ceiling,
  aggregated: Aggregate,
): Interval | null => {
  if (Number.isNaN(aggregated.value)) return null;
  const { settings, images, overImages, normalisation } = resampling;
  if (images <= fewImages) {
    const values = overImages
      ? perDrawnImage(aggregated.perGroup, compared)
      : pseudoValues(
          compared,
          aggregated.value,
          (correlations) => aggregate(correlations, ceiling, normalisation).value,
        );
    return tInterval(values, aggregated, settings.level);
  }
  const draws = overImages
    ? drawsOfGroups(resampling, aggregated.ceiled, compared.groups)
    : drawsOfRows(resampling, compared, ceiling, aggregated.ceiled);
  return intervalFromDraws(resampling, aggregated, draws);
};

/** The interval of a value from its draws. */
export const intervalFromDraws = (
  { settings: { level }, images }: Resampling,
  { value, sitesUsed }: Pick<Aggregate, 'value' | 'sitesUsed'>,
  draws: TwoFactorDraws,
): Interval | null => twoFactorInterval(value, draws, { images, sites: sitesUsed }, level);

/** One value for each image that is drawn, the mean of nearly equal ones; images without a value are left out. */
export const perDrawnImage = (
  perGroup: Float64Array,
  {
    groups,
    drawnWith,
  }: {
    readonly groups: readonly Pick<Group, 'rows'>[];
    readonly drawnWith: Int32Array;
  },
): Float64Array => {
  const together = new Map<number, number[]>();
  groups.forEach(({ rows }, g) => {
    const drawn = drawnWith[rows[0]!]!;
    together.set(drawn, [...(together.get(drawn) ?? []), perGroup[g]!]);
  });
  return Float64Array.from(together.values(), meanOfDefined).filter(
    (value) => !Number.isNaN(value),
  );
};

/** Jackknife over images: n·value − (n − 1)·value without image i. The ceiling is held fixed. */
const pseudoValues = (
  { recorded, predicted, drawnWith, groups, correlation }: Compared,
  value: number,
  valueOfCorrelations: (correlations: Float64Nd) => number,
): Float64Array => {
  const images = [...new Set(drawnWith)];
  return Float64Array.from(images, (image) => {
    const rest = groups.map(({ name, rows }) => ({
      name,
      rows: rows.filter((row) => drawnWith[row] !== image),
    }));
    const without = valueOfCorrelations(correlate(recorded, predicted, rest, correlation));
    return images.length * value - (images.length - 1) * without;
  });
};

/** `[groups, sites]`, a row for each group. */
const rowsOf = ({ data, shape: [groups = 0, sites = 0] }: Float64Nd): Float64Array[] =>
  Array.from(
    { length: groups },
    (_, g) => data.subarray(g * sites, (g + 1) * sites) as Float64Array,
  );

/** Draws of images within each group: median over sites of what a site has there, mean over groups. */
const drawsOfRows = (
  { rowCounts, siteDraws, inUse, ceilings, normalisation }: Resampling,
  { recorded, predicted, groups, correlation }: Compared,
  ceiling: Ceiling,
  whole: Float64Nd,
): TwoFactorDraws => {
  const sites = recorded.shape[1]!;
  const { overall } = ceiling;
  // In each draw, one row of sites for each group.
  const tables = rowCounts.map(() => groups.map(() => new Float64Array(sites).fill(Number.NaN)));
  groups.forEach(({ rows }, g) => {
    const drawn =
      groups.length === 1 ? rowCounts : rowCounts.map((counts) => takeCounts(counts, rows));
    for (let s = 0; s < sites; s++) {
      if (Number.isNaN(ceiling.perSite.data[s]!)) continue;
      const x = sideOf(recorded, s, rows, correlation);
      const y = sideOf(predicted, s, rows, correlation);
      drawn.forEach((counts, draw) => {
        const c = ceilings === null ? ceiling.perSite.data : ceilings[draw]!;
        const r = correlationIn(x, y, counts);
        // A ceiling for all sites comes after aggregation.
        tables[draw]![g]![s] = overall === null ? normalised(r, c[s]!, normalisation) : r;
      });
    }
  });
  const undrawn = overall === null ? whole : correlate(recorded, predicted, groups, correlation);
  return drawsOfTables(tables, rowsOf(undrawn), { siteDraws, inUse }, (value) =>
    overall === null ? value : normalised(value, overall, normalisation),
  );
};

/**
 * Draws of images, whose tables are given (for each draw and group a row of sites), of sites, and of both: mean over groups
 * of the median over sites.
 *
 * @param whole the same with nothing drawn.
 */
export const drawsOfTables = (
  tables: readonly (readonly Float64Array[])[],
  whole: readonly Float64Array[],
  { siteDraws, inUse }: Pick<Resampling, 'siteDraws' | 'inUse'>,
  finish: (value: number) => number = (value) => value,
): TwoFactorDraws => {
  const meanOfMedians = (table: readonly Float64Array[], sites: Int32Array): number =>
    finish(meanOfDefined(table.map((row) => medianOfDefined(takeCounts(row, sites)))));
  return {
    images: tables.map((table) => meanOfMedians(table, inUse)),
    sites: siteDraws.map((sites) => meanOfMedians(whole, sites)),
    joint: tables.map((table, draw) => meanOfMedians(table, siteDraws[draw]!)),
  };
};

/** Drawn images of drawn sites: mean over images of the median over sites of a table `[images, sites]`. */
export const drawsOfGroups = (
  { rowCounts, siteDraws, inUse }: Pick<Resampling, 'rowCounts' | 'siteDraws' | 'inUse'>,
  ceiled: Float64Nd,
  groups: readonly Group[],
): TwoFactorDraws => {
  const rows = rowsOf(ceiled);
  const mediansOf = (sites: Int32Array): number[] =>
    rows.map((row) => medianOfDefined(takeCounts(row, sites)));
  const ofAll = mediansOf(inUse);
  const ofDrawn = siteDraws.map(mediansOf);
  const over = (medians: readonly number[], counts: Counts): number =>
    weightedMeanOfDefined(
      medians,
      groups.map((group) => counts[group.rows[0]!]!),
    );
  return {
    images: rowCounts.map((counts) => over(ofAll, counts)),
    sites: ofDrawn.map(meanOfDefined),
    joint: rowCounts.map((counts, draw) => over(ofDrawn[draw]!, counts)),
  };
};
