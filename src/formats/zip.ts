import { Inflate, inflateSync } from 'fflate';
import { inputError, reasonOf } from '../records/errors.ts';
import { createCrc32 } from './checksum.ts';
import { crc32 } from './crc32.ts';
import { dangerOf } from './paths.ts';
import type { ByteSource } from './source.ts';
import { type ByteStream, inflateStream, sourceStream } from './stream.ts';

// PKWARE's APPNOTE 6.3: archives end in a directory that names every entry.
const localSignature = 0x04034b50;
const directorySignature = 0x02014b50;
const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const max16 = 0xffff;
const max32 = 0xffffffff;

/** Deflate makes a byte of at most this many: an entry that claims more lies. */
const deflateRatio = 1032;
/** What unpacks to more than both is taken for a bomb. */
const bombBytes = 2 ** 30;
const bombRatio = 200;

/** Most bytes that `packed` bytes may unpack to without being taken for a bomb; `always`: whatever the ratio. */
export const unpackedLimit = (packed: number, always = bombBytes): number =>
  Math.max(always, bombRatio * packed);

export interface ZipEntry {
  /** A path that is safe to follow below a folder. */
  readonly name: string;
  /** Bytes when unpacked. */
  readonly size: number;
  readonly packedSize: number;
  readonly method: 'stored' | 'deflated';
  readonly crc: number;
  readonly offset: number;
}

export interface Zip {
  /** Files, without folders, in the order of the archive's directory. */
  readonly entries: readonly ZipEntry[];
  /** The whole entry. Input error where it is damaged. */
  read(entry: ZipEntry): Promise<Uint8Array>;
  /** The first `bytes` bytes of the entry, or all where it has fewer. */
  readStart(entry: ZipEntry, bytes: number): Promise<Uint8Array>;
  /** The entry's bytes from the first on, in bounded memory; the checksum of a deflated one is checked at its end. */
  stream(entry: ZipEntry): Promise<ByteStream>;
}

const wrong = (where: string, expected: string, got: string, mend: string, cause?: unknown) =>
  inputError({ where, expected, got, mend }, cause);
const copyAgain = 'copy the archive again';
const packAgain = 'pack it again without that entry';

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

interface Directory {
  readonly from: number;
  readonly to: number;
  readonly entries: number;
}

const findDirectory = async (source: ByteSource, name: string): Promise<Directory> => {
  const tailFrom = Math.max(0, source.size - 22 - max16);
  const tail = await source.read(tailFrom, source.size);
  const view = viewOf(tail);
  let at = tail.length - 22;
  while (at >= 0 && view.getUint32(at, true) !== endSignature) at--;
  if (at < 0) {
    const isZip = tailFrom === 0 && tail[0] === 0x50 && tail[1] === 0x4b;
    throw wrong(
      name,
      'a zip archive',
      isZip ? 'a truncated one' : 'another kind of file',
      copyAgain,
    );
  }
  const [entries, size] = [view.getUint16(at + 10, true), view.getUint32(at + 12, true)];
  const from = view.getUint32(at + 16, true);
  const is64 = entries === max16 || size === max32 || from === max32;
  if (!is64) return { from, to: from + size, entries };
  if (at < 20 || view.getUint32(at - 20, true) !== locator64Signature) {
    return { from, to: from + size, entries };
  }
  const endAt = Number(view.getBigUint64(at - 12, true));
  const end = await source.read(endAt, endAt + 56);
  if (end.length < 56 || viewOf(end).getUint32(0, true) !== end64Signature) {
    throw wrong(name, 'a zip64 directory', 'a damaged one', copyAgain);
  }
  const big = (offset: number): number => Number(viewOf(end).getBigUint64(offset, true));
  return { from: big(48), to: big(48) + big(40), entries: big(32) };
};

/** Sizes and offset that do not fit 32 bits stand in an extra field, in this order, only where they are needed. */
const readExtra64 = (extra: Uint8Array, values: readonly number[]): number[] => {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    return values.map((value) => {
      if (value !== max32 || next + 8 > extra.length) return value;
      next += 8;
      return Number(view.getBigUint64(next - 8, true));
    });
  }
  return [...values];
};

const checkEntry = (entry: ZipEntry, flags: number, mode: number, where: string): void => {
  const danger = dangerOf(entry.name);
  if (danger !== null) {
    throw wrong(where, 'entries inside the archive', danger, packAgain);
  }
  const at = `${where}: ${entry.name}`;
  if ((mode & 0o170000) === 0o120000) throw wrong(at, 'a file', 'a symbolic link', packAgain);
  if (flags & 1)
    throw wrong(at, 'a plain entry', 'an encrypted one', 'unpack it with its password');
  const most = entry.method === 'stored' ? entry.packedSize : entry.packedSize * deflateRatio + 64;
  if (entry.size > most || (entry.method === 'stored' && entry.size !== entry.packedSize)) {
    const got = `${entry.size} claimed of ${entry.packedSize} packed`;
    throw wrong(at, `at most ${most} bytes`, got, 'do not trust this archive');
  }
};

const readDirectory = async (source: ByteSource, name: string): Promise<ZipEntry[]> => {
  const { from, to, entries: count } = await findDirectory(source, name);
  if (to > source.size) throw wrong(name, 'a zip archive', 'a truncated one', copyAgain);
  const bytes = await source.read(from, to);
  const view = viewOf(bytes);
  const entries: ZipEntry[] = [];
  const seen = new Set<string>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== directorySignature) {
      throw wrong(name, `a directory of ${count} entries`, 'a damaged one', copyAgain);
    }
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const nameTo = at + 46 + view.getUint16(at + 28, true);
    const extraTo = nameTo + view.getUint16(at + 30, true);
    const fields = [24, 20, 42].map((offset) => view.getUint32(at + offset, true));
    const [size, packedSize, offset] = readExtra64(bytes.subarray(nameTo, extraTo), fields);
    const entry: ZipEntry = {
      name: new TextDecoder().decode(bytes.subarray(at + 46, nameTo)),
      size: size!,
      packedSize: packedSize!,
      method: method === 0 ? 'stored' : 'deflated',
      crc: view.getUint32(at + 16, true),
      offset: offset!,
    };
    const mode = view.getUint32(at + 38, true) >>> 16;
    at = extraTo + view.getUint16(at + 32, true);
    checkEntry(entry, flags, mode, name);
    if (method !== 0 && method !== 8) {
      const got = `compression method ${method}`;
      throw wrong(`${name}: ${entry.name}`, 'a stored or deflated entry', got, 'pack it again');
    }
    if (seen.has(entry.name)) {
      throw wrong(`${name}: ${entry.name}`, 'one entry of that name', 'another', packAgain);
    }
    seen.add(entry.name);
    if (!entry.name.endsWith('/')) entries.push(entry);
  }
  return entries;
};

const checkTotals = (entries: readonly ZipEntry[], size: number, name: string): void => {
  const packed = entries.reduce((sum, entry) => sum + entry.packedSize, 0);
  const total = entries.reduce((sum, entry) => sum + entry.size, 0);
  const mend = 'do not trust this archive, or unpack it yourself';
  if (packed > size) {
    throw wrong(name, 'entries that do not overlap', `${packed} bytes packed in ${size}`, mend);
  }
  const most = unpackedLimit(size);
  if (total > most) throw wrong(name, `at most ${most} bytes unpacked`, `${total}`, mend);
};

const packedRange = async (
  source: ByteSource,
  entry: ZipEntry,
  where: string,
): Promise<[number, number]> => {
  const local = await source.read(entry.offset, entry.offset + 30);
  if (local.length < 30 || viewOf(local).getUint32(0, true) !== localSignature) {
    throw wrong(where, 'an entry where the directory says', 'other bytes', copyAgain);
  }
  const view = viewOf(local);
  const from = entry.offset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  if (from + entry.packedSize > source.size)
    throw wrong(where, 'a whole entry', 'a truncated one', copyAgain);
  return [from, from + entry.packedSize];
};

const damagedEntry = (where: string, thrown: unknown) =>
  wrong(where, 'a deflated entry', `a damaged one (${reasonOf(thrown)})`, copyAgain, thrown);

const unpack = (packed: Uint8Array, entry: ZipEntry, where: string): Uint8Array => {
  if (entry.method === 'stored') return packed;
  try {
    // The buffer has one byte more than is claimed, so that an entry that lies is found out.
    return inflateSync(packed, { out: new Uint8Array(entry.size + 1) });
  } catch (thrown) {
    throw damagedEntry(where, thrown);
  }
};

const readEntry = async (
  source: ByteSource,
  entry: ZipEntry,
  name: string,
): Promise<Uint8Array> => {
  const where = `${name}: ${entry.name}`;
  const packed = await source.read(...(await packedRange(source, entry, where)));
  const bytes = unpack(packed, entry, where);
  if (bytes.length !== entry.size) {
    throw wrong(where, `${entry.size} bytes unpacked`, `${bytes.length}`, copyAgain);
  }
  if (crc32([bytes]) !== entry.crc) {
    throw wrong(where, 'bytes that match their checksum', 'others', copyAgain);
  }
  return bytes;
};

const readEntryStart = async (
  source: ByteSource,
  entry: ZipEntry,
  bytes: number,
  name: string,
): Promise<Uint8Array> => {
  const where = `${name}: ${entry.name}`;
  const [from, to] = await packedRange(source, entry, where);
  if (entry.method === 'stored') return source.read(from, Math.min(to, from + bytes));
  const start = new Uint8Array(Math.min(bytes, entry.size));
  let filled = 0;
  const inflate = new Inflate((piece) => {
    const taken = piece.subarray(0, start.length - filled);
    start.set(taken, filled);
    filled += taken.length;
  });
  const step = 16_384;
  try {
    for (let at = from; at < to && filled < start.length; at += step) {
      inflate.push(await source.read(at, Math.min(to, at + step)), at + step >= to);
    }
  } catch (thrown) {
    throw damagedEntry(where, thrown);
  }
  return start.subarray(0, filled);
};

const streamEntry = async (
  source: ByteSource,
  entry: ZipEntry,
  name: string,
): Promise<ByteStream> => {
  const where = `${name}: ${entry.name}`;
  const input = sourceStream(source, ...(await packedRange(source, entry, where)));
  if (entry.method === 'stored') return input;
  return inflateStream({
    input,
    packedSize: entry.packedSize,
    checksum: createCrc32(),
    expected: async () => entry.crc,
    where,
  });
};

/**
 * Reads the directory of a zip archive (zip64 too); entries are read one by one afterwards. `name` is for messages.
 * Input error: not a zip, truncated, damaged, encrypted, other compressions, links, paths that leave the folder,
 * sizes that only a bomb has.
 */
export const openZip = async (source: ByteSource, name: string): Promise<Zip> => {
  const entries = await readDirectory(source, name);
  checkTotals(entries, source.size, name);
  return {
    entries,
    read: (entry) => readEntry(source, entry, name),
    readStart: (entry, bytes) => readEntryStart(source, entry, bytes, name),
    stream: (entry) => streamEntry(source, entry, name),
  };
};

/** Whether an archive's or folder's name is a by-product of macOS or Windows, not content. */
export const isClutter = (path: string): boolean =>
  path
    .split('/')
    .some((part) => part === '__MACOSX' || part.startsWith('.') || part === 'Thumbs.db');
