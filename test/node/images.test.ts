import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createNodeImages } from '../../src/node/images.ts';
import { VentralError } from '../../src/records/errors.ts';

interface Golden {
  images: { name: string; height: number; width: number; sha256: string; base64: string }[];
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/images.json', import.meta.url), 'utf8'),
) as Golden;
const images = createNodeImages();
const bytesOf = (name: string): Uint8Array =>
  Buffer.from(golden.images.find((each) => each.name === name)!.base64, 'base64');

const failure = async (bytes: Uint8Array, name: string): Promise<string> => {
  const thrown = await images.decode(bytes, name).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(thrown).toBeInstanceOf(VentralError);
  expect((thrown as VentralError).kind).toBe('input');
  expect((thrown as VentralError).message).not.toContain('\n');
  return (thrown as VentralError).message;
};

describe('decodes bit-equal to PIL', () => {
  it.each(golden.images)('$name', async ({ name, height, width, sha256 }) => {
    const pixels = await images.decode(bytesOf(name), name);
    expect([pixels.height, pixels.width, pixels.channels]).toEqual([height, width, 3]);
    expect(createHash('sha256').update(pixels.data).digest('hex')).toBe(sha256);
  });
});

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

describe('truncated images are errors that name the file', () => {
  it.each(golden.images.map((each) => each.name))('%s', async (name) => {
    const bytes = bytesOf(name);
    for (const share of [0.3, 0.6, 0.9]) {
      const message = await failure(bytes.subarray(0, Math.floor(bytes.length * share)), name);
      expect(message.startsWith(`${name}: expected `)).toBe(true);
    }
  });

  it('even a JPEG that lacks only its last byte', async () => {
    const bytes = bytesOf('rgb.jpg');
    expect(await failure(bytes.subarray(0, -1), 'a.jpg')).toContain('a.jpg: expected an image');
  });
});

it('refuses what is not an image, also SVG', async () => {
  const text = (content: string) => new TextEncoder().encode(content);
  expect(await failure(text('hello, world, this is no image'), 'notes.jpg')).toBe(
    'notes.jpg: expected an image (JPEG, PNG, WebP, GIF, TIFF or BMP), got another kind of file; replace the file',
  );
  expect(await failure(new Uint8Array(0), 'empty.png')).toContain('got an empty file');
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>';
  expect(await failure(text(svg), 'drawing.svg')).toContain('another kind of file');
});

it('encodes to PNG and back without loss', async () => {
  const pixels = await images.decode(bytesOf('rgb.png'), 'rgb.png');
  const again = await images.decode(await images.encode(pixels), 'again.png');
  expect(again).toEqual(pixels);
});
