import * as z from 'zod';
import { intervalSchema } from './interval.ts';
import { provenanceWith } from './provenance.ts';
import { timeBinSchema } from './recording.ts';

// The ceiling file is `SiteCeilings` as JSON.

const list = <T extends z.ZodType>(of: T) => z.array(of).readonly();

const count = z.int().min(0);

/** A value, or null where it is not defined; never NaN. */
const numberOrNull = z.number().nullable();

const measuredSchema = z
  .strictObject({ value: numberOrNull, interval: intervalSchema.nullable() })
  .describe('aggregated as the protocol does');
export type Measured = z.infer<typeof measuredSchema>;

const sideSchema = z.strictObject({
  recording: z.string(),
  sha256: z.string(),
  area: z.string(),
  animals: list(z.string()),
  timeBin: timeBinSchema,
  sites: count,
});
export type CeilingSide = z.infer<typeof sideSchema>;

const siteValuesSchema = z.strictObject({
  site: z.string(),
  raw: numberOrNull,
  value: numberOrNull,
  corrected: numberOrNull,
});

export const siteCeilingSchema = z
  .strictObject({
    target: sideSchema.describe('the sites that are predicted'),
    predictor: sideSchema
      .nullable()
      .describe('the sites that predict; null: all other sites of the same recording'),
    stimuli: count,
    raw: measuredSchema.describe('correlation of held-out predictions with responses'),
    value: measuredSchema.describe(
      "the same by the protocol's ceiling, in the unit of a score: noise of the predicted sites is corrected for",
    ),
    corrected: measuredSchema
      .nullable()
      .describe(
        'corrected for the noise of predicting sites too, from halves of the trials; null without two trials of everything',
      ),
    ceiling: numberOrNull.describe("the protocol's ceiling of the predicted sites"),
    sites: list(siteValuesSchema),
    regression: z.string(),
    warnings: list(z.string()),
  })
  .describe('how well sites predict sites');
export type SiteCeiling = z.infer<typeof siteCeilingSchema>;

export const siteCeilingsSchema = z.strictObject({
  kind: z.literal('site-ceilings'),
  format: z.literal(2),
  ceilings: list(siteCeilingSchema),
  warnings: list(z.string()),
  provenance: provenanceWith('recording', 'protocol'),
});
export type SiteCeilings = z.infer<typeof siteCeilingsSchema>;
