import type { FloatNd } from '../records/array.ts';

/**
 * The matrix `[from, to]` that resamples an axis of `from` values to `to` when multiplied from the right.
 *
 * Where the axis grows or stays: TensorFlow's bilinear interpolation with half-pixel centres and no antialiasing,
 * `x = (i + 1/2) · from/to − 1/2`, between ⌊x⌋ and ⌈x⌉ clamped to the axis, weight x − ⌊x⌋. Where it shrinks: the mean
 * over the equal index ranges `[⌊i · from/to⌋, ⌊(i + 1) · from/to⌋)`.
 *
 * @param Numbers what the axis holds; weights rounded to float32 would let an offset of float64 through.
 */
export const resamplingMatrix = (
  from: number,
  to: number,
  Numbers: new (length: number) => Float32Array | Float64Array = Float32Array,
): FloatNd => {
  const data = new Numbers(from * to);
  for (let i = 0; i < to; i++) {
    if (from > to) {
      const first = Math.floor((i * from) / to);
      const last = Math.floor(((i + 1) * from) / to);
      for (let j = first; j < last; j++) data[j * to + i] = 1 / (last - first);
    } else {
      const x = ((i + 0.5) * from) / to - 0.5;
      const below = Math.max(Math.floor(x), 0);
      const above = Math.min(Math.ceil(x), from - 1);
      const weight = x - Math.floor(x);
      data[below * to + i]! += 1 - weight;
      data[above * to + i]! += weight;
    }
  }
  return { data, shape: [from, to] };
};

/**
 * Rows and columns of a token grid: patches are square, so that the grid has the image's proportions. `null` where
 * the tokens fill no such grid.
 */
export const tokenGrid = (
  tokens: number,
  image: { readonly height: number; readonly width: number } | null,
): { readonly rows: number; readonly columns: number } | null => {
  const ratio = image === null ? 1 : image.height / image.width;
  const rows = Math.round(Math.sqrt(tokens * ratio));
  const columns = tokens / rows;
  return rows > 0 && Number.isInteger(columns) ? { rows, columns } : null;
};
