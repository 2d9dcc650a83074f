import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  fitToInput,
  outputSize,
  preprocess,
  resolvePreprocessing,
} from '../../src/models/preprocess.ts';
import { presetNamed, presetNames } from '../../src/models/presets.ts';
import type { ImageInput, Preprocessing } from '../../src/records/model.ts';
import { inputLine } from '../formats/failure.ts';
import { noisePixels } from '../formats/noise.ts';
import { createMemoryFiles } from '../memory-files.ts';

interface Golden {
  tensors: { preset: string; from: [number, number]; nchw: string; nhwc: string }[];
  corner: { shape: number[]; base64: string };
}
const golden = JSON.parse(
  readFileSync(new URL('../golden/resample.json', import.meta.url), 'utf8'),
) as Golden;

const imageInput = (height: number | null, width: number | null = height): ImageInput => ({
  name: 'x',
  layout: 'NCHW',
  batch: 1,
  height,
  width,
  channels: 3,
});
const free = imageInput(null);

const timmConfig = {
  architecture: 'vit_tiny',
  pretrained_cfg: {
    tag: 'in1k',
    input_size: [3, 224, 224],
    interpolation: 'bicubic',
    crop_pct: 0.9,
    crop_mode: 'center',
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  },
};

const resolved = async (
  content: Record<string, unknown>,
  named: string | null = null,
  input: ImageInput = free,
) => {
  const text = Object.entries(content).map(([path, value]) => [path, JSON.stringify(value)]);
  const files = createMemoryFiles(Object.fromEntries(text));
  return resolvePreprocessing({ named, modelPath: 'nets/vit.onnx', input }, { files });
};

const tensorOf = (
  preprocessing: Preprocessing,
  [height, width]: [number, number],
  layout: ImageInput['layout'],
): Float32Array => {
  const out = new Float32Array(3 * 224 * 224);
  preprocess(noisePixels(height, width), preprocessing, layout, out, 0);
  return out;
};
const sha256 = (data: Float32Array): string =>
  createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex');

describe('bit-equal to torchvision, Keras and OpenCV', () => {
  it.each(golden.tensors)('$preset of $from', async ({ preset, from, nchw, nhwc }) => {
    const preprocessing =
      presetNamed(preset) ?? (await resolved({ 'nets/config.json': timmConfig })).preprocessing;
    expect(sha256(tensorOf(preprocessing, from, 'NCHW'))).toBe(nchw);
    expect(sha256(tensorOf(preprocessing, from, 'NHWC'))).toBe(nhwc);
  });

  it('value by value', () => {
    const tensor = tensorOf(presetNamed('imagenet-224')!, [97, 131], 'NCHW');
    const corner: number[] = [];
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < 224; y += 75) {
        for (let x = 0; x < 224; x += 75) corner.push(tensor[(c * 224 + y) * 224 + x]!);
      }
    }
    const wanted = new Float32Array(
      Uint8Array.from(Buffer.from(golden.corner.base64, 'base64')).buffer,
    );
    expect(Float32Array.from(corner)).toEqual(wanted);
  });
});

it('writes at the offset, in the order of channels that is asked for', () => {
  const preprocessing: Preprocessing = { ...presetNamed('raw')!, channels: 'BGR' };
  const pixels = noisePixels(1, 2);
  const [r0, g0, b0, r1, g1, b1] = pixels.data;
  const out = new Float32Array(8).fill(-1);
  preprocess(pixels, preprocessing, 'NCHW', out, 1);
  expect([...out]).toEqual([-1, b0, b1, g0, g1, r0, r1, -1]);
  preprocess(pixels, preprocessing, 'NHWC', out, 2);
  expect([...out.subarray(2)]).toEqual([b0, g0, r0, b1, g1, r1]);
});

describe('presets', () => {
  it('are these', () => {
    expect(presetNames).toEqual([
      'imagenet-224',
      'imagenet-256-crop-224',
      'tf-224',
      'raw',
      'imagenet-224-opencv',
      'imagenet-256-crop-224-opencv',
      'tf-224-opencv',
      'raw-opencv',
    ]);
  });

  it('give the sizes that they say', () => {
    const size = (name: string) =>
      outputSize({ height: 97, width: 131, channels: 3 }, presetNamed(name)!);
    expect(size('imagenet-224')).toEqual([224, 224]);
    expect(size('imagenet-256-crop-224')).toEqual([224, 224]);
    expect(size('raw')).toEqual([97, 131]);
    const shorter: Preprocessing = {
      ...presetNamed('raw')!,
      resize: { kind: 'shorter-side', size: 256 },
    };
    // int(256 · 131 / 97) = 345.
    expect(outputSize({ height: 97, width: 131, channels: 3 }, shorter)).toEqual([256, 345]);
    expect(outputSize({ height: 131, width: 97, channels: 3 }, shorter)).toEqual([345, 256]);
  });

  it('take the size of the model, and keep the ratio of a resize before a crop', () => {
    const fitted = (name: string, input: ImageInput) => {
      const { resize, crop } = fitToInput(presetNamed(name)!, input);
      return { resize, crop };
    };
    expect(fitted('tf-224', imageInput(128))).toEqual({
      resize: { kind: 'exact', height: 128, width: 128 },
      crop: null,
    });
    expect(fitted('imagenet-256-crop-224', imageInput(299))).toEqual({
      resize: { kind: 'shorter-side', size: 342 },
      crop: { height: 299, width: 299, rounding: 'half-even' },
    });
    expect(fitted('imagenet-256-crop-224', imageInput(112, 192))).toEqual({
      resize: { kind: 'shorter-side', size: 219 },
      crop: { height: 112, width: 192, rounding: 'half-even' },
    });
    expect(fitted('raw', imageInput(64, 96)).resize).toEqual({
      kind: 'exact',
      height: 64,
      width: 96,
    });
    expect(fitted('imagenet-224', imageInput(160, null)).resize).toEqual({
      kind: 'exact',
      height: 160,
      width: 160,
    });
    expect(fitToInput(presetNamed('imagenet-224')!, free)).toEqual(presetNamed('imagenet-224'));
  });
});

describe('resolvePreprocessing', () => {
  it('assumes imagenet-224 with a warning where nothing is said', async () => {
    const found = await resolved({ 'nets/config.json': { model_type: 'vit', hidden_size: 192 } });
    expect(found.preprocessing.name).toBe('imagenet-224');
    expect(found.warning).toContain('imagenet-224 is assumed');
  });

  it('takes a named preset before what lies beside the model', async () => {
    const found = await resolved({ 'nets/config.json': timmConfig }, 'tf-224', imageInput(192));
    expect(found).toMatchObject({
      preprocessing: { name: 'tf-224', resize: { height: 192, width: 192 } },
      source: 'preset tf-224',
      warning: null,
    });
  });

  it('lists the presets where the name is unknown', async () => {
    expect(await inputLine(() => resolved({}, 'imagenet-225'))).toBe(
      'preprocess: expected imagenet-224, imagenet-256-crop-224, tf-224, raw, imagenet-224-opencv, imagenet-256-crop-224-opencv, tf-224-opencv, raw-opencv or a JSON file, got "imagenet-225"; name one of them',
    );
  });

  it('reads a timm config beside the model', async () => {
    const { preprocessing, source, warning } = await resolved({ 'nets/config.json': timmConfig });
    expect(preprocessing).toEqual({
      name: 'config.json',
      // ⌊224 / 0.9⌋
      resize: { kind: 'shorter-side', size: 248 },
      crop: { height: 224, width: 224, rounding: 'half-even' },
      interpolation: 'bicubic',
      library: 'pil',
      channels: 'RGB',
      scale: 1 / 255,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    });
    expect(source).toBe('nets/config.json beside the model');
    expect(warning).toBeNull();
  });

  it('fits a config to a model of another size, and says so', async () => {
    const content = { 'nets/config.json': timmConfig };
    const { preprocessing, warning } = await resolved(content, null, imageInput(112));
    expect(preprocessing.resize).toEqual({ kind: 'shorter-side', size: 124 });
    expect(preprocessing.crop).toMatchObject({ height: 112, width: 112 });
    expect(warning).toBe(
      'nets/config.json prepares images of 224×224, the model takes 112×112: fitted to the model',
    );
  });

  const huggingFace = {
    image_processor_type: 'ViTImageProcessor',
    do_resize: true,
    size: { height: 224, width: 224 },
    resample: 2,
    do_rescale: true,
    rescale_factor: 0.00392156862745098,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  };
  const beside = (change: Record<string, unknown>) =>
    resolved({ 'nets/preprocessor_config.json': { ...huggingFace, ...change } });

  it('reads a Hugging Face config beside the model, before a timm one', async () => {
    const content = {
      'nets/preprocessor_config.json': huggingFace,
      'nets/config.json': timmConfig,
    };
    const { preprocessing } = await resolved(content);
    expect(preprocessing).toEqual({
      name: 'preprocessor_config.json',
      resize: { kind: 'exact', height: 224, width: 224 },
      crop: null,
      interpolation: 'bilinear',
      library: 'pil',
      channels: 'RGB',
      scale: 1 / 255,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    });
  });

  it('reads the sizes of the known processors', async () => {
    const sized = async (change: Record<string, unknown>) => {
      const { resize, crop } = (await beside(change)).preprocessing;
      return { resize, crop };
    };
    const floor = { height: 224, width: 224, rounding: 'floor' };
    const clip = { image_processor_type: 'CLIPImageProcessor', size: { shortest_edge: 224 } };
    expect(await sized({ ...clip, do_center_crop: true, crop_size: 224 })).toEqual({
      resize: { kind: 'shorter-side', size: 224 },
      crop: floor,
    });
    expect(
      await sized({
        feature_extractor_type: 'DeiTFeatureExtractor',
        image_processor_type: undefined,
        size: 256,
        do_center_crop: true,
        crop_size: { height: 224, width: 224 },
      }),
    ).toEqual({
      resize: { kind: 'exact', height: 256, width: 256 },
      crop: floor,
    });
    const convNext = { image_processor_type: 'ConvNextImageProcessor', crop_pct: 0.875 };
    expect(await sized({ ...convNext, size: { shortest_edge: 224 } })).toEqual({
      resize: { kind: 'shorter-side', size: 256 },
      crop: floor,
    });
    expect(await sized({ ...convNext, size: { shortest_edge: 384 } })).toEqual({
      resize: { kind: 'exact', height: 384, width: 384 },
      crop: null,
    });
    const { preprocessing } = await beside({ do_normalize: false, resample: 3 });
    expect(preprocessing).toMatchObject({
      channels: 'RGB',
      mean: [0, 0, 0],
      std: [1, 1, 1],
      interpolation: 'bicubic',
    });
  });

  it.each([
    [
      { resample: 4 },
      'preprocessor_config.json: resample: expected 0 (nearest), 1 (Lanczos), 2 or 3, got 4',
    ],
    [{ do_pad: true }, 'preprocessor_config.json: do_pad: expected false, got true'],
    [
      { size: { longest_edge: 224 } },
      'preprocessor_config.json: size: expected a size of height and width',
    ],
    [
      { size: { shortest_edge: 224 } },
      'size: expected a height and a width for ViTImageProcessor, got {"shortest_edge":224}',
    ],
    [
      { image_processor_type: 'DetrImageProcessor' },
      'image_processor_type: expected one of ViTImageProcessor, DINOv3ViTImageProcessor',
    ],
    [{ image_processor_type: 'DetrImageProcessor' }, 'got "DetrImageProcessor"'],
    [{ image_processor_type: 'toString' }, 'got "toString"'],
    [{ do_flip_channels: true }, 'do_flip_channels: expected none, false or a field that is known'],
    [{ do_flip_channel_order: true }, 'do_flip_channel_order: expected none, false or a field'],
    [{ include_top: true }, 'include_top: expected none, false or a field that is known of ViT'],
    [{ do_thumbnail: true }, 'do_thumbnail: expected none, false or a field that is known of ViT'],
    [{ do_split_image: 2 }, 'do_split_image: expected none, false or a field that is known of ViT'],
    [
      { image_processor_type: 'ConvNextImageProcessor' },
      'size: expected a shortest_edge, got {"height":224,"width":224}',
    ],
    [
      { image_processor_type: 'MobileViTImageProcessor', do_normalize: undefined },
      'image_mean: expected none, false or a field that is known of MobileViTImageProcessor',
    ],
    [
      { image_processor_type: 'EfficientNetImageProcessor', rescale_offset: true },
      'rescale_offset: expected a rescale_factor of 1/127.5 with it, got true',
    ],
    [{ image_std: [0.5, 0, 0.5] }, 'preprocessor_config.json: image_std[1]'],
    [{ do_center_crop: true }, 'do_center_crop: expected false for ViTImageProcessor, which does'],
    [
      { image_processor_type: 'ViTImageProcessorFast', do_center_crop: true },
      'preprocessor_config.json: crop_size',
    ],
    [{ crop_pct: 0.9 }, 'crop_pct: expected none, false or a field that is known of ViTImage'],
    [{ image_processor_type: null, size: 224 }, 'size: expected a size of height and width'],
    [
      { image_processor_type: null, size: { shortest_edge: 224 } },
      'do_center_crop: expected true or false, where no image_processor_type is named, got nothing',
    ],
    [{ image_processor_type: null, image_mean: null }, 'expected image_mean and image_std'],
    [{ image_processor_type: null, resample: null }, 'resample: expected 0 (nearest)'],
  ])('refuses %j', async (change, message) => {
    expect(await inputLine(() => beside(change))).toContain(message);
  });

  const byClass = async (name: string, fields: Record<string, unknown> = {}) => {
    const file = { image_processor_type: name, ...fields };
    return (await resolved({ 'nets/preprocessor_config.json': file })).preprocessing;
  };
  const exact = (height: number, width = height) => ({ kind: 'exact', height, width });
  const shorter = (size: number) => ({ kind: 'shorter-side', size });
  const floor = (size: number) => ({ height: size, width: size, rounding: 'floor' });

  it.each([
    ['ViT', exact(224), null, 'bilinear', 0.5],
    ['DINOv3ViT', exact(224), null, 'bilinear', 0.485],
    ['Pvt', exact(224), null, 'bilinear', 0.485],
    ['Siglip', exact(224), null, 'bicubic', 0.5],
    ['Blip', exact(384), null, 'bicubic', 0.48145466],
    ['Segformer', exact(512), null, 'bilinear', 0.485],
    ['DeiT', exact(256), floor(224), 'bicubic', 0.5],
    ['Beit', exact(256), floor(224), 'bicubic', 0.5],
    ['CLIP', shorter(224), floor(224), 'bicubic', 0.48145466],
    ['Bit', shorter(224), floor(224), 'bicubic', 0.48145466],
    ['MobileNetV1', shorter(256), floor(224), 'bilinear', 0.5],
    ['MobileNetV2', shorter(256), floor(224), 'bilinear', 0.5],
    ['MobileViT', shorter(224), floor(256), 'bilinear', 0],
    ['ConvNext', exact(384), null, 'bicubic', 0.5],
    ['PoolFormer', shorter(248), floor(224), 'bicubic', 0.485],
    ['Levit', shorter(256), floor(224), 'bicubic', 0.485],
    ['DPT', exact(384), null, 'bicubic', 0.5],
    ['Perceiver', exact(224), null, 'bicubic', 0.485],
    ['EfficientNet', exact(346), null, 'nearest', 0.5],
  ])('knows what a %s processor does where its file is silent', async (name, resize, crop, filter, mean) => {
    const every = ['', 'Fast'].map((suffix) => byClass(`${name}ImageProcessor${suffix}`));
    for (const preprocessing of await Promise.all([...every, byClass(`${name}FeatureExtractor`)])) {
      const { interpolation, scale } = preprocessing;
      expect([preprocessing.resize, preprocessing.crop]).toEqual([resize, crop]);
      expect([interpolation, scale, preprocessing.mean[0]]).toEqual([filter, 1 / 255, mean]);
    }
  });

  it('follows the rules that classes have of their own', async () => {
    const perceiver = await byClass('PerceiverImageProcessor', { crop_size: 256 });
    expect(perceiver.firstCrop).toEqual({ height: 224 / 256, width: 224 / 256 });
    // The centre 21 × 21 of 24 × 40, and no more, however it is resized.
    const cut = {
      ...perceiver,
      resize: { kind: 'none' },
      firstCrop: { height: 0.9, width: 0.9 },
    } as const;
    expect(outputSize({ height: 24, width: 40, channels: 3 }, cut)).toEqual([21, 21]);
    const pixels = noisePixels(24, 40);
    const raw = { ...cut, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } as Preprocessing;
    const out = new Float32Array(21 * 21 * 3);
    preprocess(pixels, raw, 'NHWC', out, 0);
    expect(out[0]).toBe(pixels.data[(1 * 40 + 9) * 3]);
    expect(out.at(-1)).toBe(pixels.data[(21 * 40 + 29) * 3 + 2]);

    const mobileViT = await byClass('MobileViTFeatureExtractor', {
      do_flip_channels: true,
      size: 288,
    });
    expect(mobileViT).toMatchObject({ channels: 'BGR', resize: shorter(288), std: [1, 1, 1] });
    const unflipped = await byClass('MobileViTImageProcessor', { do_flip_channel_order: false });
    expect(unflipped.channels).toBe('RGB');

    const top = await byClass('EfficientNetImageProcessor', { image_std: 0.25 });
    expect(top.std).toEqual([0.0625, 0.0625, 0.0625]);
    const offset = await byClass('EfficientNetImageProcessor', {
      rescale_offset: true,
      rescale_factor: 1 / 127.5,
      include_top: false,
    });
    expect(offset).toMatchObject({ mean: [1.5, 1.5, 1.5], std: [0.5, 0.5, 0.5] });

    const levit = await byClass('LevitImageProcessor', { size: { height: 240, width: 200 } });
    expect(levit.resize).toEqual(exact(240, 200));
    expect((await byClass('PoolFormerImageProcessor', { size: [224, 224] })).resize).toEqual(
      shorter(248),
    );
    expect((await byClass('PoolFormerImageProcessor', { size: [90, 180] })).resize).toEqual(
      exact(100, 200),
    );
  });

  it('keeps the ratio of an image for DPT, and rounds to multiples as Python does', async () => {
    const dpt = (fields: Record<string, unknown>) => byClass('DPTImageProcessor', fields);
    const kept = await dpt({ size: 518, keep_aspect_ratio: true, ensure_multiple_of: 14 });
    const size = (height: number, width: number) =>
      outputSize({ height, width, channels: 3 }, kept);
    // depth_anything's own example: 480 × 640 becomes 518 × 686.
    expect(size(480, 640)).toEqual([518, 686]);
    expect(size(640, 480)).toEqual([686, 518]);
    // 1400 × 1200: a scale of .43 by width is nearer to 1 than .37 by height.
    expect(size(1400, 1200)).toEqual([602, 518]);
    // Halves go to even multiples: 20 / 8 = 2.5, 28 / 8 = 3.5.
    expect((await dpt({ size: [20, 28], ensure_multiple_of: 8 })).resize).toEqual(exact(16, 32));
    const fixed = fitToInput(kept, imageInput(224));
    expect(fixed.resize).toMatchObject({ kind: 'nearest-scale', height: 224, width: 224 });
  });

  it('takes null for absent, one mean for all channels, and bare sizes of old files', async () => {
    const nulls = Object.fromEntries(
      'size crop_size resample do_resize do_center_crop do_rescale rescale_factor do_normalize image_mean image_std crop_pct default_to_square do_pad pad_size device'
        .split(' ')
        .map((key) => [key, null]),
    );
    for (const name of ['CLIP', 'ConvNext', 'ViT', 'Levit', 'EfficientNet'])
      expect(await byClass(`${name}ImageProcessorFast`, nulls)).toEqual(
        await byClass(`${name}ImageProcessor`),
      );
    const sized = { height: 224, width: 224, shortest_edge: null, longest_edge: null };
    expect((await byClass('ViTImageProcessorFast', { size: sized })).resize).toEqual(exact(224));
    expect((await byClass('ViTImageProcessor', { image_mean: 0.25 })).mean).toEqual([
      0.25, 0.25, 0.25,
    ]);
    expect((await byClass('CLIPFeatureExtractor', { size: 336, crop_size: 336 })).crop).toEqual(
      floor(336),
    );
    expect((await byClass('DeiTFeatureExtractor', { size: 438, crop_size: 384 })).resize).toEqual(
      exact(438),
    );
    const square = { size: 96, default_to_square: true };
    expect((await byClass('CLIPImageProcessorFast', square)).resize).toEqual(exact(96));
    const timm = { pretrained_cfg: { ...timmConfig.pretrained_cfg, crop_pct: null, mean: 0.5 } };
    const { resize, mean } = (await resolved({ 'nets/config.json': timm })).preprocessing;
    // ⌊224 / 0.875⌋
    expect({ resize, mean }).toEqual({ resize: shorter(256), mean: [0.5, 0.5, 0.5] });
  });

  it('takes the class of a file of 2021 from the model type beside it', async () => {
    const old = { do_normalize: true, do_resize: true, image_mean: 0.5, image_std: 0.5, size: 224 };
    const file = { 'nets/preprocessor_config.json': old };
    const vit = await resolved({ ...file, 'nets/config.json': { model_type: 'vit' } });
    expect(vit.preprocessing).toMatchObject({ resize: exact(224), interpolation: 'bilinear' });
    const levit = await resolved({ ...file, 'nets/config.json': { model_type: 'levit' } });
    expect(levit.preprocessing).toMatchObject({ resize: shorter(256), crop: floor(224) });
    expect(await inputLine(() => resolved(file))).toContain('size: expected a size of height');
  });

  it('refuses a timm config that it cannot imitate', async () => {
    const config = (change: object) => ({
      'nets/config.json': { pretrained_cfg: { ...timmConfig.pretrained_cfg, ...change } },
    });
    expect(await inputLine(() => resolved(config({ crop_mode: 'border' })))).toContain(
      'nets/config.json: pretrained_cfg: crop_mode: expected "center" or "squash", got "border"',
    );
    expect(await inputLine(() => resolved(config({ input_size: [3, 224, 192] })))).toContain(
      'expected a square input with crop_mode center, got [3,224,192]',
    );
  });

  const own: Preprocessing = { ...presetNamed('imagenet-256-crop-224')!, name: 'mine' };

  it('reads a file of its own record, field by field', async () => {
    const found = await resolved({ 'mine.json': own }, 'mine.json');
    expect(found.preprocessing).toEqual(own);
    expect(found.source).toBe('file mine.json');
    const { crop, ...rest } = own;
    const plain = { ...rest, crop: { height: 224, width: 224 } };
    expect((await resolved({ 'mine.json': plain }, 'mine.json')).preprocessing.crop).toEqual(crop);
    const read = (change: object) => () => resolved({ 'm.json': { ...own, ...change } }, 'm.json');
    expect(await inputLine(read({ gamma: 2 }))).toContain(
      'm.json: expected known fields only, got unknown field "gamma"',
    );
    expect(await inputLine(read({ interpolation: 'area' }))).toContain(
      'm.json: interpolation: expected "nearest" or "bilinear" or "bicubic" or "lanczos", got "area"',
    );
    expect(await inputLine(read({ library: 'opencv', interpolation: 'bicubic' }))).toContain(
      'm.json: interpolation: expected "bilinear" with library "opencv", got "bicubic"',
    );
    expect(await inputLine(() => resolved({ 'm.json': 'text' }, 'm.json'))).toContain('m.json: ');
  });

  it('refuses a shorter side without a crop for a model of fixed size, and a file that is not there', async () => {
    const file = { 'm.json': { ...own, crop: null } };
    expect(await inputLine(() => resolved(file, 'm.json', imageInput(224)))).toContain(
      'expected a crop or an exact size, for a model that takes 224×224, got a shorter side of 256 without a crop',
    );
    await expect(resolved({}, 'gone.json')).rejects.toThrow('gone.json: expected a file or folder');
  });
});
