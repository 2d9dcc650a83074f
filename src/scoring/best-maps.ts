import { bestOther } from '../numeric/best-other.ts';
import { pearson } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import { type CorrelationKind, valuesOrRanks } from './correlations.ts';
import { columnAt, type Group } from './groups.ts';

/** Maps of all sites on one image: per site, the values (or their ranks) at the positions. */
export type Maps = readonly Float64Array[];

export const mapsOf = (responses: Float64Nd, { rows }: Group, kind: CorrelationKind): Maps =>
  Array.from({ length: responses.shape[1]! }, (_, site) =>
    valuesOrRanks(columnAt(responses, site, rows), kind),
  );

/** Whether every map has a value at every position. */
export const areWhole = (maps: Maps): boolean => maps.every((map) => !map.some(Number.isNaN));

/** The correlation of two maps over the positions that both have (NaN: missing), ranked among these for `spearman`. */
export const whereBoth = (a: Float64Array, b: Float64Array, kind: CorrelationKind): number => {
  const both = Int32Array.from(a, (_, place) => place).filter(
    (place) => !Number.isNaN(a[place]!) && !Number.isNaN(b[place]!),
  );
  const taken = (map: Float64Array): Float64Array => Float64Array.from(both, (at) => map[at]!);
  return pearson(valuesOrRanks(taken(a), kind), valuesOrRanks(taken(b), kind));
};

/** `bestOther` of maps of values, not of ranks, in which positions may be missing. */
export const bestOtherOf = (maps: Maps, others: Maps, kind: CorrelationKind): Float64Array => {
  if (areWhole(maps) && areWhole(others)) {
    const own = maps.map((map) => valuesOrRanks(map, kind));
    return bestOther(own, others === maps ? own : others.map((map) => valuesOrRanks(map, kind)));
  }
  return Float64Array.from(maps, (map, site) =>
    others.reduce((best, other, index) => {
      const r = index === site ? Number.NaN : whereBoth(map, other, kind);
      return r > best || Number.isNaN(best) ? r : best;
    }, Number.NaN),
  );
};

/**
 * The highest pair of two different sites by the mean of the row-by-row Pearson correlations of their maps, the last
 * site left out as the released loops of [L23] do; as many pairs between two images as within one; rows in which a map is constant do not count,
 * nor does a pair with fewer than half of its rows. NaN where no pair
 * is defined.
 */
export const bestPairOf = (maps: Maps, others: Maps, columns: number): number => {
  let best = Number.NaN;
  const last = maps.length - 1;
  for (let a = 0; a < last; a++)
    for (let b = 0; b < a; b++) {
      const r = rowByRow(maps[a]!, others[b]!, columns);
      if (r > best || Number.isNaN(best)) best = r;
    }
  return best;
};

const rowByRow = (a: Float64Array, b: Float64Array, columns: number): number => {
  let sum = 0;
  let count = 0;
  for (let from = 0; from < a.length; from += columns) {
    const r = pearson(a.subarray(from, from + columns), b.subarray(from, from + columns));
    if (Number.isNaN(r)) continue;
    sum += r;
    count++;
  }
  // Few defined rows make a pair the highest by luck.
  return 2 * count * columns < a.length || count === 0 ? Number.NaN : sum / count;
};
