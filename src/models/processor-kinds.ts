import type { Preprocessing } from '../records/model.ts';

/** What a class of Hugging Face's image processors does where its file says nothing, and which rules are its own. */
export interface ProcessorKind {
  /** A bare number or a size of its own makes `square` images, or their `shorter` side. */
  readonly side: 'square' | 'shorter';
  readonly size: number;
  /** PIL's number of the filter. */
  readonly resample: number;
  /** Side of the centre crop that is done unless the file forbids it; `asked`: only where the file asks for it, of `crop_size`; `fast`: so only in the class whose name ends with Fast; `never`: the class has no crop. */
  readonly crop: number | 'asked' | 'fast' | 'never';
  /** Null: the class does not normalise. */
  readonly normalise: readonly [mean: Triple, std: Triple] | null;
  readonly rule: ProcessorRule;
  /** Fields that the class has beside those of all. */
  readonly fields: readonly string[];
}

/**
 * - `convnext`: below 384 the shorter side becomes ⌊size / crop_pct⌋ and the centre is cropped; else squashed;
 * - `poolformer`: the shorter side becomes ⌊size / crop_pct⌋;
 * - `levit`: the shorter side becomes ⌊size · 256/224⌋;
 * - `dpt`: keep_aspect_ratio and ensure_multiple_of;
 * - `perceiver`: the centre, size / crop_size of the shorter side, is cropped before the resize;
 * - `efficientnet`: rescale_offset, and include_top, which divides by image_std once more;
 * - `mobilevit`: channels become blue, green, red.
 */
export type ProcessorRule =
  | 'convnext'
  | 'poolformer'
  | 'levit'
  | 'dpt'
  | 'perceiver'
  | 'efficientnet'
  | 'mobilevit'
  | null;

export type Triple = readonly [number, number, number];

const all = (value: number): Triple => [value, value, value];
const standard = [all(0.5), all(0.5)] as const;
const imagenet = [
  [0.485, 0.456, 0.406],
  [0.229, 0.224, 0.225],
] as const;
const openai = [
  [0.48145466, 0.4578275, 0.40821073],
  [0.26862954, 0.26130258, 0.27577711],
] as const;

/** PIL's numbers for its filters. */
export const filterNames: Readonly<Record<number, Preprocessing['interpolation']>> = {
  0: 'nearest',
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
};
const [nearest, bilinear, bicubic] = [0, 2, 3];

const vit: ProcessorKind = {
  side: 'square',
  size: 224,
  resample: bilinear,
  crop: 'fast',
  normalise: standard,
  rule: null,
  fields: [],
};
const clip: ProcessorKind = {
  ...vit,
  side: 'shorter',
  resample: bicubic,
  crop: 224,
  normalise: openai,
};
const beit: ProcessorKind = { ...vit, size: 256, resample: bicubic, crop: 224 };
const mobileNet: ProcessorKind = { ...clip, size: 256, resample: bilinear, normalise: standard };

/** Read in the classes' sources (transformers 4.57), by name without ImageProcessor, ImageProcessorFast or FeatureExtractor. */
const kinds: Readonly<Record<string, ProcessorKind>> = {
  ViT: vit,
  DINOv3ViT: { ...vit, normalise: imagenet },
  Pvt: { ...vit, normalise: imagenet },
  Siglip: { ...vit, resample: bicubic },
  Blip: { ...vit, size: 384, resample: bicubic, normalise: openai },
  Segformer: { ...vit, size: 512, crop: 'never', normalise: imagenet },
  DeiT: beit,
  Beit: beit,
  CLIP: clip,
  ChineseCLIP: clip,
  Bit: clip,
  ViTHybrid: clip,
  MobileNetV1: mobileNet,
  MobileNetV2: mobileNet,
  MobileViT: {
    ...clip,
    resample: bilinear,
    crop: 256,
    normalise: null,
    rule: 'mobilevit',
    fields: ['do_flip_channel_order', 'do_flip_channels'],
  },
  ConvNext: {
    ...clip,
    size: 384,
    crop: 'never',
    normalise: standard,
    rule: 'convnext',
    fields: ['crop_pct'],
  },
  PoolFormer: { ...clip, normalise: imagenet, rule: 'poolformer', fields: ['crop_pct'] },
  Levit: { ...clip, normalise: imagenet, rule: 'levit' },
  DPT: {
    ...vit,
    size: 384,
    resample: bicubic,
    crop: 'never',
    rule: 'dpt',
    fields: ['keep_aspect_ratio', 'ensure_multiple_of'],
  },
  Perceiver: {
    ...vit,
    resample: bicubic,
    crop: 256,
    normalise: imagenet,
    rule: 'perceiver',
  },
  EfficientNet: {
    ...vit,
    size: 346,
    resample: nearest,
    crop: 'asked',
    rule: 'efficientnet',
    fields: ['rescale_offset', 'include_top'],
  },
};

/** The classes that are known, for messages. */
export const kindNames: readonly string[] = Object.keys(kinds).map(
  (name) => `${name}ImageProcessor`,
);

/** What a class does, by the name that a file gives; null for one that is not known. */
export const kindNamed = (name: string): ProcessorKind | null => {
  const stem = /^(.+?)(ImageProcessor(Fast|Pil)?|FeatureExtractor)$/.exec(name)?.[1] ?? '';
  return Object.hasOwn(kinds, stem) ? kinds[stem]! : null;
};

/** Which class a model has whose file of 2021 names none, as transformers' AutoImageProcessor says. */
const modelKinds: Readonly<Record<string, readonly string[]>> = {
  ViT: ['vit', 'vit_mae', 'vit_msn', 'swin', 'swinv2', 'dinat', 'nat', 'swiftformer'],
  DeiT: ['deit'],
  Beit: ['beit', 'data2vec-vision'],
  CLIP: ['clip', 'groupvit'],
  ConvNext: ['convnext', 'convnextv2', 'resnet', 'regnet', 'cvt', 'van'],
  Bit: ['bit', 'dinov2', 'focalnet'],
  Levit: ['levit'],
  MobileNetV1: ['mobilenet_v1'],
  MobileNetV2: ['mobilenet_v2'],
  MobileViT: ['mobilevit', 'mobilevitv2'],
  PoolFormer: ['poolformer'],
  EfficientNet: ['efficientnet'],
  DPT: ['dpt', 'depth_anything'],
  Perceiver: ['perceiver'],
  Segformer: ['segformer'],
  Siglip: ['siglip'],
  Pvt: ['pvt'],
};

/** The class of a `model_type` of a `config.json`; null where that is none of an image model that is known. */
export const kindOfModel = (modelType: string): string | null => {
  const found = Object.entries(modelKinds).find(([, types]) => types.includes(modelType));
  return found === undefined ? null : `${found[0]}ImageProcessor`;
};
