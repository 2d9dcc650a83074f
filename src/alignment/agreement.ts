import { ascendingOrder } from '../numeric/radix.ts';
import { pearson, quantileOfSorted, ranksInOrder } from '../numeric/statistics.ts';
import type { Agreement } from '../records/alignment.ts';

/** A map made ready to be compared: what its values are computed from. Its numbers are finite. */
export interface RankedMap {
  /** Average ranks; null where the map is constant, so that there is nothing to rank. */
  readonly ranks: Float64Array | null;
  /** 1 where a pixel is above the percentile. */
  readonly above: Uint8Array;
  readonly area: number;
}

/** `percentile` as NumPy computes it, linear between order statistics; pixels at it do not count. */
export const rankedMap = (values: Float32Array, percentile: number): RankedMap => {
  const order = ascendingOrder(values);
  const sorted = new Float32Array(values.length);
  for (let i = 0; i < sorted.length; i++) sorted[i] = values[order[i]!]!;
  const threshold = quantileOfSorted(sorted, percentile / 100);
  const above = new Uint8Array(values.length);
  let area = 0;
  for (let i = 0; i < values.length; i++) {
    if (!(values[i]! > threshold)) continue;
    above[i] = 1;
    area++;
  }
  const isConstant = sorted[0] === sorted.at(-1);
  return { ranks: isConstant ? null : ranksInOrder(values, order), above, area };
};

const overlap = (a: Uint8Array, b: Uint8Array): number => {
  let both = 0;
  for (let i = 0; i < a.length; i++) both += a[i]! & b[i]!;
  return both;
};

/**
 * How two maps of one size agree: Spearman's correlation over pixels (−1 … 1); Dice, 2|A∩B| / (|A| + |B|), and
 * intersection over union, |A∩B| / |A∪B| (0 … 1), of the pixels above the percentile. Null where not defined: a constant
 * map, or no pixel above the percentile in either.
 */
export const agreementOf = (a: RankedMap, b: RankedMap): Agreement => {
  if (a.ranks === null || b.ranks === null) return { spearman: null, dice: null, iou: null };
  const both = overlap(a.above, b.above);
  const total = a.area + b.area;
  return {
    spearman: pearson(a.ranks, b.ranks),
    dice: total === 0 ? null : (2 * both) / total,
    iou: total === 0 ? null : both / (total - both),
  };
};

export const metricNames = ['spearman', 'dice', 'iou'] as const;

/** Mean of each value over the agreements that have it; null where none has. */
export const meanAgreement = (all: readonly Agreement[]): Agreement => {
  const meanOf = (name: (typeof metricNames)[number]): number | null => {
    const known = all.flatMap((each) => each[name] ?? []);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  return { spearman: meanOf('spearman'), dice: meanOf('dice'), iou: meanOf('iou') };
};
