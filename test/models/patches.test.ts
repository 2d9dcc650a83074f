import { describe, expect, it } from 'vitest';
import { patchBox, patchPixels } from '../../src/models/patches.ts';
import type { Pixels } from '../../src/records/ports.ts';
import type { FixationGrid } from '../../src/records/recording.ts';
import { inputLine } from '../formats/failure.ts';

/** Red is the column, green the row. */
const ramp = (height: number, width: number): Pixels => ({
  width,
  height,
  channels: 3,
  data: Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return i % 3 === 0 ? pixel % width : i % 3 === 1 ? Math.floor(pixel / width) : 7;
  }),
});
const grid = (change: Partial<FixationGrid> = {}): FixationGrid => ({
  rows: 2,
  columns: 4,
  extent: null,
  patchSize: null,
  pixelsPerDegree: null,
  ...change,
});
const columnsOf = (pixels: Pixels): number[] =>
  Array.from({ length: pixels.width }, (_, x) => pixels.data[x * 3]!);
const rowsOf = (pixels: Pixels): number[] =>
  Array.from({ length: pixels.height }, (_, y) => pixels.data[y * pixels.width * 3 + 1]!);

describe('patches of an evenly divided image', () => {
  it('are its cells, from the top left', () => {
    const patch = patchPixels(ramp(6, 8), grid(), 1, 2);
    expect(columnsOf(patch)).toEqual([4, 5]);
    expect(rowsOf(patch)).toEqual([3, 4, 5]);
    expect(patch.data[2]).toBe(7);
  });

  it.each([
    [168, 17],
    [224, 9],
    [100, 7],
    [299, 16],
  ])('cover %i pixels in %i cells without gap or overlap', (size, cells) => {
    const image = { width: size, height: size, channels: 3 } as const;
    const square = grid({ rows: cells, columns: cells });
    let next = 0;
    for (let column = 0; column < cells; column++) {
      const { x, width } = patchBox(image, square, 0, column);
      expect(x).toBe(next);
      expect(Math.abs(width - size / cells)).toBeLessThanOrEqual(1);
      next = x + width;
    }
    expect(next).toBe(size);
  });

  it('are at least a pixel', () => {
    const patch = patchPixels(ramp(2, 2), grid({ rows: 5, columns: 5 }), 4, 4);
    expect([patch.width, patch.height]).toEqual([1, 1]);
  });
});

describe('patches of a stated size', () => {
  it('are centred on the cells of the extent', () => {
    const extent = { x: 10, y: 20, width: 40, height: 20 };
    const square = grid({ extent, patchSize: { value: 6, unit: 'pixel' } });
    // The cell of row 1, column 3 is 40…50 × 30…40, its centre (45, 35).
    expect(patchBox({ width: 99, height: 99, channels: 3 }, square, 1, 3)).toEqual({
      x: 42,
      y: 32,
      width: 6,
      height: 6,
    });
    const degrees = grid({
      extent,
      patchSize: { value: 0.5, unit: 'degree' },
      pixelsPerDegree: 12,
    });
    expect(patchBox({ width: 99, height: 99, channels: 3 }, degrees, 1, 3)).toEqual(
      patchBox({ width: 99, height: 99, channels: 3 }, square, 1, 3),
    );
  });

  it('repeat the edge beyond the image', () => {
    const square = grid({ patchSize: { value: 6, unit: 'pixel' } });
    const first = patchPixels(ramp(6, 8), square, 0, 0);
    expect(columnsOf(first)).toEqual([0, 0, 0, 1, 2, 3]);
    expect(rowsOf(first)).toEqual([0, 0, 1, 2, 3, 4]);
    const last = patchPixels(ramp(6, 8), square, 1, 3);
    expect(columnsOf(last)).toEqual([4, 5, 6, 7, 7, 7]);
  });

  it('keep one size where their centres are fractional', () => {
    const odd = grid({ rows: 1, columns: 7, patchSize: { value: 9.4, unit: 'pixel' } });
    const sizes = Array.from(
      { length: 7 },
      (_, column) => patchPixels(ramp(10, 50), odd, 0, column).width,
    );
    expect(new Set(sizes)).toEqual(new Set([9]));
  });

  it('in degrees need the pixels per degree', async () => {
    const degrees = grid({ patchSize: { value: 1, unit: 'degree' } });
    expect(await inputLine(() => patchPixels(ramp(6, 8), degrees, 0, 0))).toBe(
      'recording.json: grid.pixelsPerDegree: expected a number, since grid.patchSize is in degrees, got null; state the pixels per degree of the stimuli, or the patch size in pixels',
    );
  });
});
