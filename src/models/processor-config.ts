import { z } from 'zod';
import { inputError } from '../records/errors.ts';
import type { Preprocessing } from '../records/model.ts';
import { parseAs } from '../records/parse.ts';

const side = z.int().positive();
const triple = z.tuple([z.number(), z.number(), z.number()]);
const spread = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]);

const mendFile = 'mend the file, or name a preset with --preprocess';

const unsupported = (where: string, expected: string, got: unknown) =>
  inputError({
    where,
    expected,
    got: JSON.stringify(got) ?? 'nothing',
    mend: 'name a preset or a file of your own with --preprocess',
  });

const sizeSchema = z.union([
  side,
  z.strictObject({ height: side, width: side }),
  z.strictObject({ shortest_edge: side }),
]);

const huggingFaceSchema = z.looseObject({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().optional(),
  size: z.unknown().optional(),
  resample: z.int().optional(),
  crop_pct: z.number().gt(0).nullish(),
  do_center_crop: z.boolean().optional(),
  crop_size: z.unknown().optional(),
  do_rescale: z.boolean().optional(),
  rescale_factor: z.number().positive().optional(),
  do_normalize: z.boolean().optional(),
  image_mean: triple.optional(),
  image_std: spread.optional(),
  do_flip_channel_order: z.boolean().optional(),
});
type HuggingFace = z.infer<typeof huggingFaceSchema>;

/** PIL's numbers for its filters. */
const resampleNames: Readonly<Record<number, Preprocessing['interpolation']>> = {
  0: 'nearest',
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
};

/** Switches that change the pixels in ways that we do not imitate. */
const foreignSwitches = [
  'do_pad',
  'do_thumbnail',
  'do_align_long_axis',
  'rescale_offset',
  'do_convert_annotations',
] as const;

// A bare number means a square for these, the shorter side for those; other kinds give their own meaning to it.
const squareKinds = /^(ViT|DeiT|Beit)(ImageProcessor|FeatureExtractor)/;
const shorterKinds =
  /^(CLIP|ConvNext|Bit|MobileNetV1|MobileNetV2)(ImageProcessor|FeatureExtractor)/;

type Sized = Pick<Preprocessing, 'resize' | 'crop'>;

const resizeOf = (config: HuggingFace, kind: string, source: string): Sized['resize'] => {
  if (config.do_resize === false || (config.do_resize === undefined && config.size === undefined)) {
    return { kind: 'none' };
  }
  const parsed = sizeSchema.safeParse(config.size);
  const expected = 'a size of height and width, or of shortest_edge';
  if (!parsed.success) throw unsupported(`${source}: size`, expected, config.size);
  const { data } = parsed;
  if (typeof data === 'number') {
    if (squareKinds.test(kind)) return { kind: 'exact', height: data, width: data };
    if (shorterKinds.test(kind)) return { kind: 'shorter-side', size: data };
    throw unsupported(`${source}: size`, expected, data);
  }
  if ('shortest_edge' in data) return { kind: 'shorter-side', size: data.shortest_edge };
  return { kind: 'exact', ...data };
};

const cropOf = (config: HuggingFace, source: string): Sized['crop'] => {
  if (config.do_center_crop !== true) return null;
  const parsed = sizeSchema.safeParse(config.crop_size);
  if (!parsed.success || (typeof parsed.data === 'object' && 'shortest_edge' in parsed.data)) {
    throw unsupported(`${source}: crop_size`, 'a size of height and width', config.crop_size);
  }
  const { data } = parsed;
  const size = typeof data === 'number' ? { height: data, width: data } : data;
  return { ...size, rounding: 'floor' };
};

/** ConvNeXt's processor: below 384 the shorter side is enlarged by 1/crop_pct and the centre cropped, else squashed. */
const convNextSize = (size: number, cropShare: number): Sized => {
  const exact = { height: size, width: size };
  if (size >= 384) return { resize: { kind: 'exact', ...exact }, crop: null };
  return {
    resize: { kind: 'shorter-side', size: Math.trunc(size / cropShare) },
    crop: { ...exact, rounding: 'floor' },
  };
};

const sizedOf = (config: HuggingFace, kind: string, source: string): Sized => {
  const resize = resizeOf(config, kind, source);
  if (/^ConvNext/.test(kind) && resize.kind === 'shorter-side') {
    return convNextSize(resize.size, config.crop_pct ?? 224 / 256);
  }
  if (config.crop_pct !== undefined && config.crop_pct !== null) {
    throw unsupported(`${source}: crop_pct`, `no crop_pct with ${kind}`, config.crop_pct);
  }
  return { resize, crop: cropOf(config, source) };
};

const fromHuggingFace = (value: unknown, source: string, name: string): Preprocessing => {
  const config = parseAs(huggingFaceSchema, value, source, mendFile);
  const kind = config.image_processor_type ?? config.feature_extractor_type ?? 'this processor';
  for (const key of foreignSwitches) {
    if (config[key]) throw unsupported(`${source}: ${key}`, 'false', config[key]);
  }
  const sized = sizedOf(config, kind, source);
  const interpolation = resampleNames[config.resample ?? -1];
  if (interpolation === undefined && sized.resize.kind !== 'none') {
    throw unsupported(`${source}: resample`, '0 (nearest), 1 (Lanczos), 2 or 3', config.resample);
  }
  const normalise = config.do_normalize ?? config.image_mean !== undefined;
  if (normalise && (config.image_mean === undefined || config.image_std === undefined)) {
    throw unsupported(source, 'image_mean and image_std to normalise by', undefined);
  }
  return {
    name,
    ...sized,
    interpolation: interpolation ?? 'bilinear',
    library: 'pil',
    channels: config.do_flip_channel_order === true ? 'BGR' : 'RGB',
    scale: config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255),
    mean: normalise ? config.image_mean! : [0, 0, 0],
    std: normalise ? config.image_std! : [1, 1, 1],
  };
};

const timmSchema = z.looseObject({
  input_size: z.tuple([z.literal(3), side, side]),
  interpolation: z.enum(['nearest', 'bilinear', 'bicubic', 'lanczos']).default('bicubic'),
  crop_pct: z.number().gt(0).default(0.875),
  crop_mode: z.enum(['center', 'squash']).default('center'),
  mean: triple.default([0.485, 0.456, 0.406]),
  std: spread.default([0.229, 0.224, 0.225]),
});

/** timm's `transforms_imagenet_eval`: resize to ⌊size / crop_pct⌋, crop the centre, normalise. */
const fromTimm = (value: unknown, source: string, name: string): Preprocessing => {
  const config = parseAs(timmSchema, value, source, mendFile);
  const [, height, width] = config.input_size;
  const [tall, wide] = [height, width].map((size) => Math.floor(size / config.crop_pct));
  if (config.crop_mode === 'center' && height !== width) {
    const expected = 'a square input with crop_mode center';
    throw unsupported(`${source}: input_size`, expected, config.input_size);
  }
  return {
    name,
    resize:
      config.crop_mode === 'center'
        ? { kind: 'shorter-side', size: tall! }
        : { kind: 'exact', height: tall!, width: wide! },
    crop: { height, width, rounding: 'half-even' },
    interpolation: config.interpolation,
    library: 'pil',
    channels: 'RGB',
    scale: 1 / 255,
    mean: config.mean,
    std: config.std,
  };
};

const huggingFaceKeys = [
  'image_processor_type',
  'feature_extractor_type',
  'do_resize',
  'do_rescale',
  'do_normalize',
];

/**
 * Preprocessing out of a Hugging Face `preprocessor_config.json` or a timm `config.json` (with its `pretrained_cfg`
 * or the fields themselves); null where `value` is neither. `source` is for messages, `name` for the record.
 * Input error: fields of the wrong type, or steps that ventral does not imitate.
 */
export const fromProcessorConfig = (
  value: unknown,
  source: string,
  name: string,
): Preprocessing | null => {
  if (typeof value !== 'object' || value === null) return null;
  if (huggingFaceKeys.some((key) => key in value)) return fromHuggingFace(value, source, name);
  if ('pretrained_cfg' in value) {
    return fromTimm(value.pretrained_cfg, `${source}: pretrained_cfg`, name);
  }
  return 'input_size' in value && 'mean' in value ? fromTimm(value, source, name) : null;
};
