import * as z from 'zod';
import { intervalSchema } from './interval.ts';
import { provenanceWith } from './provenance.ts';
import { timeBinSchema } from './recording.ts';

// The profile file is this record as JSON.

const list = <T extends z.ZodType>(of: T) => z.array(of).readonly();

const count = z.int().min(0);

/** A value, or null where it is not defined; never NaN. */
const numberOrNull = z.number().nullable();

const share = z.number().min(0).max(1);

const depthIntervalSchema = intervalSchema
  .nullable()
  .describe('percentile bootstrap; null where no replicate is defined');

const areaProfileSchema = z.strictObject({
  name: z.string().describe('the area; with its recording where several share it'),
  file: z.string(),
  recording: z.strictObject({ name: z.string(), sha256: z.string() }),
  timeBin: timeBinSchema,
  protocol: z.string(),
  values: list(numberOrNull).describe('score of each layer, in the order of layers'),
  peak: z.strictObject({
    layer: z.string(),
    depth: share,
    interval: depthIntervalSchema,
    shares: list(share).describe('share of the replicates in which each layer is the peak'),
  }),
  centreOfMass: z
    .strictObject({ depth: numberOrNull, interval: depthIntervalSchema })
    .describe(
      'mean depth, weighted by what each score has above the lowest; null of a flat profile',
    ),
  resampled: z.strictObject({
    what: z.enum(['images and sites', 'images', 'sites']),
    images: count.describe('that were drawn; nearly equal ones are drawn together and count once'),
    sites: count,
    approximate: z.boolean().describe('at so few images a percentile bootstrap is too narrow'),
  }),
});
export type AreaProfile = z.infer<typeof areaProfileSchema>;

const orderSchema = z
  .strictObject({
    statistic: z.enum(['peak', 'centre of mass']),
    first: z.string(),
    second: z.string(),
    difference: numberOrNull.describe('relative depth of the second less that of the first'),
    interval: depthIntervalSchema,
    earlier: share.describe('share of the replicates in which the first lies less deep'),
    tie: share,
    later: share,
    p: z.number().describe('two-sided; ties count against an order'),
    adjusted: z.number().describe("Holm's correction over the pairs of one statistic"),
  })
  .describe('two areas: which one lies deeper');
export type AreaOrder = z.infer<typeof orderSchema>;

export const profileSchema = z.strictObject({
  kind: z.literal('depth-profile'),
  format: z.literal(2),
  candidate: z.string().describe('network, or file of activations'),
  layers: list(
    z.strictObject({
      layer: z.string(),
      features: count,
      depth: share.describe("place among the network's layers, 0 its first, 1 its last"),
    }),
  ),
  networkLayers: count
    .nullable()
    .describe('layers of the network, or arrays of the file; null where the scores do not say'),
  areas: list(areaProfileSchema),
  orders: list(orderSchema),
  replicates: count,
  level: z.number(),
  warnings: list(z.string()),
  provenance: provenanceWith('score', 'recording'),
});
export type Profile = z.infer<typeof profileSchema>;
