import * as z from 'zod';
import type { Ports } from './ports.ts';

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** A file, data set or record, by name and content. */
export const sourceSchema = z.strictObject({ name: z.string(), sha256: sha256Schema });

/**
 * What the comparison with the unoptimised engine found. Two inputs at full contrast and one image are run both ways:
 * e = ‖a − b‖ / ‖b − mean(b)‖ over the values of a tensor on all three, a as optimised, b not.
 */
export const engineCheckSchema = z
  .strictObject({
    limit: z
      .number()
      .nullable()
      .describe('of e, beyond which a session runs unoptimised; null for integer networks'),
    error: z
      .number()
      .nullable()
      .describe('largest e of the sessions that ran optimised; null where none did'),
    at: z.string().nullable().describe('where e is largest: a layer, or a tensor'),
    sessions: z.int().min(0),
    unoptimised: z.array(z.string()).readonly().describe('layers or tensors that ran unoptimised'),
    equalClasses: z
      .number()
      .nullable()
      .describe('integer networks: share of inputs that are given the same class either way'),
  })
  .describe('optimised sessions of the engine, held against unoptimised ones');
export type EngineCheck = z.infer<typeof engineCheckSchema>;

/** What the check of a differentiated tensor found, a session for each size of image. */
export const gradientCheckSchema = engineCheckSchema.extend({
  gradientError: z
    .number()
    .nullable()
    .describe('e of the gradient: the middle one of the three inputs, the largest over sessions'),
});
export type GradientCheck = z.infer<typeof gradientCheckSchema>;

/** Where and with what something was computed; two runs differ only in `seconds` and `startedAt`. */
export const runFields = {
  seed: z.int().min(0),
  versions: z.record(z.string(), z.string()),
  threads: z.int().min(0),
  device: z.string(),
  seconds: z.number(),
  startedAt: z.string(),
};

/** What a run computes with: versions of `ventral`, engine and image decoder, threads and device. */
export const runtimeOf = (
  { engine, images }: Pick<Ports, 'engine' | 'images'>,
  ventral: string,
) => ({
  versions: { ventral, engine: engine.version, images: images.version },
  threads: engine.threads,
  device: engine.device,
});

/** The provenance with what was done since `startedAt` (milliseconds since 1970) in its seconds. */
export const withTimeSince = <P extends { readonly seconds: number }>(
  provenance: P,
  startedAt: number,
  ports: Pick<Ports, 'now'>,
): P => ({ ...provenance, seconds: provenance.seconds + (ports.now() - startedAt) / 1000 });
