import { sizeOf } from '../numeric/array.ts';
import type { Float32Nd, FloatNd, NdArray } from '../records/array.ts';
import { engineError, VentralError } from '../records/errors.ts';
import type { Layer } from '../records/model.ts';
import type { Engine, EngineSession, Feed, RunOutputs, Watch } from '../records/ports.ts';
import type { Sampling } from '../records/protocol.ts';
import type { FixationGrid } from '../records/recording.ts';
import { channelGroup, normaliseAndAverage } from './feature-map.ts';
import { batches, type ModelInputs } from './inputs.ts';
import type { Network } from './network.ts';
import { noiseLike, placeAlone, placeInBatch, placeInPair, settled } from './rows.ts';
import { featuresOf, type Tap, type TapForm, tapModel } from './taps.ts';

/** How a protocol's sampling reads a layer, inside the graph. */
export const tapForm = (sampling: Sampling, grid: FixationGrid | null): TapForm => {
  if (sampling.kind === 'feature-map' && grid !== null)
    return { kind: 'grid', rows: grid.rows, columns: grid.columns };
  if (sampling.kind === 'image' && sampling.features === 'pool') return { kind: 'pool' };
  return { kind: 'flatten' };
};

/** What is run: a network on inputs, its layers read in one form. */
export interface RunSetup {
  readonly network: Network;
  readonly inputs: ModelInputs;
  /** Of an input, where the model leaves it free. */
  readonly size: { readonly height: number; readonly width: number };
  readonly sampling: Sampling;
  readonly form: TapForm;
}

/** Of that, what a session of taps is opened for. */
type Shown = Pick<RunSetup, 'network' | 'form' | 'size'>;

/** A network ready to be run: what one small run taught about batches, rows, sizes and time. */
export interface Extraction extends RunSetup {
  /** `symbolic`: the first input dimension is made free; `keep`: the model takes exactly `size` inputs. */
  readonly batch: { readonly mode: 'symbolic' | 'keep'; readonly size: number };
  readonly layers: readonly SizedLayer[];
  /** Of one input, all layers tapped. */
  readonly secondsPerInput: number;
}

/** What one small run taught, and which layers it ruled out. */
export interface Probed extends Extraction {
  /** Layers whose images cannot be told apart: rows of one move with another. */
  readonly mixed: readonly Layer[];
  /** Layers whose images lie elsewhere than the graph says, so that they have no map, where the form needs one. */
  readonly mapless: readonly Layer[];
}

export interface SizedLayer extends Layer {
  /** Features per row. */
  readonly features: number;
  /** Bytes of one: 8 of a layer that the network computes in float64. */
  readonly featureBytes: 4 | 8;
}

/** Rows of features that one model run of one input gives: 1, or the fixations of a feature map. */
export const rowsPerInput = (form: TapForm): number =>
  form.kind === 'grid' ? form.rows * form.columns : 1;

/** Whether a layer can be read in a form: a mean or a grid needs a map, but a plain vector is its own mean. */
export const hasForm = ({ axes, shape }: Layer, form: TapForm): boolean =>
  form.kind === 'flatten' || axes !== 'channel' || (form.kind === 'pool' && shape.length === 1);

/** The tensors themselves, whatever the form. */
const WHOLE: TapForm = { kind: 'whole' };

const formOf = ({ axes }: Layer, form: TapForm): TapForm =>
  form.kind === 'pool' && axes === 'channel' ? { kind: 'flatten' } : form;

/** Output of the tap of a layer, by its place among those of a session. */
export const outputName = (index: number): string => `ventral.tap.${index}`;

/** The layers that one session reads, all of them outputs, and how. */
export interface Tapping {
  readonly layers: readonly Layer[];
  /** In slices of features: `ventral.from` and `ventral.to` are fed. */
  readonly sliced: boolean;
  readonly optimised: boolean;
}

export const openTapped = (
  engine: Engine,
  { network, form, size }: Shown,
  batch: 'symbolic' | 'keep',
  { layers, sliced, optimised }: Tapping,
): Promise<EngineSession> =>
  engine.open({
    bytes: tapModel(
      network.bytes,
      network.structure,
      layers.map(
        (layer, index): Tap => ({ layer, form: formOf(layer, form), output: outputName(index) }),
      ),
      { sliced, batch, size },
    ),
    externalData: network.externalData,
    optimised,
  });

/** Optimised, or as the model stands where the engine's optimiser refuses it. */
const openEither = async (
  engine: Engine,
  setup: Shown,
  batch: 'symbolic' | 'keep',
  layers: readonly Layer[],
): Promise<EngineSession> => {
  try {
    return await openTapped(engine, setup, batch, { layers, sliced: false, optimised: true });
  } catch (refusal) {
    if (!(refusal instanceof VentralError && refusal.kind === 'engine')) throw refusal;
    const plain = { layers, sliced: false, optimised: false };
    return openTapped(engine, setup, batch, plain).catch(() => {
      throw refusal;
    });
  }
};

/** Inputs of up to 256 × 256 go in eights; larger ones in fewer. */
const batchSize = ({ shape }: Float32Nd): number =>
  Math.max(1, Math.min(8, Math.round((8 * 256 * 256 * 3) / sizeOf(shape))));

export const stackedInputs = (inputs: readonly Float32Nd[]): Float32Nd => {
  const each = inputs[0]!.data.length;
  const data = new Float32Array(each * inputs.length);
  inputs.forEach((input, index) => {
    data.set(input.data, index * each);
  });
  return { data, shape: [inputs.length, ...inputs[0]!.shape.slice(1)] };
};

/** Zeros behind the inputs, up to the batch that the model is fixed to. */
export const paddedBatch = (input: Float32Nd, rows: number): Float32Nd => {
  if (input.shape[0] === rows) return input;
  const data = new Float32Array((input.data.length / input.shape[0]!) * rows);
  data.set(input.data);
  return { data, shape: [rows, ...input.shape.slice(1)] };
};

/** One image at a place of a batch. */
const withImage = (batch: Float32Nd, image: Float32Nd, at: number): Float32Nd => {
  const data = Float32Array.from(batch.data);
  data.set(image.data, at * image.data.length);
  return { data, shape: batch.shape };
};

/**
 * One small run of all layers: finds out whether the export takes batches, which rows of each layer belong to which
 * image, how many features each has, and how long an input takes. Two images are shown, the first of the stimuli's and
 * noise; of a fixed batch, one is changed. Errors: the engine refuses the model; a form that a layer does not have.
 */
export const probe = async (
  engine: Engine,
  setup: RunSetup,
  layers: readonly Layer[],
  now: () => number,
): Promise<Probed> => {
  const { inputs, form, sampling, network, size } = setup;
  const { input } = network;
  const first = await firstOf(inputs);
  const noise = noiseLike(first, inputs.preprocessing, input.layout);
  const located = await locateRows(engine, setup, layers, [first, noise], now);
  const { placed, takesBatches, doubles, seconds } = located;
  const found = placed.filter((layer) => layer !== null);
  const sized = found
    .filter((layer) => hasForm(layer, form))
    .map((layer): SizedLayer => {
      const features = featuresOf(layer, form, { input, size });
      return {
        ...layer,
        features: features / channelGroup(sampling, features),
        featureBytes: doubles.has(layer.tensor) ? 8 : 4,
      };
    });
  return {
    ...setup,
    batch: takesBatches
      ? { mode: 'symbolic', size: batchSize(first) }
      : { mode: 'keep', size: input.batch ?? 1 },
    layers: sized,
    secondsPerInput: seconds,
    mixed: layers.filter((_, index) => placed[index] === null),
    mapless: found.filter((layer) => !hasForm(layer, form)),
  };
};

type Outputs = RunOutputs['fetched'];
type Two<T> = readonly [T, T];

/** Where the images of layers lie, as runs have shown it. */
export interface Located {
  /** The layers as they are read; `null` for one that mixes its images. */
  readonly placed: readonly (Layer | null)[];
  readonly takesBatches: boolean;
  /** Tensors of float64. */
  readonly doubles: ReadonlySet<string>;
  /** Of one input. */
  readonly seconds: number;
}

/** Shows a network an image and noise, alone and together (of a fixed batch: in each other's place). Errors: the engine's. */
export const locateRows = async (
  engine: Engine,
  { network, size }: Pick<RunSetup, 'network' | 'size'>,
  layers: readonly Layer[],
  images: Two<Float32Nd>,
  now: () => number,
): Promise<Located> => {
  const seen = { network, size, form: WHOLE };
  const batch = network.input.batch ?? 1;
  const { runs, seconds } = await runTwice(engine, seen, layers, images, now);
  const pair = batch > 1 ? null : await pairOf(engine, seen, layers, images);
  const paired = pair === null ? null : placedInPair(layers, pair, runs);
  const doubles = layers.flatMap(({ tensor }, index) =>
    runs[0][outputName(index)]!.data instanceof Float64Array ? [tensor] : [],
  );
  return {
    placed: paired ?? placedInBatch(layers, runs, batch),
    takesBatches: paired !== null,
    doubles: new Set(doubles),
    seconds,
  };
};

/**
 * Runs an image, then noise in its place; in a fixed batch, an image alone, then noise in the place of one of the zeros.
 * The second run is timed: the first also prepares.
 */
const runTwice = async (
  engine: Engine,
  setup: Shown,
  layers: readonly Layer[],
  [first, noise]: Two<Float32Nd>,
  now: () => number,
): Promise<{ readonly runs: Two<Outputs>; readonly seconds: number }> => {
  const { name, batch } = setup.network.input;
  const size = batch ?? 1;
  const full = paddedBatch(first, size);
  const session = await openEither(engine, setup, 'keep', layers);
  try {
    const { fetched: before } = await session.run({ [name]: full });
    const startedAt = now();
    const { fetched: after } = await session.run({
      [name]: withImage(full, noise, changedOf(size)),
    });
    return { runs: [before, after], seconds: (now() - startedAt) / 1000 / size };
  } finally {
    await session.release();
  }
};

/** Which image of a batch is changed. */
const changedOf = (size: number): number => 1 % size;

/** The layers with their rows where a batch of two has them; `null` where one has not what its images give alone. */
const placedInPair = (
  layers: readonly Layer[],
  pair: Outputs,
  [first, noise]: Two<Outputs>,
): Layer[] | null => {
  const placed = layers.flatMap((layer, index) => {
    const tap = outputName(index);
    const place = placeInPair(layer, pair[tap]!, [first[tap]!, noise[tap]!]);
    return place === null ? [] : [settled(layer, pair[tap]!.shape, 2, place)];
  });
  return placed.length === layers.length ? placed : null;
};

/** The layers with their rows in a batch of a fixed size; `null` in the place of one that mixes its images. */
const placedInBatch = (
  layers: readonly Layer[],
  [before, after]: Two<Outputs>,
  size: number,
): (Layer | null)[] =>
  layers.map((layer, index) => {
    const runs: Two<NdArray> = [before[outputName(index)]!, after[outputName(index)]!];
    const place =
      size === 1 ? placeAlone(runs[0]) : placeInBatch(layer, runs, size, changedOf(size));
    return place === null ? null : settled(layer, runs[0].shape, size, place);
  });

const firstOf = async (inputs: ModelInputs): Promise<Float32Nd> => {
  for await (const sample of batches(inputs, 1, 1)) return sample;
  throw new Error('no stimulus to show');
};

/** Two images in a batch of a free first dimension; `null` where the engine takes none. */
const pairOf = async (
  engine: Engine,
  setup: Shown,
  layers: readonly Layer[],
  images: readonly [Float32Nd, Float32Nd],
): Promise<Outputs | null> => {
  let session: EngineSession | null = null;
  try {
    session = await openEither(engine, setup, 'symbolic', layers);
    return (await session.run({ [setup.network.input.name]: stackedInputs(images) })).fetched;
  } catch (thrown) {
    // The engine's refusal is the answer here: this export takes no batches.
    if (thrown instanceof VentralError && thrown.kind === 'engine') return null;
    throw thrown;
  } finally {
    await session?.release();
  }
};

/**
 * Runs all inputs through an unsliced pass. Returns for each layer that is `wanted` of it `[rows, features]`, float32 or float64 as the
 * network computes it, rows in the order of the response table. All layers of the pass are outputs, also those that are not wanted: what is merged
 * depends on it. Errors: the engine's; features whose number changes from input to input.
 */
export const activationsOf = async (
  engine: Engine,
  extraction: Extraction,
  pass: { readonly layers: readonly SizedLayer[]; readonly optimised: boolean },
  wanted: readonly SizedLayer[],
  watch: Watch,
): Promise<FloatNd[]> => {
  const per = rowsPerInput(extraction.form);
  const rows = extraction.inputs.count * per;
  const names = wanted.map((layer) => outputName(pass.layers.indexOf(layer)));
  const filled = wanted.map(
    (layer): FloatNd => ({
      data: floats(layer, rows * layer.features),
      shape: [rows, layer.features],
    }),
  );
  const session = await openTapped(engine, extraction, extraction.batch.mode, {
    ...pass,
    sliced: false,
  });
  const run: Run = async (feeds) => (await session.run(feeds, { fetch: names })).fetched;
  try {
    await eachBatch(run, extraction, watch, (outputs, from, shown) => {
      wanted.forEach((layer, index) => {
        const tap = outputs[names[index]!]!;
        const features = mapped(tap, shown, per, extraction.sampling, layer);
        filled[index]!.data.set(features, from * per * layer.features);
      });
    });
  } finally {
    await session.release();
  }
  return filled;
};

/** What a sliced session takes beside images: the columns `[from, to)` of the flattened layer. */
export const sliceFeeds = (from: number, to: number): Readonly<Record<string, Feed>> => ({
  'ventral.from': { data: BigInt64Array.of(BigInt(from)), shape: [1] },
  'ventral.to': { data: BigInt64Array.of(BigInt(to)), shape: [1] },
});

/** The slices `[rows, b]` of the features of a pass of one layer, one run over all inputs for each. */
export async function* slicesOf(
  engine: Engine,
  extraction: Extraction,
  pass: { readonly layer: SizedLayer; readonly slices: number; readonly optimised: boolean },
  watch: Watch,
): AsyncGenerator<FloatNd> {
  const { layer, slices, optimised } = pass;
  const rows = extraction.inputs.count;
  const width = Math.ceil(layer.features / slices);
  const session = await openTapped(engine, extraction, extraction.batch.mode, {
    layers: [layer],
    sliced: true,
    optimised,
  });
  try {
    for (let from = 0; from < layer.features; from += width) {
      const to = Math.min(from + width, layer.features);
      const data = floats(layer, rows * (to - from));
      const bounds = sliceFeeds(from, to);
      const run: Run = async (feeds) => (await session.run({ ...feeds, ...bounds })).fetched;
      await eachBatch(run, extraction, watch, (outputs, row, shown) => {
        const tap = outputs[outputName(0)]!;
        data.set(
          mapped(tap, shown, 1, extraction.sampling, { ...layer, features: to - from }),
          row * (to - from),
        );
      });
      yield { data, shape: [rows, to - from] };
    }
  } finally {
    await session.release();
  }
}

const floats = ({ featureBytes }: SizedLayer, length: number): Float32Array | Float64Array =>
  featureBytes === 8 ? new Float64Array(length) : new Float32Array(length);

type Run = (feeds: Readonly<Record<string, Feed>>) => Promise<Outputs>;

/** `fed`: inputs of the run, those that only fill a fixed batch included. */
type Receive = (
  outputs: Outputs,
  from: number,
  rows: { readonly count: number; readonly fed: number },
) => void;

/** Feeds all inputs; the next batch is preprocessed while the engine runs the last. */
const eachBatch = async (
  run: Run,
  { inputs, batch, network }: Extraction,
  { progress, checkStop }: Watch,
  receive: Receive,
): Promise<void> => {
  let running: Promise<void> = Promise.resolve();
  let from = 0;
  for await (const input of batches(inputs, batch.size)) {
    await running;
    checkStop();
    const start = from;
    const count = input.shape[0]!;
    const full = batch.mode === 'keep' ? paddedBatch(input, batch.size) : input;
    running = run({ [network.input.name]: full }).then((outputs) => {
      receive(outputs, start, { count, fed: full.shape[0]! });
      const [done, total] = [start + count, inputs.count];
      progress({ task: 'activations', done, total, unit: 'inputs' });
    });
    // A failure is rethrown by the `await running` above or below; until then it must not count as unhandled.
    running.catch(() => undefined);
    from += count;
  }
  await running;
};

const mapped = (
  tap: NdArray,
  { count, fed }: { readonly count: number; readonly fed: number },
  per: number,
  sampling: Sampling,
  layer: SizedLayer,
): Float32Array | Float64Array => {
  if (tap.shape[0] !== fed)
    throw engineError({
      code: 'rows-differ',
      where: `layer ${layer.name}`,
      expected: `${fed} rows, one for each input, as in the first run`,
      got: `${tap.shape[0]}`,
      mend: 'leave the layer out, or use a preprocessing that gives all images one size',
    });
  const each = tap.data.length / tap.shape[0]!;
  const data = tap.data as Float32Array | Float64Array;
  const expected = per * layer.features;
  const parts = Array.from({ length: count }, (_, index) => {
    const one = data.subarray(index * each, (index + 1) * each);
    return sampling.kind === 'feature-map' ? normaliseAndAverage(one, per, sampling) : one;
  });
  if (parts.some((part) => part.length !== expected))
    throw engineError({
      where: `layer ${layer.name}`,
      expected: `${expected} values for each input, as in the first`,
      got: `${parts.find((part) => part.length !== expected)?.length}`,
      mend: 'use a preprocessing that gives all images one size',
    });
  if (sampling.kind !== 'feature-map') return data.subarray(0, count * each);
  const joined = floats(layer, count * expected);
  parts.forEach((part, index) => {
    joined.set(part, index * expected);
  });
  return joined;
};
