import * as z from 'zod';
import { timeBinSchema } from './recording.ts';

const positive = z.int().positive();

/**
 * How a stimulus becomes a row of features.
 * - `image`: one row per image, the layer's tensor flattened, or its spatial mean (`pool`).
 * - `feature-map`: the whole image once; the layer's map resampled to the fixation grid, one row per fixation.
 * - `patches`: one patch per fixation, each a stimulus of its own; the layer's tensor flattened.
 */
export const samplingSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('image'), features: z.enum(['flatten', 'pool']) }),
  z.strictObject({
    kind: z.literal('feature-map'),
    /** Per image, over all positions and channels jointly, after resampling [L23-code]. */
    normalise: z.enum(['none', 'min-max']),
    /** Adjacent channels are averaged in threes (else fours) where there are more than this; null: never. */
    averageChannelsAbove: positive.nullable(),
  }),
  z.strictObject({ kind: z.literal('patches') }),
]);
export type Sampling = z.infer<typeof samplingSchema>;

/** PLS of scikit-learn's `PLSRegression(n_components, scale=False, max_iter, tol)`. */
export const plsSchema = z.strictObject({
  kind: z.literal('pls'),
  components: positive,
  tolerance: z.number().positive(),
  maxIterations: positive,
  /** `scikit-learn` stops its power iteration where scikit-learn does; `converged` goes on to rounding. */
  stopping: z.enum(['scikit-learn', 'converged']),
  /** Arithmetic of the Gram matrix; `auto` tries float32 on large layers and keeps it where the guard allows. */
  gram: z.enum(['auto', 'float32', 'float64']),
});
export type PlsSettings = z.infer<typeof plsSchema>;

/** Ridge regression with an intercept that is not penalised, scikit-learn's `Ridge(alpha)`. */
export const ridgeSchema = z.strictObject({
  kind: z.literal('ridge'),
  /** Ascending. Where there are several, the training rows of each fold choose theirs. */
  alphas: z
    .array(z.number().positive())
    .min(1)
    .refine((alphas) => alphas.every((each, k) => k === 0 || each > alphas[k - 1]!), {
      error: 'expected alphas that ascend',
    }),
  /**
   * Unit of the alphas: `absolute`, scikit-learn's `alpha`; or `mean-square`, the mean squared length of a layer's
   * centred feature rows, so that one grid serves layers of any size and scale.
   */
  unit: z.enum(['absolute', 'mean-square']),
  /** `gcv`: generalised cross-validation (Golub, Heath & Wahba 1979); `leave-one-out`: as scikit-learn's `RidgeCV`. */
  choose: z.enum(['gcv', 'leave-one-out']),
  /** A alpha for every site, or one for all: scikit-learn's `alpha_per_target`. */
  perTarget: z.boolean(),
});
export type RidgeSettings = z.infer<typeof ridgeSchema>;

export const regressionSchema = z.discriminatedUnion('kind', [plsSchema, ridgeSchema]);
export type RegressionSettings = z.infer<typeof regressionSchema>;

export const foldsSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('k-fold'),
    count: z.int().min(2),
    shuffle: z.boolean(),
    /** Column of `stimuli.csv` whose values are spread evenly over the folds; ignored by recordings without it. */
    stratifyBy: z.string().nullable(),
    /**
     * Column of `stimuli.csv` whose equal values stay in one fold. Every recording must have it, but for `alike`, which
     * the import writes only where images are nearly equal.
     */
    groupBy: z.string().nullable().default(null),
  }),
  z.strictObject({ kind: z.literal('leave-one-image-out') }),
  /** scikit-learn's `StratifiedShuffleSplit(count, test_size, random_state)`: splits overlap. */
  z.strictObject({
    kind: z.literal('stratified-shuffle-split'),
    count: positive,
    /** Share of the stimuli that each split holds out. */
    testShare: z.number().gt(0).lt(1),
    /** The state of NumPy's generator; the seed of a run does not change these splits. */
    randomState: z.int().min(0),
    /** Column of `stimuli.csv`; a recording without it is split by `ShuffleSplit`, unstratified. */
    stratifyBy: z.string(),
  }),
]);
export type FoldSettings = z.infer<typeof foldsSchema>;

export const ceilingSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('split-half'),
    splits: positive,
    /** Sites (on grids: maps) with a reliability below this are left out and listed. */
    minimumReliability: z.number().min(0).max(1),
  }),
  /** Roots of the reliabilities that the recording gives for its sites (`sites[].reliability`). */
  z.strictObject({
    kind: z.literal('published'),
    minimumReliability: z.number().min(0).max(1),
  }),
  z.strictObject({ kind: z.literal('best-other-site') }),
  z.strictObject({ kind: z.literal('best-pair') }),
  /**
   * Brain-Score's: for each of several half splits of the trials the median over sites of the Spearman–Brown-corrected
   * Pearson correlation, and the mean over splits. One number for all sites, a reliability (not its root).
   */
  z.strictObject({ kind: z.literal('median-split-half'), splits: positive }),
  z.strictObject({ kind: z.literal('none') }),
]);
export type CeilingSettings = z.infer<typeof ceilingSchema>;

/**
 * Plain data, no code: everything that decides a score but the model, the recording, the preprocessing and the seed.
 *
 * `aggregation`:
 * - `sites`: one correlation per site over all held-out rows; value = median over sites of r / ceiling.
 * - `images-of-sites`: correlations within each held-out image; value = mean over images of the median over sites
 *   of r / ceiling.
 * - `images-of-sites-then-ceiling`: mean over images of the median over sites of r; value = that / ceiling.
 * - `splits-of-sites-then-ceiling`: mean over splits of the median over sites of r within the split's held-out rows;
 *   value = that, normalised by the ceiling.
 *
 * `layerChoice`, by which the score itself comes from one layer:
 * - `best`: the layer with the highest value, chosen on the rows that it is scored on.
 * - `nested`: for each fold, the layer that is best on the other folds when these are predicted from each other; it is
 *   then fitted on all of them.
 * - `half`: for each image, the layer that is best on a seeded half of the other images when fitted on their other half;
 *   not fitted again ([L23], Appendix E; the text does not say whether it is).
 */
export const protocolSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string(),
  /** Raised when what is computed under the same settings gives other numbers. Hashed where it is not 1. */
  revision: positive.default(1),
  layout: z.enum(['image', 'grid']),
  sampling: samplingSchema,
  /**
   * `best-ceiling`: the bin with the highest ceiling, [L23]'s main text; with ceiling `none` that in which sites agree most
   * (of a single site: in which its responses differ most).
   */
  timeBin: z.union([z.literal('best-ceiling'), timeBinSchema]),
  regression: regressionSchema,
  folds: foldsSchema,
  correlation: z.enum(['pearson', 'spearman']),
  ceiling: ceilingSchema,
  aggregation: z.enum([
    'sites',
    'images-of-sites',
    'images-of-sites-then-ceiling',
    'splits-of-sites-then-ceiling',
  ]),
  /** How a correlation becomes a value: r / c, or r² / c with the sign of r kept. */
  normalisation: z.enum(['r/c', 'r²/c']).default('r/c'),
  layerChoice: z.enum(['best', 'nested', 'half']),
  /**
   * What a missing response costs: `per-site`, itself alone (sites that lack the same responses are fitted apart, on those
   * that they have); `drop-sites`, its site; `drop-stimuli`, its stimulus.
   */
  missing: z.enum(['per-site', 'drop-sites', 'drop-stimuli']).default('per-site'),
  interval: z.strictObject({
    level: z.number().gt(0).lt(1),
    /** Bootstrap replicates where more than 20 images allow a bootstrap. */
    replicates: positive,
  }),
});
export type Protocol = z.infer<typeof protocolSchema>;
