import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { centreCrop } from '../../src/formats/crop.ts';
import { type Interpolation, resizeLikePil } from '../../src/formats/resample.ts';
import { resizeLikeOpencv } from '../../src/formats/resample-opencv.ts';
import type { Pixels } from '../../src/records/ports.ts';
import { noisePixels } from './noise.ts';

type Kind = Interpolation | 'opencv';
const kinds: readonly Kind[] = ['nearest', 'bilinear', 'bicubic', 'lanczos', 'opencv'];
type Size = [height: number, width: number];
interface Golden {
  resized: ({ from: Size; to: Size; binary: boolean } & Record<Kind, string>)[];
  inFull: { kind: Kind; values: number[] }[];
  crops: { from: Size; to: Size; sha256: string }[];
}
const golden = JSON.parse(
  readFileSync(new URL('../golden/resample.json', import.meta.url), 'utf8'),
) as Golden;

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const resize = (pixels: Pixels, [height, width]: Size, kind: Kind): Pixels =>
  kind === 'opencv'
    ? resizeLikeOpencv(pixels, width, height)
    : resizeLikePil(pixels, width, height, kind);

describe('resizing is bit-equal to PIL and OpenCV', () => {
  it.each(golden.resized)('$from to $to, binary $binary', (each) => {
    const pixels = noisePixels(...each.from, each.binary);
    for (const kind of kinds) {
      const out = resize(pixels, each.to, kind);
      expect([out.height, out.width], kind).toEqual(each.to);
      expect(sha256(out.data), kind).toBe(each[kind]);
    }
  });

  it.each(golden.inFull)('9×7 to 6×5, $kind, in full', ({ kind, values }) => {
    expect([...resize(noisePixels(9, 7), [6, 5], kind).data]).toEqual(values);
  });
});

describe('centre crop', () => {
  it.each(golden.crops)('$from to $to as torchvision', ({ from, to, sha256: wanted }) => {
    const out = centreCrop(noisePixels(...from), to[1], to[0], 'half-even');
    expect(sha256(out.data)).toBe(wanted);
  });

  it('rounds odd margins to even or down, and pads before or after', () => {
    const strip = (width: number): Pixels => ({
      width,
      height: 1,
      channels: 3,
      data: Uint8Array.from({ length: width * 3 }, (_, i) => 1 + Math.floor(i / 3)),
    });
    const cut = (from: number, to: number, rounding: 'half-even' | 'floor') =>
      [...centreCrop(strip(from), to, 1, rounding).data].filter((_, i) => i % 3 === 0);
    // A margin of 3 begins at 1.5: 2 to even, 1 down; of 1 at 0.5: 0 both ways.
    expect(cut(5, 2, 'half-even')).toEqual([3, 4]);
    expect(cut(5, 2, 'floor')).toEqual([2, 3]);
    expect(cut(3, 2, 'half-even')).toEqual([1, 2]);
    expect(cut(3, 2, 'floor')).toEqual([1, 2]);
    expect(cut(2, 5, 'half-even')).toEqual([0, 1, 2, 0, 0]);
    expect(cut(2, 5, 'floor')).toEqual([0, 0, 1, 2, 0]);
  });
});
