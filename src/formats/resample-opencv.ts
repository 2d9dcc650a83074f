import type { Pixels } from '../records/ports.ts';

// OpenCV 4, modules/imgproc/src/resize.cpp, INTER_LINEAR of 8-bit images: weights of 11 bits, two taps, no
// antialiasing.
const weightScale = 2 ** 11;

/** `cvRound`: to the nearest integer, halves to even. */
const roundHalfEven = (value: number): number => {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
};

interface LinearTaps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly firstWeight: Int32Array;
  readonly secondWeight: Int32Array;
}

/**
 * Positions are computed in float64, their fractions kept in float32, as OpenCV does. Beyond the border, across,
 * the outermost pixel takes the whole weight; down, both weights fall on the outermost row.
 */
const linearTaps = (inSize: number, outSize: number, axis: 'across' | 'down'): LinearTaps => {
  const scale = 1 / (outSize / inSize);
  const first = new Int32Array(outSize);
  const second = new Int32Array(outSize);
  const firstWeight = new Int32Array(outSize);
  const secondWeight = new Int32Array(outSize);
  const clamp = (index: number): number => Math.min(Math.max(index, 0), inSize - 1);
  for (let i = 0; i < outSize; i++) {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const index = Math.floor(position);
    const outside = index < 0 || index >= inSize - 1;
    const fraction = axis === 'across' && outside ? 0 : Math.fround(position - index);
    first[i] = clamp(index);
    second[i] = clamp(index + 1);
    firstWeight[i] = roundHalfEven(Math.fround(1 - fraction) * weightScale);
    secondWeight[i] = roundHalfEven(fraction * weightScale);
  }
  return { first, second, firstWeight, secondWeight };
};

/** Exactly half in both directions: OpenCV takes the mean of 2×2 (`INTER_AREA`), rounded half up. */
const halve = ({ data, width, height }: Pixels): Pixels => {
  const [outWidth, outHeight] = [width / 2, height / 2];
  const out = new Uint8Array(outWidth * outHeight * 3);
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      for (let c = 0; c < 3; c++) {
        const at = (2 * y * width + 2 * x) * 3 + c;
        const below = at + width * 3;
        const sum = data[at]! + data[at + 3]! + data[below]! + data[below + 3]!;
        out[(y * outWidth + x) * 3 + c] = (sum + 2) >> 2;
      }
    }
  }
  return { width: outWidth, height: outHeight, channels: 3, data: out };
};

/** One source row stretched to the output's width, in 19 bits. */
const stretchRow = (pixels: Pixels, row: number, taps: LinearTaps, out: Int32Array): void => {
  const { data } = pixels;
  const { first, second, firstWeight, secondWeight } = taps;
  const base = row * pixels.width * 3;
  let target = 0;
  for (let x = 0; x < first.length; x++) {
    const a = base + first[x]! * 3;
    const b = base + second[x]! * 3;
    const [p, q] = [firstWeight[x]!, secondWeight[x]!];
    out[target++] = Math.imul(data[a]!, p) + Math.imul(data[b]!, q);
    out[target++] = Math.imul(data[a + 1]!, p) + Math.imul(data[b + 1]!, q);
    out[target++] = Math.imul(data[a + 2]!, p) + Math.imul(data[b + 2]!, q);
  }
};

/**
 * Resizes bit-equal to OpenCV's `cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)` of 8-bit
 * images, with its change to area averaging where both sides are halved exactly. Sizes are positive.
 */
export const resizeLikeOpencv = (pixels: Pixels, width: number, height: number): Pixels => {
  if (pixels.width === width && pixels.height === height) return pixels;
  if (pixels.width === 2 * width && pixels.height === 2 * height) return halve(pixels);
  const across = linearTaps(pixels.width, width, 'across');
  const down = linearTaps(pixels.height, height, 'down');
  const rowLength = width * 3;
  const data = new Uint8Array(rowLength * height);
  const upper = new Int32Array(rowLength);
  const lower = new Int32Array(rowLength);
  for (let y = 0; y < height; y++) {
    stretchRow(pixels, down.first[y]!, across, upper);
    stretchRow(pixels, down.second[y]!, across, lower);
    const [a, b] = [down.firstWeight[y]!, down.secondWeight[y]!];
    for (let x = 0; x < rowLength; x++) {
      // `VResizeLinear` for 8 bits: each product keeps 16 bits before the sum is rounded.
      const sum = (Math.imul(a, upper[x]! >> 4) >> 16) + (Math.imul(b, lower[x]! >> 4) >> 16);
      data[y * rowLength + x] = (sum + 2) >> 2;
    }
  }
  return { width, height, channels: 3, data };
};
