import { inputError } from '../records/errors.ts';
import type { Pixels } from '../records/ports.ts';
import type { FixationGrid } from '../records/recording.ts';

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Whole pixels from `from` up to `to`, boundaries rounded, at least one. */
const span = (from: number, to: number): readonly [start: number, size: number] => {
  const start = Math.round(from);
  return [start, Math.max(1, Math.round(to) - start)];
};

const sideInPixels = ({ patchSize, pixelsPerDegree }: FixationGrid): number | null => {
  if (patchSize === null) return null;
  if (patchSize.unit === 'pixel') return patchSize.value;
  if (pixelsPerDegree === null) {
    throw inputError({
      where: 'recording.json: grid.pixelsPerDegree',
      expected: 'a number, since grid.patchSize is in degrees',
      got: 'null',
      mend: 'state the pixels per degree of the stimuli, or the patch size in pixels',
    });
  }
  return patchSize.value * pixelsPerDegree;
};

/** The part of the image that belongs to one fixation, in whole pixels; it may reach beyond the image. */
export const patchBox = (
  image: Omit<Pixels, 'data'>,
  grid: FixationGrid,
  row: number,
  column: number,
): Box => {
  const extent = grid.extent ?? { x: 0, y: 0, width: image.width, height: image.height };
  const [cellWidth, cellHeight] = [extent.width / grid.columns, extent.height / grid.rows];
  const side = sideInPixels(grid);
  if (side === null) {
    // One formula for the end of a cell and the beginning of the next, so that they meet.
    const left = (k: number): number => extent.x + k * cellWidth;
    const top = (k: number): number => extent.y + k * cellHeight;
    const [x, width] = span(left(column), left(column + 1));
    const [y, height] = span(top(row), top(row + 1));
    return { x, y, width, height };
  }
  // The same size everywhere, so only the centre is rounded to pixels.
  const size = Math.max(1, Math.round(side));
  return {
    x: Math.round(extent.x + (column + 0.5) * cellWidth - size / 2),
    y: Math.round(extent.y + (row + 0.5) * cellHeight - size / 2),
    width: size,
    height: size,
  };
};

/**
 * Cuts out what is seen at the fixation in `row` (0: top) and `column` (0: left) of the grid: a grid cell, or the
 * square `patchSize` around the cell's centre. Where it reaches beyond the image, the nearest edge pixel goes on.
 * [L23] divides each image into as many patches as there are fixations.
 * Input error: a patch size in degrees without pixels per degree.
 */
export const patchPixels = (
  pixels: Pixels,
  grid: FixationGrid,
  row: number,
  column: number,
): Pixels => {
  const { x, y, width, height } = patchBox(pixels, grid, row, column);
  const data = new Uint8Array(width * height * 3);
  const clamp = (at: number, size: number): number => Math.min(Math.max(at, 0), size - 1);
  for (let j = 0; j < height; j++) {
    const sourceRow = clamp(y + j, pixels.height) * pixels.width;
    for (let i = 0; i < width; i++) {
      const source = (sourceRow + clamp(x + i, pixels.width)) * 3;
      const target = (j * width + i) * 3;
      data[target] = pixels.data[source]!;
      data[target + 1] = pixels.data[source + 1]!;
      data[target + 2] = pixels.data[source + 2]!;
    }
  }
  return { width, height, channels: 3, data };
};
