import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { imageInput } from '../../src/models/image-input.ts';
import type { Network } from '../../src/models/network.ts';
import { presetNamed } from '../../src/models/presets.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { createNodeHash } from '../../src/node/hash.ts';
import { createRandom, type Random } from '../../src/numeric/random.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import type { Engine, EngineModel } from '../../src/records/ports.ts';
import type { SaliencySettings } from '../../src/records/saliency.ts';
import { openClassSaliency } from '../../src/saliency/class-saliency.ts';
import {
  decodeNetwork,
  type GradientSession,
  graphFor,
  openForward,
  openGradient,
} from '../../src/saliency/gradient-session.ts';
import { classLogits } from '../../src/saliency/logit.ts';
import { saliencyOf } from '../../src/saliency/methods.ts';
import { inputLine } from '../formats/failure.ts';
import { bytesOf, floatsOf } from '../human-maps-golden.ts';
import { memoryCache } from '../memory-cache.ts';
import { relativeError } from '../onnx.ts';

interface Floats {
  readonly shape: readonly number[];
  readonly base64: string;
}
type Maps = Readonly<Record<SaliencySettings['method'], Floats>>;
interface Golden {
  readonly model: string;
  readonly image: Floats;
  readonly baseline: Floats;
  readonly normals: Floats;
  readonly samples: number;
  readonly noise: number;
  readonly steps: number;
  readonly classes: readonly (Maps & { readonly class: number; readonly value: number })[];
}
const golden = JSON.parse(
  readFileSync(new URL('../golden/saliency.json', import.meta.url), 'utf8'),
) as Golden;

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 1 });
});
afterAll(() => engine.close());

const networkOf = (bytes: Uint8Array): Network => {
  const structure = readModel(bytes, 'net.onnx');
  const input = imageInput(structure, 'net.onnx');
  return {
    name: 'net.onnx',
    bytes,
    structure,
    input,
    externalData: [],
    path: null,
    sha256: '',
  };
};
const decode = (network: Network) => decodeNetwork(network, network.bytes);

/** Yields the golden's noise in the place of drawn normals. */
const replaying = (normals: Float32Array): Random => {
  let at = 0;
  return { ...createRandom(1), normal: () => normals[at++]! };
};

describe('saliency agrees with PyTorch', () => {
  const network = networkOf(bytesOf(golden.model));
  const image = floatsOf(golden.image);
  const size = { height: image.shape[2]!, width: image.shape[3]! };
  const settings: readonly SaliencySettings[] = [
    { method: 'gradient' },
    { method: 'abs-max' },
    { method: 'gradient-times-input' },
    { method: 'smoothgrad', samples: golden.samples, noise: golden.noise },
    { method: 'integrated', steps: golden.steps, baseline: 'black' },
  ];
  let session: GradientSession;
  let graph: OnnxGraph;
  beforeAll(async () => {
    graph = graphFor(await decode(network), network.input, size);
    const { tensor, shape } = classLogits(graph);
    session = await openGradient(engine, graph, network.input, tensor, shape);
  });

  it.each(settings)('$method', async (method) => {
    const logits = classLogits(graph);
    expect(logits).toMatchObject({ classes: 10 });
    for (const expected of golden.classes) {
      const weights = new Map([[logits.placeOf(expected.class), 1]]);
      const { map, value } = await saliencyOf(
        { input: image, layout: 'NCHW', black: floatsOf(golden.baseline), where: 'net.onnx' },
        method,
        replaying(floatsOf(golden.normals).data),
        (input) => session.valueAndGradient(input, weights),
      );
      expect(value).toBeCloseTo(expected.value, 4);
      expect(map.shape).toEqual([12, 16]);
      expect(relativeError(map.data, floatsOf(expected[method.method]).data)).toBeLessThan(2e-5);
    }
  });

  it('is of the tensor before the softmax, which the slice behind it shifts', async () => {
    const { output, tensor, placeOf } = classLogits(graph);
    expect(tensor).not.toBe(output);
    expect(placeOf(0)).toBe(1);
    const forward = await openForward(engine, graph, network.input, output);
    const probabilities = await forward.run(image);
    await forward.release();
    const values = await Promise.all(
      golden.classes.map(async (each) => probabilities[each.class]!),
    );
    // Ratios of softmax values are exponentials of differences of logits.
    const ratio = Math.log(values[1]! / values[0]!);
    expect(ratio).toBeCloseTo(golden.classes[1]!.value - golden.classes[0]!.value, 4);
  });
});

// Heads of little networks: [1, 3, 4, 4] → 1×1 convolution → something with one number per class.
const classes = 5;
const weights: Float32Nd = {
  data: Float32Array.from({ length: classes * 48 }, (_, i) => Math.sin(i * i)),
  shape: [48, classes],
};
const constant = (name: string, values: readonly number[]) => ({
  name,
  array: { data: BigInt64Array.from(values.map(BigInt)), shape: [values.length] },
});
const headed = (
  nodes: readonly OnnxNode[],
  integers: Readonly<Record<string, readonly number[]>> = {},
  change: Partial<OnnxGraph> = {},
): Network =>
  networkOf(
    encodeModel({
      name: 'head',
      opset: 17,
      inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 4, 4] }],
      outputs: [{ name: 'y', type: 'float32', shape: null }],
      initialisers: [
        { name: 'w', array: weights },
        ...Object.entries(integers).map(([name, values]) => constant(name, values)),
      ],
      nodes: [
        { op: 'Flatten', inputs: ['x'], outputs: ['flat'] },
        { op: 'MatMul', inputs: ['flat', 'w'], outputs: ['logits'] },
        ...nodes,
      ],
      ...change,
    }),
  );
const logitsOf = async (network: Network) => {
  const {
    tensor,
    placeOf,
    classes: count,
  } = classLogits(graphFor(await decode(network), network.input, { height: 4, width: 4 }));
  return { tensor, places: Array.from({ length: count }, (_, k) => placeOf(k)) };
};
const softmax = (axis: number, from = 'logits', to = 'p'): OnnxNode => ({
  op: 'Softmax',
  inputs: [from],
  outputs: [to],
  attributes: { axis: { int: axis } },
});

describe('the logit', () => {
  const all = [0, 1, 2, 3, 4];

  it('is the output where no softmax is, or none that only moves follow', async () => {
    const plain = headed([{ op: 'Neg', inputs: ['logits'], outputs: ['y'] }]);
    expect(await logitsOf(plain)).toEqual({ tensor: 'y', places: all });
    const after = headed([softmax(1), { op: 'Log', inputs: ['p'], outputs: ['y'] }]);
    expect(await logitsOf(after)).toEqual({ tensor: 'y', places: all });
  });

  it('is followed through slices, turns and new axes', async () => {
    const nodes: OnnxNode[] = [
      softmax(-1),
      { op: 'Unsqueeze', inputs: ['p', 'axes'], outputs: ['wide'] },
      {
        op: 'Transpose',
        inputs: ['wide'],
        outputs: ['turned'],
        attributes: { perm: { ints: [0, 2, 1] } },
      },
      { op: 'Slice', inputs: ['turned', 'last', 'first', 'one', 'back'], outputs: ['y'] },
    ];
    const integers = { axes: [1], last: [-1], first: [-(2 ** 31)], one: [1], back: [-2] };
    expect(await logitsOf(headed(nodes, integers))).toEqual({
      tensor: 'logits',
      places: [4, 2, 0],
    });
  });

  it('takes LogSoftmax as well, and passes over outputs that are no classes', async () => {
    const network = headed(
      [
        { op: 'LogSoftmax', inputs: ['logits'], outputs: ['y'], attributes: { axis: { int: 1 } } },
        { op: 'Relu', inputs: ['x'], outputs: ['map'] },
      ],
      {},
      {
        outputs: [
          { name: 'map', type: 'float32', shape: null },
          { name: 'y', type: 'float32', shape: null },
        ],
      },
    );
    expect(await logitsOf(network)).toEqual({ tensor: 'logits', places: all });
  });

  it('is refused where there are no classes', async () => {
    const map = headed([{ op: 'Relu', inputs: ['x'], outputs: ['y'] }]);
    expect(await inputLine(() => logitsOf(map))).toContain(
      'net.onnx: output: expected a number for each class, [1, classes], or one alone, got y [1, 3, 4, 4]',
    );
  });

  it('is of the first image where the batch is fixed', async () => {
    const network = headed(
      [softmax(1, 'logits', 'y')],
      {},
      {
        inputs: [{ name: 'x', type: 'float32', shape: [2, 3, 4, 4] }],
      },
    );
    const graph = graphFor(await decode(network), network.input, { height: 4, width: 4 });
    const { tensor, shape, placeOf } = classLogits(graph);
    const session = await openGradient(engine, graph, network.input, tensor, shape);
    const image = { data: new Float32Array(48).fill(0.5), shape: [1, 3, 4, 4] };
    const { gradient } = await session.valueAndGradient(image, new Map([[placeOf(3), 1]]));
    await session.release();
    expect(gradient.shape).toEqual([1, 3, 4, 4]);
    const column = Float32Array.from({ length: 48 }, (_, i) => weights.data[i * classes + 3]!);
    expect(relativeError(gradient.data, column)).toBeLessThan(1e-6);
  });
});

describe('the class that the network says', () => {
  /** Values near −2, padded with zeros, pooled: their mean is −2 · 4/9 (without zeros −2), beside a class at −1.5. */
  const network = networkOf(
    encodeModel({
      name: 'padded',
      opset: 17,
      inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 6, 6] }],
      outputs: [{ name: 'y', type: 'float32', shape: null }],
      initialisers: [
        { name: 'f', array: { data: Float32Array.of(1e-5, 2e-5, 3e-5), shape: [1, 3, 1, 1] } },
        { name: 'b', array: { data: Float32Array.of(-2), shape: [1] } },
        { name: 'w', array: { data: Float32Array.of(0, 1), shape: [1, 2] } },
        { name: 'v', array: { data: Float32Array.of(-1.5, 0), shape: [2] } },
        constant('pads', [0, 0, 1, 1, 0, 0, 1, 1]),
      ],
      nodes: [
        { op: 'Conv', inputs: ['x', 'f', 'b'], outputs: ['c'] },
        { op: 'Pad', inputs: ['c', 'pads'], outputs: ['p'] },
        {
          op: 'MaxPool',
          inputs: ['p'],
          outputs: ['m'],
          attributes: { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] } },
        },
        { op: 'GlobalAveragePool', inputs: ['m'], outputs: ['g'] },
        { op: 'Flatten', inputs: ['g'], outputs: ['flat'] },
        { op: 'Gemm', inputs: ['flat', 'w', 'v'], outputs: ['y'] },
      ],
    }),
  );

  it('is chosen by the network that is differentiated, which the engine changes nowhere', async () => {
    const ports = {
      ...{ engine, files: createNodeFiles() },
      ...{ hash: createNodeHash(), cache: memoryCache() },
    };
    const settings = { method: 'gradient' } as const;
    const raw = presetNamed('raw')!;
    const explainer = await openClassSaliency(network, raw, settings, true, ports);
    expect(explainer.checked()).toBeNull();
    const intensities = { data: new Float32Array(108).fill(100), shape: [6, 6, 3] };
    const found = await explainer.explain(intensities, null, createRandom(1), 'image');
    expect(found.class).toBe(1);
    expect(found.value).toBeCloseTo((-2 * 4) / 9, 2);
    expect(explainer.checked()).toMatchObject({
      ...{ height: 6, width: 6, tensor: 'y' },
      verdict: { optimised: true, reason: null },
    });
    await explainer.release();
  });

  it('is that of the gradient where a forward run says another', async () => {
    const ports = {
      ...{ files: createNodeFiles(), hash: createNodeHash(), cache: memoryCache() },
      // An engine whose forward session, alone without a gradient, negates what it gives.
      engine: {
        ...engine,
        open: async (model: EngineModel) => {
          const session = await engine.open(model);
          if (session.outputs.length > 1) return session;
          return {
            ...session,
            run: async (feeds: Parameters<typeof session.run>[0]) => {
              const { y } = (await session.run(feeds)).fetched;
              const data = (y!.data as Float32Array).map((each) => -each);
              return { fetched: { y: { ...y!, data } }, kept: {} };
            },
          };
        },
      },
    };
    const settings = { method: 'gradient' } as const;
    const raw = presetNamed('raw')!;
    const explainer = await openClassSaliency(network, raw, settings, true, ports);
    const intensities = { data: new Float32Array(108).fill(100), shape: [6, 6, 3] };
    const found = await explainer.explain(intensities, null, createRandom(1), 'image');
    expect(found.class).toBe(1);
    expect(found.value).toBeCloseTo((-2 * 4) / 9, 2);
    await explainer.release();
  });
});

describe('images of several sizes', () => {
  it('open one session after another where the network takes any size', async () => {
    const filters = Float32Array.from({ length: 4 * 27 }, (_, i) => Math.cos(3 * i));
    const head = Float32Array.from({ length: 4 * classes }, (_, i) => Math.sin(i * i));
    const network = networkOf(
      encodeModel({
        name: 'free',
        opset: 17,
        inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 'h', 'w'] }],
        outputs: [{ name: 'y', type: 'float32', shape: null }],
        initialisers: [
          { name: 'f', array: { data: filters, shape: [4, 3, 3, 3] } },
          { name: 'w', array: { data: head, shape: [4, classes] } },
        ],
        nodes: [
          { op: 'Conv', inputs: ['x', 'f'], outputs: ['c'] },
          { op: 'Relu', inputs: ['c'], outputs: ['r'] },
          { op: 'GlobalAveragePool', inputs: ['r'], outputs: ['g'] },
          { op: 'Flatten', inputs: ['g'], outputs: ['flat'] },
          { op: 'MatMul', inputs: ['flat', 'w'], outputs: ['logits'] },
          softmax(1, 'logits', 'y'),
        ],
      }),
    );
    const preprocessing = presetNamed('raw')!;
    const ports = {
      ...{ engine, files: createNodeFiles() },
      ...{ hash: createNodeHash(), cache: memoryCache() },
    };
    const settings = { method: 'gradient-times-input' } as const;
    const explainer = await openClassSaliency(network, preprocessing, settings, true, ports);
    const random = createRandom('sizes');
    for (const [height, width] of [
      [6, 9],
      [6, 9],
      [11, 5],
    ] as const) {
      const data = Float32Array.from({ length: height * width * 3 }, () => random.int(256));
      const intensities = { data, shape: [height, width, 3] };
      const {
        map,
        value,
        class: own,
      } = await explainer.explain(intensities, null, random, 'image');
      expect(map.shape).toEqual([height, width]);
      // Without biases the network is homogeneous: its logit is the sum of g · x.
      const sum = map.data.reduce((total, each) => total + each, 0);
      expect(Math.abs(sum - value)).toBeLessThan(1e-3 * Math.abs(value));
      for (const other of [0, 1, 2, 3, 4]) {
        const found = await explainer.explain(intensities, other, random, 'image');
        expect(found.value).toBeLessThanOrEqual(value);
        if (other === own) expect(found.value).toBe(value);
      }
    }
    await explainer.release();
  });
});

describe('what cannot be differentiated is refused before anything runs', () => {
  const open = async (network: Network, size = { height: 4, width: 4 }) => {
    const graph = graphFor(await decode(network), network.input, size);
    const { tensor, shape } = classLogits(graph);
    return openGradient(engine, graph, network.input, tensor, shape);
  };

  it('an operation without a rule, by node and operation', async () => {
    const network = headed([{ op: 'Hardmax', name: 'decide', inputs: ['logits'], outputs: ['y'] }]);
    const line = await inputLine(() => open(network));
    expect(line).toContain('decide');
    expect(line).toContain('Hardmax');
  });

  it('a quantised network', async () => {
    const scale = { name: 's', array: { data: Float32Array.of(0.1), shape: [] } };
    const zero = { name: 'z', array: { data: Uint8Array.of(0), shape: [] } };
    const network = headed(
      [
        { op: 'QuantizeLinear', inputs: ['logits', 's', 'z'], outputs: ['q'] },
        { op: 'DequantizeLinear', inputs: ['q', 's', 'z'], outputs: ['y'] },
      ],
      {},
      { initialisers: [{ name: 'w', array: weights }, scale, zero] },
    );
    const line = await inputLine(() => open(network));
    expect(line).toMatch(/quanti/i);
  });

  it('a size that the network does not take, or that only values tell', async () => {
    const fixed = headed(
      [softmax(1, 'logits', 'y')],
      {},
      {
        inputs: [{ name: 'x', type: 'float32', shape: [1, 3, 4, 4] }],
      },
    );
    expect(await inputLine(() => open(fixed, { height: 5, width: 4 }))).toContain(
      'images of 4×4, which the model fixes, got 5×4',
    );
    const dynamic = headed([
      { op: 'NonZero', inputs: ['logits'], outputs: ['there'] },
      { op: 'Cast', inputs: ['there'], outputs: ['y'], attributes: { to: { int: 1 } } },
    ]);
    const line = await inputLine(() => open(dynamic));
    expect(line).toContain('NonZero');
  });
});
