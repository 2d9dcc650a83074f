import type * as z from 'zod';
import { npzParts, openNpz } from '../formats/npz.ts';
import { fileSource } from '../formats/source.ts';
import { decodeText, encodeText } from '../formats/text.ts';
import type { Float64Nd } from '../records/array.ts';
import type { LayerPredictions } from '../records/layer-predictions.ts';
import type { Files } from '../records/ports.ts';
import type { Profile } from '../records/profile.ts';
import type { HeldOut, Score } from '../records/score.ts';
import type { SiteCeilings } from '../records/site-ceiling.ts';
import { parseStored, type StoredKind } from '../records/stored.ts';
import { profileFile, scoreFile, siteCeilingsFile } from '../records/stored-kinds.ts';
import { checkKind, kindParts } from './npz-kind.ts';

/** A record that says its kind and format as a file: indented JSON, fields in the order of the record. */
const encodeRecord = (record: { readonly kind: string; readonly format: number }): Uint8Array =>
  encodeText(`${JSON.stringify(record, null, 2)}\n`);

export const encodeScore = (score: Score): Uint8Array => encodeRecord(score);
export const encodeProfile = (profile: Profile): Uint8Array => encodeRecord(profile);
export const encodeSiteCeilings = (found: SiteCeilings): Uint8Array => encodeRecord(found);

const read = async <S extends z.ZodType>(
  kind: StoredKind<S>,
  path: string,
  files: Pick<Files, 'read'>,
): Promise<z.infer<S>> => parseStored(kind, decodeText(await files.read(path), path), path);

/** Reads a score file of any format; input error with the field where it is no score. */
export const readScore = (path: string, files: Pick<Files, 'read'>): Promise<Score> =>
  read(scoreFile, path, files);

/** Reads a depth profile of any format; input error with the field where it is something else. */
export const readProfile = (path: string, files: Pick<Files, 'read'>): Promise<Profile> =>
  read(profileFile, path, files);

/** Reads a file of ceilings of any format; input error with the field where it is something else. */
export const readSiteCeilings = (path: string, files: Pick<Files, 'read'>): Promise<SiteCeilings> =>
  read(siteCeilingsFile, path, files);

/** Where the predictions of all layers are kept. */
export const layerPredictionsPath = (scorePath: string): string =>
  `${scorePath}.layer-predictions.npz`;

/** The predictions of all layers kept beside a score; null where there are none. */
export const readLayerPredictions = async (
  scorePath: string,
  files: Files,
): Promise<LayerPredictions | null> => {
  const path = layerPredictionsPath(scorePath);
  if ((await files.info(path)) === null) return null;
  const npz = await openNpz(await fileSource(path, files), path);
  await checkKind(npz, 'layer-predictions', path);
  return {
    layers: (await npz.readStrings('layer')).strings,
    recorded: await npz.readFloat64('recorded'),
    predicted: await npz.readFloat64('predicted'),
    groups: Int32Array.from((await npz.readFloat64('group')).data),
    folds: npz.names.includes('fold')
      ? Int32Array.from((await npz.readFloat64('fold')).data)
      : new Int32Array(0),
    ceiling: await npz.readFloat64('ceiling'),
    stimulusIds: (await npz.readStrings('stimulus_id')).strings,
    ...(npz.names.includes('drawn_with')
      ? { drawnWith: (await npz.readStrings('drawn_with')).strings }
      : {}),
    siteIds: (await npz.readStrings('site_id')).strings,
  };
};

/** Where the held-out predictions are kept. */
export const predictionsPath = (scorePath: string): string => `${scorePath}.predictions.npz`;

/** The predictions kept beside a score; null where there are none. */
export const readPredictions = async (scorePath: string, files: Files): Promise<HeldOut | null> => {
  const path = predictionsPath(scorePath);
  if ((await files.info(path)) === null) return null;
  const npz = await openNpz(await fileSource(path, files), path);
  await checkKind(npz, 'predictions', path);
  return {
    recorded: await npz.readFloat64('recorded'),
    predicted: await npz.readFloat64('predicted'),
    stimulusIds: (await npz.readStrings('stimulus_id')).strings,
    siteIds: (await npz.readStrings('site_id')).strings,
    folds: Int32Array.from((await npz.readFloat64('fold')).data),
    ...(npz.names.includes('ceiling') ? { ceiling: await npz.readFloat64('ceiling') } : {}),
    ...(npz.names.includes('drawn_with')
      ? { drawnWith: (await npz.readStrings('drawn_with')).strings }
      : {}),
  };
};

const strings = (values: readonly string[]) => ({ strings: values, shape: [values.length] });

/**
 * `recorded` and `predicted` `[rows, sites]`, `stimulus_id`, `fold` and `drawn_with` of each row, `site_id` of each column,
 * `ceiling` `[groups, sites]`.
 */
export const predictionParts = (predictions: HeldOut): readonly Uint8Array[] =>
  npzParts({
    ...kindParts('predictions'),
    recorded: predictions.recorded,
    predicted: predictions.predicted,
    stimulus_id: strings(predictions.stimulusIds),
    fold: { data: predictions.folds, shape: [predictions.folds.length] },
    site_id: strings(predictions.siteIds),
    ...(predictions.ceiling === undefined ? {} : { ceiling: predictions.ceiling }),
    ...(predictions.drawnWith === undefined ? {} : { drawn_with: strings(predictions.drawnWith) }),
  });

/**
 * The fields of the record, `layer` for its layers, `stimulus_id`, `group`, `fold` and `drawn_with` of each row, `site_id` of
 * each column.
 */
export const layerPredictionParts = (kept: LayerPredictions): readonly Uint8Array[] =>
  npzParts({
    ...kindParts('layer-predictions'),
    layer: strings(kept.layers),
    recorded: kept.recorded,
    predicted: kept.predicted,
    group: { data: kept.groups, shape: [kept.groups.length] },
    fold: { data: kept.folds, shape: [kept.folds.length] },
    ceiling: kept.ceiling,
    stimulus_id: strings(kept.stimulusIds),
    ...(kept.drawnWith === undefined ? {} : { drawn_with: strings(kept.drawnWith) }),
    site_id: strings(kept.siteIds),
  });

/** `weights` `[features, sites]`, `offset` `[sites]`, `site_id`, `layer`: prediction = features · weights + offset. */
export const readoutParts = (
  readout: { readonly weights: Float64Nd; readonly offset: Float64Array },
  layer: string,
  siteIds: readonly string[],
): readonly Uint8Array[] =>
  npzParts({
    ...kindParts('readout'),
    weights: readout.weights,
    offset: { data: readout.offset, shape: [readout.offset.length] },
    site_id: strings(siteIds),
    layer: strings([layer]),
  });
