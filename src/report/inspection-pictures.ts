import type { Float64Nd } from '../records/array.ts';
import type { Pixels } from '../records/ports.ts';
import { mapImage, rangeOf } from './map-image.ts';

/** Number `index` along the first axis. */
export const slice = ({ data, shape }: Float64Nd, index: number): Float64Nd => {
  const inner = shape.slice(1);
  const size = inner.reduce((product, each) => product * each, 1);
  return { data: data.slice(index * size, (index + 1) * size), shape: inner };
};

/** Maps of one site in rows, as many in each as are `across`; `low` is dark, `high` bright. */
export interface SitePicture {
  readonly pixels: Pixels;
  readonly across: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The mean map of a site, then its map of each stimulus, on one scale.
 *
 * @param maps `[stimulus, row, column]`; `mean` is over them, `[row, column]`.
 */
export const sitePicture = (maps: Float64Nd, mean: Float64Nd): SitePicture => {
  const [stimuli, rows, columns] = maps.shape as readonly [number, number, number];
  const data = Float64Array.of(...mean.data, ...maps.data);
  const range = rangeOf(data) ?? { low: 0, high: 0 };
  const across = Math.ceil(Math.sqrt(stimuli + 1));
  const cell = Math.max(1, Math.floor(160 / Math.max(rows, columns)));
  const shape = [stimuli + 1, rows, columns];
  return {
    pixels: mapImage({ data, shape }, range, { cell, gap: 8, across }),
    across,
    ...range,
  };
};

/** One map `[row, column]`, a pixel an element, on a scale of its own. */
export const mapPicture = ({ data, shape }: Float64Nd): Pixels =>
  mapImage({ data, shape: [1, ...shape] }, rangeOf(data) ?? { low: 0, high: 0 }, {
    cell: 1,
    gap: 0,
    across: 1,
  });

/** Every k-th pixel, so that the shorter side has about `side`: enough for a look. */
export const smaller = ({ width, height, data }: Pixels, side: number): Pixels => {
  const step = Math.max(1, Math.floor(Math.min(width, height) / side));
  const [w, h] = [Math.floor(width / step), Math.floor(height / step)];
  const small = new Uint8Array(w * h * 3);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < 3; c++)
        small[(y * w + x) * 3 + c] = data[(y * step * width + x * step) * 3 + c]!;
    }
  }
  return { width: w, height: h, channels: 3, data: small };
};
