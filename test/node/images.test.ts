import { expect, it } from 'vitest';
import { createNodeImages } from '../../src/node/images.ts';
import { errorLine } from '../contracts/contract.ts';
import { goldenImages } from '../contracts/golden-images.ts';

// What every decoder keeps is in `contracts/images.ts`.

const images = createNodeImages();

it('keeps the upper 8 of 16 bits', async () => {
  // 2×1 grey PNG of 16 bits with the values 0x1280 and 0xff01, from sharp itself.
  const { default: sharp } = await import('sharp');
  const raw = new Uint16Array([0x1280, 0xff01]);
  const bytes = await sharp(raw, { raw: { width: 2, height: 1, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
  expect(bytes[24]).toBe(16);
  const pixels = await images.decode(bytes, 'grey16.png');
  expect([...pixels.data]).toEqual([0x12, 0x12, 0x12, 0xff, 0xff, 0xff]);
});

it('refuses a JPEG that lacks only its last byte', async () => {
  const { bytes } = goldenImages().find(({ name }) => name === 'rgb.jpg')!;
  const line = await errorLine('input', images.decode(bytes.subarray(0, -1), 'a.jpg'));
  expect(line).toContain('a.jpg: expected an image (JPEG, PNG, WebP, GIF, TIFF or BMP)');
});
