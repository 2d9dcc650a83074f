import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { LayerPredictions } from '../records/layer-predictions.ts';
import type { LayerScore, Score } from '../records/score.ts';
import { normalised } from '../scoring/aggregate.ts';
import { aggregationOf } from '../scoring/aggregation.ts';
import { correlate } from '../scoring/correlations.ts';
import { meanOfDefined, medianOfDefined, weightedMeanOfDefined } from '../scoring/defined.ts';
import { type Group, imagesOf } from '../scoring/groups.ts';
import { aroundOtherFolds } from '../scoring/pooling.ts';
import { correlationIn, type Side, sideOf } from '../scoring/resampled.ts';
import { type Counts, takeCounts } from '../scoring/weighted.ts';

/** One area's score as it was read, with the held-out predictions of its layers where they were kept. */
export interface AreaScores {
  /** File, for messages. */
  readonly file: string;
  readonly score: Score;
  readonly predictions: LayerPredictions | null;
}

/** All layers of one score, to be valued anew in a resample of what was drawn. */
export interface LayerResampler {
  readonly what: 'images and sites' | 'images' | 'sites';
  /** Ids of the images that are drawn; none where they are held fixed. */
  readonly images: readonly string[];
  /** By image, the one that it is drawn together with, where it is another. */
  readonly drawnWith: ReadonlyMap<string, string>;
  /** Number of sites that are drawn from. */
  readonly sites: number;
  /** The value of each layer with image i counted `images[i]` times and these sites drawn; NaN where not defined. */
  readonly valuesIn: (images: Counts, sites: Int32Array) => Float64Array;
}

/**
 * With predictions: images and sites. From the score file alone: images where folds are images, else sites, which holds
 * the images fixed. Input error: predictions of another score.
 */
export const layerResampler = ({ file, score, predictions }: AreaScores): LayerResampler => {
  const overImages = aggregationOf(score.protocol).over === 'images';
  if (predictions === null) return overImages ? fromFolds(score) : fromSites(score);
  checkPredictions(file, score, predictions);
  return overImages ? fromMaps(score, predictions) : fromRows(score, predictions);
};

const checkPredictions = (
  file: string,
  { layers, protocol }: Score,
  kept: LayerPredictions,
): void => {
  const [rows, sites] = [kept.stimulusIds.length, kept.siteIds.length];
  const overRows = aggregationOf(protocol).over === 'rows';
  if (overRows && kept.folds.length === 0)
    throw inputError({
      code: 'layer-predictions-of-another-run',
      field: null,
      where: `${file}.layer-predictions.npz`,
      expected: 'the fold of each row, around whose training mean it is correlated',
      got: 'none, as older versions wrote it',
      mend: 'score again and keep the predictions of the layers, or take the file away: then sites alone are resampled',
    });
  const shapes = [
    [kept.recorded, [rows, sites]],
    [kept.predicted, [layers.length, rows, sites]],
    [kept.ceiling, [Math.max(...kept.groups) + 1, sites]],
  ] as const;
  const same =
    layers.length === kept.layers.length &&
    layers.every(({ layer }, index) => layer === kept.layers[index]) &&
    sites === layers[0]!.sites.length &&
    kept.groups.length === rows &&
    (kept.drawnWith ?? kept.stimulusIds).length === rows &&
    (!overRows || kept.folds.length === rows) &&
    shapes.every(([{ shape }, expected]) => shape.join() === expected.join());
  if (same) return;
  throw inputError({
    code: 'layer-predictions-of-another-run',
    where: `${file}.layer-predictions.npz`,
    expected: `the predictions of the ${layers.length} layers of ${file}`,
    got: `those of ${kept.layers.length} layers and ${kept.siteIds.length} sites`,
    mend: 'score again and keep the predictions of the layers',
  });
};

/** Of a value; the same predictions give the same value but for rounding. */
const rounding = 1e-6;

/** Input error: the predictions, with nothing resampled, do not give the values of the score. */
export const checkSameRun = (
  { file, score }: AreaScores,
  { images, sites, valuesIn }: LayerResampler,
): void => {
  const values = valuesIn(
    new Float64Array(images.length).fill(1),
    Int32Array.from({ length: sites }, (_, site) => site),
  );
  const odd = score.layers.findIndex(
    ({ value }, layer) => value !== null && !(Math.abs(values[layer]! - value) < rounding),
  );
  if (odd < 0) return;
  throw inputError({
    code: 'layer-predictions-of-another-run',
    where: `${file}.layer-predictions.npz`,
    expected: `predictions that give ${score.layers[odd]!.layer} its score of ${score.layers[odd]!.value!.toFixed(3)}`,
    got: `${values[odd]!.toFixed(3)}, so that they are of another run`,
    mend: 'score again and keep the predictions of the layers',
  });
};

const known = (value: number | null): number => value ?? Number.NaN;

/** Median over the drawn sites of each layer's site values. */
const fromSites = ({ layers }: Score): LayerResampler => {
  const usable = layers[0]!.sites.flatMap((_, s) =>
    layers.some(({ sites }) => sites[s]!.value !== null) ? [s] : [],
  );
  return {
    what: 'sites',
    images: [],
    drawnWith: new Map(),
    sites: usable.length,
    valuesIn: (_, drawn) =>
      Float64Array.from(layers, ({ sites }) =>
        medianOfDefined(Array.from(drawn, (index) => known(sites[usable[index]!]!.value))),
      ),
  };
};

/** Mean over the drawn images of each layer's value there. */
const fromFolds = ({ layers }: Score): LayerResampler => {
  const valueIn = ({ folds }: LayerScore, counts: Counts): number =>
    weightedMeanOfDefined(
      folds.map(({ value }) => known(value)),
      counts,
    );
  return {
    what: 'images',
    images: layers[0]!.folds.map(({ fold }) => fold),
    drawnWith: new Map(),
    sites: 0,
    valuesIn: (counts) => Float64Array.from(layers, (layer) => valueIn(layer, counts)),
  };
};

const layerOf = ({ predicted }: LayerPredictions, layer: number): Float64Nd => {
  const [, rows = 0, sites = 0] = predicted.shape;
  const size = rows * sites;
  return {
    data: predicted.data.subarray(layer * size, (layer + 1) * size) as Float64Array,
    shape: [rows, sites],
  };
};

const drawnWithOf = ({ stimulusIds, drawnWith = [] }: LayerPredictions) =>
  new Map(drawnWith.map((other, row) => [stimulusIds[row]!, other] as const));

/** The rows that are correlated together. */
const groupsOf = ({ groups, ceiling }: LayerPredictions): Group[] =>
  Array.from({ length: ceiling.shape[0]! }, (_, group) => ({
    name: String(group),
    rows: Int32Array.from(groups, (_own, row) => row).filter((row) => groups[row] === group),
  }));

/** Sites with a ceiling in at least one group. */
const sitesInUse = ({ ceiling: { data, shape } }: LayerPredictions): number[] => {
  const [groups = 0, sites = 0] = shape;
  return Array.from({ length: sites }, (_, s) => s).filter((s) =>
    Array.from({ length: groups }, (_, g) => g).some((g) => !Number.isNaN(data[g * sites + s]!)),
  );
};

/** One site within one group of rows: what it did, and what each layer predicted. */
interface SiteInGroup {
  readonly ceiling: number;
  readonly recorded: Side | null;
  readonly predicted: readonly (Side | null)[];
}

/** Each layer's correlation in the resample / ceiling. */
const ceiledIn = ({ ceiling, recorded, predicted }: SiteInGroup, counts: Counts): Float64Array =>
  Float64Array.from(predicted, (side) => correlationIn(recorded, side, counts) / ceiling);

/** What was recorded and each layer's predictions, fit to be correlated over folds as scores are. */
const pooledLayers = (protocol: Score['protocol'], kept: LayerPredictions) => {
  const each = kept.layers.map((_, layer) => ({
    recorded: kept.recorded,
    predicted: layerOf(kept, layer),
  }));
  const pooled =
    aggregationOf(protocol).over === 'rows'
      ? each.map((both) => aroundOtherFolds(both, kept.folds))
      : each;
  return { recorded: pooled[0]!.recorded, layers: pooled.map(({ predicted }) => predicted) };
};

/** Correlations over all rows, or over those of each split: median over the drawn sites, mean over splits. */
const fromRows = ({ protocol }: Score, kept: LayerPredictions): LayerResampler => {
  const { ids, imageOfRow } = imagesOf(kept.stimulusIds);
  const { recorded, layers } = pooledLayers(protocol, kept);
  const inUse = sitesInUse(kept);
  const kind = protocol.correlation;
  const groups = groupsOf(kept).map(({ rows }, group) => ({
    imageOfRow: rows.map((row) => imageOfRow[row]!),
    sites: inUse.map(
      (site): SiteInGroup => ({
        ceiling: kept.ceiling.data[group * kept.siteIds.length + site]!,
        recorded: sideOf(recorded, site, rows, kind),
        predicted: layers.map((predicted) => sideOf(predicted, site, rows, kind)),
      }),
    ),
  }));
  // A ceiling for all sites together; those of each site are only ever divided by.
  const overall = kept.ceiling.data[0]!;
  const renormalised = (value: number): number =>
    protocol.normalisation === 'r/c'
      ? value
      : normalised(value * overall, overall, protocol.normalisation);
  return {
    what: 'images and sites',
    images: ids,
    drawnWith: drawnWithOf(kept),
    sites: inUse.length,
    valuesIn: (images, drawn) => {
      const distinct = new Set(drawn);
      const medians = groups.map((group) => {
        const counts = takeCounts(images, group.imageOfRow);
        const perSite = new Map(
          Array.from(distinct, (index) => [index, ceiledIn(group.sites[index]!, counts)]),
        );
        return kept.layers.map((_, layer) =>
          medianOfDefined(Array.from(drawn, (index) => perSite.get(index)![layer]!)),
        );
      });
      return Float64Array.from(kept.layers, (_, layer) =>
        renormalised(meanOfDefined(medians.map((values) => values[layer]!))),
      );
    },
  };
};

/** Correlations within images: the mean over drawn images of the median over drawn sites of r / ceiling. */
const fromMaps = ({ protocol }: Score, kept: LayerPredictions): LayerResampler => {
  const groups = groupsOf(kept);
  const images = groups.map(({ rows }) => kept.stimulusIds[rows[0]!]!);
  const sites = kept.siteIds.length;
  const inUse = sitesInUse(kept);
  const ceiled = kept.layers.map((_, layer) =>
    correlate(kept.recorded, layerOf(kept, layer), groups, protocol.correlation).data.map(
      (r, index) => r / kept.ceiling.data[index]!,
    ),
  );
  const medianIn = (values: Float64Array, image: number, drawn: Int32Array): number =>
    medianOfDefined(Array.from(drawn, (index) => values[image * sites + inUse[index]!]!));
  return {
    what: 'images and sites',
    images,
    drawnWith: drawnWithOf(kept),
    sites: inUse.length,
    valuesIn: (counts, drawn) =>
      Float64Array.from(ceiled, (values) =>
        weightedMeanOfDefined(
          images.map((_, image) =>
            counts[image]! > 0 ? medianIn(values, image, drawn) : Number.NaN,
          ),
          counts,
        ),
      ),
  };
};
