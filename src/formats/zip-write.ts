import { deflateSync } from 'fflate';
import { inputError } from '../records/errors.ts';
import { crc32 } from './crc32.ts';
import { encodeText } from './text.ts';

// PKWARE's APPNOTE 6.3.
const localSignature = 0x04034b50;
const directorySignature = 0x02014b50;
const endSignature = 0x06054b50;
const max32 = 0xffffffff;

export interface ZipContent {
  readonly name: string;
  readonly parts: readonly Uint8Array[];
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

// 1 January 1980, midnight: the same archive at any time.
const fixedDate = 0x0021;

const record = (fields: readonly (readonly [bytes: 2 | 4, value: number])[]): Uint8Array => {
  const bytes = new Uint8Array(fields.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
};

/**
 * The parts of a zip archive; the same content gives the same bytes. Input error where an entry or the archive
 * reaches 4 GiB (zip64 is read, not written).
 */
export const zipParts = (
  contents: readonly ZipContent[],
  { compress }: { compress: boolean },
): readonly Uint8Array[] => {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  const add = (part: Uint8Array): void => {
    parts.push(part);
    offset += part.length;
  };
  for (const { name, parts: raw } of contents) {
    const title = encodeText(name);
    const size = raw.reduce((sum, part) => sum + part.length, 0);
    const packed = compress ? [deflateSync(joined(raw), { level: 6 })] : raw;
    const packedSize = packed.reduce((sum, part) => sum + part.length, 0);
    if (offset + packedSize + 2 ** 20 > max32 || size > max32) {
      const [expected, mend] = ['an archive below 4 GiB', 'keep less in one file'];
      throw inputError({ where: name, expected, got: 'more', mend });
    }
    // Version 2.0, UTF-8 names, method, time and date, checksum, sizes, lengths of name and extra field.
    const common = [
      [2, 20],
      [2, 0x0800],
      [2, compress ? 8 : 0],
      [2, 0],
      [2, fixedDate],
      [4, crc32(raw)],
      [4, packedSize],
      [4, size],
      [2, title.length],
      [2, 0],
    ] as const;
    const at = offset;
    add(record([[4, localSignature], ...common]));
    add(title);
    packed.forEach(add);
    directory.push(
      record([
        [4, directorySignature],
        [2, 20],
        ...common,
        [2, 0],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, at],
      ]),
      title,
    );
  }
  const from = offset;
  directory.forEach(add);
  const count = contents.length;
  parts.push(
    record([
      [4, endSignature],
      [2, 0],
      [2, 0],
      [2, count],
      [2, count],
      [4, offset - from],
      [4, from],
      [2, 0],
    ]),
  );
  return parts;
};
