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
