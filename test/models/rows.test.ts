import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxNode } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { spliceModel } from '../../src/graph/splice.ts';
import { activationsOf, probe, tapForm } from '../../src/models/activations.ts';
import { imageInput } from '../../src/models/image-input.ts';
import { modelInputs } from '../../src/models/inputs.ts';
import { listLayers } from '../../src/models/layers.ts';
import type { Network } from '../../src/models/network.ts';
import { presetNamed } from '../../src/models/presets.ts';
import { placeInBatch, placeInPair, settled } from '../../src/models/rows.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import type { Layer } from '../../src/records/model.ts';
import type { Engine, Pixels } from '../../src/records/ports.ts';
import type { Sampling } from '../../src/records/protocol.ts';
import type { FixationGrid } from '../../src/records/recording.ts';
import { patterned, relativeError, runOnnx } from '../onnx.ts';

const unknownLayer: Layer = {
  ...{ name: 'layer', tensor: 't', operation: 'Conv', axes: 'channel', prefixTokens: 0 },
  shape: [],
  rearranged: null,
};

const random = createRandom('rows');
const values = (count: number): Float32Array =>
  Float32Array.from({ length: count }, () => random.normal());

/** Images `[P, Q]` woven into `[P, N, Q]`. */
const woven = (images: readonly Float32Array[], inner: number, shape: number[]): Float32Nd => {
  const data = new Float32Array(images.length * images[0]!.length);
  images.forEach((image, n) => {
    image.forEach((value, e) => {
      const run = Math.floor(e / inner);
      data[(run * images.length + n) * inner + (e % inner)] = value;
    });
  });
  return { data, shape };
};

describe('where the rows of an image lie', () => {
  const alone = [values(24), values(24)] as const;
  const one = (data: Float32Array): Float32Nd => ({ data, shape: [4, 1, 6] });
  const single = [one(alone[0]), one(alone[1])] as const;

  it.each([
    ['images first', 24, [2, 4, 6]],
    ['tokens first', 6, [4, 2, 6]],
    ['windows in the batch', 24, [8, 6]],
    ['a batch in every window', 6, [8, 6]],
    ['pairs of windows around the batch', 12, [8, 6]],
    ['images last', 1, [4, 6, 2]],
  ] as const)('%s', (_, inner, shape) => {
    const pair = woven(alone, inner, [...shape]);
    expect(placeInPair(unknownLayer, pair, single)).toEqual({ outer: 24 / inner, inner });
  });

  it('is nowhere where images are mixed, or the batch is in the constants', () => {
    const mixed = woven(alone, 24, [2, 24]);
    const mean = alone[0].map((value, e) => (value + alone[1][e]!) / 2);
    const centred = mixed.data.map((value, e) => value - mean[e % 24]!);
    expect(placeInPair(unknownLayer, { data: centred, shape: [2, 24] }, single)).toBeNull();
    const short = { data: alone[0], shape: [1, 24] };
    expect(placeInPair(unknownLayer, short, single)).toBeNull();
  });

  it('is found in a fixed batch that has as many images as tokens', () => {
    const images = [values(24), values(24), values(24), values(24)];
    const changed = [images[0]!, values(24), images[2]!, images[3]!];
    const runs = [woven(images, 6, [4, 4, 6]), woven(changed, 6, [4, 4, 6])] as const;
    expect(placeInBatch(unknownLayer, runs, 4, 1)).toEqual({ outer: 4, inner: 6 });
    const leak = ({ data, shape }: Float32Nd): Float32Nd => ({
      data: data.map((value, e) => value + data[(e + 6) % 96]!),
      shape,
    });
    const leaking = [leak(runs[0]), leak(runs[1])] as const;
    expect(placeInBatch(unknownLayer, leaking, 4, 1)).toBeNull();
  });

  it('corrects what the graph says, and then knows no map', () => {
    const tokens: Layer = { ...unknownLayer, axes: 'token-channel', shape: [4, 6] };
    expect(settled(tokens, [2, 4, 6], 2, { outer: 1, inner: 24 })).toEqual(tokens);
    expect(settled(tokens, [4, 2, 6], 2, { outer: 4, inner: 6 })).toEqual({
      ...tokens,
      axes: 'channel',
      shape: [4, 6],
      rearranged: { split: [4, -1, 6], order: [1, 0, 2] },
    });
  });
});

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 1 });
});
afterAll(() => engine.close());

const grid: FixationGrid = {
  ...{ rows: 2, columns: 2, extent: null, patchSize: null, pixelsPerDegree: null },
};
const picture = (): Pixels => ({
  ...{ width: 8, height: 8, channels: 3 },
  data: Uint8Array.from({ length: 192 }, () => random.int(256)),
});
const pictures = [picture(), picture(), picture()];

/** A convolution with ReLU, its map as tokens, a product with ReLU, and what comes behind it. */
const networkOf = (batch: number | string, side: number, last: readonly OnnxNode[]): Network => {
  const bytes = encodeModel({
    name: 'tokens',
    opset: 13,
    inputs: [{ name: 'x', type: 'float32', shape: [batch, 3, side, side] }],
    outputs: [{ name: 'y', type: 'float32', shape: null }],
    initialisers: [
      { name: 'w', array: patterned([4, 3, 1, 1]) },
      { name: 'v', array: patterned([4, 5]) },
      { name: 'u', array: patterned([5, 5]) },
      { name: 'flat', array: { data: BigInt64Array.of(0n, 0n, -1n), shape: [3] } },
    ],
    nodes: [
      { op: 'Conv', name: 'stem', inputs: ['x', 'w'], outputs: ['c'] },
      { op: 'Relu', inputs: ['c'], outputs: ['r'] },
      { op: 'Reshape', inputs: ['r', 'flat'], outputs: ['nct'] },
      {
        op: 'Transpose',
        inputs: ['nct'],
        outputs: ['tnc'],
        attributes: { perm: { ints: [2, 0, 1] } },
      },
      { op: 'MatMul', name: 'fc', inputs: ['tnc', 'v'], outputs: ['h'] },
      { op: 'Relu', inputs: ['h'], outputs: ['tokens'] },
      ...last,
    ],
  });
  const structure = readModel(bytes, 'tokens.onnx');
  return {
    ...{ name: 'tokens.onnx', bytes, structure, externalData: [], sha256: '' },
    input: imageInput(structure, 'tokens.onnx'),
  };
};

const tail: readonly OnnxNode[] = [
  { op: 'MatMul', name: 'next', inputs: ['tokens', 'u'], outputs: ['n'] },
  { op: 'Relu', inputs: ['n'], outputs: ['y'] },
];

const probed = (network: Network, sampling: Sampling, side: number) => {
  const inputs = modelInputs({
    preprocessing: presetNamed('raw')!,
    input: network.input,
    patches: sampling.kind === 'patches' ? grid : null,
    images: pictures.length,
    pixelsOf: (image) => Promise.resolve(pictures[image]!),
  });
  const size = { height: side, width: side };
  const form = tapForm(sampling, grid);
  const layers = listLayers(network.structure, size);
  return probe(engine, { network, inputs, size, sampling, form }, layers, () => 0);
};

const hooks = { progress: () => undefined, checkStop: () => undefined };

/** `tokens` [T, C] of one input alone, straight from onnxruntime. */
const tokensOf = async (network: Network, pixels: Pixels, row: number, column: number) => {
  const side = network.input.height!;
  const data = Float32Array.from({ length: 3 * side * side }, (_, i) => {
    const [channel, place] = [Math.floor(i / (side * side)), i % (side * side)];
    const [y, x] = [row + Math.floor(place / side), column + (place % side)];
    return pixels.data[(y * pixels.width + x) * 3 + channel]!;
  });
  const { bytes } = networkOf(1, side, []);
  const out = readModel(bytes, 'alone');
  const spliced = spliceModel(bytes, out, {
    outputs: ['tokens'],
  });
  return (await runOnnx(spliced, { x: { data, shape: [1, 3, side, side] } })).tokens!.data;
};

describe('a layer with tokens first', () => {
  it.each([
    ['a free batch', 'n', 'symbolic'],
    ['a batch of 1', 1, 'symbolic'],
    ['a batch of 16, as many as the tokens', 16, 'keep'],
  ] as const)('in patches, %s: a row per patch', async (_, batch, mode) => {
    const network = networkOf(batch, 4, tail);
    const extraction = await probed(network, { kind: 'patches' }, 4);
    expect(extraction.batch.mode).toBe(mode);
    expect(extraction.layers.map(({ name, features }) => [name, features])).toEqual([
      ['stem', 64],
      ['fc', 80],
      ['next', 80],
    ]);
    const layers = extraction.layers.slice(1, 2);
    const pass = { layers, optimised: true };
    const [fc] = await activationsOf(engine, extraction, pass, layers, hooks);
    expect(fc!.shape).toEqual([12, 80]);
    for (const [row, image, top, left] of [
      [0, 0, 0, 0],
      [6, 1, 4, 0],
      [11, 2, 4, 4],
    ] as const) {
      const right = await tokensOf(network, pictures[image]!, top, left);
      expect(relativeError(fc!.data.subarray(row * 80, row * 80 + 80), right)).toBeLessThan(1e-6);
    }
  });

  it('on a grid: its map', async () => {
    const sampling: Sampling = {
      ...{ kind: 'feature-map', normalise: 'none', averageChannelsAbove: null },
    };
    const network = networkOf('n', 8, tail);
    const extraction = await probed(network, sampling, 8);
    const layers = extraction.layers.slice(1, 2);
    const pass = { layers, optimised: true };
    const [fc] = await activationsOf(engine, extraction, pass, layers, hooks);
    expect(fc!.shape).toEqual([12, 5]);
    const tokens = await tokensOf(network, pictures[1]!, 0, 0);
    const right = Array.from({ length: 5 }, (_, channel) => {
      let sum = 0;
      for (let y = 0; y < 4; y++)
        for (let x = 4; x < 8; x++) sum += tokens[(y * 8 + x) * 5 + channel]!;
      return sum / 16;
    });
    expect(relativeError(fc!.data.subarray(25, 30), right)).toBeLessThan(1e-5);
  });
});

describe('a layer that mixes its images', () => {
  const mixing: readonly OnnxNode[] = [
    {
      op: 'ReduceMean',
      inputs: ['tokens'],
      outputs: ['mean'],
      attributes: { axes: { ints: [1] } },
    },
    { op: 'Sub', inputs: ['tokens', 'mean'], outputs: ['centred'] },
    { op: 'MatMul', name: 'next', inputs: ['centred', 'u'], outputs: ['n'] },
    { op: 'Relu', inputs: ['n'], outputs: ['y'] },
  ];

  it('is left out by name in a fixed batch, and the others go on', async () => {
    const extraction = await probed(
      networkOf(4, 8, mixing),
      { kind: 'image', features: 'flatten' },
      8,
    );
    expect(extraction.mixed.map(({ name }) => name)).toEqual(['next']);
    expect(extraction.layers.map(({ name }) => name)).toEqual(['stem', 'fc']);
  });

  it('is read one image at a time where the batch is free', async () => {
    const extraction = await probed(
      networkOf('n', 8, mixing),
      { kind: 'image', features: 'flatten' },
      8,
    );
    expect(extraction.batch).toEqual({ mode: 'keep', size: 1 });
    expect(extraction.layers.map(({ features }) => features)).toEqual([256, 320, 320]);
  });
});
