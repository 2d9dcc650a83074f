import { createRandom } from '../numeric/random.ts';
import { type HalfMeans, spearmanBrown } from '../numeric/reliability.ts';
import { mean, pearson, quantile, standardDeviation, tQuantile } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Protocol } from '../records/protocol.ts';
import type { Interval } from '../records/score.ts';
import { type Aggregate, medianOfDefined } from './aggregate.ts';
import type { Ceiling } from './ceilings.ts';
import { type CorrelationKind, scaled } from './correlations.ts';
import { columnAt, type Group } from './groups.ts';
import { ascending, type Counts, centred, weightedPearson, weightedRanks } from './weighted.ts';

/** At this many images or fewer a percentile bootstrap covers too little, and a t interval is given (§11). */
export const fewImages = 20;

/** What all layers of a recording share: the draws, and the ceilings within them. */
export interface Resampling {
  readonly settings: Protocol['interval'];
  readonly images: number;
  readonly sites: number;
  /** Per replicate: how often each row is drawn; empty at few images. */
  readonly rowCounts: readonly Counts[];
  /** Per replicate: how often each group (image) is drawn, for aggregation over images. */
  readonly imageDraws: readonly Int32Array[];
  readonly siteDraws: readonly Int32Array[];
  /** Per replicate and site, the ceiling in that resample; null where the protocol's ceiling is held fixed. */
  readonly ceilings: readonly Float64Array[] | null;
}

/**
 * Draws images and sites with replacement, jointly, the same for all layers (so that layers are compared on the same
 * draws). Where the ceiling is a split-half reliability over all rows, it is computed anew in each draw.
 */
export const prepareResampling = (
  settings: Protocol['interval'],
  imageOfRow: Int32Array,
  sites: number,
  groups: readonly Group[],
  ceiling: Ceiling,
  seed: number,
): Resampling => {
  const images = [...new Set(imageOfRow)];
  const random = createRandom(seed).fork('interval');
  const replicates = images.length <= fewImages ? 0 : settings.replicates;
  const draw = (count: number) => Int32Array.from({ length: count }, () => random.int(count));
  const imageDraws = Array.from({ length: replicates }, () => draw(images.length));
  // Sites that are left out everywhere are not drawn: they would only thin the draws.
  const usable = Int32Array.from({ length: sites }, (_, site) => site).filter((site) =>
    groups.some((_, g) => !Number.isNaN(ceiling.perSite.data[g * sites + site]!)),
  );
  const siteDraws = Array.from({ length: replicates }, () =>
    draw(usable.length).map((index) => usable[index]!),
  );
  const place = new Map(images.map((image, index) => [image, index]));
  const rowCounts = imageDraws.map((drawn) => {
    const perImage = new Float64Array(images.length);
    for (const index of drawn) perImage[index]! += 1;
    return Float64Array.from(imageOfRow, (image) => perImage[place.get(image)!]!);
  });
  const overRows = groups.length === 1 && ceiling.halves !== null;
  return {
    settings,
    images: images.length,
    sites,
    rowCounts,
    imageDraws,
    siteDraws,
    ceilings: overRows ? resampledCeilings(ceiling.halves!, ceiling.perSite, rowCounts) : null,
  };
};

const takeCounts = (counts: Counts, rows: Int32Array): Counts => {
  const taken = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = counts[rows[i]!]!;
  return taken;
};

const resampledCeilings = (
  { first, second }: HalfMeans,
  perSite: Float64Nd,
  rowCounts: readonly Counts[],
): Float64Array[] => {
  const sites = perSite.shape[1]!;
  const result = rowCounts.map(() => new Float64Array(sites).fill(Number.NaN));
  for (let s = 0; s < sites; s++) {
    if (Number.isNaN(perSite.data[s]!)) continue;
    const there = Int32Array.from(rowCounts[0] ?? [], (_, row) => row).filter(
      (row) => !Number.isNaN(first[0]!.data[row * sites + s]!),
    );
    const a = first.map((half) => centred(columnAt(half, s, there)));
    const b = second.map((half) => centred(columnAt(half, s, there)));
    rowCounts.forEach((counts, replicate) => {
      const within = there.length === counts.length ? counts : takeCounts(counts, there);
      const reliability = mean(
        a.map((half, split) => spearmanBrown(weightedPearson(half, b[split]!, within))),
      );
      if (reliability > 0) result[replicate]![s] = Math.sqrt(reliability);
    });
  }
  return result;
};

/**
 * 95 % (or `settings.level`) interval of a layer's value, on stored held-out predictions, conditional on the fits.
 * Few images: a t interval over images (over the jackknife's pseudo-values where the correlation is over all rows).
 * Otherwise the percentile bootstrap over images and sites. Null where the value itself is not defined.
 */
export const intervalOf = (
  resampling: Resampling,
  recorded: Float64Nd,
  predicted: Float64Nd,
  imageOfRow: Int32Array,
  groups: readonly Group[],
  kind: CorrelationKind,
  ceiling: Ceiling,
  aggregate: Aggregate,
): Interval | null => {
  if (Number.isNaN(aggregate.value)) return null;
  const { settings, images } = resampling;
  const overSites = groups.length === 1;
  if (images <= fewImages) {
    const values = overSites
      ? pseudoValues(recorded, predicted, imageOfRow, kind, ceiling, aggregate.value)
      : aggregate.perGroup.filter((value) => !Number.isNaN(value));
    return tInterval(values, aggregate, settings.level);
  }
  const replicates = overSites
    ? replicatesOverRows(resampling, recorded, predicted, kind, ceiling)
    : replicatesOverGroups(resampling, aggregate.ceiled);
  const known = replicates.filter((value) => !Number.isNaN(value));
  const tail = (1 - settings.level) / 2;
  return {
    low: quantile(known, tail),
    high: quantile(known, 1 - tail),
    level: settings.level,
    method: 'bootstrap over images and sites',
    images,
    sites: aggregate.sitesUsed,
    approximate: false,
  };
};

const tInterval = (values: Float64Array, aggregate: Aggregate, level: number): Interval | null => {
  const n = values.length;
  if (n < 2) return null;
  const half = (tQuantile(1 - (1 - level) / 2, n - 1) * standardDeviation(values)) / Math.sqrt(n);
  const centre = mean(values);
  return {
    low: centre - half,
    high: centre + half,
    level,
    method: 't over images',
    images: n,
    sites: aggregate.sitesUsed,
    approximate: true,
  };
};

/** Jackknife over images: n·value − (n − 1)·value without image i. The ceiling is held fixed. */
const pseudoValues = (
  recorded: Float64Nd,
  predicted: Float64Nd,
  imageOfRow: Int32Array,
  kind: CorrelationKind,
  ceiling: Ceiling,
  value: number,
): Float64Array => {
  const images = [...new Set(imageOfRow)];
  const rows = Int32Array.from(imageOfRow, (_, row) => row);
  const sites = recorded.shape[1]!;
  return Float64Array.from(images, (image) => {
    const rest = rows.filter((row) => imageOfRow[row] !== image);
    const ceiled = Float64Array.from(
      { length: sites },
      (_, s) =>
        pearson(
          scaled(columnAt(recorded, s, rest), kind),
          scaled(columnAt(predicted, s, rest), kind),
        ) / ceiling.perSite.data[s]!,
    );
    return images.length * value - (images.length - 1) * medianOfDefined(ceiled);
  });
};

const replicatesOverRows = (
  { rowCounts, siteDraws, ceilings }: Resampling,
  recorded: Float64Nd,
  predicted: Float64Nd,
  kind: CorrelationKind,
  ceiling: Ceiling,
): number[] => {
  const [rowTotal, sites] = recorded.shape as [number, number];
  const rows = Int32Array.from({ length: rowTotal }, (_, row) => row);
  const ceiled = rowCounts.map(() => new Float64Array(sites).fill(Number.NaN));
  for (let s = 0; s < sites; s++) {
    if (Number.isNaN(ceiling.perSite.data[s]!)) continue;
    const x = centred(columnAt(recorded, s, rows));
    const y = centred(columnAt(predicted, s, rows));
    const orderX = kind === 'spearman' ? ascending(x) : null;
    const orderY = kind === 'spearman' ? ascending(y) : null;
    rowCounts.forEach((counts, replicate) => {
      const r =
        orderX === null || orderY === null
          ? weightedPearson(x, y, counts)
          : weightedPearson(
              weightedRanks(x, orderX, counts),
              weightedRanks(y, orderY, counts),
              counts,
            );
      const c = ceilings === null ? ceiling.perSite.data : ceilings[replicate]!;
      ceiled[replicate]![s] = r / c[s]!;
    });
  }
  return ceiled.map((values, replicate) =>
    medianOfDefined(Array.from(siteDraws[replicate]!, (s) => values[s]!)),
  );
};

const replicatesOverGroups = (
  { imageDraws, siteDraws }: Resampling,
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
