import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { spliceModel } from '../../src/graph/splice.ts';
import { probe } from '../../src/models/activations.ts';
import {
  contrastImages,
  errorLimit,
  relativeDifference,
  verdictOf,
} from '../../src/models/engine-check.ts';
import { type CheckedFeatures, networkFeatures } from '../../src/models/features.ts';
import { imageInput } from '../../src/models/image-input.ts';
import { modelInputs } from '../../src/models/inputs.ts';
import { everyTensor, listLayers } from '../../src/models/layers.ts';
import type { Network } from '../../src/models/network.ts';
import { presetNamed } from '../../src/models/presets.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { createNodeHash } from '../../src/node/hash.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import type { Engine, EngineModel, Pixels } from '../../src/records/ports.ts';
import { exampleInputs, openCheckedGradient } from '../../src/saliency/gradient-check.ts';
import { decodeNetwork, graphFor } from '../../src/saliency/gradient-session.ts';
import { classLogits } from '../../src/saliency/logit.ts';
import { table } from '../gradient/families.ts';
import { memoryCache } from '../memory-cache.ts';
import { goldenModel, relativeError, runOnnx } from '../onnx.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 1 });
});
afterAll(() => engine.close());

/** Ports that count how many sessions are opened with optimisation and without. */
const portsOf = () => {
  const opened = { optimised: 0, plain: 0 };
  const counting: Engine = {
    ...engine,
    open: (model: EngineModel) => {
      if (model.optimised ?? true) opened.optimised++;
      else opened.plain++;
      return engine.open(model);
    },
  };
  return {
    opened,
    ports: {
      ...{ engine: counting, files: createNodeFiles() },
      ...{ hash: createNodeHash(), cache: memoryCache(), checkStop: () => undefined },
    },
  };
};

const networkOf = (bytes: Uint8Array, name = 'net.onnx', sha256 = name): Network => {
  const structure = readModel(bytes, name);
  const input = imageInput(structure, name);
  return { ...{ name, bytes, structure, input, sha256 }, externalData: [], path: null };
};

/** A picture of waves and noise. */
const pictureOf = (height: number, width: number): Pixels => {
  const random = createRandom('picture');
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [y, x, channel] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width, i % 3];
    return 128 + 60 * Math.sin(x / 4 + channel) * Math.cos(y / 5) + 8 * random.normal();
  });
  return { width, height, channels: 3, data };
};

const preprocessing = presetNamed('raw')!;
type CheckedPorts = ReturnType<typeof portsOf>['ports'];

/** All layers of a network, flattened, of one picture, in one pass or as many as the budget asks for. */
const open = async (
  network: Network,
  ports: CheckedPorts,
  { size = { height: 32, width: 32 }, budget = 1e9, every = false } = {},
): Promise<CheckedFeatures> => {
  const { input } = network;
  const own = { height: input.height ?? size.height, width: input.width ?? size.width };
  const inputs = modelInputs({
    ...{ preprocessing, input, patches: null, images: 1 },
    pixelsOf: async () => pictureOf(own.height, own.width),
  });
  const sampling = { kind: 'image', features: 'flatten' } as const;
  const subject = { network, inputs, size: own, sampling, form: { kind: 'flatten' } as const };
  const layers = (every ? everyTensor : listLayers)(network.structure, own);
  const extraction = await probe(ports.engine, subject, layers, Date.now);
  return networkFeatures(ports, extraction, budget, { model: network.sha256 }, []);
};

const gathered = async ({ features }: CheckedFeatures): Promise<Record<string, Float32Nd>> => {
  const found: Record<string, Float32Nd> = {};
  const hooks = { progress: () => undefined, checkStop: () => undefined };
  for (const pass of features.passes)
    for (const source of await features.gather(pass, () => true, hooks))
      for await (const block of source.blocks()) found[source.name] = block as Float32Nd;
  return found;
};

const exports = Object.values(table.networks).flatMap((families) =>
  families.flatMap((family) => family.exports.map(({ model }) => model)),
);

describe('every family of networks', () => {
  // Layers of exports in training mode mix their images, and are refused before.
  const evaluated = exports.filter((model) => !model.includes('-training'));
  it.each(evaluated)('%s: optimised and not, all layers agree', async (model) => {
    const { ports } = portsOf();
    const network = networkOf(goldenModel(`families/${model}`).bytes, model);
    const { engineCheck, features } = await open(network, ports);
    expect(engineCheck).toMatchObject({ limit: 1e-4, sessions: 1, unoptimised: [] });
    expect(engineCheck.error).toBeGreaterThan(0);
    expect(engineCheck.error).toBeLessThan(1e-5);
    expect(features.layers.map(({ name }) => name)).toContain(engineCheck.at);
    expect(features.warnings).toEqual([]);
  });

  const first = Object.values(table.networks).map((families) => families[0]!.exports[0]!.model);
  it.each(first)('%s: so do logits and their gradients', async (model) => {
    const { ports } = portsOf();
    const network = networkOf(goldenModel(`families/${model}`).bytes, model);
    const { input } = network;
    const size = { height: input.height ?? 32, width: input.width ?? 32 };
    const graph = graphFor(await decodeNetwork(network, network.bytes), input, size);
    const { tensor, shape } = classLogits(graph);
    const { data } = pictureOf(size.height, size.width);
    const intensities = { data: Float32Array.from(data), shape: [size.height, size.width, 3] };
    const { session, checked } = await openCheckedGradient(ports, {
      ...{ graph, input, size, tensor, shape, identity: [model] },
      examples: exampleInputs(intensities, preprocessing, input.layout),
    });
    await session.release();
    expect(checked.verdict).toMatchObject({ optimised: true, reason: null, at: tensor });
    expect(checked.verdict.error).toBeLessThan(1e-5);
    expect(checked.verdict.gradientError).toBeLessThan(1e-4);
  });
});

/** Means over space, and a number for each of five classes. */
const head = {
  initialiser: {
    name: 'h',
    array: { data: Float32Array.from({ length: 20 }, (_, i) => Math.sin(i + 1)), shape: [4, 5] },
  },
  nodes: (from: string) => [
    { op: 'GlobalAveragePool', inputs: [from], outputs: ['g'] },
    { op: 'Flatten', inputs: ['g'], outputs: ['f'] },
    { op: 'MatMul', inputs: ['f', 'h'], outputs: ['logits'] },
  ],
};

/** A convolution whose values are negative, a Pad with zeros, and a pool that pads as well, in an opset without −0. */
const armed = (pool: 'MaxPool' | 'AveragePool', pads: readonly number[]): OnnxGraph => ({
  name: 'armed',
  opset: 9,
  inputs: [{ name: 'image', type: 'float32', shape: ['batch', 3, 12, 12] }],
  outputs: [{ name: 'logits', type: 'float32', shape: null }],
  initialisers: [
    head.initialiser,
    {
      name: 'w',
      array: {
        data: Float32Array.from({ length: 4 * 27 }, (_, i) => -0.01 - 0.005 * Math.sin(i)),
        shape: [4, 3, 3, 3],
      },
    },
    {
      name: 'v',
      array: {
        data: Float32Array.from({ length: 4 * 4 * 9 }, (_, i) => 0.1 * Math.cos(i * i)),
        shape: [4, 4, 3, 3],
      },
    },
  ],
  nodes: [
    { op: 'Conv', inputs: ['image', 'w'], outputs: ['c'] },
    {
      op: 'Pad',
      inputs: ['c'],
      outputs: ['p'],
      attributes: { pads: { ints: [0, 0, 1, 1, 0, 0, 1, 1] } },
    },
    {
      op: pool,
      inputs: ['p'],
      outputs: ['m'],
      attributes: {
        kernel_shape: { ints: [3, 3] },
        strides: { ints: [2, 2] },
        pads: { ints: pads },
        ...(pool === 'AveragePool' ? { count_include_pad: { int: 1 } } : {}),
      },
    },
    { op: 'Conv', inputs: ['m', 'v'], outputs: ['y'] },
    ...head.nodes('y'),
  ],
});

/** The tensor `y` without optimisation. */
const disabled = async (bytes: Uint8Array, image: Float32Nd): Promise<Float32Nd> => {
  const tapped = spliceModel(bytes, readModel(bytes, 'net.onnx'), { outputs: ['y'] });
  return (await runOnnx(tapped, { image }, { graphOptimizationLevel: 'disabled' })).y!;
};

const ownPads = [1, 1, 1, 1];

describe('a session that the optimiser changes', () => {
  const size = { height: 12, width: 12 };

  it('runs unoptimised, and says so', async () => {
    const { ports, opened } = portsOf();
    const bytes = encodeModel(armed('MaxPool', ownPads));
    const features = await open(networkOf(bytes), ports, { size });
    const { engineCheck } = features;
    expect(engineCheck).toMatchObject({ limit: 1e-4, error: null, sessions: 1 });
    expect(engineCheck.unoptimised).toEqual(features.features.layers.map(({ name }) => name));
    expect(features.features.warnings).toHaveLength(1);
    expect(features.features.warnings[0]).toMatch(
      /^onnxruntime's optimiser changes \S+ \(by .+ of its spread\); .+: run unoptimised$/,
    );
    const before = opened.plain;
    const found = await gathered(features);
    expect(opened.plain).toBe(before + 1);
    const intensities = Float32Array.from(pictureOf(12, 12).data);
    const planes = intensities.map((_, i) => intensities[(i % 144) * 3 + Math.floor(i / 144)]!);
    const image = { data: planes, shape: [1, 3, 12, 12] };
    const y = await disabled(bytes, image);
    const last = features.features.layers.at(-1)!.name;
    expect(relativeError(found[last]!.data, y.data)).toBeLessThan(1e-6);
  });

  it('is looked at alone: another set of taps may be optimised', async () => {
    const { ports } = portsOf();
    const network = networkOf(encodeModel(armed('MaxPool', ownPads)));
    const features = await open(network, ports, { size, budget: 1500 });
    // The convolution before the pool has passes of its own.
    expect(features.engineCheck.sessions).toBeGreaterThan(1);
    expect(features.engineCheck.unoptimised).not.toContain(features.features.layers[0]!.name);
    expect(features.engineCheck.unoptimised).toContain(features.features.layers.at(-1)!.name);
    expect(features.engineCheck.error).toBeLessThan(1e-5);
    // With the Pad as an output nothing is merged.
    const all = await open(network, ports, { size, every: true });
    expect(all.engineCheck.unoptimised).toEqual([]);
  });

  it('runs unoptimised where the optimiser refuses a sound model', async () => {
    const { ports } = portsOf();
    const network = networkOf(encodeModel(armed('AveragePool', [2, 2, 2, 2])));
    const features = await open(network, ports, { size });
    expect(features.engineCheck.unoptimised).toHaveLength(features.features.layers.length);
    expect(features.features.warnings[0]).toContain('refuses what runs without it');
    expect(Object.keys(await gathered(features))).toHaveLength(features.features.layers.length);
  });

  it('is compared once: the cache knows model, taps and engine', async () => {
    const { ports, opened } = portsOf();
    const network = networkOf(encodeModel(armed('MaxPool', ownPads)));
    const once = await open(network, ports, { size });
    const plainIn = async (work: () => Promise<unknown>): Promise<number> => {
      const before = opened.plain;
      await work();
      return opened.plain - before;
    };
    // What the probe opens, whose taps the optimiser refuses.
    const probing = await plainIn(async () =>
      expect((await open(network, ports, { size })).engineCheck).toEqual(once.engineCheck),
    );
    const otherModel = { ...network, sha256: 'another' };
    expect(await plainIn(() => open(otherModel, ports, { size }))).toBe(probing + 1);
    expect(await plainIn(() => open(network, ports, { size, every: true }))).toBe(1);
    const other = { ...ports, engine: { ...ports.engine, version: 'onnxruntime-node 9' } };
    expect(await plainIn(() => open(network, other, { size }))).toBe(probing + 1);
  });
});

const constant = (data: Float32Array | Int8Array | Uint8Array, shape: readonly number[] = []) => ({
  data,
  shape,
});

/** Image → 8 bits and back → convolution with 8-bit weights → 8 bits and back → a class. */
const quantised: OnnxGraph = {
  name: 'quantised',
  opset: 13,
  inputs: [{ name: 'image', type: 'float32', shape: ['batch', 3, 8, 8] }],
  outputs: [{ name: 'logits', type: 'float32', shape: ['batch', 5] }],
  initialisers: [
    head.initialiser,
    { name: 's', array: constant(Float32Array.of(1)) },
    { name: 'z', array: constant(Uint8Array.of(0)) },
    { name: 'ws', array: constant(Float32Array.of(0.01)) },
    { name: 'wz', array: constant(Int8Array.of(0)) },
    {
      name: 'w',
      array: constant(
        Int8Array.from({ length: 4 * 27 }, (_, i) => Math.round(90 * Math.sin(i * i))),
        [4, 3, 3, 3],
      ),
    },
    { name: 'cs', array: constant(Float32Array.of(7)) },
    { name: 'cz', array: constant(Uint8Array.of(128)) },
  ],
  nodes: [
    { op: 'QuantizeLinear', inputs: ['image', 's', 'z'], outputs: ['q'] },
    { op: 'DequantizeLinear', inputs: ['q', 's', 'z'], outputs: ['d'] },
    { op: 'DequantizeLinear', inputs: ['w', 'ws', 'wz'], outputs: ['dw'] },
    { op: 'Conv', inputs: ['d', 'dw'], outputs: ['c'] },
    { op: 'QuantizeLinear', inputs: ['c', 'cs', 'cz'], outputs: ['cq'] },
    { op: 'DequantizeLinear', inputs: ['cq', 'cs', 'cz'], outputs: ['cd'] },
    ...head.nodes('cd'),
  ],
};

describe('the limit', () => {
  it('is 1e-4 in float32, 1e-2 in half precision, and none of integers', () => {
    const limit = (graph: OnnxGraph) => errorLimit(readModel(encodeModel(graph), 'net.onnx'));
    const single = armed('MaxPool', ownPads);
    const half = { name: 'h', type: 'float16', array: { data: Uint16Array.of(0), shape: [1] } };
    expect(limit(single)).toBe(1e-4);
    expect(limit({ ...single, initialisers: [...single.initialisers, half as never] })).toBe(1e-2);
    const cast = { op: 'Cast', inputs: ['y'], outputs: ['z'], attributes: { to: { int: 10 } } };
    expect(limit({ ...single, nodes: [...single.nodes, cast] })).toBe(1e-2);
    expect(limit(quantised)).toBeNull();
  });

  it('is replaced by the share of equal classes in an integer network', async () => {
    const { ports } = portsOf();
    const network = networkOf(encodeModel(quantised));
    const { engineCheck } = await open(network, ports, { size: { height: 8, width: 8 } });
    expect(engineCheck).toMatchObject({ limit: null, unoptimised: [], equalClasses: 1 });
    expect(engineCheck.error).toBeLessThan(0.05);
  });
});

describe('e', () => {
  const array = (...values: readonly number[]): Float32Nd => ({
    data: Float32Array.from(values),
    shape: [values.length],
  });

  it('is the norm of the difference in parts of the spread, over all runs', () => {
    // b = 1, 3, 5, 7 about 4: ‖b − 4‖² = 20; ‖a − b‖² = 0.25.
    const a = [array(1, 3.5), array(5, 7)];
    expect(relativeDifference(a, [array(1, 3), array(5, 7)])).toBeCloseTo(Math.sqrt(0.25 / 20), 7);
    expect(relativeDifference([array(1, 3)], [array(1, 3)])).toBe(0);
    expect(relativeDifference([array(2.5)], [array(2)])).toBeCloseTo(0.25, 7);
  });

  it('is infinite for other shapes and for what is finite unoptimised alone', () => {
    expect(relativeDifference([array(1, 2)], [array(1)])).toBe(Number.POSITIVE_INFINITY);
    expect(relativeDifference([array(1, Number.NaN)], [array(1, 2)])).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(relativeDifference([array(1, 2)], [array(1, Number.NaN)])).toBeNull();
  });

  it('is judged tap by tap, the worst named', () => {
    const runs = (...values: readonly number[]) =>
      new Map([
        ['a', [array(0, 1)]],
        ['b', [array(...values)]],
      ]);
    const names = new Map([
      ['a', 'first'],
      ['b', 'second'],
    ]);
    expect(verdictOf(runs(0, 1.01), runs(0, 1), names, 1e-4)).toMatchObject({
      ...{ optimised: false, reason: 'differs', at: 'second' },
      error: expect.closeTo(0.01 * Math.SQRT2, 4),
    });
    expect(verdictOf(runs(0, 1.01), runs(0, 1), names, 0.1)).toMatchObject({ optimised: true });
    expect(verdictOf(null, runs(0, 1), names, 1e-4)).toMatchObject({ reason: 'refused' });
    expect(verdictOf(runs(0, 1), null, names, 1e-4)).toMatchObject({
      ...{ optimised: true, reason: 'alone', error: null },
    });
  });

  it('is found on two inputs that reach from black to white', () => {
    const intensities = contrastImages(9, 14);
    expect(intensities).toHaveLength(2);
    for (const { data, shape } of intensities) {
      expect(shape).toEqual([9, 14, 3]);
      expect(Math.min(...data)).toBeLessThan(6);
      expect(Math.max(...data)).toBeGreaterThan(249);
    }
  });
});
