import { deflateSync, type UnzipFileInfo, unzipSync, unzlibSync, zlibSync } from 'fflate';
import { crc32, crc32c } from '../src/formats/crc32.ts';
import type { Random } from '../src/numeric/random.ts';
import { pick, renamedInPlace, renamedText, strangeBytes, strangeName } from './changed-names.ts';
import { mutated } from './mutations.ts';

// Files with checksums whose content was changed before the checksum was taken: what lies behind it is reached.

const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** Little-endian numbers: `[bytes, value]`. */
const fields = (values: readonly (readonly [2 | 4 | 8, number])[]): Uint8Array => {
  const bytes = new Uint8Array(values.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of values) {
    if (width === 2) view.setUint16(at, value, true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += width;
  }
  return bytes;
};

interface Entry {
  /** In the directory, and before the entry itself. */
  readonly names: readonly [Uint8Array, Uint8Array];
  readonly content: Uint8Array;
  readonly isPacked: boolean;
}

/** A zip archive of whatever names, its checksums right. */
export const zipOf = (entries: readonly Entry[]): Uint8Array => {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { names, content, isPacked } of entries) {
    const packed = isPacked ? deflateSync(content) : content;
    const common = (name: Uint8Array) =>
      [
        ...([
          [2, 20],
          [2, 0x800],
          [2, isPacked ? 8 : 0],
          [4, 0],
        ] as const),
        ...([
          [4, crc32([content])],
          [4, packed.length],
          [4, content.length],
        ] as const),
        ...([
          [2, name.length],
          [2, 0],
        ] as const),
      ] as const;
    const local = [fields([[4, 0x04034b50], ...common(names[1])]), names[1], packed];
    const rest = [
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, offset],
    ] as const;
    directory.push(fields([[4, 0x02014b50], [2, 20], ...common(names[0]), ...rest]), names[0]);
    parts.push(...local);
    offset += local.reduce((sum, { length }) => sum + length, 0);
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const counts = [
    [4, 0],
    [2, entries.length],
    [2, entries.length],
  ] as const;
  const end = fields([[4, 0x06054b50], ...counts, [4, size], [4, offset], [2, 0]]);
  return joined([...parts, ...directory, end]);
};

const changedContent = (content: Uint8Array, random: Random): Uint8Array => {
  if (content.length === 0) return content;
  return pick([mutated, renamedInPlace, renamedText], random)(content, random);
};

const changedEntry = (entries: Entry[], random: Random): void => {
  const at = random.int(entries.length);
  const entry = entries[at]!;
  const others = entries.map(({ names }) => new TextDecoder().decode(names[0]));
  const name = strangeBytes(random, others);
  const ending = new TextEncoder().encode(/(\.\w+)?$/.exec(others[at]!)![0]);
  switch (random.int(8)) {
    case 0:
      entries[at] = { ...entry, names: [name, name] };
      break;
    case 1: {
      const kept = joined([name, ending]);
      entries[at] = { ...entry, names: [kept, kept] };
      break;
    }
    case 2:
      entries[at] = { ...entry, names: [entry.names[0], name] };
      break;
    case 3:
      if (random.int(2) === 0) entries.push(entry);
      else if (entries.length > 1) entries.splice(at, 1);
      break;
    case 4:
      entries[at] = { ...entry, content: pick(entries, random).content };
      break;
    default:
      entries[at] = { ...entry, content: changedContent(entry.content, random) };
  }
};

/** Also not a bomb. */
const isPlain = ({ compression, originalSize }: UnzipFileInfo): boolean =>
  (compression === 0 || compression === 8) && originalSize < 2 ** 16;

const entriesOf = (bytes: Uint8Array, random: Random): Entry[] =>
  Object.entries(unzipSync(bytes, { filter: isPlain })).map(([name, content]): Entry => {
    const own = new TextEncoder().encode(name);
    return { names: [own, own], content, isPacked: random.int(2) === 0 };
  });

/** An archive that stands for a folder: bytes of one or two of its files changed. */
export const changedFiles = (bytes: Uint8Array, random: Random): Uint8Array => {
  const entries = entriesOf(bytes, random);
  for (let edit = 1 + random.int(2); edit > 0; edit--) {
    const at = random.int(entries.length);
    entries[at] = { ...entries[at]!, content: mutated(entries[at]!.content, random) };
  }
  return zipOf(entries);
};

/** An archive (npz too) with one to three names or contents changed, and its checksums right. */
export const changedZip = (bytes: Uint8Array, random: Random): Uint8Array => {
  const entries = entriesOf(bytes, random);
  for (let edit = 1 + random.int(3); edit > 0 && entries.length > 0; edit--) {
    changedEntry(entries, random);
  }
  return zipOf(entries);
};

const masked = (bytes: Uint8Array): number => {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};

/** A TFRecord file of these records, its checksums right. */
export const tfRecordsOf = (records: readonly Uint8Array[]): Uint8Array =>
  joined(
    records.flatMap((record) => {
      const length = fields([[8, record.length]]);
      return [length, fields([[4, masked(length)]]), record, fields([[4, masked(record)]])];
    }),
  );

const recordsOf = (bytes: Uint8Array): Uint8Array[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    records.push(bytes.subarray(at + 12, at + 12 + length));
    at += length + 16;
  }
  return records;
};

const varint = (value: number): Uint8Array => {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.of(...bytes, rest);
    bytes.push((rest % 128) | 128);
  }
};

const message = (number: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = joined(parts);
  return joined([varint(number * 8 + 2), varint(content.length), content]);
};

/** A `tf.train.Example` of ClickMe's features under whatever names, in whatever number and kind. */
const exampleOf = (images: readonly Uint8Array[], random: Random): Uint8Array => {
  const names = ['image', 'heatmap', 'label'];
  const features = names.map((name) => {
    const own = new TextEncoder().encode(random.int(3) === 0 ? strangeName(random, names) : name);
    const key = random.int(10) === 0 ? strangeBytes(random, names) : own;
    const isLabel = random.int(8) === 0 ? name !== 'label' : name === 'label';
    const count = random.int(6) === 0 ? random.int(4) : 1;
    const values = Array.from({ length: count }, () =>
      isLabel ? varint(random.int(1000)) : message(1, pick(images, random)),
    );
    const list = isLabel ? message(3, message(1, ...values)) : message(1, ...values);
    return message(1, message(1, key), message(2, list));
  });
  if (random.int(6) === 0) features.push(pick(features, random));
  return message(1, ...features);
};

/** Records with changed bytes, in another order, twice, or of features with other names, and their checksums right. */
export const changedTfRecords = (bytes: Uint8Array, random: Random): Uint8Array => {
  const records = recordsOf(bytes);
  for (let edit = 1 + random.int(3); edit > 0; edit--) {
    const at = random.int(records.length);
    const way = random.int(5);
    const record = records[at]!;
    if (way === 0) records[at] = exampleOf([record.subarray(0, 40), new Uint8Array()], random);
    else if (way === 1) records.push(record);
    else if (way === 2) records[at] = new Uint8Array();
    else if (record.length > 0)
      records[at] = (way === 3 ? mutated : renamedInPlace)(record, random);
  }
  return tfRecordsOf(records);
};

const headerBytes = 128;
const compressed = 15;

/** A MATLAB 5 file whose compressed variables were changed before they were compressed, so that Adler-32 is right. */
export const changedMatlab = (bytes: Uint8Array, random: Random): Uint8Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = bytes[126] === 0x49;
  const parts = [bytes.subarray(0, headerBytes)];
  for (let at = headerBytes; at + 8 <= bytes.length; ) {
    const kind = view.getUint32(at, isLittle);
    const length = view.getUint32(at + 4, isLittle);
    const body = bytes.subarray(at + 8, at + 8 + length);
    at += 8 + length;
    const isChanged = random.int(2) === 0;
    const change = pick([mutated, renamedInPlace], random);
    if (kind !== compressed) {
      parts.push(bytes.subarray(at - 8 - length, at - length));
      parts.push(isChanged && length > 0 ? change(body, random) : body);
      continue;
    }
    const plain = unzlibSync(body);
    const packed = zlibSync(isChanged ? change(plain, random) : plain);
    const tag = new Uint8Array(8);
    new DataView(tag.buffer).setUint32(0, kind, isLittle);
    new DataView(tag.buffer).setUint32(4, packed.length, isLittle);
    parts.push(tag, packed);
  }
  return joined(parts);
};
