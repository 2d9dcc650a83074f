/** Element storage of an array. `BigInt64Array` carries int64, as ONNX shapes need it. */
export type ArrayData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** The one carrier of numbers: row-major data and its shape. `data.length` is the product of `shape`. */
export interface NdArray<T extends ArrayData = ArrayData> {
  readonly data: T;
  readonly shape: readonly number[];
}

export type Float32Nd = NdArray<Float32Array>;
export type Float64Nd = NdArray<Float64Array>;
export type FloatNd = NdArray<Float32Array | Float64Array>;
