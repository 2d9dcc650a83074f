import type { Preprocessing } from './model.ts';
import type { Protocol } from './protocol.ts';
import type { TimeBin } from './recording.ts';

/** Confidence interval in the unit of the value that it belongs to. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly level: number;
  /** `t over images` at 20 images or fewer (approximate), else `bootstrap over images and sites`. */
  readonly method: string;
  readonly images: number;
  readonly sites: number;
  readonly approximate: boolean;
}

/** One site's figures; null where they are not defined (the reason is in `excludedSites`). */
export interface SiteScore {
  readonly site: string;
  readonly raw: number | null;
  readonly ceiling: number | null;
  readonly value: number | null;
}

/** A fold (leave-one-image-out: an image), aggregated over sites. */
export interface FoldScore {
  readonly fold: string;
  readonly raw: number | null;
  readonly value: number | null;
}

export interface LayerScore {
  readonly layer: string;
  readonly features: number;
  /** Null where no site has a defined correlation (a dead layer); the reason is in `warnings`. */
  readonly value: number | null;
  readonly raw: number | null;
  readonly ceiling: number | null;
  readonly interval: Interval | null;
  readonly sitesUsed: number;
  readonly folds: readonly FoldScore[];
  readonly sites: readonly SiteScore[];
  /** Which arithmetic the regression ended in: `float32 gram`, `float64 gram`, `features`, `deflated`. */
  readonly regression: string;
  readonly warnings: readonly string[];
}

export interface ExcludedSite {
  readonly site: string;
  /** Image it is left out for; null: for all. */
  readonly image: string | null;
  readonly reason: string;
}

/**
 * What a ceiling that is a maximum over sites would be by chance alone: from maps of other images, and from surrogate
 * maps. A score near it says little.
 */
export interface NullCeiling {
  readonly mismatched: number | null;
  readonly surrogate: number | null;
}

/** One layer in every time bin, in the order of `TimeCourse.timeBins`; null where not defined. */
export interface BinScores {
  readonly layer: string;
  readonly raw: readonly (number | null)[];
  readonly value: readonly (number | null)[];
}

/** Layer × time bin: all bins of a recording, fitted in one pass. */
export interface TimeCourse {
  readonly timeBins: readonly TimeBin[];
  readonly ceilings: readonly (number | null)[];
  readonly layers: readonly BinScores[];
}

/** Everything that a score depends on. Two runs differ only in `seconds` and `startedAt`. */
export interface Provenance {
  /** Null where activations were given instead of a model. */
  readonly model: { readonly name: string; readonly sha256: string } | null;
  readonly activations: { readonly name: string; readonly sha256: string } | null;
  readonly recording: { readonly name: string; readonly sha256: string };
  /** SHA-256 over ids and contents of the stimuli in order. */
  readonly stimuli: { readonly count: number; readonly sha256: string };
  readonly preprocessing: Preprocessing | null;
  readonly protocol: { readonly name: string; readonly sha256: string };
  readonly seed: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly device: string;
  readonly seconds: number;
  readonly startedAt: string;
}

export interface Score {
  readonly kind: 'neural-predictivity';
  readonly area: string;
  readonly value: number;
  readonly raw: number;
  readonly ceiling: number;
  /** Null where the ceiling is a reliability. */
  readonly nullCeiling: NullCeiling | null;
  /** Null where fewer than two images leave nothing to resample. */
  readonly interval: Interval | null;
  readonly layer: string;
  readonly timeBin: TimeBin;
  readonly protocol: Protocol;
  readonly layers: readonly LayerScore[];
  /** Null where one time bin was fitted only. */
  readonly timeCourse: TimeCourse | null;
  readonly excludedSites: readonly ExcludedSite[];
  readonly warnings: readonly string[];
  readonly provenance: Provenance;
}
