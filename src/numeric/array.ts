import type { ArrayData, Float64Nd, NdArray } from '../records/array.ts';

/** Number of elements of an array with this shape; 1 for a scalar. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);

/** Row-major strides in elements. */
export const stridesOf = (shape: readonly number[]): number[] => {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
};

/** An empty array of the same class and another length. */
const emptyLike = <T extends ArrayData>(data: T, length: number): T => {
  const make = data.constructor as new (length: number) => T;
  return new make(length);
};

/**
 * A copy with its axes in another order: axis `k` of the result is axis `order[k]` of `array`
 * (as `numpy.transpose`).
 */
export const permuteAxes = <T extends ArrayData>(
  array: NdArray<T>,
  order: readonly number[],
): NdArray<T> => {
  const shape = order.map((axis) => array.shape[axis]!);
  const from = stridesOf(array.shape);
  const strides = order.map((axis) => from[axis]!);
  const data = emptyLike(array.data, array.data.length);
  if (shape.length === 0 || data.length === 0) {
    if (data.length === 1) data[0] = array.data[0]!;
    return { data, shape };
  }
  const last = shape.length - 1;
  const inner = shape[last]!;
  const innerStride = strides[last]!;
  const index = new Array<number>(last).fill(0);
  let source = 0;
  for (let target = 0; target < data.length; target += inner) {
    for (let k = 0; k < inner; k++) data[target + k] = array.data[source + k * innerStride]!;
    for (let axis = last - 1; axis >= 0; axis--) {
      source += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      source -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return { data, shape };
};

/** A copy of the rows (slices along the first axis) named by `rows`, in that order. */
export const takeRows = <T extends ArrayData>(
  array: NdArray<T>,
  rows: ArrayLike<number>,
): NdArray<T> => {
  const width = sizeOf(array.shape.slice(1));
  const data = emptyLike(array.data, rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i]! * width;
    // BigInt and number arrays have different `set` signatures, which only the element class decides.
    (data as Float64Array).set(
      (array.data as unknown as Float64Array).subarray(from, from + width),
      i * width,
    );
  }
  return { data, shape: [rows.length, ...array.shape.slice(1)] };
};

/** A copy of the slices along axis `axis` named by `indices`, in that order (as `numpy.take`). */
export const takeAlong = <T extends ArrayData>(
  array: NdArray<T>,
  axis: number,
  indices: ArrayLike<number>,
): NdArray<T> => {
  const { shape } = array;
  const size = shape[axis]!;
  const outer = sizeOf(shape.slice(0, axis));
  const rows = new Float64Array(outer * indices.length);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < indices.length; i++) rows[o * indices.length + i] = o * size + indices[i]!;
  const inner = shape.slice(axis + 1);
  const { data } = takeRows({ data: array.data, shape: [outer * size, ...inner] }, rows);
  return { data, shape: [...shape.slice(0, axis), indices.length, ...inner] };
};

/** Brings the rows of an array into another order in place: row `i` becomes what row `order[i]` was. */
export const permuteRows = <T extends ArrayData>(
  { data, shape }: NdArray<T>,
  order: ArrayLike<number>,
): void => {
  const width = sizeOf(shape.slice(1));
  // As above: one element class at run time.
  const elements = data as unknown as Float64Array;
  const done = new Uint8Array(order.length);
  for (let start = 0; start < order.length; start++) {
    if (done[start] === 1) continue;
    const first = elements.slice(start * width, (start + 1) * width);
    let place = start;
    for (;;) {
      done[place] = 1;
      const source = order[place]!;
      if (source === start) break;
      elements.copyWithin(place * width, source * width, (source + 1) * width);
      place = source;
    }
    elements.set(first, place * width);
  }
};

/** Arrays of one shape, one after the other along a new first axis. */
export const stacked = (arrays: readonly Float64Nd[]): Float64Nd => {
  const size = arrays[0]!.data.length;
  const data = new Float64Array(size * arrays.length);
  arrays.forEach((array, index) => {
    data.set(array.data, index * size);
  });
  return { data, shape: [arrays.length, ...arrays[0]!.shape] };
};

/** The slices along the first axis, as views. */
export const unstacked = ({ data, shape }: Float64Nd): Float64Nd[] => {
  const [count = 0, ...rest] = shape;
  const size = sizeOf(rest);
  return Array.from({ length: count }, (_, index) => ({
    data: data.subarray(index * size, (index + 1) * size) as Float64Array,
    shape: rest,
  }));
};
