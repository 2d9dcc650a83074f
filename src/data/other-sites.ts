import { bestOther } from '../numeric/best-other.ts';
import { mean, median, ranks } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { BinReliability } from '../records/inspection.ts';

/**
 * The ceiling of [L23] for grids without repeated trials, of one time bin: for each site and stimulus the highest
 * Spearman correlation of its map with another site's; per site the mean over stimuli, of what is above 0, as scores take
 * it. `responses` is `[stimuli · positions, 1, sites]`. Null where no other site's map correlates, or responses are missing.
 */
export const otherSiteCeiling = (
  { data, shape }: Float64Nd,
  stimuli: number,
  bin: BinReliability['bin'],
): BinReliability => {
  const sites = shape[2]!;
  const positions = shape[0]! / stimuli;
  const found = Array.from({ length: sites }, (): number[] => []);
  for (let stimulus = 0; stimulus < stimuli; stimulus++) {
    const maps = Array.from({ length: sites }, (_, site) => {
      const map = Float64Array.from(
        { length: positions },
        (_, position) => data[(stimulus * positions + position) * sites + site]!,
      );
      // A constant map correlates with none.
      return map.some(Number.isNaN) ? new Float64Array(positions) : ranks(map);
    });
    bestOther(maps, maps).forEach((best, site) => {
      if (best > 0) found[site]!.push(best);
    });
  }
  const perSite = found.map((values) => (values.length === 0 ? null : mean(values)));
  const defined = perSite.filter((value) => value !== null);
  return { bin, perSite, median: defined.length === 0 ? null : median(defined) };
};
