import type { ArrayData } from '../records/array.ts';
import type { ElementType } from './schema.ts';

// Which typed array holds the elements of which ONNX type.

/** The type of the elements where nothing else is said: bool and the 16-bit floats need to be named. */
export const elementTypeOf = (data: ArrayData): ElementType => {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof BigUint64Array) return 'uint64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint32Array) return 'uint32';
  if (data instanceof Int16Array) return 'int16';
  if (data instanceof Uint16Array) return 'uint16';
  return data instanceof Int8Array ? 'int8' : 'uint8';
};

/** The largest int64, which means "up to the end", is 2^63 as a double. */
const LARGEST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);

const wholeNumber = (value: number): bigint => {
  if (value >= 2 ** 63) return LARGEST;
  return value <= -(2 ** 63) ? LEAST : BigInt(value);
};

/** Whole numbers as int64; what lies beyond (±Infinity too) is the largest or the least. Throws for others. */
export const wholeNumbers = (values: readonly number[]): BigInt64Array =>
  BigInt64Array.from(values, wholeNumber);

const STORAGE: Readonly<Partial<Record<ElementType, new (buffer: ArrayBuffer) => ArrayData>>> = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
};

/** A buffer as elements of a type (float16 and bfloat16 as their bits); `null` for types without storage. */
export const asElements = (type: ElementType, buffer: ArrayBuffer): ArrayData | null => {
  const Storage = STORAGE[type];
  return Storage === undefined ? null : new Storage(buffer);
};
