import type { Preprocessing } from '../records/model.ts';
import { parseAs } from '../records/parse.ts';
import { filterNames, kindNamed, kindNames, kindOfModel, type Triple } from './processor-kinds.ts';
import { sizedOf } from './processor-size.ts';
import {
  type Processor,
  presetRemedy,
  processorSchema,
  unsupported,
  withoutNulls,
} from './processor-values.ts';
import { fromTimm } from './timm-config.ts';

const commonFields: ReadonlySet<string> = new Set(
  [
    'image_processor_type feature_extractor_type processor_class auto_map transformers_version',
    'do_resize size default_to_square resample do_center_crop crop_size do_rescale rescale_factor do_pad',
    // Images are read as RGB; layout, device and labels are no matter of pixels.
    'do_convert_rgb data_format input_data_format return_tensors device disable_grouping',
    'do_reduce_labels reduce_labels',
    // Only do_pad, which is refused, uses them.
    'size_divisor size_divisibility pad_size',
  ].flatMap((line) => line.split(' ')),
);
const normaliseFields: readonly string[] = ['do_normalize', 'image_mean', 'image_std'];

const checkFields = ({ config, className, kind, source }: Processor): void => {
  const own = [
    ...(kind?.fields ?? ['do_flip_channel_order']),
    ...(kind?.normalise === null ? [] : normaliseFields),
  ];
  for (const [field, value] of Object.entries(config)) {
    if (value === undefined || value === false) continue;
    if (commonFields.has(field) || own.includes(field) || field.startsWith('_')) continue;
    const expected = `none, false or a field that is known of ${className}`;
    throw unsupported(`${source}: ${field}`, expected, value);
  }
  if (config.do_pad === true) throw unsupported(`${source}: do_pad`, 'false', true);
};

const filterOf = ({ config, kind, source }: Processor): Preprocessing['interpolation'] => {
  const filter = filterNames[config.resample ?? kind?.resample ?? -1];
  if (filter !== undefined) return filter;
  throw unsupported(`${source}: resample`, '0 (nearest), 1 (Lanczos), 2 or 3', config.resample);
};

const channelsOf = ({ config, kind, source }: Processor): Preprocessing['channels'] => {
  if (kind?.rule !== 'mobilevit') return config.do_flip_channel_order === true ? 'BGR' : 'RGB';
  const flipped = config.do_flip_channel_order ?? true;
  // Files of 2022 say do_flip_channels, which the class does not read.
  if ((config.do_flip_channels ?? flipped) !== flipped)
    throw unsupported(`${source}: do_flip_channels`, `${flipped}`, config.do_flip_channels);
  return flipped ? 'BGR' : 'RGB';
};

const normalisation = ({ config, kind, source }: Processor): readonly [Triple, Triple] => {
  const none = [
    [0, 0, 0],
    [1, 1, 1],
  ] as const;
  if (kind !== null && kind.normalise === null) return none;
  const asked = config.do_normalize ?? (kind !== null || config.image_mean !== undefined);
  if (!asked) return none;
  const mean = config.image_mean ?? kind?.normalise?.[0];
  const std = config.image_std ?? kind?.normalise?.[1];
  if (mean !== undefined && std !== undefined) return [mean, std];
  throw unsupported(source, 'image_mean and image_std to normalise by', undefined);
};

const each = ([a, b, c]: Triple, of: (value: number) => number): [number, number, number] => [
  of(a),
  of(b),
  of(c),
];

/** Values as EfficientNet's processor makes them: with `rescale_offset` −1 … 1, and for `include_top` divided twice. */
const efficientNetValues = (
  { config, kind, source }: Processor,
  scale: number,
  [mean, std]: readonly [Triple, Triple],
): readonly [Triple, Triple] => {
  const offset = config.rescale_offset === true && config.do_rescale !== false;
  // Older releases take 127.5 away before the scale, newer ones 1 after it: the same for this scale alone.
  if (offset && Math.abs(scale * 127.5 - 1) > 1e-6)
    throw unsupported(`${source}: rescale_offset`, 'a rescale_factor of 1/127.5 with it', true);
  const shift = offset ? 1 : 0;
  const again =
    (config.include_top ?? true) ? (config.image_std ?? kind!.normalise![1]) : [1, 1, 1];
  return [
    each(mean, (value) => value + shift),
    [std[0] * again[0]!, std[1] * again[1]!, std[2] * again[2]!],
  ];
};

const valuesOf = (processor: Processor): Pick<Preprocessing, 'scale' | 'mean' | 'std'> => {
  const { config, kind } = processor;
  const scale = config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255);
  const plain = normalisation(processor);
  const [mean, std] =
    kind?.rule === 'efficientnet' ? efficientNetValues(processor, scale, plain) : plain;
  return { scale, mean: [...mean], std: [...std] };
};

const fromHuggingFace = (
  value: unknown,
  source: string,
  name: string,
  modelType: string | null,
): Preprocessing => {
  const config = parseAs(processorSchema, value, source, presetRemedy);
  const named =
    config.image_processor_type ??
    config.feature_extractor_type ??
    (modelType === null ? null : kindOfModel(modelType));
  const kind = named === null ? null : kindNamed(named);
  if (named !== null && kind === null)
    throw unsupported(`${source}: image_processor_type`, `one of ${kindNames.join(', ')}`, named);
  const processor: Processor = { config, className: named ?? 'this processor', kind, source };
  checkFields(processor);
  const sized = sizedOf(processor);
  return {
    name,
    ...sized,
    interpolation: sized.resize.kind === 'none' ? 'bilinear' : filterOf(processor),
    library: 'pil',
    channels: channelsOf(processor),
    ...valuesOf(processor),
  };
};

const huggingFaceKeys = [
  'image_processor_type',
  'feature_extractor_type',
  'do_resize',
  'do_rescale',
  'do_normalize',
];

/** What a file of preprocessing is read with. */
export interface ProcessorSource {
  /** The file, for messages. */
  readonly source: string;
  /** For the record. */
  readonly name: string;
  /** Of the `config.json` beside it: the class of a file that names none. */
  readonly modelType: string | null;
}

/**
 * Preprocessing out of a Hugging Face `preprocessor_config.json` or a timm `config.json` (with its `pretrained_cfg`
 * or the fields themselves); null where `value` is neither. Fields that are null count as absent: the default of the
 * processor's class stands. Crops lie as the classes of NumPy and of recent releases put them (odd margins down);
 * fast classes resize on tensors, which may differ from PIL by one level of 255 in a pixel, and DINOv3's does so without
 * rounding to whole levels. Input error: a class that is not known, fields of the wrong type, fields that the class is
 * not known by, steps that ventral does not imitate.
 */
export const fromProcessorConfig = (
  given: unknown,
  { source, name, modelType }: ProcessorSource,
): Preprocessing | null => {
  if (typeof given !== 'object' || given === null) return null;
  const value = withoutNulls(given) as object;
  if (huggingFaceKeys.some((key) => key in value))
    return fromHuggingFace(value, source, name, modelType);
  if ('pretrained_cfg' in value) {
    return fromTimm(value.pretrained_cfg, `${source}: pretrained_cfg`, name);
  }
  return 'input_size' in value && 'mean' in value ? fromTimm(value, source, name) : null;
};
