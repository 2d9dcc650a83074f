import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/graph/decode.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import type { Initialiser, OnnxGraph } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { join, messageField, textField, varintField } from '../../src/graph/wire.ts';
import { type Network, openNetwork } from '../../src/models/network.ts';
import { randomTwin } from '../../src/models/twin.ts';
import { rolesOf } from '../../src/models/twin-roles.ts';
import { viewOf } from '../../src/models/view.ts';
import { mean, standardDeviation } from '../../src/numeric/statistics.ts';
import { createMemoryFiles, createMemoryHash } from '../memory-files.ts';
import { goldenModel, patterned, runOnnx } from '../onnx.ts';

const scaled = (shape: readonly number[], scale: number): Initialiser['array'] => {
  const { data } = patterned(shape);
  return { data: data.map((value) => scale * value), shape };
};

const filled = (shape: readonly number[], value: number): Initialiser['array'] => ({
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
  shape,
});

const integers = (...values: number[]): Initialiser['array'] => ({
  data: BigInt64Array.from(values, BigInt),
  shape: [values.length],
});

/** Two numbers in a table that is added: a mask. */
const mask = { data: Float32Array.from({ length: 64 }, (_, i) => (i % 3 === 0 ? -100 : 0)) };

const w2 = scaled([96, 64, 3, 3], 0.5);

/** Everything that a constant can be: preprocessing, weights, norms as nodes and taken apart, tables, masks, bounds. */
const graph: OnnxGraph = {
  name: 'constants',
  opset: 13,
  inputs: [{ name: 'image', type: 'float32', shape: [1, 3, 8, 8] }],
  outputs: [{ name: 'y', type: 'float32', shape: [1, 16] }],
  initialisers: [
    { name: 'mean', array: scaled([1, 3, 1, 1], 0.5) },
    { name: 'std', array: filled([1, 3, 1, 1], 0.25) },
    { name: 'w1', array: scaled([64, 3, 3, 3], 0.3) },
    { name: 'b1', array: scaled([64], 1) },
    { name: 'scale', array: scaled([64], 2) },
    { name: 'shift', array: scaled([64], 3) },
    { name: 'running mean', array: scaled([64], 4) },
    { name: 'running variance', array: filled([64], 5) },
    { name: 'low', array: { data: new Float32Array(1), shape: [] } },
    { name: 'six', array: { data: Float32Array.of(6), shape: [] } },
    { name: 'w2', array: w2 },
    { name: 'variance', array: filled([96, 1, 1], 7) },
    { name: 'epsilon', array: { data: Float32Array.of(1e-5), shape: [] } },
    { name: 'gamma', array: scaled([96, 1, 1], 2) },
    { name: 'beta', array: scaled([96, 1, 1], 2) },
    { name: 'position', array: scaled([1, 96, 8, 8], 0.1) },
    { name: 'mask', array: { ...mask, shape: [1, 1, 8, 8] } },
    { name: 'flat', array: integers(1, 96 * 64) },
    { name: 'w3', array: scaled([16, 96 * 64], 0.01) },
    { name: 'b3', array: scaled([16], 1) },
  ],
  nodes: [
    { op: 'Sub', inputs: ['image', 'mean'], outputs: ['1'] },
    { op: 'Div', inputs: ['1', 'std'], outputs: ['2'] },
    {
      op: 'Conv',
      inputs: ['2', 'w1', 'b1'],
      outputs: ['3'],
      attributes: { pads: { ints: [1, 1, 1, 1] } },
    },
    {
      op: 'BatchNormalization',
      inputs: ['3', 'scale', 'shift', 'running mean', 'running variance'],
      outputs: ['4'],
    },
    { op: 'Clip', inputs: ['4', 'low', 'six'], outputs: ['5'] },
    {
      op: 'Conv',
      inputs: ['5', 'w2'],
      outputs: ['6'],
      attributes: { pads: { ints: [1, 1, 1, 1] } },
    },
    { op: 'Add', inputs: ['variance', 'epsilon'], outputs: ['7'] },
    { op: 'Sqrt', inputs: ['7'], outputs: ['8'] },
    { op: 'Div', inputs: ['6', '8'], outputs: ['9'] },
    { op: 'Mul', inputs: ['9', 'gamma'], outputs: ['10'] },
    { op: 'Add', inputs: ['10', 'beta'], outputs: ['11'] },
    { op: 'Add', inputs: ['11', 'position'], outputs: ['12'] },
    { op: 'Add', inputs: ['12', 'mask'], outputs: ['13'] },
    { op: 'Relu', inputs: ['13'], outputs: ['14'] },
    { op: 'Reshape', inputs: ['14', 'flat'], outputs: ['15'] },
    {
      op: 'Gemm',
      inputs: ['15', 'w3', 'b3'],
      outputs: ['y'],
      attributes: { transB: { int: 1 } },
    },
  ],
};

/** The same with `w2` in a file beside the model, from byte 64 on. */
const withExternal = (): { model: Uint8Array; weights: Uint8Array } => {
  const bytes = new Uint8Array(w2.data.buffer);
  const weights = new Uint8Array(64 + bytes.length);
  weights.set(bytes, 64);
  const entry = (key: string, value: string) =>
    messageField(13, [...textField(1, key), ...textField(2, value)]);
  const tensor = [
    ...w2.shape.flatMap((size) => varintField(1, size)),
    ...varintField(2, 1),
    ...textField(8, 'w2'),
    ...entry('location', 'w.bin'),
    ...entry('offset', '64'),
    ...entry('length', String(bytes.length)),
    ...varintField(14, 1),
  ];
  const initialisers = graph.initialisers.filter(({ name }) => name !== 'w2');
  // Protobuf merges messages that follow each other.
  const model = join([
    encodeModel({ ...graph, initialisers }),
    ...messageField(7, messageField(5, tensor)),
  ]);
  return { model, weights };
};

const portsOf = (contents: Readonly<Record<string, Uint8Array>>) => {
  const files = createMemoryFiles(contents);
  return { files, hash: createMemoryHash(files), checkStop: () => undefined };
};

const twinOf = async (
  model: Uint8Array,
  seed: number,
  others: Readonly<Record<string, Uint8Array>> = {},
): Promise<Network> => {
  const ports = portsOf({ 'm/net.onnx': model, ...others });
  const { network } = await randomTwin(await openNetwork('m/net.onnx', ports), seed, ports);
  return network!;
};

const numbersOf = ({ bytes }: Pick<Network, 'bytes'>): Map<string, number[]> =>
  new Map(
    decodeModel(bytes, 'twin').initialisers.map(({ name, array }) => [
      name,
      Array.from(array.data, Number),
    ]),
  );

describe('the random twin of a network', () => {
  const model = encodeModel(graph);

  it.each([
    ['w1', 27],
    ['w2', 576],
    ['w3', 6144],
  ])('draws the weights %s with mean 0 and standard deviation 1 / √%i', async (name, fanIn) => {
    const values = numbersOf(await twinOf(model, 1)).get(name)!;
    const deviation = 1 / Math.sqrt(fanIn);
    // Four standard errors.
    const tolerance = 4 / Math.sqrt(2 * values.length);
    expect(Math.abs(standardDeviation(values) / deviation - 1)).toBeLessThan(tolerance);
    expect(Math.abs(mean(values) / deviation)).toBeLessThan(4 / Math.sqrt(values.length));
    // A normal distribution has 4.55 % beyond two deviations.
    const beyond = values.filter((value) => Math.abs(value) > 2 * deviation).length / values.length;
    expect(Math.abs(beyond - 0.0455)).toBeLessThan(4 * Math.sqrt(0.0455 / values.length));
  });

  it('resets norms, as nodes and taken apart, and biases; leaves scalars, masks, shapes and preprocessing', async () => {
    const before = numbersOf({ bytes: model });
    const after = numbersOf(await twinOf(model, 1));
    for (const name of ['scale', 'running variance', 'variance', 'gamma'])
      expect(new Set(after.get(name))).toEqual(new Set([1]));
    for (const name of ['b1', 'shift', 'running mean', 'beta', 'b3'])
      expect(new Set(after.get(name))).toEqual(new Set([0]));
    for (const name of ['mean', 'std', 'low', 'six', 'epsilon', 'mask', 'flat'])
      expect(after.get(name)).toEqual(before.get(name));
    const position = after.get('position')!;
    expect(standardDeviation(position)).toBeGreaterThan(0.95 / Math.sqrt(8));
    expect(standardDeviation(position)).toBeLessThan(1.05 / Math.sqrt(8));
  });

  it('is the same graph, and runs', async () => {
    const twin = await twinOf(model, 1);
    const shown = (bytes: Uint8Array) => {
      const { nodes, initialisers } = readModel(bytes, 'net');
      return {
        nodes: nodes.map(({ op, inputs, outputs, attributes }) => [
          op,
          inputs,
          outputs,
          attributes,
        ]),
        constants: initialisers.map(({ name, type, dims }) => [name, type, dims]).sort(),
      };
    };
    expect(shown(twin.bytes)).toEqual(shown(model));
    const image = { image: patterned([1, 3, 8, 8]) };
    const { y } = await runOnnx(twin.bytes, image);
    const { y: trained } = await runOnnx(model, image);
    expect(standardDeviation(Array.from(y!.data))).toBeGreaterThan(0.01);
    expect(y!.data).not.toEqual(trained!.data);
  });

  it('is decided by its seed, and has a hash of its own', async () => {
    const [one, again, two] = [
      await twinOf(model, 1),
      await twinOf(model, 1),
      await twinOf(model, 2),
    ];
    expect(Buffer.compare(again.bytes, one.bytes)).toBe(0);
    expect(again.sha256).toBe(one.sha256);
    expect(two.sha256).not.toBe(one.sha256);
    expect(numbersOf(two).get('w1')![0]).not.toBe(numbersOf(one).get('w1')![0]);
  });

  it('draws external weights as it draws those inside, and holds them itself', async () => {
    const { model: outside, weights } = withExternal();
    const twin = await twinOf(outside, 1, { 'm/w.bin': weights });
    expect(twin.structure.external).toEqual([]);
    expect(numbersOf(twin).get('w2')).toEqual(numbersOf(await twinOf(model, 1)).get('w2'));
  });

  it('knows all weights of the architectures, and no mask of a constant', async () => {
    for (const name of ['resnet50', 'vit_b_16', 'swin_t', 'efficientnet_b0', 'densenet121']) {
      const { structure } = goldenModel(`architectures/${name}.onnx.gz`);
      const { roles, products, drawn } = rolesOf(viewOf(structure, { height: 224, width: 224 }));
      expect([name, drawn]).toEqual([name, products]);
      for (const { name: constant, dims } of structure.initialisers) {
        // Larger matrices and kernels are all weights or tables.
        if (dims.filter((size) => size > 1).length < 2) continue;
        expect([constant, roles.get(constant)?.kind]).not.toEqual([constant, undefined]);
      }
    }
  });

  it('is refused, in words, to a network without float weights', async () => {
    const ports = portsOf({});
    const bytes = encodeModel({
      ...graph,
      outputs: [{ name: '2', type: 'float32', shape: [1, 3, 8, 8] }],
      nodes: graph.nodes.slice(0, 2),
    });
    const structure = readModel(bytes, 'none');
    const network: Network = {
      name: 'none',
      bytes,
      structure,
      input: viewOf(structure, null).input,
      externalData: [],
      path: null,
      sha256: '',
    };
    expect(await randomTwin(network, 1, ports)).toEqual({
      network: null,
      note: 'it has no float weights that could be drawn anew',
    });
  });
});
