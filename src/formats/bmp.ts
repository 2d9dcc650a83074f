import { inputError } from '../records/errors.ts';
import type { Pixels } from '../records/ports.ts';

// Microsoft's device-independent bitmap: file header 14 bytes, then an information header of at least 40.
const uncompressed = 0;
const bitFields = 3;

export const isBmp = (bytes: Uint8Array): boolean => bytes[0] === 0x42 && bytes[1] === 0x4d;

/**
 * Decodes uncompressed bitmaps of 8 (palette), 24 and 32 bits per pixel; the fourth byte is dropped.
 * Throws an input error for other kinds and where bytes are missing.
 */
export const decodeBmp = (bytes: Uint8Array, name: string): Pixels => {
  const wrong = (got: string) =>
    inputError({
      where: name,
      expected: 'a bitmap of 8, 24 or 32 bits, uncompressed',
      got,
      mend: 'save it as PNG',
    });
  if (bytes.length < 54) throw wrong('a truncated header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerSize = view.getUint32(14, true);
  if (headerSize < 40) throw wrong(`an information header of ${headerSize} bytes`);
  const [start, width] = [view.getUint32(10, true), view.getInt32(18, true)];
  const signedHeight = view.getInt32(22, true);
  const [bits, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  const height = Math.abs(signedHeight);
  const known = compression === uncompressed || (compression === bitFields && bits === 32);
  if (!known || ![8, 24, 32].includes(bits)) {
    throw wrong(`${bits} bits with compression ${compression}`);
  }
  if (compression === bitFields && view.getUint32(54, true) !== 0xff0000) {
    throw wrong('channels in an unusual order');
  }
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (width <= 0 || height === 0) throw wrong(`${width}×${height} pixels`);
  if (start + stride * height > bytes.length) throw wrong('fewer bytes than its size needs');

  const palette = 14 + headerSize;
  const step = bits / 8;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    // Rows run upwards where the height is positive.
    const row = start + stride * (signedHeight > 0 ? height - 1 - y : y);
    for (let x = 0; x < width; x++) {
      const pixel = row + x * step;
      const source = bits === 8 ? palette + bytes[pixel]! * 4 : pixel;
      const target = (y * width + x) * 3;
      data[target] = bytes[source + 2]!;
      data[target + 1] = bytes[source + 1]!;
      data[target + 2] = bytes[source]!;
    }
  }
  return { width, height, channels: 3, data };
};
