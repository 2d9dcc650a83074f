import { sizeOf } from '../numeric/array.ts';
import type { ArrayData } from '../records/array.ts';
import {
  deepestNesting,
  emptyNumbers,
  fromColumnMajor,
  isNumeric,
  type MatValue,
  type MatVariable,
  textRows,
} from './mat.ts';
import {
  type Cursor,
  dataViewOf,
  itemSizeOf,
  miMatrix,
  readSmallElement,
  readTag,
  skipBytes,
  skipPadding,
  type Tag,
  takeBytes,
  toNumbers,
  wrong,
} from './matlab-elements.ts';

const classes: Readonly<Record<number, string>> = {
  1: 'cell',
  2: 'struct',
  3: 'object',
  4: 'char',
  5: 'sparse',
  6: 'double',
  7: 'single',
  8: 'int8',
  9: 'uint8',
  10: 'int16',
  11: 'uint16',
  12: 'int32',
  13: 'uint32',
  14: 'int64',
  15: 'uint64',
  16: 'function_handle',
  17: 'opaque',
};

const complexFlag = 0x08;
const logicalFlag = 0x02;
/** A name has at most 63 letters in MATLAB; other writers allow themselves more. */
const nameBytes = 4096;
const mostDimensions = 64;
/** Bytes of numbers that are read at a time. */
const blockBytes = 2 ** 20;

const nameOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/\0.*$/s, '');

const readShape = async (cursor: Cursor): Promise<number[]> => {
  const tag = await readTag(cursor);
  const bytes = await readSmallElement(cursor, tag, 4 * mostDimensions);
  const view = dataViewOf(bytes);
  const shape: number[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    shape.push(view.getInt32(at, !cursor.bigEndian));
  }
  if (tag.type !== 5 || shape.length < 2 || shape.some((size) => size < 0)) {
    throw wrong(cursor.where, 'two or more dimensions', shape.join(' × ') || 'none');
  }
  return shape;
};

/** The description before the content of an array: class, shape, name. */
export const readHeader = async (cursor: Cursor): Promise<MatVariable> => {
  const flagsTag = await readTag(cursor);
  const flags = await readSmallElement(cursor, flagsTag, 8);
  if (flagsTag.type !== 6 || flags.length !== 8) {
    throw wrong(cursor.where, 'array flags', `an element of type ${flagsTag.type}`);
  }
  const word = dataViewOf(flags).getUint32(0, !cursor.bigEndian);
  const [code, bits] = [word & 255, (word >>> 8) & 255];
  const stored = classes[code];
  if (stored === undefined) throw wrong(cursor.where, "one of MATLAB's classes", `class ${code}`);
  // Objects of newer MATLABs have no dimensions.
  const shape = stored === 'opaque' ? [] : await readShape(cursor);
  const name = nameOf(await readSmallElement(cursor, await readTag(cursor), nameBytes));
  const isLogical = (bits & logicalFlag) !== 0 && stored !== 'sparse';
  return {
    name,
    class: isLogical && isNumeric(stored) ? 'logical' : stored,
    shape,
    complex: (bits & complexFlag) !== 0,
  };
};

/** The tag of the numbers, whose length must bear out the shape. */
const readNumbersTag = async (cursor: Cursor, { shape }: MatVariable): Promise<Tag> => {
  const tag = await readTag(cursor);
  const [count, size] = [sizeOf(shape), itemSizeOf(tag.type, cursor.where)];
  const inElement = tag.inline === null ? cursor.left : 4;
  if (tag.length !== count * size || tag.length > inElement) {
    throw wrong(
      cursor.where,
      `${count * size} bytes for the ${count} numbers that the header claims (${shape.join(' × ')})`,
      `${Math.min(tag.length, inElement)}`,
    );
  }
  return tag;
};

/** The numbers that come next, column-major, in blocks of bounded size. */
export async function* numberBlocks(
  cursor: Cursor,
  variable: MatVariable,
): AsyncGenerator<ArrayData> {
  const tag = await readNumbersTag(cursor, variable);
  if (tag.inline !== null) {
    yield toNumbers(tag.inline, tag.type, cursor.bigEndian);
    return;
  }
  for (let left = tag.length; left > 0; ) {
    const bytes = await takeBytes(cursor, Math.min(left, blockBytes));
    left -= bytes.length;
    yield toNumbers(bytes, tag.type, cursor.bigEndian);
  }
  await skipPadding(cursor, tag);
}

const joined = (blocks: readonly ArrayData[]): ArrayData => {
  const first = blocks[0];
  if (first === undefined) return new Float64Array(0);
  if (blocks.length === 1) return first;
  const make = first.constructor as new (length: number) => ArrayData;
  const all = new make(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    // One storage type in all blocks, which the types cannot say.
    (all as Float64Array).set(block as Float64Array, at);
    at += block.length;
  }
  return all;
};

const readNumbers = async (cursor: Cursor, variable: MatVariable): Promise<MatValue> => {
  const blocks: ArrayData[] = [];
  for await (const block of numberBlocks(cursor, variable)) blocks.push(block);
  const array = fromColumnMajor(joined(blocks), variable.shape);
  return { kind: 'numbers', class: variable.class, array };
};

const utf32 = (bytes: Uint8Array, bigEndian: boolean, where: string): string => {
  const view = dataViewOf(bytes);
  const letters: string[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const point = view.getUint32(at, !bigEndian);
    if (point > 0x10ffff) throw wrong(where, 'UTF-32 text', `the letter ${point}`);
    letters.push(String.fromCodePoint(point));
  }
  return letters.join('');
};

const decode = (label: string, bytes: Uint8Array, where: string): string => {
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw wrong(where, `${label} text`, 'other bytes');
  }
};

/** UTF-16 units as they stand: MATLAB's letters may be halves of a pair. */
const units = (bytes: Uint8Array, bigEndian: boolean): string[] => {
  const view = dataViewOf(bytes);
  return Array.from({ length: bytes.length >> 1 }, (_, index) =>
    String.fromCharCode(view.getUint16(2 * index, !bigEndian)),
  );
};

/** Letters as the shape counts them: code points in some writers' UTF-8, UTF-16 units in MATLAB's own. */
const lettersOf = (text: string, count: number, where: string): string[] => {
  const points = [...text];
  if (points.length === count) return points;
  if (text.length === count) return text.split('');
  throw wrong(where, `${count} letters, as the header claims`, `${points.length}`);
};

const readText = async (cursor: Cursor, { shape }: MatVariable): Promise<MatValue> => {
  const count = sizeOf(shape);
  if (count === 0 && cursor.left === 0) return { kind: 'text', rows: shape[0] === 1 ? [''] : [] };
  const tag = await readTag(cursor);
  const bytes = await readSmallElement(cursor, tag, cursor.left);
  const { where, bigEndian } = cursor;
  const letters = ((): string[] => {
    switch (tag.type) {
      case 4:
      case 3:
      case 17:
        return lettersOf(units(bytes, bigEndian).join(''), count, where);
      case 1:
      case 2:
        return lettersOf(decode('latin1', bytes, where), count, where);
      case 16:
        return lettersOf(decode('utf-8', bytes, where), count, where);
      case 18:
        return lettersOf(utf32(bytes, bigEndian, where), count, where);
      default:
        throw wrong(where, 'text', `data of type ${tag.type}`);
    }
  })();
  if (count === 0) return { kind: 'text', rows: shape[0] === 1 ? [''] : [] };
  return { kind: 'text', rows: textRows(letters, shape) };
};

/** Every element takes a tag of 8 bytes at least, so a count beyond that lies. */
const checkCount = (cursor: Cursor, count: number): void => {
  if (count * 8 <= cursor.left) return;
  throw wrong(
    cursor.where,
    `at most ${Math.floor(cursor.left / 8)} elements in ${cursor.left} bytes`,
    `${count}`,
  );
};

const readElements = async (cursor: Cursor, count: number, depth: number): Promise<MatValue[]> => {
  const values: MatValue[] = [];
  for (let index = 0; index < count; index++) values.push(await readMatrix(cursor, depth));
  return values;
};

const readCell = async (
  cursor: Cursor,
  { shape }: MatVariable,
  depth: number,
): Promise<MatValue> => {
  const count = sizeOf(shape);
  checkCount(cursor, count);
  return { kind: 'cell', shape, elements: await readElements(cursor, count, depth + 1) };
};

const readFieldNames = async (cursor: Cursor): Promise<string[]> => {
  const width = dataViewOf(await readSmallElement(cursor, await readTag(cursor), 8));
  if (width.byteLength !== 4) throw wrong(cursor.where, 'a length of field names', 'none');
  const size = width.getInt32(0, !cursor.bigEndian);
  const bytes = await readSmallElement(cursor, await readTag(cursor), cursor.left);
  if (bytes.length === 0) return [];
  if (size < 1 || bytes.length % size !== 0) {
    throw wrong(cursor.where, `field names of ${size} bytes`, `${bytes.length} bytes of them`);
  }
  return Array.from({ length: bytes.length / size }, (_, index) =>
    nameOf(bytes.subarray(index * size, (index + 1) * size)),
  );
};

const readStruct = async (
  cursor: Cursor,
  { shape }: MatVariable,
  depth: number,
): Promise<MatValue> => {
  const names = await readFieldNames(cursor);
  const count = names.length === 0 ? 0 : sizeOf(shape);
  checkCount(cursor, count * names.length);
  const fields = names.map((): MatValue[] => []);
  for (let index = 0; index < count; index++) {
    for (const field of fields) field.push(await readMatrix(cursor, depth + 1));
  }
  return { kind: 'struct', shape, fields: new Map(names.map((name, k) => [name, fields[k]!])) };
};

/** The content of an array whose header was just read, to the end of its element. */
export const readContent = async (
  cursor: Cursor,
  variable: MatVariable,
  depth: number,
): Promise<MatValue> => {
  if (depth > deepestNesting) {
    throw wrong(cursor.where, `arrays nested at most ${deepestNesting} deep`, 'more');
  }
  switch (variable.class) {
    case 'cell':
      return readCell(cursor, variable, depth);
    case 'struct':
      return readStruct(cursor, variable, depth);
    case 'char':
      return readText(cursor, variable);
    default:
      return isNumeric(variable.class) && !variable.complex
        ? readNumbers(cursor, variable)
        : { kind: 'other', class: variable.complex ? 'complex numbers' : variable.class };
  }
};

const readMatrix = async (outer: Cursor, depth: number): Promise<MatValue> => {
  const tag = await readTag(outer);
  if (tag.type !== miMatrix || tag.length > outer.left) {
    const got = `an element of type ${tag.type} with ${tag.length} bytes`;
    throw wrong(outer.where, `an array of at most ${outer.left} bytes`, got);
  }
  if (tag.length === 0) return emptyNumbers;
  const cursor: Cursor = { ...outer, left: tag.length };
  outer.left -= tag.length;
  const value = await readContent(cursor, await readHeader(cursor), depth);
  await skipBytes(cursor, cursor.left);
  return value;
};
