import { z } from 'zod';
import type { Ports } from './ports.ts';

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** A file, data set or record, by name and content. */
export const sourceSchema = z.strictObject({ name: z.string(), sha256: sha256Schema });

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

/** The same provenance, with what was done since `startedAt` (milliseconds since 1970) in its seconds. */
export const withTimeSince = <P extends { readonly seconds: number }>(
  provenance: P,
  startedAt: number,
  ports: Pick<Ports, 'now'>,
): P => ({ ...provenance, seconds: provenance.seconds + (ports.now() - startedAt) / 1000 });
