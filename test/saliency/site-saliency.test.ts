import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/graph/decode.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import { readModel } from '../../src/graph/read.ts';
import { spliceModel } from '../../src/graph/splice.ts';
import { imageInput } from '../../src/models/image-input.ts';
import { listLayers } from '../../src/models/layers.ts';
import type { Network } from '../../src/models/network.ts';
import { presetNamed } from '../../src/models/presets.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { createNodeHash } from '../../src/node/hash.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import type { Engine } from '../../src/records/ports.ts';
import type { Sampling } from '../../src/records/protocol.ts';
import { openSiteSaliency, type SiteReadout } from '../../src/saliency/site-saliency.ts';
import { inputLine } from '../formats/failure.ts';
import { memoryCache } from '../memory-cache.ts';
import { mixing, tail, tokenNetwork } from '../models/token-network.ts';
import { relativeError, runOnnx } from '../onnx.ts';
import { imageSide, smallNetwork } from '../small-study.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 1 });
});
afterAll(() => engine.close());

const bytes = smallNetwork('batch');
const structure = readModel(bytes, 'small.onnx');
const networkOf = (model: Uint8Array): Network => {
  const read = readModel(model, 'small.onnx');
  return {
    ...{
      name: 'small.onnx',
      bytes: model,
      structure: read,
      externalData: [],
      path: null,
      sha256: '',
    },
    input: imageInput(read, 'small.onnx'),
  };
};
const network = networkOf(bytes);
const random = createRandom('site');
const image: Float32Nd = {
  data: Float32Array.from({ length: imageSide * imageSide * 3 }, () => random.int(256)),
  shape: [imageSide, imageSide, 3],
};
/** conv3: 8 channels of 2 × 2. */
const readout = (sampling: Sampling, features: number): SiteReadout => ({
  ...{ layer: 'conv3', site: 's', offset: 5, sampling },
  weights: Float64Array.from({ length: features }, (_, k) => Math.sin(k + 1)),
});
const explain = (given: SiteReadout, intensities = image, of = network) => {
  const settings = { method: 'gradient-times-input' } as const;
  const ports = {
    ...{ engine, files: createNodeFiles() },
    ...{ hash: createNodeHash(), cache: memoryCache() },
  };
  const explainer = openSiteSaliency(of, given, presetNamed('raw')!, settings, ports);
  return explainer.explain(intensities, random, 'image').finally(explainer.release);
};

/** conv3 of the image, channel by channel, straight from onnxruntime. */
const features = async ({ data }: Float32Nd): Promise<Float32Array> => {
  const plane = imageSide * imageSide;
  const planes = Float32Array.from(
    { length: data.length },
    (_, i) => data[(i % plane) * 3 + Math.floor(i / plane)]!,
  );
  const input = { data: planes, shape: [1, 3, imageSide, imageSide] };
  return Object.values(await runOnnx(bytes, { image: input }))[0]!.data;
};

describe("saliency of a site's predicted response", () => {
  const flat: Sampling = { kind: 'image', features: 'flatten' };
  const pooled: Sampling = { kind: 'image', features: 'pool' };

  it.each([
    ['flattened', flat, 32],
    ['pooled', pooled, 8],
    ['of a patch', { kind: 'patches' }, 32],
  ] as const)('is the slope of the readout, %s', async (_, sampling, count) => {
    const given = readout(sampling, count);
    const each = 32 / count;
    const predicted = async (intensities: Float32Nd): Promise<number> =>
      (await features(intensities)).reduce(
        (sum, value, k) => sum + (value / each) * given.weights[Math.floor(k / each)]!,
        given.offset,
      );
    const { map, value } = await explain(given);
    expect(map.shape).toEqual([imageSide, imageSide]);
    const expected = await predicted(image);
    expect(Math.abs(value - expected)).toBeLessThan(1e-4 * Math.abs(expected));
    const step = 1e-3;
    const at = (by: number) => predicted({ ...image, data: image.data.map((level) => level * by) });
    const valueAndGradient = ((await at(1 + step)) - (await at(1 - step))) / (2 * step);
    const sum = map.data.reduce((total, pixel) => total + pixel, 0);
    expect(Math.abs(sum - valueAndGradient)).toBeLessThan(0.01 * Math.abs(valueAndGradient));
  });

  it('is that of a layer in double precision, too', async () => {
    const graph = decodeModel(bytes, 'small.onnx');
    const { tensor } = listLayers(structure).find((layer) => layer.name === 'conv3')!;
    const wide = encodeModel({
      ...graph,
      outputs: [{ name: 'narrow', type: 'float32', shape: null }],
      nodes: [
        ...graph.nodes,
        { op: 'Cast', inputs: [tensor], outputs: ['wide'], attributes: { to: { int: 11 } } },
        { op: 'Cast', inputs: ['wide'], outputs: ['narrow'], attributes: { to: { int: 1 } } },
      ],
    });
    const [single, double] = [
      await explain(readout(flat, 32)),
      await explain({ ...readout(flat, 32), layer: 'wide' }, image, networkOf(wide)),
    ];
    expect(relativeError(double.map.data, single.map.data)).toBeLessThan(1e-5);
    expect(double.value).toBeCloseTo(single.value, 3);
  });

  it('is of the first image where tokens stand before the images', async () => {
    const tokens = tokenNetwork(16, 4, tail);
    const weights = Float64Array.from({ length: 80 }, (_, k) => Math.sin(k + 1));
    const intensities = { ...image, data: image.data.slice(0, 48), shape: [4, 4, 3] };
    const given = { ...readout(flat, 80), layer: 'fc', weights };
    const planes = Float32Array.from(
      { length: 48 },
      (_, i) => intensities.data[(i % 16) * 3 + Math.floor(i / 16)]!,
    );
    const { bytes: alone, structure: read } = tokenNetwork(1, 4, []);
    const spliced = spliceModel(alone, read, { outputs: ['tokens'] });
    const out = await runOnnx(spliced, { x: { data: planes, shape: [1, 3, 4, 4] } });
    const expected = out.tokens!.data.reduce((sum, value, k) => sum + value * weights[k]!, 5);
    const { value } = await explain(given, intensities, tokens);
    expect(Math.abs(value - expected)).toBeLessThan(1e-4 * Math.abs(expected));
  });

  it('is refused of a layer that mixes its images', async () => {
    const intensities = { ...image, data: image.data.slice(0, 48), shape: [4, 4, 3] };
    const given = { ...readout(flat, 80), layer: 'next' };
    expect(await inputLine(() => explain(given, intensities, tokenNetwork(4, 4, mixing)))).toBe(
      'readout of next: expected a layer of which every value belongs to one image, as when it was scored, got values of one image that change with another; score with a layer whose images are told apart, and keep the readout',
    );
  });

  it('is refused for another layer, another number of features, or features of whole maps', async () => {
    expect(await inputLine(() => explain({ ...readout(flat, 32), layer: 'conv9' }))).toContain(
      'readout of conv9: expected a layer of small.onnx, got none of this name',
    );
    expect(await inputLine(() => explain(readout(flat, 31)))).toContain(
      'expected 32 weights, one for each feature of the layer, got 31',
    );
    const map: Sampling = { kind: 'feature-map', normalise: 'min-max', averageChannelsAbove: null };
    expect(await inputLine(() => explain(readout(map, 8)))).toContain('"feature-map"');
  });
});
