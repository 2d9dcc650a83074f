import type { Random } from '../src/numeric/random.ts';
import { pick, renamedInPlace } from './changed-names.ts';
import { mutated } from './mutations.ts';

// HDF5's own checksums: superblock (from version 2), object headers, heaps, B-trees and indices of chunks end with Bob
// Jenkins' lookup3 of what they hold; a chunk behind the filter Fletcher32 ends with that. (HDF5 File Format 3.0.)

const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** Bob Jenkins' lookup3, `hashlittle` with an initial value of 0, of bytes `from` to `to`; in `hole`, four bytes are 0. */
export const lookup3 = (bytes: Uint8Array, from: number, to: number, hole = -4): number => {
  const at = (place: number): number =>
    place >= to || (place >= hole && place < hole + 4) ? 0 : bytes[place]!;
  const word = (place: number): number =>
    at(place) | (at(place + 1) << 8) | (at(place + 2) << 16) | (at(place + 3) << 24);
  let [a, b, c] = Array.from({ length: 3 }, () => (0xdeadbeef + to - from) | 0) as [
    ...[number, number, number],
  ];
  let place = from;
  for (; to - place > 12; place += 12) {
    a = (a + word(place)) | 0;
    b = (b + word(place + 4)) | 0;
    c = (c + word(place + 8)) | 0;
    a = (a - c) ^ rotated(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotated(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotated(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotated(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotated(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotated(b, 4);
    b = (b + a) | 0;
  }
  if (place === to) return c >>> 0;
  a = (a + word(place)) | 0;
  b = (b + word(place + 4)) | 0;
  c = (c + word(place + 8)) | 0;
  c = ((c ^ b) - rotated(b, 14)) | 0;
  a = ((a ^ c) - rotated(c, 11)) | 0;
  b = ((b ^ a) - rotated(a, 25)) | 0;
  c = ((c ^ b) - rotated(b, 16)) | 0;
  a = ((a ^ c) - rotated(c, 4)) | 0;
  b = ((b ^ a) - rotated(a, 14)) | 0;
  return ((c ^ b) - rotated(b, 24)) >>> 0;
};

/** Fletcher's checksum of 32 bits as HDF5 has it: words of two bytes, the higher first. */
const fletcher32 = (bytes: Uint8Array, from: number, to: number): number => {
  let [low, high] = [0, 0];
  for (let at = from; at < to; at += 2) {
    low = (low + (bytes[at]! << 8) + (at + 1 < to ? bytes[at + 1]! : 0)) % 65535;
    high = (high + low) % 65535;
  }
  return high * 65536 + low;
};

/** Bytes `from` to `to` of a file, and where the four bytes of their checksum stand: behind them or among them. */
interface Checked {
  readonly from: number;
  readonly to: number;
  readonly sumAt: number;
  readonly sum: (bytes: Uint8Array) => number;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const signatures =
  '\x89HDF OHDR OCHK FRHP FHDB FHIB BTHD BTLF BTIN SMTB SMLI FSHD FSSE FAHD FADB EAHD EAIB EASB EADB'.split(
    ' ',
  );
/** Of a direct block of a heap the checksum stands behind the address and the offset, whose widths differ. */
const inside = { FHDB: [13, 15, 17, 18, 19, 20, 21] };

const withSum = (bytes: Uint8Array, from: number, longest: number): Checked | null => {
  const view = viewOf(bytes);
  for (let to = from + 5; to < Math.min(from + longest, bytes.length - 4); to++) {
    if (lookup3(bytes, from, to) === view.getUint32(to, true)) {
      return { from, to, sumAt: to, sum: (file) => lookup3(file, from, to) };
    }
  }
  return null;
};

const withSumInside = (bytes: Uint8Array, from: number, longest: number): Checked | null => {
  const view = viewOf(bytes);
  for (const place of inside.FHDB) {
    const hole = from + place;
    for (let to = hole + 4; to <= Math.min(from + longest, bytes.length); to++) {
      if (lookup3(bytes, from, to, hole) === view.getUint32(hole, true)) {
        return { from, to, sumAt: hole, sum: (file) => lookup3(file, from, to, hole) };
      }
    }
  }
  return null;
};

/**
 * The parts of a file that have a right checksum of lookup3, found by their signatures and by trying every length: no
 * layout of theirs need be known.
 */
export const checkedParts = (bytes: Uint8Array, longest = 2048): Checked[] => {
  const text = Buffer.from(bytes).toString('latin1');
  return signatures.flatMap((signature) =>
    [...text.matchAll(new RegExp(signature, 'g'))].flatMap(({ index }) => {
      const find = signature in inside ? withSumInside : withSum;
      return find(bytes, index, longest) ?? [];
    }),
  );
};

/** Those of these chunks, `[offset, size]` each, that end with Fletcher's checksum of what they hold. */
export const checkedChunks = (
  bytes: Uint8Array,
  chunks: readonly (readonly [number, number])[],
): Checked[] =>
  chunks.flatMap(([from, size]) => {
    const to = from + size - 4;
    if (to + 4 > bytes.length) return [];
    const isRight = fletcher32(bytes, from, to) === viewOf(bytes).getUint32(to, true);
    return isRight ? [{ from, to, sumAt: to, sum: (file) => fletcher32(file, from, to) }] : [];
  });

/** Changes one to three of these parts of a file, which keeps its length, and repairs their checksums. */
export const changedParts = (
  bytes: Uint8Array,
  parts: readonly Checked[],
  random: Random,
): Uint8Array => {
  const copy = bytes.slice();
  for (let edit = 1 + random.int(3); edit > 0; edit--) {
    const { from, to, sumAt, sum } = pick(parts, random);
    const part = copy.slice(from + 4, to);
    const changed = pick([mutated, renamedInPlace], random)(part, random);
    copy.set(changed.subarray(0, part.length), from + 4);
    viewOf(copy).setUint32(sumAt, sum(copy), true);
  }
  return copy;
};

/** `changedParts` of all that has a right checksum in a file (and these chunks); bytes of any where nothing has. */
export const changedHdf5 = (chunks: readonly (readonly [number, number])[]) => {
  const partsOf = new WeakMap<Uint8Array, readonly Checked[]>();
  return (bytes: Uint8Array, random: Random): Uint8Array => {
    const parts = partsOf.get(bytes) ?? [...checkedParts(bytes), ...checkedChunks(bytes, chunks)];
    partsOf.set(bytes, parts);
    return parts.length === 0 ? mutated(bytes, random) : changedParts(bytes, parts, random);
  };
};
