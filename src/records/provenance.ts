import { z } from 'zod';

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
