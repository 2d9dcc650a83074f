import * as z from 'zod';
import { intervalSchema } from './interval.ts';
import { provenanceWith } from './provenance.ts';
import { saliencySchema } from './saliency.ts';

const positive = z.int().positive();
const count = z.int().min(0);
const list = <T extends z.ZodType>(of: T) => z.array(of).readonly();
/** A value, or null where it is not defined; never NaN. */
const numberOrNull = z.number().nullable();

/**
 * What nobody's map can exceed on average. Dice and intersection over union never have a ceiling.
 * - `given`: a Spearman correlation found elsewhere.
 * - `split-subjects`: people are halved at random `splits` times, nobody left out; one half's map is compared with the
 *   other's, at the same size as the network's. From the mean Spearman correlation of halves follows the reliability ρ of
 *   everybody's map, and the ceiling √ρ, the correlation of the true map with it (`alignment/human-ceiling.ts`).
 */
export const humanCeilingSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('given'), spearman: z.number().gt(0).max(1) }),
  z.strictObject({ kind: z.literal('split-subjects'), splits: positive }),
  z.strictObject({ kind: z.literal('none') }),
]);
export type HumanCeilingSettings = z.infer<typeof humanCeilingSchema>;

/**
 * How saliency is compared with human maps, as data.
 *
 * `frame`, by which image and map come to the size of the network's input, where they are compared:
 * - `preprocessing`: as the network's preprocessing resizes and crops the image; the map goes the same way, bilinear with
 *   antialiasing;
 * - `clickme-2022`: as released with Fel, Rodriguez, Linsley & Serre (NeurIPS 2022): the image resized bilinear without
 *   antialiasing or rounding, of the preprocessing only the order of channels, scale, mean and standard deviation; the
 *   map resized to 64 × 64, blurred with the released kernel (10 × 10, σ = 10, its centre one column to the right of
 *   where the released padding puts it), and resized to the input's size.
 */
export const alignmentProtocolSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string(),
  /** Raised when what is computed under the same settings gives other numbers. Hashed where it is not 1. */
  revision: positive.default(1),
  saliency: saliencySchema,
  /** Whose logit: the class that the data set says, or the one that the network says. */
  class: z.enum(['label', 'top1']),
  frame: z.enum(['preprocessing', 'clickme-2022']),
  /** Fixations are blurred with a Gaussian of this standard deviation, in pixels of the image. */
  fixationSigma: z.number().positive(),
  /** Dice and intersection over union compare the pixels above this percentile of either map. */
  percentile: z.number().gt(0).lt(100),
  ceiling: humanCeilingSchema,
  interval: z.strictObject({ level: z.number().gt(0).lt(1), replicates: positive }),
});
export type AlignmentProtocol = z.infer<typeof alignmentProtocolSchema>;

const alignmentMetricSchema = z
  .strictObject({
    raw: z.number().describe('mean over images'),
    halves: numberOrNull.describe(
      'one half of the people against the other: mean over splits and images; null where people are not split',
    ),
    ceiling: numberOrNull.describe(
      'correlation of the true map with everybody’s, √ρ from halves, or as given; null where there is none, as for overlaps',
    ),
    value: numberOrNull.describe('raw / ceiling; negative stays negative'),
    rawInterval: intervalSchema.nullable(),
    interval: intervalSchema.nullable().describe('of value'),
  })
  .describe('one value, over all images in use');
export type AlignmentMetric = z.infer<typeof alignmentMetricSchema>;

const alignmentMetricsSchema = z.strictObject({
  spearman: alignmentMetricSchema,
  dice: alignmentMetricSchema,
  iou: alignmentMetricSchema,
});
export type AlignmentMetrics = z.infer<typeof alignmentMetricsSchema>;

const agreementSchema = z
  .strictObject({ spearman: numberOrNull, dice: numberOrNull, iou: numberOrNull })
  .describe('of two maps; null where one of them is constant');
export type Agreement = z.infer<typeof agreementSchema>;

const controlSchema = z.strictObject({
  name: z.enum(['centre bias', 'edge detector']),
  metrics: alignmentMetricsSchema.nullable().describe('null where it is constant on every image'),
});
export type AlignmentControl = z.infer<typeof controlSchema>;

const alignedImageSchema = z.strictObject({
  image: z.string(),
  class: count.describe('whose logit was differentiated'),
  network: agreementSchema,
  split: z
    .strictObject({
      people: count.describe('whose map varies'),
      halves: agreementSchema.describe('one half of them against the other, mean over splits'),
    })
    .nullable()
    .describe('null where the ceiling is not from split subjects'),
});
export type AlignedImage = z.infer<typeof alignedImageSchema>;

export const alignmentSchema = z.strictObject({
  kind: z.literal('human-alignment'),
  format: z.literal(2),
  value: numberOrNull.describe('Spearman / ceiling; null where there is no ceiling'),
  raw: z.number().describe('mean Spearman over images; negative stays negative'),
  ceiling: numberOrNull,
  interval: intervalSchema.nullable().describe('of value, or of raw where there is no ceiling'),
  metrics: alignmentMetricsSchema,
  controls: list(controlSchema).describe('the same values of maps that know no network'),
  protocol: alignmentProtocolSchema,
  images: list(alignedImageSchema),
  excludedImages: list(z.strictObject({ image: z.string(), reason: z.string() })),
  warnings: list(z.string()),
  provenance: provenanceWith('model', 'human-maps', 'preprocessing', 'protocol'),
});
export type Alignment = z.infer<typeof alignmentSchema>;
