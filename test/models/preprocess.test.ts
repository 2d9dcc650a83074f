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
      '--preprocess: expected imagenet-224, imagenet-256-crop-224, tf-224, raw, imagenet-224-opencv, imagenet-256-crop-224-opencv, tf-224-opencv, raw-opencv or a JSON file, got "imagenet-225"; name one of them',
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
    const { preprocessing } = await beside({
      do_flip_channel_order: true,
      do_normalize: false,
      resample: 3,
    });
    expect(preprocessing).toMatchObject({
      channels: 'BGR',
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
      { image_processor_type: 'LevitImageProcessor', size: 224 },
      'size: expected a size of height and width',
    ],
    [{ image_std: [0.5, 0, 0.5] }, 'preprocessor_config.json: image_std[1]'],
    [{ do_center_crop: true }, 'preprocessor_config.json: crop_size'],
    [{ image_mean: undefined }, 'expected image_mean and image_std'],
    [{ crop_pct: 0.9 }, 'crop_pct: expected no crop_pct with ViTImageProcessor, got 0.9'],
  ])('refuses %j', async (change, message) => {
    expect(await inputLine(() => beside(change))).toContain(message);
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
