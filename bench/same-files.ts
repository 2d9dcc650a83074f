// Files of two sides as values that can be compared: JSON, NumPy's arrays and archives, CSV. Read without the code that is
// being compared.

import { createHash } from 'node:crypto';
import { unzipSync } from 'fflate';
import {
  compareJson,
  compareTexts,
  type Difference,
  type Numbers,
  type SameTable,
} from './compare-json.ts';

const readers: Readonly<Record<string, (bytes: ArrayBuffer) => Numbers>> = {
  '<f8': (bytes) => new Float64Array(bytes),
  '<f4': (bytes) => new Float32Array(bytes),
  '<i4': (bytes) => new Int32Array(bytes),
  '<i8': (bytes) => new BigInt64Array(bytes),
  '<u8': (bytes) => new BigUint64Array(bytes),
};

/** An array of NumPy's: `type`, `shape` and `data`, numbers or texts; of any other type, the hash of its bytes. */
export const npyValue = (file: Uint8Array): unknown => {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = file[6] === 1 ? 10 : 12;
  const end = start + (file[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  const head = new TextDecoder('latin1').decode(file.subarray(start, end));
  const type = /'descr': '([^']*)'/.exec(head)?.[1] ?? head;
  const shape = (/'shape': \(([^)]*)\)/.exec(head)?.[1] ?? '')
    .split(',')
    .filter(Boolean)
    .map(Number);
  const fortran = head.includes("'fortran_order': True");
  const bytes = file.slice(end);
  return { type: type.replace(/^(<U)\d+$/, '$1'), shape, fortran, data: dataOf(type, bytes) };
};

const dataOf = (type: string, bytes: Uint8Array<ArrayBuffer>): unknown => {
  const read = readers[type];
  if (read !== undefined) return read(bytes.buffer);
  const width = Number(/^<U(\d+)$/.exec(type)?.[1] ?? 0);
  if (width === 0) return createHash('sha256').update(bytes).digest('hex');
  const points = new Uint32Array(bytes.buffer);
  return Array.from({ length: points.length / width }, (_, k) =>
    String.fromCodePoint(...points.subarray(k * width, (k + 1) * width).filter(Boolean)),
  );
};

/** By name, without `.npy`; what an archive holds beside arrays is parsed as JSON, or taken as a text. */
export const npzValue = (file: Uint8Array): unknown =>
  Object.fromEntries(
    Object.entries(unzipSync(file)).map(([name, bytes]) =>
      name.endsWith('.npy')
        ? [name.slice(0, -4), npyValue(bytes)]
        : [name, jsonOr(new TextDecoder().decode(bytes))],
    ),
  );

const jsonOr = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** A record for each line of a table, by the names of its head. */
const csvValue = (text: string): unknown => {
  const [head = [], ...rows] = text
    .trim()
    .split(/\r?\n(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/));
  return rows.map((cells) => Object.fromEntries(cells.map((cell, k) => [head[k] ?? k, cell])));
};

/** Differences between two files of one name; of unknown kinds, and of images, their bytes. */
export const compareFiles = (
  name: string,
  before: Uint8Array,
  after: Uint8Array,
  table: SameTable,
): Difference[] => {
  const extension = name.slice(name.lastIndexOf('.') + 1);
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const by = (value: (bytes: Uint8Array) => unknown) =>
    compareJson(value(before), value(after), table);
  switch (extension) {
    case 'json':
      return by((bytes) => JSON.parse(text(bytes)));
    case 'npy':
      return by(npyValue);
    case 'npz':
      return by(npzValue);
    case 'csv':
      return by((bytes) => csvValue(text(bytes)));
    case 'txt':
    case 'html':
      return comparePrinted(text(before), text(after), table);
    default:
      return by((bytes) => createHash('sha256').update(bytes).digest('hex'));
  }
};

/** What a command printed: as JSON where it is, otherwise its numbers. */
const comparePrinted = (before: string, after: string, table: SameTable): Difference[] => {
  const [a, b] = [jsonOr(before), jsonOr(after)];
  return typeof a === 'object' && typeof b === 'object'
    ? compareJson(a, b, table)
    : compareTexts(before, after);
};
