import type { Float32Nd, Float64Nd, NdArray } from '../records/array.ts';

/** The numbers in float64, without a copy where they are. 64-bit integers beyond 2⁵³ are rounded. */
export const toFloat64 = ({ data, shape }: NdArray): Float64Nd => {
  if (data instanceof Float64Array) return { data, shape };
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return { data: Float64Array.from(data, Number), shape };
  }
  return { data: Float64Array.from(data), shape };
};

/** The numbers in float32, without a copy where they are; others are rounded. */
export const toFloat32 = ({ data, shape }: NdArray): Float32Nd => {
  if (data instanceof Float32Array) return { data, shape };
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return { data: Float32Array.from(data, Number), shape };
  }
  return { data: Float32Array.from(data), shape };
};

const asFloat32 = new Float32Array(1);
const asBits = new Uint32Array(asFloat32.buffer);

const bitsOf = (value: number): number => {
  asFloat32[0] = value;
  return asBits[0]!;
};

/** The 16 bits of the IEEE half that is nearest to a finite number; what is too large becomes infinite. */
export const float16Bits = (value: number): number => {
  const bits = bitsOf(value);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 255) - 112;
  if (exponent <= 0) return sign | Math.round(Math.abs(value) * 2 ** 24);
  if (exponent >= 31) return sign | 0x7c00;
  // A carry out of the mantissa goes into the exponent, as it should.
  return sign | ((exponent << 10) + ((bits & 0x7fffff) >>> 13) + ((bits >>> 12) & 1));
};

/** The 16 bits of the bfloat16 that is nearest to a finite number. */
export const bfloat16Bits = (value: number): number => (bitsOf(value) + 0x8000) >>> 16;

/** The number that 16 bits are as an IEEE half. */
export const fromFloat16Bits = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1024 + fraction) * 2 ** (exponent - 25);
};

/** The number that 16 bits are as a bfloat16: the upper half of a float32. */
export const fromBfloat16Bits = (bits: number): number => {
  asBits[0] = bits << 16;
  return asFloat32[0]!;
};
