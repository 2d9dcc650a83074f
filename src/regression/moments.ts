// What the training rows of every split hold of the features' second moments, from products of blocks of rows.

import type { Held } from '../records/ports.ts';
import { matrix, type Products } from './products.ts';
import type { PlaceRange } from './task.ts';

/** Of each split, over its training rows of X [n, p]: the sum of every column, and A = XᵀX centred on them. */
export interface Moments {
  /** [splits, p]. */
  readonly sums: Float64Array;
  /** [splits, p, p]; empty where they are not asked for. */
  readonly covariances: Float64Array;
}

const keyOf = (range: PlaceRange): string => range.join(' ');

/** Ranges of [0, n) that together are all of it: those that are held out, and what is in none. */
const tiles = (splits: readonly (readonly PlaceRange[])[], n: number): PlaceRange[] => {
  const heldOut = [...new Map(splits.flat().map((range) => [keyOf(range), range])).values()];
  heldOut.sort(([a], [b]) => a - b);
  const all: PlaceRange[] = [];
  let place = 0;
  for (const range of heldOut) {
    if (range[0] > place) all.push([place, range[0]]);
    all.push(range);
    place = range[1];
  }
  if (place < n) all.push([place, n]);
  return all;
};

const add = (sum: Float64Array, part: Float64Array, sign: 1 | -1): void => {
  for (let k = 0; k < sum.length; k++) sum[k] = sum[k]! + sign * part[k]!;
};

/** matrix −= vector · vectorᵀ / count. */
const centre = (square: Float64Array, vector: Float64Array, count: number): void => {
  const p = vector.length;
  for (let i = 0; i < p; i++) {
    const factor = vector[i]! / count;
    const row = i * p;
    for (let k = 0; k < p; k++) square[row + k] = square[row + k]! - factor * vector[k]!;
  }
};

interface Block {
  readonly sum: Float64Array;
  readonly gram: Float64Array;
}

/**
 * Moments of splits that hold out `splits` (disjoint ranges each, the same or disjoint ones between splits), the features
 * held as X [n, p] less their means over all rows. Each block of rows is multiplied once.
 */
export const trainingMoments = async (
  products: Products,
  x: Held,
  splits: readonly (readonly PlaceRange[])[],
  withCovariances: boolean,
): Promise<Moments> => {
  const [n = 0, p = 0] = x.shape;
  const square = withCovariances ? p * p : 0;
  const blocks = new Map<string, Block>();
  const whole: Block = { sum: new Float64Array(p), gram: new Float64Array(square) };
  const used = new Set(splits.flat().map(keyOf));
  for (const rows of tiles(splits, n)) {
    const some = { held: x, rows };
    const ones = matrix(new Float64Array(rows[1] - rows[0]).fill(1), 1);
    const block = {
      sum: await products.multiply('a·b', ones, some),
      gram: withCovariances ? await products.multiply('aᵀ·b', some, some) : new Float64Array(0),
    };
    add(whole.sum, block.sum, 1);
    add(whole.gram, block.gram, 1);
    if (used.has(keyOf(rows))) blocks.set(keyOf(rows), block);
  }
  const sums = new Float64Array(splits.length * p);
  const covariances = new Float64Array(splits.length * square);
  splits.forEach((ranges, split) => {
    const sum = sums.subarray(split * p, (split + 1) * p);
    const gram = covariances.subarray(split * square, (split + 1) * square);
    sum.set(whole.sum);
    gram.set(whole.gram);
    let trained = n;
    for (const range of ranges) {
      const block = blocks.get(keyOf(range))!;
      add(sum, block.sum, -1);
      add(gram, block.gram, -1);
      trained -= range[1] - range[0];
    }
    if (withCovariances) centre(gram, sum, trained);
  });
  return { sums, covariances };
};
