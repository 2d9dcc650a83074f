import { inputError } from '../records/errors.ts';

// `tf.train.Example` (tensorflow/core/example/example.proto and feature.proto), protocol buffers:
// Example.features = 1; Features.feature = 1, a map (key = 1, value = 2);
// Feature: bytes_list = 1, float_list = 2, int64_list = 3; each list: value = 1, packed or not.

/** What one feature holds; whole numbers beyond 2⁵³ are rounded. */
export type TfFeature =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'floats'; readonly values: Float32Array }
  | { readonly kind: 'integers'; readonly values: readonly number[] };

export type TfExample = ReadonlyMap<string, TfFeature>;

/** A field of a message: its number, and its varint or its bytes. */
interface Field {
  readonly number: number;
  readonly value: bigint;
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);

const damaged = (where: string, got: string) =>
  inputError({
    where,
    expected: 'a tf.train.Example',
    got,
    mend: 'give TFRecord files whose records are serialised tf.train.Example messages',
  });

interface Varint {
  readonly value: bigint;
  readonly next: number;
}

const varintAt = (bytes: Uint8Array, at: number, where: string): Varint => {
  let value = 0n;
  for (let k = 0; k < 10; k++) {
    const byte = bytes[at + k];
    if (byte === undefined) throw damaged(where, 'a message that ends inside a number');
    value |= BigInt(byte & 127) << BigInt(7 * k);
    if (byte < 128) return { value: BigInt.asUintN(64, value), next: at + k + 1 };
  }
  throw damaged(where, 'a number of more than 10 bytes');
};

function* fieldsOf(bytes: Uint8Array, where: string): Generator<Field> {
  for (let at = 0; at < bytes.length; ) {
    const tag = varintAt(bytes, at, where);
    const number = Number(tag.value >> 3n);
    const wire = Number(tag.value & 7n);
    at = tag.next;
    if (wire === 0) {
      const { value, next } = varintAt(bytes, at, where);
      yield { number, value, bytes: none };
      at = next;
      continue;
    }
    const sizes: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
    let length = sizes[wire];
    if (wire === 2) {
      const size = varintAt(bytes, at, where);
      length = Number(size.value);
      at = size.next;
    }
    if (length === undefined) throw damaged(where, `a field of wire type ${wire}`);
    if (at + length > bytes.length) throw damaged(where, 'a field that crosses the end');
    yield { number, value: 0n, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

const floatsOf = (fields: readonly Field[], where: string): Float32Array => {
  const all = fields.flatMap(({ bytes }) => {
    if (bytes.length % 4 !== 0) throw damaged(where, 'floats that are no multiple of 4 bytes');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  });
  return Float32Array.from(all);
};

const integersOf = (fields: readonly Field[], where: string): number[] => {
  const signed = (value: bigint): number => Number(BigInt.asIntN(64, value));
  return fields.flatMap(({ bytes, value }) => {
    if (bytes.length === 0) return [signed(value)];
    const values: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      const read = varintAt(bytes, at, where);
      values.push(signed(read.value));
      at = read.next;
    }
    return values;
  });
};

const featureOf = (bytes: Uint8Array, where: string): TfFeature => {
  const [list] = [...fieldsOf(bytes, where)].slice(-1);
  if (list === undefined) return { kind: 'bytes', values: [] };
  const values = [...fieldsOf(list.bytes, where)].filter(({ number }) => number === 1);
  if (list.number === 1) return { kind: 'bytes', values: values.map((value) => value.bytes) };
  if (list.number === 2) return { kind: 'floats', values: floatsOf(values, where) };
  if (list.number === 3) return { kind: 'integers', values: integersOf(values, where) };
  throw damaged(where, `a feature of kind ${list.number}`);
};

/** Reads a serialised `tf.train.Example`; input error, naming `where`, for anything else. */
export const readTfExample = (bytes: Uint8Array, where: string): TfExample => {
  const example = new Map<string, TfFeature>();
  for (const features of fieldsOf(bytes, where)) {
    if (features.number !== 1) continue;
    for (const entry of fieldsOf(features.bytes, where)) {
      if (entry.number !== 1) continue;
      let name = '';
      let feature: Uint8Array = none;
      for (const part of fieldsOf(entry.bytes, where)) {
        if (part.number === 1) name = new TextDecoder().decode(part.bytes);
        if (part.number === 2) feature = part.bytes;
      }
      example.set(name, featureOf(feature, where));
    }
  }
  return example;
};

const wanted = (example: TfExample, name: string, expected: string, where: string): TfFeature => {
  const found = example.get(name);
  if (found !== undefined) return found;
  const names = [...example.keys()];
  throw inputError({
    where,
    expected: `a feature "${name}" (${expected})`,
    got: names.length === 0 ? 'none at all' : names.join(', '),
    mend: 'give files with these features',
  });
};

/** The one byte string of a feature. Input error where there is none, or several, or something else. */
export const bytesFeature = (example: TfExample, name: string, where: string): Uint8Array => {
  const feature = wanted(example, name, 'bytes', where);
  if (feature.kind === 'bytes' && feature.values.length === 1) return feature.values[0]!;
  throw damaged(`${where}: ${name}`, `${feature.values.length} ${feature.kind}`);
};

/** The one whole number of a feature. Input error as above. */
export const integerFeature = (example: TfExample, name: string, where: string): number => {
  const feature = wanted(example, name, 'int64', where);
  if (feature.kind === 'integers' && feature.values.length === 1) return feature.values[0]!;
  throw damaged(`${where}: ${name}`, `${feature.values.length} ${feature.kind}`);
};
