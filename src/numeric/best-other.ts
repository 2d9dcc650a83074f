import { pearson } from './statistics.ts';

/**
 * For each site the highest Pearson correlation of its map (or its ranks) with another site's map in `others`: those of
 * the same image for a ceiling, of another one for its null. NaN where none is defined.
 */
export const bestOther = (
  maps: readonly Float64Array[],
  others: readonly Float64Array[],
): Float64Array =>
  Float64Array.from(maps, (map, site) => {
    let best = Number.NaN;
    for (let other = 0; other < others.length; other++) {
      if (other === site) continue;
      const r = pearson(map, others[other]!);
      // NaN (a constant map) loses every comparison but the first.
      if (r > best || Number.isNaN(best)) best = r;
    }
    return best;
  });
