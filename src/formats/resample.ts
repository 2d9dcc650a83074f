import type { Pixels } from '../records/ports.ts';

/** Filters of PIL's `Image.resize`. */
export type Interpolation = 'nearest' | 'bilinear' | 'bicubic' | 'lanczos';

interface Filter {
  /** Half-width in source pixels when not shrinking. */
  readonly support: number;
  weight(x: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Keys (1981) with a = −0.5, as PIL has it; OpenCV and PyTorch take −0.75. */
const cubicSharpness = -0.5;

// Pillow, src/libImaging/Resample.c: the polynomials in its own order of operations.
const filters: Readonly<Record<Exclude<Interpolation, 'nearest'>, Filter>> = {
  bilinear: {
    support: 1,
    weight: (x) => Math.max(0, 1 - Math.abs(x)),
  },
  bicubic: {
    support: 2,
    weight: (signed) => {
      const a = cubicSharpness;
      const x = Math.abs(signed);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  lanczos: {
    support: 3,
    weight: (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0),
  },
};

// 8 bits of pixel, 2 of headroom for overshooting filters, the rest for the weights.
const precisionBits = 32 - 8 - 2;

/** Weights of one axis: output `i` is the sum of `weights[i·width + k]` times input `from[i] + k`, k < `count[i]`. */
interface Taps {
  readonly from: Int32Array;
  readonly count: Int32Array;
  readonly width: number;
  readonly weights: Int32Array;
}

/** `precompute_coeffs` and `normalize_coeffs_8bpc`: the support widens where the image shrinks (antialiasing). */
const tapsOf = (inSize: number, outSize: number, filter: Filter): Taps => {
  const scale = inSize / outSize;
  const filterScale = Math.max(1, scale);
  const support = filter.support * filterScale;
  const width = Math.ceil(support) * 2 + 1;
  const from = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * width);
  const real = new Float64Array(width);
  for (let i = 0; i < outSize; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const taps = Math.min(inSize, Math.trunc(centre + support + 0.5)) - first;
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      real[k] = filter.weight((k + first - centre + 0.5) * (1 / filterScale));
      sum += real[k]!;
    }
    for (let k = 0; k < taps; k++) {
      const fixed = (sum === 0 ? real[k]! : real[k]! / sum) * 2 ** precisionBits;
      weights[i * width + k] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    }
    from[i] = first;
    count[i] = taps;
  }
  return { from, count, width, weights };
};

const clip8 = (sum: number): number => {
  const value = sum >> precisionBits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
};

const half = 2 ** (precisionBits - 1);

// Math.imul and `| 0` keep the sums in 32-bit integers, as PIL's are; that alone makes them several times faster.
const resizeRows = ({ data, width, height }: Pixels, outWidth: number, taps: Taps): Pixels => {
  const { from, count, weights } = taps;
  const out = new Uint8Array(outWidth * height * 3);
  let target = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++) {
      let red = half;
      let green = half;
      let blue = half;
      let source = (y * width + from[x]!) * 3;
      const start = x * taps.width;
      const end = start + count[x]!;
      for (let k = start; k < end; k++, source += 3) {
        const weight = weights[k]!;
        red = (red + Math.imul(data[source]!, weight)) | 0;
        green = (green + Math.imul(data[source + 1]!, weight)) | 0;
        blue = (blue + Math.imul(data[source + 2]!, weight)) | 0;
      }
      out[target++] = clip8(red);
      out[target++] = clip8(green);
      out[target++] = clip8(blue);
    }
  }
  return { width: outWidth, height, channels: 3, data: out };
};

const resizeColumns = ({ data, width }: Pixels, outHeight: number, taps: Taps): Pixels => {
  const rowLength = width * 3;
  const out = new Uint8Array(rowLength * outHeight);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < outHeight; y++) {
    sums.fill(half);
    for (let k = 0; k < taps.count[y]!; k++) {
      const weight = taps.weights[y * taps.width + k]!;
      const source = (taps.from[y]! + k) * rowLength;
      for (let x = 0; x < rowLength; x++) {
        sums[x] = (sums[x]! + Math.imul(data[source + x]!, weight)) | 0;
      }
    }
    const target = y * rowLength;
    for (let x = 0; x < rowLength; x++) out[target + x] = clip8(sums[x]!);
  }
  return { width, height: outHeight, channels: 3, data: out };
};

/** Source index of each output index, by PIL's repeated addition (Geometry.c, `ImagingScaleAffine`). */
const nearestIndices = (inSize: number, outSize: number): Int32Array => {
  const scale = inSize / outSize;
  let at = scale * 0.5;
  return Int32Array.from({ length: outSize }, () => {
    const index = Math.trunc(at);
    at += scale;
    return Math.min(index, inSize - 1);
  });
};

const resizeNearest = (pixels: Pixels, width: number, height: number): Pixels => {
  const columns = nearestIndices(pixels.width, width);
  const rows = nearestIndices(pixels.height, height);
  const data = new Uint8Array(width * height * 3);
  let target = 0;
  for (const row of rows) {
    for (const column of columns) {
      const source = (row * pixels.width + column) * 3;
      data[target++] = pixels.data[source]!;
      data[target++] = pixels.data[source + 1]!;
      data[target++] = pixels.data[source + 2]!;
    }
  }
  return { width, height, channels: 3, data };
};

/**
 * Resizes bit-equal to PIL's `Image.resize((width, height), filter)`, and with it to torchvision's `Resize` of PIL
 * images: separable, 22-bit fixed-point weights, rows first, rounded to 8 bits in between. Sizes are positive.
 */
export const resizeLikePil = (
  pixels: Pixels,
  width: number,
  height: number,
  interpolation: Interpolation,
): Pixels => {
  if (interpolation === 'nearest') return resizeNearest(pixels, width, height);
  const filter = filters[interpolation];
  const wide =
    pixels.width === width
      ? pixels
      : resizeRows(pixels, width, tapsOf(pixels.width, width, filter));
  return wide.height === height
    ? wide
    : resizeColumns(wide, height, tapsOf(wide.height, height, filter));
};
