import * as z from 'zod';
import type { Float64Nd } from './array.ts';
import { intervalSchema } from './interval.ts';
import { protocolSchema } from './protocol.ts';
import { provenanceWith } from './provenance.ts';
import { timeBinSchema } from './recording.ts';

// The score file is this record as JSON: the schemas here check files that are read, and give the published JSON Schema.

const list = <T extends z.ZodType>(of: T) => z.array(of).readonly();

const count = z.int().min(0);

/** A value, or null where it is not defined; never NaN. */
const numberOrNull = z.number().nullable();

const siteScoreSchema = z
  .strictObject({ site: z.string(), raw: numberOrNull, ceiling: numberOrNull, value: numberOrNull })
  .describe("one site's values; null where not defined, with the reason in excludedSites");
export type SiteScore = z.infer<typeof siteScoreSchema>;

const foldScoreSchema = z
  .strictObject({ fold: z.string(), raw: numberOrNull, value: numberOrNull })
  .describe('a fold (leave one image out: an image), aggregated over sites');
export type FoldScore = z.infer<typeof foldScoreSchema>;

const placeSchema = z
  .strictObject({ index: z.number().min(0), of: count })
  .describe(
    'place among all layers of the network (of activations: arrays of the file), from 0, whichever were scored; of a tensor that is no layer, between those around it',
  );

const layerScoreSchema = z.strictObject({
  layer: z.string(),
  features: count,
  place: placeSchema.nullable().default(null).describe('null where the file does not say it'),
  value: numberOrNull.describe(
    'null where no site has a defined correlation; the reason is in warnings',
  ),
  raw: numberOrNull,
  ceiling: numberOrNull,
  interval: intervalSchema.nullable(),
  sitesUsed: count,
  folds: list(foldScoreSchema),
  sites: list(siteScoreSchema),
  regression: z
    .string()
    .describe('the arithmetic that the regression ended in, such as `float64 gram` or `deflated`'),
  alphas: list(list(z.number()))
    .nullable()
    .describe(
      'ridge: the alpha that the training rows of each fold chose, in the unit of the protocol, [folds][sites], or [folds][1] where all sites share one; null for other regressions',
    ),
  warnings: list(z.string()),
});
export type LayerScore = z.infer<typeof layerScoreSchema>;

const excludedSiteSchema = z.strictObject({
  site: z.string(),
  image: z.string().nullable().describe('image that it is left out for; null: for all'),
  reason: z.string(),
});
export type ExcludedSite = z.infer<typeof excludedSiteSchema>;

const usedResponsesSchema = z
  .strictObject({
    used: z.number().describe('share that is fitted and scored'),
    missing: z.number().describe('share that the recording lacks'),
  })
  .describe(
    'responses of a site to a stimulus (on grids to a fixation) in a time bin, as shares of all of the recording',
  );
export type UsedResponses = z.infer<typeof usedResponsesSchema>;

const nullCeilingSchema = z
  .strictObject({
    mismatched: numberOrNull.describe('from maps of other images'),
    surrogate: numberOrNull.describe('from surrogate maps of the same values and spectrum'),
  })
  .describe('what a ceiling that is a maximum over sites would be by chance alone');
export type NullCeiling = z.infer<typeof nullCeilingSchema>;

const binScoresSchema = z
  .strictObject({ layer: z.string(), raw: list(numberOrNull), value: list(numberOrNull) })
  .describe('one layer in every time bin, in the order of timeBins');
export type BinScores = z.infer<typeof binScoresSchema>;

const timeCourseSchema = z
  .strictObject({
    timeBins: list(timeBinSchema),
    ceilings: list(numberOrNull).describe(
      'null where no more sites repeat their responses than by chance',
    ),
    common: z
      .boolean()
      .default(false)
      .describe('whether all bins are over the same sites, those that every bin uses'),
    sites: list(count).default([]).describe('sites that the values of each bin rest on'),
    ownSites: list(count).default([]).describe('sites that each bin has a ceiling for'),
    layers: list(binScoresSchema),
  })
  .describe('layer × time bin: all bins of the recording');
export type TimeCourse = z.infer<typeof timeCourseSchema>;

const differenceSchema = z
  .strictObject({
    value: z.number(),
    interval: intervalSchema.nullable(),
    p: z
      .number()
      .describe(
        'two-sided; of permutations one-sided, with method: (1 + k)/(1 + B) for k of B that reach the score, or 10/B where the tenth to reach it was the last draw (Besag & Clifford 1991); of random twins the largest of the draws',
      ),
    method: z.string(),
  })
  .describe('network − null, paired, in the unit of value');

const nullScoreSchema = z
  .strictObject({
    name: z.enum([
      'permuted-stimuli',
      'permuted-maps',
      'shuffled-positions',
      'mean-map',
      'position',
      'pixels',
      'random-twin',
    ]),
    value: numberOrNull.describe('ceiled, as the score; null where the null is not applicable'),
    raw: numberOrNull,
    interval: intervalSchema
      .nullable()
      .describe('of permutations and random twins the range in which 95 % of single ones fall'),
    layer: z
      .string()
      .nullable()
      .describe(
        "the null's own best layer; null where each draw has its own, as each permutation chooses it anew",
      ),
    draws: count
      .nullable()
      .default(null)
      .describe('permutations or random twins, whose mean value and raw are; null of other nulls'),
    difference: differenceSchema.nullable(),
    note: z.string().nullable().describe('what was done otherwise, or why it is not applicable'),
  })
  .describe('what could come from nothing: under the protocol of the score, in its time bin');
export type NullScore = z.infer<typeof nullScoreSchema>;

const nestedSelectionSchema = z
  .strictObject({
    folds: list(z.strictObject({ fold: z.string(), layer: z.string() })).describe(
      'the layer that was chosen for each fold, without a look at it',
    ),
    scores: layerScoreSchema.describe(
      'what the chosen layers predict, one fold after another: value, raw and interval of the score',
    ),
    best: numberOrNull.describe(
      'value of the best layer, chosen on the very rows that it is scored on',
    ),
    optimism: numberOrNull.describe(
      'best less nested value, both from regressions on as many rows',
    ),
  })
  .describe('a nested choice of the layer');
export type NestedSelection = z.infer<typeof nestedSelectionSchema>;

const standardErrorOverSplitsSchema = z
  .strictObject({
    value: z
      .number()
      .describe("in the value's own unit, propagated from the spread of r and of c over splits"),
    unscaled: z
      .number()
      .describe('as Brain-Score reports it: spread of r over splits / √splits, in the unit of r'),
  })
  .describe(
    'population standard deviation over overlapping splits / √splits: too small, they overlap',
  );
export type StandardErrorOverSplits = z.infer<typeof standardErrorOverSplitsSchema>;

const learningCurvePointSchema = z.strictObject({
  count: count.describe('trials of each stimulus, or sites'),
  draws: count,
  raw: numberOrNull.describe('mean over the draws'),
  rawSpread: numberOrNull.describe(
    'standard deviation over draws, which share trials and sites: no error; null of one',
  ),
  ceiling: numberOrNull,
  value: numberOrNull,
  valueSpread: numberOrNull,
});
export type LearningCurvePoint = z.infer<typeof learningCurvePointSchema>;

const learningCurveSchema = z
  .strictObject({
    layer: z.string(),
    trials: list(learningCurvePointSchema).describe('empty where nothing was repeated'),
    sites: list(learningCurvePointSchema),
  })
  .describe('score of one layer, had fewer trials or sites been recorded');
export type LearningCurve = z.infer<typeof learningCurveSchema>;

export const scoreSchema = z.strictObject({
  kind: z.literal('neural-predictivity'),
  format: z.literal(2),
  area: z.string(),
  value: z
    .number()
    .describe('ceiled score of the best layer, or of a nested choice; nothing is clipped to 0 … 1'),
  raw: z.number(),
  ceiling: z.number(),
  ceilingInterval: intervalSchema
    .nullable()
    .default(null)
    .describe('null where there is no ceiling, or one that is not resampled'),
  nullCeiling: nullCeilingSchema.nullable().describe('null where the ceiling is a reliability'),
  interval: intervalSchema
    .nullable()
    .describe('null where fewer than two images leave nothing to resample'),
  layer: z.string().describe('the best layer on all rows'),
  nestedSelection: nestedSelectionSchema
    .nullable()
    .describe('null where the protocol takes the best layer'),
  standardErrorOverSplits: standardErrorOverSplitsSchema
    .nullable()
    .describe('null where folds do not overlap'),
  timeBin: timeBinSchema,
  protocol: protocolSchema,
  layers: list(layerScoreSchema),
  timeCourse: timeCourseSchema.nullable().describe('null where one time bin was fitted only'),
  nulls: list(nullScoreSchema)
    .nullable()
    .default(null)
    .describe('null where they were not asked for'),
  learningCurve: learningCurveSchema
    .nullable()
    .default(null)
    .describe('null where it was not asked for'),
  excludedSites: list(excludedSiteSchema),
  responses: usedResponsesSchema
    .nullable()
    .default(null)
    .describe('null in files of older versions'),
  warnings: list(z.string()),
  provenance: provenanceWith('recording', 'stimuli', 'protocol').describe(
    'everything that a score depends on; two runs differ only in seconds and startedAt',
  ),
});
export type Score = z.infer<typeof scoreSchema>;

/** The values that a score's value comes from: those of the chosen layers, else of the best one. */
export const scoredLayer = ({
  nestedSelection,
  layers,
  layer,
}: Pick<Score, 'nestedSelection' | 'layers' | 'layer'>): LayerScore =>
  nestedSelection?.scores ?? layers.find((each) => each.layer === layer)!;

/**
 * Recorded and held-out predicted responses of what is scored, the best layer or the chosen ones, `[rows, sites]`:
 * `--keep predictions`. Of overlapping splits, the rows of each, one split after another.
 */
export interface HeldOut {
  readonly recorded: Float64Nd;
  readonly predicted: Float64Nd;
  /** Stimulus of each row. */
  readonly stimulusIds: readonly string[];
  /** Fold (or split) that held each row out, by number. */
  readonly folds: Int32Array;
  readonly siteIds: readonly string[];
  /** `[groups, sites]`: what each correlation is divided by, NaN where left out; absent in files of older versions. */
  readonly ceiling?: Float64Nd;
  /** For each row a stimulus that it is drawn together with, being nearly equal (or its own); absent: each on its own. */
  readonly drawnWith?: readonly string[];
}
