import type { HalfMeans, TrialMoments } from '../numeric/reliability.ts';
import type { Float64Nd } from '../records/array.ts';
import type { ExcludedSite } from '../records/score.ts';

/** What a perfect model could reach, by the protocol's definition (recipes of [L23] and of split halves). */
export interface Ceiling {
  /** `[groups, sites]`; NaN where a site is left out of that group. All 1 where there is no ceiling per site. */
  readonly perSite: Float64Nd;
  /** One number for all, where the protocol divides after aggregation; else null. */
  readonly overall: number | null;
  /** Spread of `overall` over its splits / √splits, where it has splits; else null. */
  readonly overallError: number | null;
  /** Whether a site that has no ceiling counts for nothing, not even uncorrected. */
  readonly leavesOutRaw: boolean;
  /**
   * What `best-ceiling` compares time bins by: the mean over all sites (and images) before any is left out, so that a
   * bin with one lucky site does not win. A reliability for split halves, a correlation otherwise.
   */
  readonly meanOverAllSites: number;
  /** Sites left out, with the group's image where it is only for that. */
  readonly excluded: readonly ExcludedSite[];
  /** What split halves rest on, which nested choices and intervals compute anew; null for other ceilings. */
  readonly basis: CeilingBasis | null;
}

/** The trials that split-half ceilings are computed from. */
export interface CeilingBasis {
  readonly halved: HalfMeans;
  readonly moments: TrialMoments;
  /** Half of the images that each row belongs to, 0 or 1. */
  readonly halfOfRow: Uint8Array;
  /** Per site, the halves of the images that its ceiling is of: 1 the first, 2 the second, 3 both. */
  readonly from: Uint8Array;
}
