import { permuteAxes } from '../numeric/array.ts';
import type { ArrayData } from '../records/array.ts';
import { createAdler32 } from './checksum.ts';
import {
  checkNumeric,
  checkReadable,
  fieldAt,
  listedAs,
  type MatFile,
  type MatNumbers,
  type MatValue,
  type MatVariable,
  structFields,
  variableOf,
} from './mat.ts';
import {
  type Cursor,
  dataViewOf,
  miCompressed,
  miMatrix,
  readTag,
  skipBytes,
  takeBytes,
  wrong,
} from './matlab-elements.ts';
import { numberBlocks, readContent, readHeader } from './matlab-values.ts';
import { type ByteStream, inflateStream } from './stream.ts';
import { unpackedLimit } from './zip.ts';

/** A file that can be read from its beginning as often as needed. */
export interface StreamSource {
  readonly size: number;
  open(): Promise<ByteStream>;
}

export const matlabHeaderBytes = 128;

/** Which reader a file needs, told by its first bytes (at least `matlabHeaderBytes` where it has them). */
export const sniffMatlab = (start: Uint8Array): 'level 5' | 'hdf5' | 'level 4' | 'other' => {
  const ascii = String.fromCharCode(...start.subarray(0, 20));
  if (ascii.startsWith('MATLAB 7.3') || ascii.startsWith('\x89HDF\r\n\x1a\n')) return 'hdf5';
  if (start.length < matlabHeaderBytes) return 'other';
  const order = String.fromCharCode(start[126]!, start[127]!);
  if (order === 'IM' || order === 'MI') return 'level 5';
  // Level 4 has no text first, but a number below 5000 that describes the first matrix.
  return dataViewOf(start).getUint32(0, true) < 5000 || dataViewOf(start).getUint32(0, false) < 5000
    ? 'level 4'
    : 'other';
};

const checkStart = (start: Uint8Array, name: string): { bigEndian: boolean } => {
  const kind = sniffMatlab(start);
  if (kind === 'hdf5') {
    throw wrong(name, 'a MATLAB file of level 5', 'one of version 7.3', 'read it as HDF5');
  }
  if (kind === 'level 4') {
    const mend = "save it again in MATLAB: save('file.mat', '-v7')";
    throw wrong(name, 'a MATLAB file of version 5 to 7.3', 'one of version 4', mend);
  }
  if (kind === 'other') {
    const got = start.length < matlabHeaderBytes ? 'a truncated or empty file' : 'another file';
    throw wrong(name, 'a MATLAB file', got, 'name a .mat file');
  }
  const bigEndian = String.fromCharCode(start[126]!, start[127]!) === 'MI';
  const version = dataViewOf(start).getUint16(124, !bigEndian);
  if (version !== 0x0100) {
    throw wrong(name, 'a MATLAB file of version 5', `version 0x${version.toString(16)}`);
  }
  return { bigEndian };
};

/** Where an array begins, and its header. */
interface Place {
  readonly variable: MatVariable;
  /** Of the tag, from the beginning of the file. */
  readonly at: number;
}

const zlib = async (cursor: Cursor, length: number): Promise<ByteStream> => {
  const [method = 0, flags = 0] = await takeBytes(cursor, 2);
  if ((method & 15) !== 8 || (method * 256 + flags) % 31 !== 0 || flags & 32 || length < 6) {
    throw wrong(cursor.where, 'zlib data in a compressed variable', 'other bytes');
  }
  return inflateStream({
    input: cursor.stream,
    packedSize: length - 6,
    checksum: createAdler32(),
    expected: async () => {
      const bytes = await cursor.stream.take(4);
      return bytes.length < 4 ? Number.NaN : dataViewOf(bytes).getUint32(0, false);
    },
    where: cursor.where,
  });
};

interface Entered {
  /** Inside the array, at its header. */
  readonly inner: Cursor;
  /** Bytes of the element in the file, without its tag. */
  readonly length: number;
  readonly isPacked: boolean;
}

/** Enters the array whose tag comes next, through its compression if it has one. */
const enter = async (cursor: Cursor): Promise<Entered> => {
  const tag = await readTag(cursor);
  if (tag.inline !== null || tag.length > cursor.left) {
    const got = `${tag.length} bytes claimed of ${cursor.left}`;
    throw wrong(cursor.where, 'a variable that fits the file', got);
  }
  const { length } = tag;
  if (tag.type === miMatrix) return { inner: { ...cursor, left: length }, length, isPacked: false };
  if (tag.type !== miCompressed) {
    throw wrong(cursor.where, 'variables only', `an element of type ${tag.type}`);
  }
  const stream = await zlib({ ...cursor, left: tag.length }, tag.length);
  const packed: Cursor = { ...cursor, stream, left: 8 };
  const matrix = await readTag(packed);
  const most = unpackedLimit(tag.length);
  if (matrix.type !== miMatrix || matrix.inline !== null || matrix.length > most) {
    const got = `type ${matrix.type} with ${matrix.length} bytes`;
    throw wrong(cursor.where, `an array of at most ${most} bytes in a compressed variable`, got);
  }
  return { inner: { ...packed, left: matrix.length }, length, isPacked: true };
};

/** Counts what is taken and skipped: a compressed variable is left somewhere before its end. */
const counting = (stream: ByteStream): ByteStream & { readonly at: () => number } => {
  let at = 0;
  return {
    at: () => at,
    take: async (length) => {
      const bytes = await stream.take(length);
      at += bytes.length;
      return bytes;
    },
    skip: async (length) => {
      const skipped = await stream.skip(length);
      at += skipped;
      return skipped;
    },
  };
};

interface Contents {
  readonly places: readonly Place[];
  readonly bigEndian: boolean;
}

const list = async (source: StreamSource, name: string): Promise<Contents> => {
  const stream = counting(await source.open());
  const { bigEndian } = checkStart(await stream.take(matlabHeaderBytes), name);
  const places: Place[] = [];
  while (stream.at() < source.size) {
    const at = stream.at();
    const cursor: Cursor = { stream, bigEndian, where: name, left: source.size - at };
    const { inner, length } = await enter(cursor);
    // An empty array has no header, and MATLAB's own data of the file no name.
    const variable = inner.left === 0 ? null : await readHeader(inner);
    if (variable !== null && variable.name !== '') places.push({ variable, at });
    await skipBytes({ ...cursor, left: Infinity }, at + 8 + length - stream.at());
  }
  return { places, bigEndian };
};

/** Reads on to the end of the array: only there is a compressed one known to be whole. */
const checkEnd = async (inner: Cursor, isPacked: boolean): Promise<void> => {
  await skipBytes(inner, inner.left);
  if (isPacked && (await inner.stream.skip(1)) > 0) {
    throw wrong(inner.where, 'one array in a compressed variable', 'more bytes after it');
  }
};

/** The numbers of a field as MATLAB has them in order. */
const columnMajor = (value: MatValue, path: string, file: string): ArrayData => {
  checkNumeric(listedAs(path, value), file);
  const { array } = value as MatNumbers;
  return permuteAxes(
    array,
    array.shape.map((_, axis) => array.shape.length - 1 - axis),
  ).data;
};

/**
 * Opens a MATLAB file of version 5 to 7.2 ("level 5"), either byte order, compressed or not, and lists its variables
 * without reading their content. Source: "MAT-File Format", The MathWorks. `name` is for messages. Input error: other
 * versions, truncated or damaged files, lengths that lie; on reading also sparse and complex arrays, objects and functions.
 */
export const openMatlab = async (source: StreamSource, name: string): Promise<MatFile> => {
  const { places, bigEndian } = await list(source, name);
  const variables = places.map(({ variable }) => variable);
  let last: { readonly path: string; readonly value: MatValue } | null = null;

  const reach = async (wanted: string): Promise<Entered & { variable: MatVariable }> => {
    const { at } = places[variables.indexOf(variableOf({ name, variables }, wanted))]!;
    const stream = await source.open();
    await stream.skip(at);
    const where = `${name}: ${wanted}`;
    const entered = await enter({ stream, bigEndian, where, left: source.size - at });
    return { ...entered, variable: await readHeader(entered.inner) };
  };

  /** A field, for which its struct is read whole: the file has no places of fields. */
  const readField = async (path: string): Promise<MatValue> => {
    if (last?.path === path) return last.value;
    const { variable, fields } = structFields(variables, path);
    const value = fieldAt(await read(variable), fields, `${name}: ${variable}`);
    last = { path, value };
    return value;
  };
  const isField = (path: string): boolean => structFields(variables, path).fields.length > 0;

  const describe = async (path: string): Promise<MatVariable> =>
    isField(path) ? listedAs(path, await readField(path)) : variableOf({ name, variables }, path);

  async function* blocks(wanted: string): AsyncGenerator<ArrayData> {
    if (isField(wanted)) {
      yield columnMajor(await readField(wanted), wanted, name);
      return;
    }
    checkNumeric(variableOf({ name, variables }, wanted), name);
    const { inner, variable, isPacked } = await reach(wanted);
    yield* numberBlocks(inner, variable);
    await checkEnd(inner, isPacked);
  }

  const read = async (wanted: string): Promise<MatValue> => {
    if (isField(wanted)) return readField(wanted);
    checkReadable(variableOf({ name, variables }, wanted), name);
    const { inner, variable, isPacked } = await reach(wanted);
    const value = await readContent(inner, variable, 0);
    await checkEnd(inner, isPacked);
    return value;
  };
  return { name, variables, describe, read, blocks, close: async () => undefined };
};
