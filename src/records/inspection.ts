import type { RecordingLayout, TimeBin } from './recording.ts';

/** Reliability of the sites in one time bin: Spearman–Brown-corrected split halves, mean over splits. */
export interface BinReliability {
  readonly bin: TimeBin;
  /** One value per site, in order; null where it is not defined. */
  readonly perSite: readonly (number | null)[];
  /** Over the sites where it is defined; null where there is none. */
  readonly median: number | null;
}

/** Mean responses of the sites in one time bin, over stimuli, fixations and trials. */
export interface BinResponse {
  readonly bin: TimeBin;
  /** One value per site, in order, in the recording's unit; null where the site has no response in the bin. */
  readonly perSite: readonly (number | null)[];
}

export interface InspectedSite {
  readonly id: string;
  readonly area: string;
  readonly animal: string | null;
}

/** What there is to know about a recording before it is scored. Plain data. */
export interface Inspection {
  readonly kind: 'inspection';
  readonly format: 2;
  readonly name: string;
  readonly folder: string;
  readonly hash: string;
  readonly species: string;
  readonly layout: RecordingLayout;
  readonly dimensions: readonly { readonly name: string; readonly size: number }[];
  readonly areas: readonly { readonly area: string; readonly sites: number }[];
  readonly animals: readonly string[];
  readonly sites: readonly InspectedSite[];
  readonly timeBins: readonly TimeBin[];
  readonly unit: string;
  readonly stimuli: {
    readonly count: number;
    readonly first: readonly { readonly id: string; readonly file: string }[];
    /** Further columns of `stimuli.csv`. */
    readonly columns: readonly string[];
  };
  /** Trials that are there, over stimuli (and fixations) and sites. */
  readonly trials: { readonly least: number; readonly median: number; readonly most: number };
  /** Share of the numbers that are missing, 0 to 1. */
  readonly missing: number;
  /** Over the numbers that are there; null where there is none. */
  readonly responses: {
    readonly least: number;
    readonly mean: number;
    readonly most: number;
  } | null;
  /** The course of the mean response over the time bins. */
  readonly timeCourse: readonly BinResponse[];
  /** Null without repeated trials. */
  readonly reliability: {
    readonly splits: number;
    readonly seed: number;
    readonly bins: readonly BinReliability[];
  } | null;
  /**
   * Grids without repeated trials: per time bin the highest correlation of a site's maps with another site's, mean over
   * stimuli. No reliability and no upper bound. Null for other recordings.
   */
  readonly otherSites: readonly BinReliability[] | null;
  readonly licence: string | null;
  readonly citation: string | null;
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}
