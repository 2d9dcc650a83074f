import { describe, expect, it } from 'vitest';
import {
  clickmeImage,
  clickmeMap,
  framedImage,
  framedMap,
  inputOf,
} from '../../src/models/frame.ts';
import { preprocess } from '../../src/models/preprocess.ts';
import { presetNamed, presetNames } from '../../src/models/presets.ts';
import { resizeMap } from '../../src/numeric/map-filters.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import type { Pixels } from '../../src/records/ports.ts';
import { bytesOf, difference, floatsOf, humanMapsGolden } from '../human-maps-golden.ts';

const random = createRandom('frame');
const picture = (width: number, height: number): Pixels => ({
  width,
  height,
  channels: 3,
  data: Uint8Array.from({ length: width * height * 3 }, () => random.int(256)),
});

describe('images at the size of the input', () => {
  it.each(presetNames)('are what the preprocessing %s gives, to the bit', (name) => {
    const preprocessing = { ...presetNamed(name)!, channels: 'BGR' as const };
    const pixels = picture(61, 47);
    for (const layout of ['NCHW', 'NHWC'] as const) {
      const got = inputOf(framedImage(pixels, preprocessing), preprocessing, layout);
      const expected = new Float32Array(got.data.length);
      preprocess(pixels, preprocessing, layout, expected, 0);
      expect(Buffer.compare(Buffer.from(got.data.buffer), Buffer.from(expected.buffer))).toBe(0);
    }
  });
});

describe('maps at the size of the input', () => {
  it('go the way of the image: resized and cropped about the centre', () => {
    const preprocessing = presetNamed('imagenet-256-crop-224')!;
    const map: Float32Nd = {
      data: Float32Array.from({ length: 300 * 280 }, random.normal),
      shape: [280, 300],
    };
    const [rows, columns] = [256, Math.trunc((256 * 300) / 280)];
    const resized = resizeMap(map, rows, columns, true);
    const got = framedMap(map, preprocessing);
    expect(got.shape).toEqual([224, 224]);
    const left = Math.round((columns - 224) / 2);
    for (const [y, x] of [
      [0, 0],
      [100, 37],
      [223, 223],
    ] as const)
      expect(got.data[y * 224 + x]).toBe(resized.data[(y + 16) * columns + x + left]);
  });

  it('keep their place beside the image where the crop is larger', () => {
    const preprocessing = {
      ...presetNamed('raw')!,
      crop: { height: 6, width: 4, rounding: 'half-even' as const },
    };
    const map: Float32Nd = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] };
    const row = [0, 1, 2, 0];
    const next = [0, 3, 4, 0];
    const none = [0, 0, 0, 0];
    expect([...framedMap(map, preprocessing).data]).toEqual(
      [none, none, row, next, none, none].flat(),
    );
  });
});

describe('clickme-2022', () => {
  const { clickme } = humanMapsGolden;
  const bits = bytesOf(clickme.clicks);
  let next = 0;
  const clicks: Float32Nd = {
    data: Float32Array.from({ length: 256 * 256 }, (_, i) =>
      bits[i >> 3]! & (128 >> (i & 7)) ? clickme.levels[next++]! : 0,
    ),
    shape: [256, 256],
  };

  it('blurs off-centre and resizes as released', () => {
    const blurred = clickmeMap(clicks, { height: 64, width: 64 });
    expect(difference(blurred, floatsOf(clickme.blurred))).toBeLessThan(2e-5);
    const { data } = clickmeMap(clicks, { height: 224, width: 224 });
    const sampled = Float32Array.from(
      { length: 32 * 32 },
      (_, i) => data[Math.floor(i / 32) * 7 * 224 + (i % 32) * 7]!,
    );
    expect(difference({ data: sampled, shape: [32, 32] }, floatsOf(clickme.resized))).toBeLessThan(
      2e-5,
    );
  });

  it('moves a point one column to the left and keeps its row', () => {
    const point: Float32Nd = { data: new Float32Array(64 * 64), shape: [64, 64] };
    point.data[30 * 64 + 30] = 1;
    const { data } = clickmeMap(point, { height: 64, width: 64 });
    expect(data.indexOf(Math.max(...data))).toBe(30 * 64 + 29);
  });

  it('resizes images without antialiasing or rounding', () => {
    const pixels = picture(256, 256);
    const got = clickmeImage(pixels, { height: 64, width: 64 }, { channels: 'RGB' });
    const at = (y: number, x: number): number => pixels.data[(y * 256 + x) * 3 + 1]!;
    // Four to one: the two middle pixels of four in each direction.
    const expected = (at(41, 81) + at(41, 82) + at(42, 81) + at(42, 82)) / 4;
    expect(got.data[(10 * 64 + 20) * 3 + 1]).toBeCloseTo(expected, 4);
  });
});
