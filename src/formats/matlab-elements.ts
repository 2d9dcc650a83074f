import type { ArrayData } from '../records/array.ts';
import { inputError, type VentralError } from '../records/errors.ts';
import type { ByteStream } from './stream.ts';

// MATLAB's "MAT-File Format", level 5: everything is an element, a tag with a type and a length before its bytes.

export const miMatrix = 14;
export const miCompressed = 15;

/** Reading position inside an element. `left` counts what the element's length promises. */
export interface Cursor {
  readonly stream: ByteStream;
  readonly bigEndian: boolean;
  /** File and variable, for messages. */
  readonly where: string;
  left: number;
}

export interface Tag {
  readonly type: number;
  readonly length: number;
  /** The bytes of a small element, which stand in the tag itself. */
  readonly inline: Uint8Array | null;
}

export const wrong = (
  where: string,
  expected: string,
  got: string,
  mend = 'copy the file again, or save it again in MATLAB',
): VentralError => inputError({ where, expected, got, mend });

export const dataViewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The next `length` bytes of the element. Input error where it, or the file, has fewer. */
export const takeBytes = async (cursor: Cursor, length: number): Promise<Uint8Array> => {
  if (length > cursor.left) {
    throw wrong(cursor.where, `at most ${cursor.left} bytes in an element`, `${length} claimed`);
  }
  const bytes = await cursor.stream.take(length);
  if (bytes.length < length) throw wrong(cursor.where, 'a whole file', 'a truncated one');
  cursor.left -= length;
  return bytes;
};

/** Passes over `length` bytes of the element. */
export const skipBytes = async (cursor: Cursor, length: number): Promise<void> => {
  if (length > cursor.left) {
    throw wrong(cursor.where, `at most ${cursor.left} bytes in an element`, `${length} claimed`);
  }
  if ((await cursor.stream.skip(length)) < length) {
    throw wrong(cursor.where, 'a whole file', 'a truncated one');
  }
  cursor.left -= length;
};

export const readTag = async (cursor: Cursor): Promise<Tag> => {
  const bytes = await takeBytes(cursor, 8);
  const view = dataViewOf(bytes);
  const first = view.getUint32(0, !cursor.bigEndian);
  if (first >>> 16 === 0) {
    return { type: first, length: view.getUint32(4, !cursor.bigEndian), inline: null };
  }
  const length = first >>> 16;
  if (length > 4) throw wrong(cursor.where, 'at most 4 bytes in a small element', `${length}`);
  return { type: first & 0xffff, length, inline: bytes.slice(4, 4 + length) };
};

/** Elements end at multiples of 8 bytes; the last of some writers does not. */
export const skipPadding = (cursor: Cursor, { length, inline }: Tag): Promise<void> =>
  skipBytes(cursor, inline === null ? Math.min((8 - (length % 8)) % 8, cursor.left) : 0);

/** The bytes of an element that is small by its nature: flags, dimensions, a name. */
export const readSmallElement = async (
  cursor: Cursor,
  tag: Tag,
  limit: number,
): Promise<Uint8Array> => {
  if (tag.inline !== null) return tag.inline;
  if (tag.length > limit) {
    throw wrong(cursor.where, `at most ${limit} bytes of description`, `${tag.length}`);
  }
  const bytes = (await takeBytes(cursor, tag.length)).slice();
  await skipPadding(cursor, tag);
  return bytes;
};

type Storage = new (buffer: ArrayBuffer) => ArrayData;

/** Types in which numbers are stored, whatever their class: MATLAB writes doubles that are whole as integers. */
const storages: Readonly<Record<number, readonly [size: number, make: Storage]>> = {
  1: [1, Int8Array],
  2: [1, Uint8Array],
  3: [2, Int16Array],
  4: [2, Uint16Array],
  5: [4, Int32Array],
  6: [4, Uint32Array],
  7: [4, Float32Array],
  9: [8, Float64Array],
  12: [8, BigInt64Array],
  13: [8, BigUint64Array],
};

/** Bytes per number of a stored type. Input error where it holds no numbers. */
export const itemSizeOf = (type: number, where: string): number => {
  const size = storages[type]?.[0];
  if (size === undefined) throw wrong(where, 'stored numbers', `data of type ${type}`);
  return size;
};

/** The numbers in a copy of their own, in this machine's (little-endian) order. */
export const toNumbers = (bytes: Uint8Array, type: number, bigEndian: boolean): ArrayData => {
  const [size, make] = storages[type]!;
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  if (bigEndian && size > 1) {
    for (let from = 0; from < copy.length; from += size) copy.subarray(from, from + size).reverse();
  }
  return new make(copy.buffer);
};
