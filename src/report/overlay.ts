import { quantile } from '../numeric/statistics.ts';
import type { Float32Nd } from '../records/array.ts';
import type { Pixels } from '../records/ports.ts';
import { viridis } from './colours.ts';
import type { ValueRange } from './map-image.ts';

/** Single pixels must not dim the rest: colours end at this share of the absolute values. */
const shownShare = 0.99;

/**
 * The range that the colours of a map span: from 0 up for a map without negative values, else the same on both sides of
 * 0, which then has the middle colour; up to the 99th percentile of the absolute values.
 */
export const colourRange = ({ data }: Float32Nd): ValueRange => {
  const sizes = data.map(Math.abs);
  const most = quantile(sizes, shownShare) || quantile(sizes, 1);
  return { low: data.some((value) => value < 0) ? -most : 0, high: most };
};

/** How much of the colour of a pixel is the map's. */
const opacity = 0.65;

/**
 * A map `[height, width]` in the colours of viridis over the image in grey, given as levels `[height, width, 3]` (0 to
 * 255, red, green, blue).
 */
export const overlay = (intensities: Float32Nd, map: Float32Nd): Pixels => {
  const [height, width] = map.shape as readonly [number, number];
  const { low, high } = colourRange(map);
  const span = high - low;
  const data = new Uint8Array(height * width * 3);
  for (let i = 0; i < map.data.length; i++) {
    const share = span > 0 ? (map.data[i]! - low) / span : 0;
    const colour = viridis(share);
    const [red, green, blue] = [0, 1, 2].map((channel) => intensities.data[3 * i + channel]!);
    const grey = 0.299 * red! + 0.587 * green! + 0.114 * blue!;
    for (let channel = 0; channel < 3; channel++) {
      const intensity = opacity * colour[channel]! + (1 - opacity) * grey;
      data[3 * i + channel] = Math.round(Math.max(0, Math.min(255, intensity)));
    }
  }
  return { width, height, channels: 3, data };
};
