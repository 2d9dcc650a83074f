import { cropStart } from '../formats/crop.ts';
import { convolveMap, gaussianKernel, resizeMap } from '../numeric/map-filters.ts';
import type { Float32Nd } from '../records/array.ts';
import type { ImageInput, Preprocessing } from '../records/model.ts';
import type { Pixels } from '../records/ports.ts';
import { channelCount, resizeAndCrop, shownTo } from './preprocess.ts';
import { firstCropOf, resizedSize } from './resized-size.ts';

// Images and maps at the size of the network's input, where saliency is. Levels are `[height, width, 3]`, red, green,
// blue, 0 to 255, not yet scaled; three equal ones where the network takes grey.

export interface FrameSize {
  readonly height: number;
  readonly width: number;
}

const intensitiesOf = ({ data, width, height }: Pixels): Float32Nd => ({
  data: new Float32Array(data),
  shape: [height, width, 3],
});

/** An image as the preprocessing resizes and crops it. */
export const framedImage = (pixels: Pixels, preprocessing: Preprocessing): Float32Nd =>
  intensitiesOf(resizeAndCrop(pixels, preprocessing));

/** A map of the image taken the same way, bilinear with antialiasing; zero beyond its border, as the image is black. */
export const framedMap = (map: Float32Nd, preprocessing: Preprocessing): Float32Nd => {
  const [height, width] = map.shape as readonly [number, number];
  const first = firstCropOf([height, width], preprocessing);
  const [rows, columns] = resizedSize([height, width], preprocessing);
  const resized = resizeMap(part(map, first), rows, columns, true);
  const { crop } = preprocessing;
  if (crop === null) return resized;
  const top = cropStart(rows, crop.height, crop.rounding);
  const left = cropStart(columns, crop.width, crop.rounding);
  return part(resized, { top, left, size: [crop.height, crop.width] });
};

/** A rectangle of a map; zero where it lies beyond the map. */
const part = (
  { data, shape }: Float32Nd,
  { top, left, size: [height, width] }: ReturnType<typeof firstCropOf>,
): Float32Nd => {
  const [rows, columns] = shape as readonly [number, number];
  if (top === 0 && left === 0 && height === rows && width === columns) return { data, shape };
  const cropped = Float32Array.from({ length: height * width }, (_, i) => {
    const [y, x] = [top + Math.floor(i / width), left + (i % width)];
    return y >= 0 && y < rows && x >= 0 && x < columns ? data[y * columns + x]! : 0;
  });
  return { data: cropped, shape: [height, width] };
};

/** An image as ClickMe's released loader resizes it: bilinear, no antialiasing, not rounded. */
export const clickmeImage = (
  pixels: Pixels,
  { height, width }: FrameSize,
  preprocessing: Pick<Preprocessing, 'channels'>,
): Float32Nd => resizeMap(intensitiesOf(shownTo(preprocessing, pixels)), height, width, false);

/** Side of the map that is blurred, and σ of the blur, in its pixels. */
const blurSide = 64;
const blurSigma = 10;

// The released kernel has 10 × 10 weights on the integer grids −5 … 4 across and 4 … −5 down; SAME padding puts its
// first weight 4 places before the pixel. Its centre so lies one column to the right of the pixel, and on its row.
const across = gaussianKernel(-4, 5, 1, blurSigma);
const down = gaussianKernel(-4, 5, 0, blurSigma);

/** A human map as ClickMe's released loader blurs and resizes it. */
export const clickmeMap = (map: Float32Nd, { height, width }: FrameSize): Float32Nd => {
  const small = resizeMap(map, blurSide, blurSide, false);
  return resizeMap(convolveMap(small, down, across), height, width, false);
};

/**
 * The network's input from levels: `(level · scale − mean[channel]) / std[channel]`, each step rounded to float32, as
 * `preprocess` has it to the bit for whole levels; `[1, channels, height, width]` or `[1, height, width, channels]`.
 */
export const inputOf = (
  { data, shape }: Float32Nd,
  { scale, mean, std, channels }: Preprocessing,
  layout: ImageInput['layout'],
): Float32Nd => {
  const [height, width] = shape as readonly [number, number, number];
  const plane = height * width;
  const count = channelCount({ channels });
  const input = new Float32Array(count * plane);
  for (let channel = 0; channel < count; channel++) {
    const [shift, spread] = [Math.fround(mean[channel]!), Math.fround(std[channel]!)];
    const source = channels === 'BGR' ? 2 - channel : channel;
    const [start, step] = layout === 'NCHW' ? [channel * plane, 1] : [channel, count];
    for (let i = 0; i < plane; i++) {
      const centred = Math.fround(Math.fround(data[3 * i + source]! * scale) - shift);
      input[start + i * step] = Math.fround(centred / spread);
    }
  }
  return {
    data: input,
    shape: layout === 'NCHW' ? [1, count, height, width] : [1, height, width, count],
  };
};

/** The input that a black image of the same size gives. */
export const blackLike = (
  { data, shape }: Float32Nd,
  preprocessing: Preprocessing,
  layout: ImageInput['layout'],
): Float32Nd => inputOf({ data: new Float32Array(data.length), shape }, preprocessing, layout);
