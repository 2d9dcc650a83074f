// Nulls that know where the animal looked, but not what at.

import { heldSource } from '../models/features.ts';
import type { Features } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Layout } from './layout.ts';
import type { ResponseSet } from './response-sets.ts';

/** Cosines along each side: smooth maps of up to one and a half periods. */
const order = 4;

/**
 * Position alone as the only layer: at row i of m and column j of n the products cos(π(2i + 1)a / 2m) ·
 * cos(π(2j + 1)b / 2n) for a, b < 4 but the constant, 15 in all, fewer on grids of fewer than four rows or columns; the
 * same for all images. Null for a single fixation, and where an image is a row.
 */
export const positionFeatures = ({ grid, imageOfRow }: Layout): Features | null => {
  if (grid === null) return null;
  const { rows, columns } = grid;
  const [down, across] = [Math.min(order, rows), Math.min(order, columns)];
  const count = down * across - 1;
  if (count === 0) return null;
  const layer = { name: 'position', tensor: 'position', features: count };
  const wave = (k: number, i: number, n: number): number =>
    Math.cos((Math.PI * (2 * i + 1) * k) / (2 * n));
  const total = imageOfRow.length;
  const table = (): Float32Array => {
    const data = new Float32Array(total * count);
    for (let row = 0; row < total; row++) {
      const position = row % (rows * columns);
      const [i, j] = [Math.floor(position / columns), position % columns];
      for (let k = 1; k <= count; k++)
        data[row * count + k - 1] =
          wave(Math.floor(k / across), i, rows) * wave(k % across, j, columns);
    }
    return data;
  };
  return {
    layers: [layer],
    passes: [{ layers: [layer], slices: 1 }],
    seconds: 0,
    modelBytes: 0,
    identity: { position: { rows, columns, order } },
    warnings: [],
    gather: async (_, wanted) =>
      wanted(layer) ? [heldSource('position', { data: table(), shape: [total, count] })] : [],
  };
};

/**
 * The mean training map as a prediction, `[rows scored, sites]`: at each position the mean over the images that the
 * fold's regression trained on, and that the site responded to there.
 */
export const meanTrainingMaps = (
  { heldOut, folds, stimuli }: Layout,
  { responses, recorded }: ResponseSet,
): Float64Nd => {
  const [rows, sites] = responses.shape as [number, number];
  const positions = rows / stimuli.length;
  const data = new Float64Array(recorded.data.length).fill(Number.NaN);
  heldOut.forEach(({ rows: scored, test }, fold) => {
    const omitted = new Set(test);
    const sums = new Float64Array(positions * sites);
    const counts = new Float64Array(positions * sites);
    for (let row = 0; row < rows; row++) {
      if (omitted.has(row)) continue;
      for (let s = 0; s < sites; s++) {
        const value = responses.data[row * sites + s]!;
        if (Number.isNaN(value)) continue;
        sums[(row % positions) * sites + s]! += value;
        counts[(row % positions) * sites + s]! += 1;
      }
    }
    folds[fold]!.test.forEach((row, k) => {
      for (let s = 0; s < sites; s++) {
        const at = (row % positions) * sites + s;
        data[scored[k]! * sites + s] = sums[at]! / counts[at]!;
      }
    });
  });
  return { data, shape: recorded.shape };
};
