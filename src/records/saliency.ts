import * as z from 'zod';
import { provenanceWith, sourceSchema } from './provenance.ts';

const positive = z.int().positive();

/**
 * What is shown of g = ∂(logit of the class, or predicted response of a site) / ∂x, x the preprocessed input:
 * - `gradient`: mean of g over channels, signed;
 * - `abs-max`: maximum over channels of |g| (Simonyan, Vedaldi & Zisserman 2014, section 3.1);
 * - `gradient-times-input`: sum over channels of g · x (Shrikumar et al. 2016);
 * - `smoothgrad`: maximum over channels of |mean of g over noisy inputs| (Smilkov et al. 2017), the noise normal with a
 *   standard deviation of `noise` times the range of x;
 * - `integrated`: sum over channels of (x − x₀) times the mean of g at the midpoints of `steps` equal steps from x₀ to x
 *   (Sundararajan, Taly & Yan 2017, equation 3), x₀ a black image, preprocessed, or zeros.
 */
export const saliencySchema = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('gradient') }),
  z.strictObject({ method: z.literal('abs-max') }),
  z.strictObject({ method: z.literal('gradient-times-input') }),
  z.strictObject({
    method: z.literal('smoothgrad'),
    samples: positive,
    noise: z.number().positive(),
  }),
  z.strictObject({
    method: z.literal('integrated'),
    steps: positive,
    baseline: z.enum(['black', 'zero']),
  }),
]);
export type SaliencySettings = z.infer<typeof saliencySchema>;
export type SaliencyMethod = SaliencySettings['method'];

/** What was differentiated for one image. */
const saliencyImageSchema = z.strictObject({
  image: z.string(),
  class: z.int().min(0).nullable().describe('null where a site was differentiated'),
  value: z.number().describe('the logit, or the predicted response, on the image itself'),
  map: z.string().describe('file of the map, float32 [height, width] of the network’s input'),
  overlay: z.string().describe('file of the map in colours over the image as the network saw it'),
  low: z.number(),
  high: z.number(),
  warning: z.string().nullable().describe('such as a map that is zero everywhere'),
});
export type SaliencyImage = z.infer<typeof saliencyImageSchema>;

/** `saliency.json`, beside the maps. */
export const saliencyRecordSchema = z.strictObject({
  kind: z.literal('saliency'),
  format: z.literal(2),
  settings: saliencySchema,
  of: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('class'), tensor: z.string() }),
      z.strictObject({
        kind: z.literal('site'),
        site: z.string(),
        layer: z.string(),
        score: sourceSchema,
      }),
    ])
    .describe('what was differentiated: a class logit, or the predicted response of a site'),
  images: z.array(saliencyImageSchema).readonly(),
  warnings: z.array(z.string()).readonly(),
  provenance: provenanceWith('model', 'images', 'preprocessing'),
});
export type SaliencyRecord = z.infer<typeof saliencyRecordSchema>;
