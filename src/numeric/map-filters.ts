import type { Float32Nd } from '../records/array.ts';

// Resampling and blurring of maps of real numbers, `[height, width]`.

/** Weights of one axis: output `i` is the sum of `weights[i·width + k]` times input `from[i] + k`, k < `count[i]`. */
interface AxisWeights {
  readonly from: Int32Array;
  readonly count: Int32Array;
  readonly width: number;
  readonly weights: Float64Array;
}

/** The triangle of bilinear interpolation about half-pixel centres; with antialiasing as wide as the axis shrinks. */
const triangle = (inSize: number, outSize: number, antialias: boolean): AxisWeights => {
  const scale = inSize / outSize;
  const support = antialias ? Math.max(1, scale) : 1;
  const width = Math.ceil(support) * 2 + 1;
  const from = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Float64Array(outSize * width);
  for (let i = 0; i < outSize; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const taps = Math.min(inSize, Math.trunc(centre + support + 0.5)) - first;
    const own = weights.subarray(i * width, i * width + taps);
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      own[k] = Math.max(0, 1 - Math.abs((k + first - centre + 0.5) / support));
      sum += own[k]!;
    }
    for (let k = 0; k < taps; k++) own[k]! /= sum;
    from[i] = first;
    count[i] = taps;
  }
  return { from, count, width, weights };
};

/** `[in, inner]` → `[out, inner]`: whole rows are added. */
const alongRows = (
  data: Float64Array,
  inner: number,
  { from, count, width, weights }: AxisWeights,
): Float64Array => {
  const result = new Float64Array(from.length * inner);
  for (let i = 0; i < from.length; i++) {
    const target = i * inner;
    for (let k = 0; k < count[i]!; k++) {
      const weight = weights[i * width + k]!;
      const source = (from[i]! + k) * inner;
      for (let j = 0; j < inner; j++) result[target + j]! += weight * data[source + j]!;
    }
  }
  return result;
};

/** `[rows, in, channels]` → `[rows, out, channels]`. */
const alongColumns = (
  data: Float64Array,
  rows: number,
  inSize: number,
  channels: number,
  { from, count, width, weights }: AxisWeights,
): Float32Array => {
  const outSize = from.length;
  const result = new Float32Array(rows * outSize * channels);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < outSize; i++) {
      const first = (row * inSize + from[i]!) * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let k = 0; k < count[i]!; k++) {
          sum += weights[i * width + k]! * data[first + k * channels + channel]!;
        }
        result[(row * outSize + i) * channels + channel] = sum;
      }
    }
  }
  return result;
};

/**
 * A map `[rows, columns]` or `[rows, columns, channels]` at another size, bilinear with half-pixel centres.
 * With `antialias` the triangle widens where an axis shrinks, as PIL's `BILINEAR` on images of mode F; without, two
 * values are taken in each direction whatever the size, as TensorFlow 2's `tf.image.resize` does by default.
 */
export const resizeMap = (
  { data, shape }: Float32Nd,
  rows: number,
  columns: number,
  antialias: boolean,
): Float32Nd => {
  const [height, width, channels = 1] = shape as readonly [number, number, number?];
  if (height === rows && width === columns) return { data, shape };
  // Down first: whole rows are added, and fewer are left.
  const low = alongRows(
    new Float64Array(data),
    width * channels,
    triangle(height, rows, antialias),
  );
  const resized = alongColumns(low, rows, width, channels, triangle(width, columns, antialias));
  return { data: resized, shape: [rows, columns, ...shape.slice(2)] };
};

/** A kernel of one axis: `weights[k]` is for the value `k − origin` places on. */
export interface AxisKernel {
  readonly weights: Float64Array;
  readonly origin: number;
}

/** One pass along the last axis; zero beyond the border. */
const convolveRows = (
  data: Float64Array,
  width: number,
  { weights, origin }: AxisKernel,
): Float64Array => {
  const result = new Float64Array(data.length);
  for (let start = 0; start < data.length; start += width) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      const first = Math.max(0, origin - x);
      const last = Math.min(weights.length, width + origin - x);
      for (let k = first; k < last; k++) sum += weights[k]! * data[start + x + k - origin]!;
      result[start + x] = sum;
    }
  }
  return result;
};

const turned = (data: Float64Array, height: number, width: number): Float64Array => {
  const result = new Float64Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) result[x * height + y] = data[y * width + x]!;
  }
  return result;
};

/** A map `[height, width]` correlated with the outer product of two kernels; zero beyond the border. */
export const convolveMap = (
  { data, shape }: Float32Nd,
  down: AxisKernel,
  across: AxisKernel,
): Float32Nd => {
  const [height, width] = shape as readonly [number, number];
  const rows = convolveRows(new Float64Array(data), width, across);
  const both = convolveRows(turned(rows, height, width), height, down);
  return { data: new Float32Array(turned(both, width, height)), shape };
};

/** Gaussian weights at whole places `from … to` (inclusive) about `centre`, with sum 1; `sigma` > 0 in places. */
export const gaussianKernel = (
  from: number,
  to: number,
  centre: number,
  sigma: number,
): AxisKernel => {
  const weights = Float64Array.from({ length: to - from + 1 }, (_, k) =>
    Math.exp(-((from + k - centre) ** 2) / (2 * sigma * sigma)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return { weights: weights.map((weight) => weight / sum), origin: -from };
};
