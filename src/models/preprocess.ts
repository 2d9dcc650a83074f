import * as z from 'zod';
import { centreCrop } from '../formats/crop.ts';
import { baseName, below, folderOf } from '../formats/paths.ts';
import { resizeLikePil } from '../formats/resample.ts';
import { resizeLikeOpencv } from '../formats/resample-opencv.ts';
import { decodeText } from '../formats/text.ts';
import { inputError } from '../records/errors.ts';
import { type ImageInput, type Preprocessing, preprocessingSchema } from '../records/model.ts';
import { parseAs, parseJsonAs } from '../records/parse.ts';
import type { Files, Pixels } from '../records/ports.ts';
import { presetNamed, presetNames } from './presets.ts';
import { fromProcessorConfig } from './processor-config.ts';
import { presetRemedy } from './processor-values.ts';
import { firstCropOf, resizedSize, type Size } from './resized-size.ts';

/** Height and width that an image of this size has when it reaches the model. */
export const outputSize = (pixels: Omit<Pixels, 'data'>, preprocessing: Preprocessing): Size =>
  preprocessing.crop === null
    ? resizedSize([pixels.height, pixels.width], preprocessing)
    : [preprocessing.crop.height, preprocessing.crop.width];

/** The size that a model fixes, or else the one that the preprocessing gives all images; null where they differ. */
export const statedSize = (
  { height, width }: ImageInput,
  { resize, crop }: Preprocessing,
): { readonly height: number; readonly width: number } | null => {
  if (height !== null && width !== null) return { height, width };
  const size = crop ?? (resize.kind === 'exact' ? resize : null);
  return size === null ? null : { height: size.height, width: size.width };
};

const firstCropped = (pixels: Pixels, preprocessing: Preprocessing): Pixels => {
  const [rows, columns] = firstCropOf([pixels.height, pixels.width], preprocessing).size;
  return centreCrop(pixels, columns, rows, 'floor');
};

/** Channels that the model is given. */
export const channelCount = ({ channels }: Pick<Preprocessing, 'channels'>): 1 | 3 =>
  channels === 'L' ? 1 : 3;

/** Grey where the model takes one channel, as three equal ones: PIL's `convert('L')` (ITU-R 601-2 luma in 16 bits). */
export const shownTo = ({ channels }: Pick<Preprocessing, 'channels'>, pixels: Pixels): Pixels => {
  if (channels !== 'L') return pixels;
  const { data } = pixels;
  const grey = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const sum = 19595 * data[i]! + 38470 * data[i + 1]! + 7471 * data[i + 2]! + 32768;
    grey.fill(sum >>> 16, i, i + 3);
  }
  return { ...pixels, data: grey };
};

/** First crop, resize and crop, still 8-bit RGB (three equal channels where the model takes grey). */
export const resizeAndCrop = (pixels: Pixels, preprocessing: Preprocessing): Pixels => {
  const { firstCrop, crop, interpolation, library } = preprocessing;
  const [height, width] = resizedSize([pixels.height, pixels.width], preprocessing);
  const shown = shownTo(preprocessing, pixels);
  const whole = firstCrop === undefined ? shown : firstCropped(shown, preprocessing);
  const resized =
    library === 'opencv'
      ? resizeLikeOpencv(whole, width, height)
      : resizeLikePil(whole, width, height, interpolation);
  return crop === null ? resized : centreCrop(resized, crop.width, crop.height, crop.rounding);
};

/** The 256 values that a channel's bytes can become, each step rounded to float32. */
const valuesOf = ({ scale, mean, std }: Preprocessing, channel: number): Float32Array => {
  const [shift, spread] = [Math.fround(mean[channel]!), Math.fround(std[channel]!)];
  return Float32Array.from({ length: 256 }, (_, byte) => {
    const centred = Math.fround(Math.fround(byte * scale) - shift);
    return Math.fround(centred / spread);
  });
};

/**
 * Writes one image as the model takes it, `[channels, H, W]` or `[H, W, channels]` of `outputSize`, to `out` from `offset` on.
 * Bit-equal to torchvision's transforms of PIL images, or to OpenCV's resizing where `library` says so.
 */
export const preprocess = (
  pixels: Pixels,
  preprocessing: Preprocessing,
  layout: ImageInput['layout'],
  out: Float32Array,
  offset: number,
): void => {
  const { data, width, height } = resizeAndCrop(pixels, preprocessing);
  const plane = width * height;
  const count = channelCount(preprocessing);
  const [step, channelStep] = layout === 'NCHW' ? [1, plane] : [count, 1];
  for (let channel = 0; channel < count; channel++) {
    const values = valuesOf(preprocessing, channel);
    const source = preprocessing.channels === 'BGR' ? 2 - channel : channel;
    let target = offset + channel * channelStep;
    for (let i = 0; i < plane; i++, target += step) out[target] = values[data[i * 3 + source]!]!;
  }
};

export interface PreprocessingRequest {
  /** A preset, a file or a record; null: what lies beside the model, else `imagenet-224` with a warning. */
  readonly named: string | Preprocessing | null;
  /** Null for a model in memory, beside which nothing lies. */
  readonly modelPath: string | null;
  readonly input: ImageInput;
}

export interface ResolvedPreprocessing {
  readonly preprocessing: Preprocessing;
  /** Where it comes from, in words. */
  readonly source: string;
  readonly warning: string | null;
}

const readJson = async (path: string, files: Files): Promise<unknown> =>
  parseJsonAs(z.unknown(), decodeText(await files.read(path), path), path, presetRemedy);

const checkLibrary = (preprocessing: Preprocessing, source: string): Preprocessing => {
  const { library, interpolation, resize } = preprocessing;
  if (library === 'pil' || interpolation === 'bilinear' || resize.kind === 'none') {
    return preprocessing;
  }
  const expected = '"bilinear" with library "opencv"';
  const got = JSON.stringify(interpolation);
  throw inputError({ ...presetRemedy, where: `${source}: interpolation`, expected, got });
};

/** `model_type` of the `config.json` in the same folder, by which old files that name no class are read. */
const modelTypeBeside = async (path: string, files: Files): Promise<string | null> => {
  const config = below(folderOf(path), 'config.json');
  if (config === path || (await files.info(config))?.kind !== 'file') return null;
  const found = z.looseObject({ model_type: z.string() }).safeParse(await readJson(config, files));
  return found.success ? found.data.model_type : null;
};

const fromFile = async (path: string, files: Files): Promise<Preprocessing> => {
  const value = await readJson(path, files);
  const modelType = await modelTypeBeside(path, files);
  const known = fromProcessorConfig(value, { source: path, name: baseName(path), modelType });
  if (known !== null) return known;
  return checkLibrary(parseAs(preprocessingSchema, value, path, presetRemedy), path);
};

const besideModel = async (
  modelPath: string,
  files: Files,
): Promise<{ preprocessing: Preprocessing; path: string } | null> => {
  for (const name of ['preprocessor_config.json', 'config.json']) {
    const path = below(folderOf(modelPath), name);
    if ((await files.info(path))?.kind !== 'file') continue;
    // A `config.json` of another kind (of the architecture) says nothing about images.
    const preprocessing = fromProcessorConfig(await readJson(path, files), {
      source: path,
      name,
      modelType: await modelTypeBeside(path, files),
    });
    if (preprocessing !== null) return { preprocessing, path };
  }
  return null;
};

const scaled = (size: number, from: number, to: number): number => Math.round((size * to) / from);

/** For a model of one channel that channel's grey. Input error: means or deviations that differ, of which none is grey's. */
const fitToChannels = (preprocessing: Preprocessing, { channels }: ImageInput): Preprocessing => {
  const { name, mean, std } = preprocessing;
  const isGrey = preprocessing.channels === 'L';
  if (isGrey === (channels === 1)) return preprocessing;
  const where = `preprocessing ${name}`;
  if (isGrey)
    throw inputError({
      where: `${where}: channels`,
      expected: '"RGB" or "BGR", for a model that takes 3 channels',
      got: '"L"',
      mend: 'name a preset, or correct the file',
    });
  const [of, values] = new Set(mean).size > 1 ? ['mean', mean] : ['std', std];
  if (new Set(values).size > 1)
    throw inputError({
      where: `${where}: ${of}`,
      expected: 'the same for red, green and blue, for a model that takes one channel (grey)',
      got: values.join(', '),
      mend: 'write the mean and deviation that the network was trained with to a file, three times each',
    });
  return { ...preprocessing, channels: 'L' };
};

/**
 * The steps of a preprocessing for a model of fixed size: an exact size becomes the model's; a resize before a crop keeps its ratio
 * to the crop (256/224), rounded to the nearest pixel (299 → 342); no resizing becomes one straight to the size.
 * A model of one channel gets grey (`L`). Input error: a shorter side without a crop, which does not give one size; channels that do not fit.
 */
export const fitToInput = (stated: Preprocessing, input: ImageInput): Preprocessing => {
  const preprocessing = fitToChannels(stated, input);
  const height = input.height ?? input.width;
  const width = input.width ?? input.height;
  if (height === null || width === null) return preprocessing;
  const { resize, crop } = preprocessing;
  if (crop !== null) {
    const fitted = { ...crop, height, width };
    const share = Math.max(height / crop.height, width / crop.width);
    if (resize.kind === 'shorter-side') {
      const size = Math.round(resize.size * share);
      return { ...preprocessing, resize: { kind: 'shorter-side', size }, crop: fitted };
    }
    if (resize.kind === 'none') return { ...preprocessing, crop: fitted };
    const tall = scaled(resize.height, crop.height, height);
    const wide = scaled(resize.width, crop.width, width);
    return { ...preprocessing, resize: { ...resize, height: tall, width: wide }, crop: fitted };
  }
  // What the images' own ratios give is checked when they are shown.
  if (resize.kind === 'nearest-scale')
    return { ...preprocessing, resize: { ...resize, height, width } };
  if (resize.kind === 'shorter-side') {
    throw inputError({
      code: 'preprocessing-without-crop',
      field: 'preprocess',
      where: `preprocessing ${preprocessing.name}: resize`,
      expected: `a crop or an exact size, for a model that takes ${height}×${width}`,
      got: `a shorter side of ${resize.size} without a crop`,
      mend: 'add a crop, or name a preset',
    });
  }
  return { ...preprocessing, resize: { kind: 'exact', height, width } };
};

const sizeText = ({ resize, crop }: Preprocessing): string | null => {
  const size = crop ?? (resize.kind === 'exact' ? resize : null);
  return size === null ? null : `${size.height}×${size.width}`;
};

/** A file that says another size than the model takes is worth a word; a preset is meant to be fitted. */
const sizeWarning = (from: Preprocessing, to: Preprocessing, path: string): string | null => {
  const [said, used] = [sizeText(from), sizeText(to)];
  if (said === null || said === used) return null;
  return `${path} prepares images of ${said}, the model takes ${used}: fitted to the model`;
};

/**
 * Finds the preprocessing: a preset or file that is named, else a Hugging Face `preprocessor_config.json` or timm
 * `config.json` beside the model, else `imagenet-224` with a warning. A fixed size of the model overrides.
 * Input error: an unknown name, a file that does not say it rightly.
 */
export const resolvePreprocessing = async (
  { named, modelPath, input }: PreprocessingRequest,
  { files }: { readonly files: Files },
): Promise<ResolvedPreprocessing> => {
  if (typeof named === 'object' && named !== null) {
    const stated = parseAs(preprocessingSchema, named, 'preprocessing', 'correct the field');
    return { preprocessing: fitToInput(stated, input), source: 'as given', warning: null };
  }
  const preset = named === null ? null : presetNamed(named);
  if (preset !== null) {
    const preprocessing = fitToInput(preset, input);
    return { preprocessing, source: `preset ${preset.name}`, warning: null };
  }
  if (named !== null) {
    if (!named.endsWith('.json') && (await files.info(named))?.kind !== 'file') {
      throw inputError({
        code: 'no-such-preprocessing',
        field: 'preprocess',
        where: 'preprocess',
        expected: `${presetNames.join(', ')} or a JSON file`,
        got: `"${named}"`,
        mend: 'name one of them',
      });
    }
    const stated = await fromFile(named, files);
    const preprocessing = fitToInput(stated, input);
    const warning = sizeWarning(stated, preprocessing, named);
    return { preprocessing, source: `file ${named}`, warning };
  }
  const beside = modelPath === null ? null : await besideModel(modelPath, files);
  if (beside !== null) {
    const preprocessing = fitToInput(beside.preprocessing, input);
    const warning = sizeWarning(beside.preprocessing, preprocessing, beside.path);
    return { preprocessing, source: `${beside.path} beside the model`, warning };
  }
  const preprocessing = fitToInput(presetNamed('imagenet-224')!, input);
  const warning = 'no preprocessing named and none beside the model: imagenet-224 is assumed';
  return { preprocessing, source: 'default imagenet-224', warning };
};
