import { createRequire } from 'node:module';
import type Sharp from 'sharp';
import { decodeBmp, isBmp } from '../formats/bmp.ts';
import { inputError, reasonOf } from '../records/errors.ts';
import type { Images, Pixels } from '../records/ports.ts';

/** Loaded with the first image (or the version in a score): libvips is the largest part of this program. */
const load = createRequire(import.meta.url);
const sharp = (): typeof Sharp => load('sharp');

const latin = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to));

/** Kinds told by their first bytes; sharp would also render SVG and PDF, which are not stimuli. */
const isKnown = (bytes: Uint8Array): boolean =>
  latin(bytes, 0, 3) === '\xff\xd8\xff' ||
  latin(bytes, 0, 8) === '\x89PNG\r\n\x1a\n' ||
  /^GIF8[79]a$/.test(latin(bytes, 0, 6)) ||
  (latin(bytes, 0, 4) === 'RIFF' && latin(bytes, 8, 12) === 'WEBP') ||
  latin(bytes, 0, 4) === 'II*\0' ||
  latin(bytes, 0, 4) === 'MM\0*';

const expected = 'an image (JPEG, PNG, WebP, GIF, TIFF or BMP)';
const mend = 'replace the file';

const decodeBySharp = async (bytes: Uint8Array, name: string): Promise<Pixels> => {
  try {
    // PIL knows no colour management, hence no profile; `error` takes truncated files for errors, as PIL does.
    const options = { failOn: 'error', ignoreIcc: true, autoOrient: false } as const;
    const { data, info } = await sharp()(bytes, options)
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return {
      width: info.width,
      height: info.height,
      channels: 3,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
  } catch (thrown) {
    const reason = reasonOf(thrown).replace('Input buffer has corrupt header', 'a corrupt header');
    const got = `one that does not decode (${reason.replace(/[:\s]+$/, '')})`;
    throw inputError({ where: name, expected, got, mend }, thrown);
  }
};

const decode = async (bytes: Uint8Array, name: string): Promise<Pixels> => {
  if (isBmp(bytes)) return decodeBmp(bytes, name);
  if (isKnown(bytes)) return decodeBySharp(bytes, name);
  const got = bytes.length === 0 ? 'an empty file' : 'another kind of file';
  throw inputError({ where: name, expected, got, mend });
};

const encode = async ({ data, width, height, channels }: Pixels): Promise<Uint8Array> =>
  new Uint8Array(await sharp()(data, { raw: { width, height, channels } }).png().toBuffer());

/**
 * Images by sharp, which decodes only (its resizing is not PIL's) and never turns by EXIF.
 * Grey and palette images are spread to three channels, alpha is dropped, of 16 bits the upper 8 are kept,
 * CMYK is converted by libvips (PIL's conversion differs by up to some tens of 255), the first frame is taken.
 */
export const createNodeImages = (): Images => ({
  get version() {
    return `sharp ${sharp().versions.sharp}`;
  },
  decode,
  encode,
});
