import type { Pixels } from '../records/ports.ts';

/** Luminance of an image at 16×16, mean removed, scaled to length 1; null where the image is of one level. */
export type Thumbnail = Float64Array | null;

const side = 16;
const size = side * side;
/** Rec. 601, as PIL's conversion to grey. */
const weights = [0.299, 0.587, 0.114] as const;
/** Below this standard deviation (of 255 levels) there is nothing to compare. */
const leastContrast = 0.5;

/** First and last pixel of each of 16 cells along `length`; cells of a small image share pixels. */
const cells = (length: number): (readonly [number, number])[] =>
  Array.from({ length: side }, (_, cell) => {
    const from = Math.floor((cell * length) / side);
    return [from, Math.max(from + 1, Math.floor(((cell + 1) * length) / side))];
  });

/** Mean luminance over 16×16 equal cells, whatever the image's size; then mean-removed and normalised. */
export const thumbnailOf = ({ width, height, data }: Pixels): Thumbnail => {
  const columns = cells(width);
  const grey = Float64Array.from(
    cells(height).flatMap(([top, bottom]) =>
      columns.map(([left, right]) => {
        let sum = 0;
        for (let y = top; y < bottom; y++) {
          for (let at = (y * width + left) * 3; at < (y * width + right) * 3; at += 3) {
            for (let c = 0; c < 3; c++) sum += weights[c]! * data[at + c]!;
          }
        }
        return sum / ((bottom - top) * (right - left));
      }),
    ),
  );
  const mean = grey.reduce((sum, value) => sum + value, 0) / size;
  const norm = Math.sqrt(grey.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return norm < leastContrast * side ? null : grey.map((value) => (value - mean) / norm);
};

/**
 * Thumbnails as orthonormal coordinates with the means of 4×4 cells first: most pairs are told apart by these 16
 * numbers, since the distance over some coordinates is a lower bound of the whole.
 */
const coarseFirst = (thumbnail: Float64Array): Float64Array => {
  const coarse = new Float64Array(16);
  const cellOf = (index: number): number =>
    Math.floor(index / side / 4) * 4 + Math.floor((index % side) / 4);
  for (let i = 0; i < size; i++) coarse[cellOf(i)]! += thumbnail[i]! / 4;
  const rest = thumbnail.map((value, i) => value - coarse[cellOf(i)]! / 4);
  return Float64Array.of(...coarse, ...rest);
};

const nearer = (a: Float64Array, b: Float64Array, most: number): boolean => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    sum += (a[i]! - b[i]!) ** 2;
    if (sum >= most) return false;
  }
  return true;
};

/**
 * For each image the first one that it is alike, itself where there is none: images are alike where their thumbnails
 * correlate above `threshold`, or are linked by such. Brightness, contrast and colour do not tell images apart here;
 * images of one level are left alone.
 */
export const groupAlike = (thumbnails: readonly Thumbnail[], threshold = 0.99): Int32Array => {
  const points = thumbnails.map((thumbnail) => thumbnail && coarseFirst(thumbnail));
  // Unit vectors: |a − b|² = 2 − 2 r.
  const most = 2 - 2 * threshold;
  const first = Int32Array.from(thumbnails, (_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while (first[at] !== at) at = first[at]!;
    return at;
  };
  for (let j = 1; j < points.length; j++) {
    const point = points[j];
    if (point == null) continue;
    for (let i = 0; i < j; i++) {
      const other = points[i];
      if (other == null || !nearer(point, other, most)) continue;
      const [a, b] = [root(i), root(j)];
      first[Math.max(a, b)] = Math.min(a, b);
    }
  }
  return first.map((_, index) => root(index));
};
