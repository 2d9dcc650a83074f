import * as z from 'zod';
import { sha256Of } from './canonical-json.ts';
import { type Preprocessing, preprocessingSchema } from './model.ts';
import type { Hash, Ports } from './ports.ts';

const count = z.int().min(0);

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

/** With what, where and when something was computed; two runs differ only in `seconds` and `startedAt`. */
export const runSchema = z
  .strictObject({
    versions: z.record(z.string(), z.string()).describe('of ventral, engine and image decoder'),
    seed: count,
    threads: count.nullable(),
    device: z.string().nullable(),
    seconds: z.number().nullable(),
    startedAt: z.string().nullable(),
  })
  .describe('null what a file of an older version does not say');
export type Run = z.infer<typeof runSchema>;

/** What a result can rest on. */
export type InputRole =
  | 'model'
  | 'activations'
  | 'recording'
  | 'stimuli'
  | 'images'
  | 'human-maps'
  | 'protocol'
  | 'preprocessing'
  | 'score'
  | 'layer-predictions';

const inputSchema = z
  .strictObject({
    role: z
      .string()
      .describe(
        'model, activations, recording, stimuli, images, human-maps, protocol, preprocessing, score or layer-predictions; later versions may have further ones',
      ),
    name: z.string(),
    sha256: sha256Schema
      .nullable()
      .describe(
        'of its content: bytes of a file; of stimuli and images ids and contents in order; of protocols and preprocessings what they say. Null where an older version did not keep it',
      ),
    count: count.optional().describe('stimuli, images or maps in it'),
    tensor: z.string().optional().describe('of a model: the tensor that was differentiated'),
    settings: preprocessingSchema.optional().describe('of a preprocessing: all that it does'),
  })
  .describe('a file, data set or record that the result rests on');
export type ProvenanceInput = z.infer<typeof inputSchema>;

export const provenanceSchema = z
  .strictObject({
    run: runSchema,
    inputs: z.array(inputSchema).readonly(),
    engineCheck: engineCheckSchema
      .extend({ gradientError: gradientCheckSchema.shape.gradientError.optional() })
      .nullable()
      .describe('null where no network was run, and in files of older versions'),
  })
  .describe('everything that a result depends on');
export type Provenance = z.infer<typeof provenanceSchema>;

/** Provenance that names at least one input of each role. */
export const provenanceWith = (...roles: readonly InputRole[]): typeof provenanceSchema =>
  provenanceSchema.refine(
    ({ inputs }) => roles.every((each) => inputs.some(({ role }) => role === each)),
    { error: `expected inputs with the roles ${roles.join(', ')}`, path: ['inputs'] },
  );

type WithInputs = Pick<Provenance, 'inputs'>;

/** The first input of a role; undefined where there is none. */
export const findInput = ({ inputs }: WithInputs, wanted: InputRole): ProvenanceInput | undefined =>
  inputs.find(({ role }) => role === wanted);

/** The input of a role that this kind of result always has. */
export const knownInput = (provenance: WithInputs, role: InputRole): ProvenanceInput => {
  const found = findInput(provenance, role);
  if (found === undefined) throw new Error(`no input is a ${role}`);
  return found;
};

/** What was scored or differentiated: the network, or the activations in its place. */
export const candidateInput = (provenance: WithInputs): ProvenanceInput | undefined =>
  findInput(provenance, 'model') ?? findInput(provenance, 'activations');

/** A preprocessing as an input: its hash is over what it says. */
export const preprocessingInput = async (
  settings: Preprocessing,
  hash: Hash,
): Promise<ProvenanceInput> => ({
  role: 'preprocessing' satisfies InputRole,
  name: settings.name,
  sha256: await sha256Of(settings, hash),
  settings,
});

/** A run that is still to be timed. */
export type RunBefore = Omit<Run, 'seconds' | 'startedAt'>;

/** With what a run with an engine computes. */
export const runWith = (
  { engine, images }: Pick<Ports, 'engine' | 'images'>,
  ventral: string,
  seed: number,
): RunBefore => ({
  versions: { ventral, engine: engine.version, images: images.version },
  seed,
  threads: engine.threads,
  device: engine.device,
});

/** A run with its times, in milliseconds since 1970. */
export const timedRun = (run: RunBefore, startedAt: number, endedAt: number): Run => ({
  ...run,
  seconds: (endedAt - startedAt) / 1000,
  startedAt: new Date(startedAt).toISOString(),
});

/** The provenance with what was done since `startedAt` (milliseconds since 1970) in its seconds. */
export const withTimeSince = (
  provenance: Provenance,
  startedAt: number,
  ports: Pick<Ports, 'now'>,
): Provenance => {
  const { run } = provenance;
  const seconds = (run.seconds ?? 0) + (ports.now() - startedAt) / 1000;
  return { ...provenance, run: { ...run, seconds } };
};
