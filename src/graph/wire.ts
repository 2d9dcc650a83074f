import { inputError } from '../records/errors.ts';

// Protocol Buffers wire format (https://protobuf.dev/programming-guides/encoding), as far as ONNX uses it.

/** A message being written: its bytes in pieces, so that weights are copied once, at the end. */
export type Pieces = readonly Uint8Array[];

const TWO_TO_63 = 2 ** 63;
const text = new TextEncoder();
const decoder = new TextDecoder('utf-8');

/** Unsigned little-endian base-128; negative numbers as 64-bit two's complement, as int64 fields have them. */
const varint = (value: number): number[] => {
  const bytes: number[] = [];
  if (value < 0) {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    bytes.push(Number(rest));
    return bytes;
  }
  // A double cannot hold the largest int64, which means "up to the end": it comes as 2^63.
  if (value >= TWO_TO_63) return [...Array.from({ length: 8 }, () => 255), 127];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return bytes;
};

const VARINT = 0;
const EIGHT_BYTES = 1;
const LENGTH_DELIMITED = 2;
const FOUR_BYTES = 5;

const key = (field: number, wire: number): number[] => varint(field * 8 + wire);

export const lengthOf = (pieces: Pieces): number =>
  pieces.reduce((sum, piece) => sum + piece.length, 0);

/** Field with an integer; `value` is a safe integer. */
export const varintField = (field: number, value: number): Pieces => [
  new Uint8Array([...key(field, VARINT), ...varint(value)]),
];

/** Up to here a message is copied into one piece: thousands of little ones cost more. */
const SHORT = 256;

/** Field with an embedded message or bytes, given in pieces. */
export const messageField = (field: number, message: Pieces): Pieces => {
  const length = lengthOf(message);
  const head = new Uint8Array([...key(field, LENGTH_DELIMITED), ...varint(length)]);
  return length > SHORT ? [head, ...message] : [join([head, ...message])];
};

/** The bytes of a short ASCII text, for which the encoder of the language is slow; `null` for any other. */
const asciiBytes = (value: string): Uint8Array | null => {
  if (value.length > 127) return null;
  const bytes = new Uint8Array(value.length);
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code > 127) return null;
    bytes[at] = code;
  }
  return bytes;
};

export const textField = (field: number, value: string): Pieces =>
  messageField(field, [asciiBytes(value) ?? text.encode(value)]);

export const floatField = (field: number, value: number): Pieces => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [new Uint8Array(key(field, FOUR_BYTES)), bytes];
};

/** Repeated integers, packed. */
export const packedVarints = (field: number, values: readonly number[]): Pieces =>
  messageField(field, [new Uint8Array(values.flatMap(varint))]);

export const join = (pieces: Pieces): Uint8Array => {
  const bytes = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
};

/** Bytes `[from, to)` of the file. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** Bytes being read, and the name of the file for messages. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/**
 * One field of a message. `start` is where its key begins; `from`–`to` its payload. `value` is the number of
 * a varint field (rounded beyond 2^53) and 0 for every other kind.
 */
export interface Field {
  readonly number: number;
  readonly wire: number;
  readonly start: number;
  readonly from: number;
  readonly to: number;
  readonly value: number;
}

const broken = (name: string, got: string) =>
  inputError({
    where: name,
    expected: 'a whole ONNX file',
    got,
    mend: 'copy, download or export the model again',
  });

export const truncated = (name: string, missing: string) =>
  broken(name, `a file that ends too early (${missing})`);

export const damaged = (name: string, what: string) => broken(name, `a damaged one (${what})`);

interface Varint {
  readonly value: number;
  readonly next: number;
}

/** Reads a varint in `[at, to)`; values of 2^63 and more are negative int64. */
const readVarint = ({ bytes, name }: Source, at: number, to: number): Varint => {
  let value = 0;
  let scale = 1;
  for (let next = at; next < to; ) {
    const byte = bytes[next++]!;
    value += (byte & 127) * scale;
    if (byte < 128) {
      if (value < TWO_TO_63) return { value, next };
      return { value: Number(exact(bytes, at, next)), next };
    }
    scale *= 128;
    if (next - at === 10) throw damaged(name, `a number of more than 10 bytes at byte ${at}`);
  }
  throw to === bytes.length
    ? truncated(name, `inside a number at byte ${at}`)
    : damaged(name, `a number that crosses the end of its field at byte ${at}`);
};

/** As int64: small negative numbers would lose their low bits in a double on the way through 2^64. */
const exact = (bytes: Uint8Array, from: number, to: number): bigint => {
  let value = 0n;
  for (let at = to - 1; at >= from; at--) value = (value << 7n) | BigInt(bytes[at]! & 127);
  return BigInt.asIntN(64, value);
};

const endOf = (source: Source, wire: number, from: number, to: number): number => {
  const { bytes, name } = source;
  const end = wire === EIGHT_BYTES ? from + 8 : wire === FOUR_BYTES ? from + 4 : to;
  if (end <= to) return end;
  throw to === bytes.length
    ? truncated(name, `${end - to} bytes are missing at its end`)
    : damaged(name, `a field that crosses the end of its message at byte ${from}`);
};

/**
 * The fields of the message in `[from, to)` in order. Nothing is copied, and embedded messages are not entered.
 * Throws an input error where a field runs over the end of its message or of the file.
 */
export function* fieldsOf(source: Source, from: number, to: number): Generator<Field> {
  const { bytes, name } = source;
  for (let at = from; at < to; ) {
    const start = at;
    const tag = readVarint(source, at, to);
    const number = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    at = tag.next;
    if (tag.value < 8) throw damaged(name, `field number 0 at byte ${start}`);
    if (wire === VARINT) {
      const { value, next } = readVarint(source, at, to);
      yield { number, wire, start, from: at, to: next, value };
      at = next;
    } else if (wire === LENGTH_DELIMITED) {
      const { value: length, next } = readVarint(source, at, to);
      if (length < 0) throw damaged(name, `a negative length at byte ${at}`);
      if (next + length > to) {
        throw to === bytes.length
          ? truncated(name, `${next + length - to} bytes are missing at its end`)
          : damaged(name, `a field that crosses the end of its message at byte ${start}`);
      }
      yield { number, wire, start, from: next, to: next + length, value: 0 };
      at = next + length;
    } else if (wire === EIGHT_BYTES || wire === FOUR_BYTES) {
      const end = endOf(source, wire, at, to);
      yield { number, wire, start, from: at, to: end, value: 0 };
      at = end;
    } else {
      throw damaged(name, `wire type ${wire} at byte ${start}`);
    }
  }
}

export const textOf = ({ bytes }: Source, { from, to }: ByteRange): string =>
  asciiText(bytes, from, to) ?? decoder.decode(bytes.subarray(from, to));

/** A short ASCII text, for which the decoder of the language is slow; `null` for any other. */
const asciiText = (bytes: Uint8Array, from: number, to: number): string | null => {
  if (to - from > 127) return null;
  let value = '';
  for (let at = from; at < to; at++) {
    if (bytes[at]! > 127) return null;
    value += String.fromCharCode(bytes[at]!);
  }
  return value;
};

/** The integers of a repeated field, packed or not. */
export const varintsOf = (source: Source, field: Field): number[] => {
  if (field.wire === VARINT) return [field.value];
  const values: number[] = [];
  for (let at = field.from; at < field.to; ) {
    const { value, next } = readVarint(source, at, field.to);
    values.push(value);
    at = next;
  }
  return values;
};

/** Hands every integer of a repeated field, packed or not, to `take`: as a number and, exactly, as an int64. */
export const eachVarint = (
  source: Source,
  { from, to }: ByteRange,
  take: (value: number, whole: () => bigint) => void,
): void => {
  for (let at = from; at < to; ) {
    const { value, next } = readVarint(source, at, to);
    const start = at;
    take(value, () =>
      Number.isSafeInteger(value) ? BigInt(value) : exact(source.bytes, start, next),
    );
    at = next;
  }
};

/** The float32 at the start of a field. */
export const floatOf = ({ bytes, name }: Source, { from, to }: Field): number => {
  if (to - from < 4) throw damaged(name, `a float of ${to - from} bytes at byte ${from}`);
  return new DataView(bytes.buffer, bytes.byteOffset + from, 4).getFloat32(0, true);
};
