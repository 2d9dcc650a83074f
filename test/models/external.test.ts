import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import { type ModelStructure, readModel } from '../../src/graph/read.ts';
import { join, messageField, textField, varintField } from '../../src/graph/wire.ts';
import { checkExternalData, externalFiles } from '../../src/models/external.ts';
import { openNetwork } from '../../src/models/network.ts';
import { randomTwin } from '../../src/models/twin.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { decodeNetwork } from '../../src/saliency/gradient-session.ts';
import { createMemoryFiles, createMemoryHash } from '../memory-files.ts';
import { patterned } from '../onnx.ts';

/** A model of one weight [10, 10] at byte 100 of a file, with a length of 400 or of "the rest". */
const modelWith = (location: string, length: string | null = '400'): ModelStructure => {
  const entry = (key: string, value: string) =>
    messageField(13, [...textField(1, key), ...textField(2, value)]);
  const weight = messageField(5, [
    ...varintField(1, 10),
    ...varintField(1, 10),
    ...varintField(2, 1),
    ...textField(8, 'w'),
    ...entry('location', location),
    ...entry('offset', '100'),
    ...(length === null ? [] : entry('length', length)),
    ...varintField(14, 1),
  ]);
  const bytes = join([
    ...varintField(1, 8),
    ...messageField(7, weight),
    ...messageField(8, varintField(2, 17)),
  ]);
  return readModel(bytes, 'net.onnx');
};

describe('external data', () => {
  it('needs bytes up to the end of its last weight, also where no length is given', () => {
    expect(externalFiles(modelWith('w.bin'))).toEqual([{ location: 'w.bin', bytes: 500 }]);
    expect(externalFiles(modelWith('w.bin', null))).toEqual([{ location: 'w.bin', bytes: 500 }]);
  });

  it('is found wherever in a model a tensor may stand', () => {
    const entry = (key: string, value: string) =>
      messageField(13, [...textField(1, key), ...textField(2, value)]);
    const tensor = (location: string) => [
      ...varintField(1, 3),
      ...varintField(2, 1),
      ...entry('location', location),
      ...varintField(14, 1),
    ];
    const attribute = (field: number, inside: readonly Uint8Array[]) =>
      messageField(5, [...textField(1, 'value'), ...messageField(field, inside)]);
    const node = (...attributes: readonly Uint8Array[]) =>
      messageField(1, [...textField(2, 'y'), ...textField(4, 'Constant'), ...attributes]);
    const sparse = (location: string) => [
      ...messageField(1, [...textField(8, location), ...tensor(location)]),
      ...messageField(2, tensor(`${location}.indices`)),
    ];
    const graph = [
      ...node(...attribute(5, tensor('constant'))),
      ...node(...attribute(10, tensor('of a list'))),
      ...node(...attribute(22, sparse('sparse constant'))),
      ...node(...attribute(6, [...messageField(5, tensor('in a branch'))])),
      ...node(...attribute(6, node(...attribute(6, node(...attribute(5, tensor('deeper'))))))),
      ...messageField(15, sparse('sparse')),
    ];
    const own = [
      ...messageField(7, [...textField(4, 'Constant'), ...attribute(5, tensor('in a function'))]),
      ...messageField(11, [...textField(1, 'a'), ...messageField(5, tensor('its default'))]),
    ];
    const bytes = join([
      ...varintField(1, 8),
      ...messageField(7, graph),
      ...messageField(8, varintField(2, 17)),
      ...messageField(20, messageField(1, messageField(5, tensor('for training')))),
      ...messageField(25, own),
    ]);
    expect(externalFiles(readModel(bytes, 'net.onnx'))).toEqual(
      [
        'constant',
        'deeper',
        'for training',
        'in a branch',
        'in a function',
        'its default',
        'of a list',
        'sparse',
        'sparse constant',
        'sparse constant.indices',
        'sparse.indices',
      ].map((location) => ({ location, bytes: 12 })),
    );
  });

  it('is refused where its place is no number of bytes', async () => {
    const files = createMemoryFiles({ '/m/w.bin': new Uint8Array(500) });
    for (const length of ['much', '-1', '1.5'])
      await expect(
        checkExternalData(modelWith('w.bin', length), '/m/net.onnx', files),
      ).rejects.toThrow('net.onnx: external data of "w": expected offset and length as whole');
  });

  it('is found beside the model', async () => {
    const files = createMemoryFiles({
      '/m/sub/w.bin': new Uint8Array(500),
      'w.bin': new Uint8Array(500),
    });
    expect(await checkExternalData(modelWith('sub/w.bin'), '/m/net.onnx', files)).toEqual([
      'sub/w.bin',
    ]);
    expect(await checkExternalData(modelWith('w.bin'), 'net.onnx', files)).toEqual(['w.bin']);
  });

  it('is named where it is missing, too short, or a folder', async () => {
    const files = createMemoryFiles({ '/m/w.bin': new Uint8Array(499), '/m/sub/x': '' });
    const check = (location: string) =>
      checkExternalData(modelWith(location), '/m/net.onnx', files);
    await expect(check('gone.bin')).rejects.toThrow(
      "net.onnx: expected its weights in the file gone.bin beside it, got no such file; put gone.bin into the model's folder",
    );
    await expect(check('w.bin')).rejects.toThrow(
      'net.onnx: external data w.bin: expected at least 500 bytes, got 499 bytes',
    );
    await expect(check('sub')).rejects.toThrow(/got a folder of that name/);
  });

  it.each([
    '../w.bin',
    'a/../../w.bin',
    '/etc/passwd',
    'C:\\w.bin',
    '..\\w.bin',
    '',
  ])('never leaves the folder of the model: "%s"', async (location) => {
    const files = createMemoryFiles({});
    await expect(checkExternalData(modelWith(location), '/m/net.onnx', files)).rejects.toThrow(
      /net\.onnx: external data: expected a path below the model's folder/,
    );
  });
});

describe('a network whose weights lie beside it, in files that are not of this computer', () => {
  const image = patterned([1, 3, 2, 2]);
  const weights = patterned([2, 3, 1, 1]);
  /** y = Conv(image, w), w from byte 8 of `sub/w.bin`. */
  const bytes = (): Uint8Array => {
    const value = (name: string, shape: number[]) => ({ name, type: 'float32', shape }) as const;
    const graph = encodeModel({
      ...{ name: 'net', opset: 17, initialisers: [] },
      inputs: [value('image', [1, 3, 2, 2])],
      outputs: [value('y', [1, 2, 2, 2])],
      nodes: [{ op: 'Conv', inputs: ['image', 'w'], outputs: ['y'] }],
    });
    const entry = (key: string, content: string) =>
      messageField(13, [...textField(1, key), ...textField(2, content)]);
    const weight = messageField(5, [
      ...weights.shape.flatMap((size) => varintField(1, size)),
      ...varintField(2, 1),
      ...textField(8, 'w'),
      ...entry('location', 'sub/w.bin'),
      ...entry('offset', '8'),
      ...entry('length', '24'),
      ...varintField(14, 1),
    ]);
    return join([graph, ...messageField(7, weight)]);
  };
  const load = async () => {
    const beside = new Uint8Array(32);
    beside.set(new Uint8Array(weights.data.buffer), 8);
    const files = createMemoryFiles({ 'm/net.onnx': bytes(), 'm/sub/w.bin': beside });
    return openNetwork('m/net.onnx', { files, hash: createMemoryHash(files) });
  };

  it('runs, and is decoded', async () => {
    const network = await load();
    const { initialisers } = await decodeNetwork(network, network.bytes);
    expect(initialisers).toMatchObject([{ name: 'w', array: weights }]);
    const engine = await createNodeEngine({ threads: 1 });
    try {
      const session = await engine.open(network);
      const { fetched } = await session.run({ image });
      const y = Array.from({ length: 8 }, (_, at) => {
        const [channel, place] = [Math.floor(at / 4), at % 4];
        return [0, 1, 2].reduce(
          (sum, c) => sum + weights.data[3 * channel + c]! * image.data[4 * c + place]!,
          0,
        );
      });
      for (const [at, found] of [...(fetched.y!.data as Float32Array)].entries())
        expect(found).toBeCloseTo(y[at]!, 5);
    } finally {
      await engine.close();
    }
  });

  it('has a twin', async () => {
    const network = await load();
    const { network: twin } = await randomTwin(network, 1, {
      hash: createMemoryHash(createMemoryFiles()),
      checkStop: () => undefined,
    });
    const { initialisers } = await decodeNetwork(twin!, twin!.bytes);
    expect(initialisers.map(({ name, array }) => [name, array.shape])).toEqual([
      ['w', [2, 3, 1, 1]],
    ]);
  });
});
