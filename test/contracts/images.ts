import { expect } from 'vitest';
import type { Hash, Images, Pixels } from '../../src/records/ports.ts';
import { type Clause, errorLine, bytesOf as text } from './contract.ts';

/** What PIL made of an image. */
export interface GoldenImage {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  /** Of its pixels. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

export interface ImagesUnderTest {
  readonly images: Images;
  readonly golden: readonly GoldenImage[];
  readonly hash: Hash;
}

const refusal = async (images: Images, bytes: Uint8Array, name: string): Promise<string> => {
  const line = await errorLine('input', images.decode(bytes, name));
  expect(line.startsWith(`${name}: expected `)).toBe(true);
  return line;
};

const square = (width: number, height: number): Pixels => ({
  ...{ width, height, channels: 3 },
  data: Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 37) % 256),
});

/** What every implementation of `Images` keeps. */
export const imagesContract: readonly Clause<ImagesUnderTest>[] = [
  {
    promise: 'names its decoder with a version',
    check: async ({ images }) => {
      expect(images.version).toMatch(/^\S.* \d+\.\d+/);
    },
  },
  {
    promise: 'decodes bit-equal to PIL, turning nothing by EXIF, and leaves the bytes as they were',
    check: async ({ images, golden, hash }) => {
      for (const { name, height, width, sha256, bytes } of golden) {
        const before = bytes.slice();
        const pixels = await images.decode(bytes, name);
        expect([pixels.height, pixels.width, pixels.channels], name).toEqual([height, width, 3]);
        expect(await hash.sha256([pixels.data]), name).toBe(sha256);
        expect(bytes).toEqual(before);
      }
    },
  },
  {
    promise: 'refuses truncated images by their names',
    check: async ({ images, golden }) => {
      for (const { name, bytes } of golden)
        for (const share of [0.3, 0.6, 0.9])
          await refusal(images, bytes.subarray(0, Math.floor(bytes.length * share)), name);
    },
  },
  {
    promise: 'refuses what is not an image, also SVG',
    check: async ({ images }) => {
      const notes = text('hello, world, this is no image');
      expect(await refusal(images, notes, 'notes.jpg')).toContain('got another kind of file');
      expect(await refusal(images, new Uint8Array(), 'empty.png')).toContain('got an empty file');
      const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>';
      await refusal(images, text(svg), 'drawing.svg');
    },
  },
  {
    promise: 'encodes to PNG and back without loss, and leaves the pixels as they were',
    check: async ({ images }) => {
      for (const [width, height] of [
        [1, 1],
        [13, 7],
      ] as const) {
        const pixels = square(width, height);
        const png = await images.encode(pixels);
        expect([...png.subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
        expect(await images.decode(png, 'again.png')).toEqual(square(width, height));
        expect(pixels).toEqual(square(width, height));
      }
    },
  },
];
