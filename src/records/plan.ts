import * as z from 'zod';
import { preprocessingSchema } from './model.ts';
import { protocolSchema } from './protocol.ts';
import { provenanceSchema } from './provenance.ts';
import { timeBinSchema } from './recording.ts';

const count = z.int().min(0);

/** Where an input lies, as the Files port takes it; null: it was given in memory. */
const path = z.string().nullable();

const plannedLayerSchema = z.object({
  name: z.string(),
  features: count,
  pass: count.describe('in which the layer is gathered, from 1'),
  slices: count.describe('parts in which its features are gathered, a run over all images each'),
  done: z.boolean().describe('finished before, and kept in the cache'),
});

/** What a score will be computed of and how, before it is: plain JSON, which can be shown, queued and opened again. */
export const planSchema = z.object({
  kind: z.literal('score-plan'),
  format: z.literal(2),
  candidate: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('model'),
      path,
      preprocess: z.union([z.string(), preprocessingSchema]).nullable(),
    }),
    z.object({ kind: z.literal('activations'), path, order: z.string().nullable() }),
  ]),
  recording: z.object({ name: z.string(), path }),
  protocol: protocolSchema,
  conditions: z.object({
    layers: z.array(z.string()).readonly().nullable(),
    memory: z.number().describe('bytes that the run may take'),
    seed: count,
    timeBins: z.enum(['all', 'best']),
    timeCourseSites: z.enum(['common', 'own']),
  }),
  inputs: provenanceSchema.shape.inputs.describe(
    'what was opened, by name and hash: a plan is not carried out on others',
  ),
  timeBin: timeBinSchema,
  timeBins: count.describe('that are fitted'),
  stimuli: count,
  rows: count,
  sites: count,
  folds: count,
  layers: z.array(plannedLayerSchema).readonly(),
  passes: count.describe('runs over all images'),
  estimate: z.object({ bytes: z.number(), seconds: z.number() }),
  warnings: z.array(z.string()).readonly(),
});
export type ScorePlan = z.infer<typeof planSchema>;
