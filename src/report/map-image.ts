import type { Float64Nd } from '../records/array.ts';
import type { Pixels } from '../records/ports.ts';
import { type Colour, viridis } from './colours.ts';

export interface MapLayout {
  /** Pixels of a side of a cell. */
  readonly cell: number;
  /** Pixels between maps, and around them. */
  readonly gap: number;
  /** Maps in a row. */
  readonly across: number;
}

export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

const background: Colour = [255, 255, 255];
const missing: Colour = [200, 200, 200];

/** Least and highest number of an array, NaN passed over; null where it has none. */
export const rangeOf = (data: Float64Array): ValueRange | null => {
  const there = data.filter((value) => !Number.isNaN(value));
  if (there.length === 0) return null;
  return {
    low: there.reduce((least, value) => Math.min(least, value), Infinity),
    high: there.reduce((most, value) => Math.max(most, value), -Infinity),
  };
};

/**
 * Maps `[maps, rows, columns]` as one image, row after row of them, in the colours of viridis from `range.low` to
 * `range.high`; grey where there is no number.
 */
export const mapImage = (
  { data, shape }: Float64Nd,
  range: ValueRange,
  { cell, gap, across }: MapLayout,
): Pixels => {
  const [maps, rows, columns] = shape as readonly [number, number, number];
  const width = Math.min(maps, across) * (columns * cell + gap) + gap;
  const height = Math.ceil(maps / across) * (rows * cell + gap) + gap;
  const pixels = new Uint8Array(width * height * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = background[i % 3]!;
  const span = range.high - range.low;
  for (let index = 0; index < data.length; index++) {
    const map = Math.floor(index / (rows * columns));
    const [row, column] = [Math.floor(index / columns) % rows, index % columns];
    const value = data[index]!;
    const share = span > 0 ? (value - range.low) / span : 0.5;
    const colour = Number.isNaN(value) ? missing : viridis(share);
    const top = gap + Math.floor(map / across) * (rows * cell + gap) + row * cell;
    const left = gap + (map % across) * (columns * cell + gap) + column * cell;
    for (let y = top; y < top + cell; y++) {
      for (let x = left; x < left + cell; x++) pixels.set(colour, (y * width + x) * 3);
    }
  }
  return { width, height, channels: 3, data: pixels };
};
