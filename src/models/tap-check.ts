import { inferFacts } from '../graph/facts.ts';
import { spliceModel } from '../graph/splice.ts';
import type { FeaturePass } from '../records/activations.ts';
import type { Float32Nd } from '../records/array.ts';
import type { CheckStop, Engine } from '../records/ports.ts';
import type { EngineCheck } from '../records/provenance.ts';
import {
  type Extraction,
  openTapped,
  outputName,
  paddedBatch,
  type SizedLayer,
  sliceFeeds,
  stackedInputs,
} from './activations.ts';
import {
  type CheckPorts,
  contrastImages,
  errorLimit,
  type Feeds,
  isInteger,
  keptVerdict,
  type Runs,
  runsOf,
  summaryOf,
  type Verdict,
  verdictOf,
} from './engine-check.ts';
import { inputOf } from './frame.ts';
import { batches } from './inputs.ts';
import { imageShape } from './view.ts';

/** Inputs of a recording whose class decides how alike an integer network is. */
const classInputs = 16;

const firstInputs = async ({ inputs }: Extraction, limit: number): Promise<Float32Nd[]> => {
  const found: Float32Nd[] = [];
  for await (const input of batches(inputs, 1, limit)) found.push(input);
  return found;
};

/** Two inputs at full contrast, and the first `limit` of the recording that have the size of the first. */
const examples = async (extraction: Extraction, limit: number): Promise<readonly Float32Nd[]> => {
  const { size, inputs, network } = extraction;
  const shown = await firstInputs(extraction, limit);
  return [
    ...contrastImages(size.height, size.width).map((intensities) =>
      inputOf(intensities, inputs.preprocessing, network.input.layout),
    ),
    ...shown.filter(({ data }) => data.length === shown[0]!.data.length),
  ];
};

/** The examples in batches that the session takes. */
const feedsOf = (
  { network, batch }: Extraction,
  inputs: readonly Float32Nd[],
): readonly Feeds[] => {
  const feeds: Feeds[] = [];
  for (let from = 0; from < inputs.length; from += batch.size) {
    const part = stackedInputs(inputs.slice(from, from + batch.size));
    const input = batch.mode === 'keep' ? paddedBatch(part, batch.size) : part;
    feeds.push({ [network.input.name]: input });
  }
  return feeds;
};

/** Runs of all the layers without optimisation, once for all sessions: nothing that is not asked for changes them. */
const plainRuns = async (
  engine: Engine,
  extraction: Extraction,
  layers: readonly SizedLayer[],
  feeds: readonly Feeds[],
): Promise<Runs | null> => {
  const tapping = { layers, sliced: false, optimised: false };
  const runs = await runsOf(
    () => openTapped(engine, extraction, extraction.batch.mode, tapping),
    feeds,
  );
  return (
    runs && new Map(layers.map(({ tensor }, index) => [tensor, runs.get(outputName(index)) ?? []]))
  );
};

const compared = async (
  engine: Engine,
  extraction: Extraction,
  { layers, slices }: FeaturePass,
  feeds: readonly Feeds[],
  plain: Runs | null,
): Promise<Verdict> => {
  const sliced = slices > 1;
  const tapping = { layers: layers as readonly SizedLayer[], sliced, optimised: true };
  const whole = sliced ? sliceFeeds(0, layers[0]!.features) : {};
  const optimised = await runsOf(
    () => openTapped(engine, extraction, extraction.batch.mode, tapping),
    feeds.map((feed) => ({ ...feed, ...whole })),
  );
  const names = new Map(layers.map(({ name }, index) => [outputName(index), name]));
  const reference =
    plain &&
    new Map(layers.map(({ tensor }, index) => [outputName(index), plain.get(tensor) ?? []]));
  return verdictOf(optimised, reference, names, errorLimit(extraction.network.structure));
};

export interface CheckedPasses {
  /** For each pass, whether its session may run optimised. */
  readonly optimised: readonly boolean[];
  readonly engineCheck: EngineCheck;
  readonly notes: readonly string[];
}

/**
 * Holds the session of every pass against an unoptimised one. Verdicts are kept in the cache, by everything in
 * `identity` (model, preprocessing, stimuli), layers, batch and engine.
 */
export const checkPasses = async (
  ports: CheckPorts & { readonly checkStop: CheckStop },
  extraction: Extraction,
  passes: readonly FeaturePass[],
  identity: Readonly<Record<string, unknown>>,
): Promise<CheckedPasses> => {
  const { network, batch, size } = extraction;
  let runs: Promise<{
    readonly feeds: readonly Feeds[];
    readonly plain: Runs | null;
  }> | null = null;
  const prepared = async () => {
    const feeds = feedsOf(extraction, await examples(extraction, 1));
    return { feeds, plain: await plainRuns(ports.engine, extraction, extraction.layers, feeds) };
  };
  const verdicts: Verdict[] = [];
  for (const pass of passes) {
    ports.checkStop();
    const taps = (pass.layers as readonly SizedLayer[]).map(
      ({ tensor, axes, prefixTokens, features }) => [tensor, axes, prefixTokens, features],
    );
    const conditions = [identity, batch, size, taps, pass.slices > 1];
    const verdict = await keptVerdict(ports, conditions, async () => {
      runs ??= prepared();
      const { feeds, plain } = await runs;
      return compared(ports.engine, extraction, pass, feeds, plain);
    });
    verdicts.push(verdict);
  }
  const sessions = verdicts.map((verdict, index) => ({
    verdict,
    names: passes[index]!.layers.map(({ name }) => name),
  }));
  const equalClasses = isInteger(network.structure)
    ? await keptVerdict(ports, [identity, batch, size, 'classes'], () =>
        classAgreement(ports.engine, extraction),
      )
    : null;
  return {
    optimised: verdicts.map(({ optimised }) => optimised),
    ...summaryOf(sessions, errorLimit(network.structure), equalClasses),
  };
};

/** The model's first output of floats with one number per class, null where it has none. */
const classOutput = ({ network, size }: Extraction): string | null => {
  const { structure, input } = network;
  const facts = inferFacts(structure, { [input.name]: imageShape(input, size) });
  const found = structure.outputs.find(({ name }) => {
    const known = facts.get(name);
    const longer = known?.shape?.slice(1).filter((each) => each !== 1) ?? [];
    return /^float/.test(known?.type ?? '') && longer.length === 1;
  });
  return found?.name ?? null;
};

const argmax = (values: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
};

/** Share of inputs that the model gives the same class optimised and not; null where it gives none, or runs one way only. */
const classAgreement = async (engine: Engine, extraction: Extraction): Promise<number | null> => {
  const output = classOutput(extraction);
  if (output === null) return null;
  const { bytes, structure, externalData, input } = extraction.network;
  const size = input.batch ?? 1;
  const inputs = await examples(extraction, classInputs);
  const feeds = feedsOf({ ...extraction, batch: { mode: 'keep', size } }, inputs);
  const model = spliceModel(bytes, structure, { outputs: [output] });
  const classes = async (optimised: boolean): Promise<readonly number[] | null> => {
    const open = () => engine.open({ bytes: model, externalData, optimised });
    const runs = await runsOf(open, feeds);
    const rows = runs?.get(output)?.flatMap(({ data }) => {
      const each = data.length / size;
      const values = Float64Array.from(data as Float32Array);
      return Array.from({ length: size }, (_, row) =>
        argmax(values.subarray(row * each, (row + 1) * each)),
      );
    });
    return rows?.slice(0, inputs.length) ?? null;
  };
  const [optimised, plain] = [await classes(true), await classes(false)];
  if (optimised === null || plain === null) return null;
  return optimised.filter((each, index) => each === plain[index]).length / inputs.length;
};
