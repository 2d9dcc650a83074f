import { expect } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxNode } from '../../src/graph/graph.ts';
import { join, messageField, textField, varintField } from '../../src/graph/wire.ts';
import type { NdArray } from '../../src/records/array.ts';
import type { EngineModel, WeightsFile } from '../../src/records/ports.ts';
import { createMemoryFiles } from '../memory-files.ts';
import { type Clause, errorLine, storageLine } from './contract.ts';
import type { EngineUnderTest } from './engine.ts';

type Type = 'float32' | 'float64' | 'int64' | 'uint8' | 'bool' | 'float16' | 'string';
type Size = number | string;
type Value = readonly [name: string, type: Type, shape: readonly Size[]];

/** A model of some operations. */
export const modelOf = (
  nodes: readonly OnnxNode[],
  inputs: readonly Value[],
  outputs: readonly Value[],
): EngineModel => {
  const info = ([name, type, shape]: Value) => ({ name, type, shape });
  const bytes = encodeModel({
    name: 'contract',
    opset: 17,
    inputs: inputs.map(info),
    outputs: outputs.map(info),
    initialisers: [],
    nodes,
  });
  return { bytes };
};

const identity = (type: Type, shape: readonly Size[] = ['n']): EngineModel =>
  modelOf(
    [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    [['x', type, shape]],
    [['y', type, shape]],
  );

/** y = x·w + v with w [2, 2] from one file, behind four bytes of something else, and v [2] from another. */
export const outsideModel = (): Uint8Array => {
  const { bytes } = modelOf(
    [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['xw'] },
      { op: 'Add', inputs: ['xw', 'v'], outputs: ['y'] },
    ],
    [['x', 'float32', [1, 2]]],
    [['y', 'float32', [1, 2]]],
  );
  const entry = (key: string, value: string) =>
    messageField(13, [...textField(1, key), ...textField(2, value)]);
  const weight = (name: string, dims: readonly number[], location: string, offset: number) =>
    messageField(5, [
      ...dims.flatMap((size) => varintField(1, size)),
      ...varintField(2, 1),
      ...textField(8, name),
      ...entry('location', location),
      ...entry('offset', `${offset}`),
      ...entry('length', `${dims.reduce((product, size) => product * size, 4)}`),
      ...varintField(14, 1),
    ]);
  const weights = [...weight('w', [2, 2], 'parts/w.bin', 4), ...weight('v', [2], 'v.bin', 0)];
  return join([bytes, ...messageField(7, weights)]);
};

export const outsideFiles = (): Record<'parts/w.bin' | 'v.bin', Uint8Array> => ({
  'parts/w.bin': new Uint8Array(Float32Array.of(99, 1, 2, 3, 4).buffer),
  'v.bin': new Uint8Array(Float32Array.of(100, 200).buffer),
});

/** The two files under other paths than the model has for them. */
const outside = (): WeightsFile[] => {
  const contents = outsideFiles();
  const files = createMemoryFiles({ '/a/1': contents['parts/w.bin'], '/b/2': contents['v.bin'] });
  return [
    { name: 'parts/w.bin', path: '/a/1', files },
    { name: 'v.bin', path: '/b/2', files },
  ];
};

const x = (): NdArray => ({ data: Float32Array.of(1, 1), shape: [1, 2] });

const carried = [
  ['float32', Float32Array.of(1.5, -2)],
  ['float64', Float64Array.of(1.5, -2)],
  ['int64', BigInt64Array.of(2n ** 40n, -1n)],
  ['uint8', Uint8Array.of(3, 255)],
  ['bool', Uint8Array.of(0, 1)],
  ['float16', Uint16Array.of(0x3c00, 0xc000)],
] as const;

/** What an engine keeps that runs any model, beside `engineContract`. */
export const modelContract: readonly Clause<EngineUnderTest>[] = [
  {
    promise: 'carries every type of element, fetched and kept',
    check: async ({ engine }) => {
      for (const [type, data] of carried) {
        const session = await engine.open(identity(type));
        const { fetched } = await session.run({ x: { data, shape: [2] } });
        expect(fetched.y).toEqual({ data, shape: [2] });
        const { kept } = await session.run({ x: { data, shape: [2] } }, { keep: ['y'] });
        const held = kept.y!;
        expect(held).toMatchObject({ type, shape: [2] });
        expect((await session.run({ x: { held } })).fetched.y).toEqual({ data, shape: [2] });
        const other = await engine.hold({ data: data.slice(), shape: [2] });
        expect((await session.run({ x: { held: other } })).fetched.y!.data).toEqual(data);
        expect(await engine.take(held)).toEqual({ data, shape: [2] });
        await session.release();
      }
    },
  },
  {
    promise: 'refuses a kept output where another type is asked for, also of the same class',
    check: async ({ engine }) => {
      const half = await engine.open(identity('float16'));
      const data = Uint16Array.of(0x3c00);
      const { kept } = await half.run({ x: { data, shape: [1] } }, { keep: ['y'] });
      const bytes = await engine.open(identity('uint8'));
      await errorLine('engine', bytes.run({ x: { held: kept.y! } }));
      await errorLine('engine', bytes.run({ x: { data: Float32Array.of(1), shape: [1] } }));
    },
  },
  {
    promise: 'keeps numbers without a dimension and arrays without elements as they are',
    check: async ({ engine }) => {
      for (const shape of [[], [0, 3]]) {
        const length = shape.length === 0 ? 1 : 0;
        const session = await engine.open(identity('float32', shape));
        const data = new Float32Array(length).fill(2);
        const { kept } = await session.run({ x: { data, shape } }, { keep: ['y'] });
        const { fetched } = await session.run({ x: { held: kept.y! } });
        expect(fetched.y).toEqual({ data, shape });
      }
    },
  },
  {
    promise: 'keeps an output apart from the input that it equals',
    check: async ({ engine }) => {
      const session = await engine.open(identity('float32'));
      const held = await engine.hold({ data: Float32Array.of(1, 2), shape: [2] });
      const { kept } = await session.run({ x: { held } }, { keep: ['y'] });
      expect((await engine.take(held)).data).toEqual(Float32Array.of(1, 2));
      expect((await engine.read(kept.y!)).data).toEqual(Float32Array.of(1, 2));
    },
  },
  {
    promise: 'feeds inputs of any name',
    check: async ({ engine }) => {
      for (const name of ['__proto__', 'constructor']) {
        const session = await engine.open(
          modelOf(
            [{ op: 'Neg', inputs: [name], outputs: ['y'] }],
            [[name, 'float32', ['n']]],
            [['y', 'float32', ['n']]],
          ),
        );
        const feed = { data: Float32Array.of(1, 2), shape: [2] };
        const { fetched } = await session.run(Object.fromEntries([[name, feed]]));
        expect(fetched.y!.data).toEqual(Float32Array.of(-1, -2));
      }
    },
  },
  {
    promise: 'copies the bytes of a model, or moves them where they are given',
    check: async ({ engine }) => {
      for (const given of [false, true]) {
        const { bytes } = identity('float32');
        const session = await engine.open({ bytes, given });
        expect(bytes.length === 0).toBe(given);
        const { fetched } = await session.run({ x: { data: Float32Array.of(2), shape: [1] } });
        expect(fetched.y!.data[0]).toBe(2);
      }
    },
  },
  {
    promise: 'runs a model as it stands where it is not to be optimised',
    check: async ({ engine }) => {
      const session = await engine.open({ ...identity('float32'), optimised: false });
      const { fetched } = await session.run({ x: { data: Float32Array.of(2), shape: [1] } });
      expect(fetched.y!.data[0]).toBe(2);
    },
  },
  {
    promise: 'takes weights that lie beside a model from the files that are handed over, by name',
    check: async ({ engine }) => {
      const externalData = outside();
      for (const optimised of [true, false]) {
        const session = await engine.open({ bytes: outsideModel(), externalData, optimised });
        const { fetched } = await session.run({ x: x() });
        expect([...fetched.y!.data]).toEqual([104, 206]);
      }
    },
  },
  {
    promise: 'takes a file that the model does not name for nothing',
    check: async ({ engine }) => {
      const files = createMemoryFiles({ other: 'x' });
      const externalData = [...outside(), { name: 'other', path: 'other', files }];
      const session = await engine.open({ bytes: outsideModel(), externalData });
      expect([...(await session.run({ x: x() })).fetched.y!.data]).toEqual([104, 206]);
    },
  },
  {
    promise: 'refuses weights that are not handed over',
    check: async ({ engine }) => {
      await errorLine('engine', engine.open({ bytes: outsideModel() }));
      const externalData = outside().slice(0, 1);
      await errorLine('engine', engine.open({ bytes: outsideModel(), externalData }));
    },
  },
  {
    promise: 'refuses a file of weights that ends too soon',
    check: async ({ engine }) => {
      const [{ name, path }, second] = outside() as [WeightsFile, WeightsFile];
      const files = createMemoryFiles({ [path]: new Uint8Array(19) });
      const externalData = [{ name, path, files }, second];
      await errorLine('engine', engine.open({ bytes: outsideModel(), externalData }));
    },
  },
  {
    promise: 'says what the files say where weights cannot be read',
    check: async ({ engine }) => {
      const externalData = outside().map((each) => ({ ...each, files: createMemoryFiles() }));
      const line = await storageLine(engine.open({ bytes: outsideModel(), externalData }));
      expect(line).toContain('/a/1');
    },
  },
];
