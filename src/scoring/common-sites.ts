import { spreadColumns, takeColumns } from '../numeric/columns.ts';
import type { TimeCourse } from '../records/score.ts';
import { aggregate } from './aggregate.ts';
import { sitesInUse } from './ceilings.ts';
import type { Layout } from './layout.ts';
import type { BinSet } from './response-sets.ts';

/** Time bins over the same sites, so that they can be laid side by side; how many sites each has of its own. */
export interface SideBySide {
  readonly bins: readonly BinSet[];
  readonly common: boolean;
  /** Sites that the values of each bin rest on. */
  readonly sites: readonly number[];
  /** Sites that each bin has a ceiling for. */
  readonly ownSites: readonly number[];
}

/**
 * Bins over the sites that all of them use, where sites without a ceiling are left out at all; bins without any site have
 * no values, and do not take the others' sites away. With `common` false, each bin over its own sites.
 */
export const sideBySide = (
  { protocol }: Layout,
  bins: readonly BinSet[],
  common: boolean,
): SideBySide => {
  const own = bins.map(({ ceiling }) => sitesInUse(ceiling));
  const counts = own.map(({ length }) => length);
  if (!common || !bins.some(({ ceiling }) => ceiling.leavesOutRaw))
    return { bins, common: false, sites: counts, ownSites: counts };
  const [first, ...others] = own.filter(({ length }) => length > 0);
  const shared = (first ?? new Int32Array(0)).filter((site) =>
    others.every((each) => each.includes(site)),
  );
  const over = (bin: BinSet): BinSet => {
    const { perSite } = bin.ceiling;
    const kept = spreadColumns(takeColumns(perSite, shared), shared, perSite.shape[1]!);
    const ceiling = { ...bin.ceiling, perSite: kept };
    return {
      ...bin,
      ceiling,
      overallCeiling: aggregate(kept, ceiling, protocol.normalisation).ceiling,
    };
  };
  return {
    bins: bins.map(over),
    common: true,
    sites: counts.map((count) => (count === 0 ? 0 : shared.length)),
    ownSites: counts,
  };
};

/** Said where bins have sites, but none in common, so that the time course is empty. */
export const nothingInCommon = (timeCourse: TimeCourse | null): string[] => {
  if (timeCourse === null || !timeCourse.common) return [];
  const { sites, ownSites } = timeCourse;
  if (sites.some((count) => count > 0) || ownSites.every((count) => count === 0)) return [];
  return [
    'no site is used in every time bin, so that the time course over common sites has no values; each bin can have its own',
  ];
};
