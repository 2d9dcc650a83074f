import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/graph/decode.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxNode, ValueInfo } from '../../src/graph/graph.ts';
import { join, messageField, packedVarints, textField, varintField } from '../../src/graph/wire.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { VentralError } from '../../src/records/errors.ts';
import { endure, mutations, truncations } from '../mutations.ts';
import { goldenModel, patterned, runOnnx } from '../onnx.ts';
import { parsers } from '../parsers.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';
import { branchModel, smallGraph, smallModel } from './small-model.ts';

const failure = (decode: () => unknown): string => {
  try {
    decode();
  } catch (thrown) {
    if (thrown instanceof VentralError && thrown.kind === 'input') return thrown.message;
    throw thrown;
  }
  return '';
};

/** A model that is one tensor, given as its TensorProto fields. */
const tensorModel = (...fields: readonly (readonly Uint8Array[])[]): Uint8Array =>
  join([
    ...varintField(1, 8),
    ...messageField(7, messageField(5, [...textField(8, 't'), ...fields.flat()])),
    ...messageField(8, varintField(2, 17)),
  ]);

const tensorOf = (...fields: readonly (readonly Uint8Array[])[]) =>
  decodeModel(tensorModel(...fields), 'tensor.onnx').initialisers[0]!;

const dims = (...sizes: number[]) => packedVarints(1, sizes);
const type = (code: number) => varintField(2, code);
const raw = (...bytes: number[]) => messageField(9, [Uint8Array.from(bytes)]);

describe('decodeModel', () => {
  it('gives back what encodeModel wrote, Constant nodes as initialisers', () => {
    const decoded = decodeModel(smallModel, 'small.onnx');
    const isConstant = ({ op }: OnnxNode): boolean => op === 'Constant';
    expect(decoded).toEqual({
      ...smallGraph,
      nodes: smallGraph.nodes.filter((node) => !isConstant(node)),
      initialisers: [
        ...smallGraph.initialisers,
        { name: 'zero', array: { data: BigInt64Array.of(0n), shape: [1] } },
        { name: 'rest', array: { data: BigInt64Array.of(-1n), shape: [1] } },
      ],
    });
    expect(decodeModel(encodeModel(decoded), 'again.onnx')).toEqual(decoded);
  });

  it('has memory of its own: the file may be overwritten', () => {
    const bytes = smallModel.slice();
    const { initialisers } = decodeModel(bytes, 'small.onnx');
    bytes.fill(0);
    expect(initialisers.find(({ name }) => name === 'scale')!.array.data).toEqual(
      Float32Array.of(1, 2),
    );
  });

  it('reads the numbers of every type, raw and in the typed fields', () => {
    expect(tensorOf(dims(2), type(10), raw(0, 0x3c, 0, 0xc0))).toEqual({
      name: 't',
      type: 'float16',
      array: { data: Uint16Array.of(0x3c00, 0xc000), shape: [2] },
    });
    expect(tensorOf(dims(1), type(16), packedVarints(5, [0x3f80]))).toMatchObject({
      type: 'bfloat16',
      array: { data: Uint16Array.of(0x3f80) },
    });
    expect(tensorOf(dims(2, 1), type(9), packedVarints(5, [1, 0]))).toMatchObject({
      type: 'bool',
      array: { data: Uint8Array.of(1, 0), shape: [2, 1] },
    });
    expect(tensorOf(dims(3), type(3), packedVarints(5, [-1, 127, -128])).array.data).toEqual(
      Int8Array.of(-1, 127, -128),
    );
    expect(tensorOf(dims(2), type(6), packedVarints(5, [-7, 2 ** 31 - 1])).array.data).toEqual(
      Int32Array.of(-7, 2 ** 31 - 1),
    );
    expect(tensorOf(type(1), messageField(4, [Uint8Array.of(0, 0, 0x80, 0x3f)])).array).toEqual({
      data: Float32Array.of(1),
      shape: [],
    });
    expect(tensorOf(dims(1), type(11), raw(0, 0, 0, 0, 0, 0, 0xf0, 0x3f)).array.data).toEqual(
      Float64Array.of(1),
    );
    const one = varintField(7, 5);
    expect(tensorOf(dims(2), type(7), one, one).array.data).toEqual(BigInt64Array.of(5n, 5n));
  });

  it('keeps 64-bit integers that a double cannot hold', () => {
    const odd = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
    expect(tensorOf(dims(1), type(7), messageField(7, [odd])).array.data).toEqual(
      BigInt64Array.of(2n ** 63n - 1n),
    );
    const all = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1);
    expect(tensorOf(dims(1), type(13), messageField(11, [all])).array.data).toEqual(
      BigUint64Array.of(2n ** 64n - 1n),
    );
    const node: OnnxNode = {
      op: 'Slice',
      inputs: ['x'],
      outputs: ['y'],
      attributes: { starts: { ints: [0] }, ends: { ints: [2 ** 63] } },
    };
    const graph = { ...smallGraph, opset: 9, nodes: [node], outputs: [] };
    const { nodes } = decodeModel(encodeModel(graph), 'old.onnx');
    // 2^63 − 1, which means "up to the end", is 2^63 as a double, and is written as what it was.
    expect(nodes[0]!.attributes!.ends).toEqual({ ints: [2 ** 63] });
    expect(encodeModel(graph).join()).toContain(odd.join());
  });

  it('decodes subgraphs and encodes them again', async () => {
    const branch = (op: string) => ({
      graph: {
        name: op,
        inputs: [],
        outputs: [{ name: `${op}.y`, type: 'float32', shape: null }],
        initialisers: [],
        nodes: [{ op, inputs: ['x'], outputs: [`${op}.y`] }],
      } as const,
    });
    const graph = {
      name: 'branches',
      opset: 17,
      inputs: [
        { name: 'x', type: 'float32', shape: [2] },
        { name: 'condition', type: 'bool', shape: [] },
      ],
      outputs: [{ name: 'y', type: 'float32', shape: null }],
      initialisers: [],
      nodes: [
        {
          op: 'If',
          inputs: ['condition'],
          outputs: ['y'],
          attributes: { then_branch: branch('Neg'), else_branch: branch('Abs') },
        },
      ],
    } as const;
    const decoded = decodeModel(encodeModel(graph), 'if.onnx');
    expect(decoded.nodes).toEqual(graph.nodes);
  });

  it('takes weights from files beside the model', () => {
    const entry = (key: string, value: string) =>
      messageField(13, [...textField(1, key), ...textField(2, value)]);
    const bytes = tensorModel(
      dims(2),
      type(1),
      varintField(14, 1),
      entry('location', 'weights.bin'),
      entry('offset', '4'),
      entry('length', '8'),
    );
    const file = new Uint8Array(Float32Array.of(9, 1, 2, 9).buffer);
    const { initialisers } = decodeModel(bytes, 'm.onnx', { 'weights.bin': file });
    expect(initialisers[0]!.array).toEqual({ data: Float32Array.of(1, 2), shape: [2] });
    expect(failure(() => decodeModel(bytes, 'm.onnx'))).toMatch(
      /tensor "t": expected 8 bytes in the file "weights.bin" .* got no such file/,
    );
    expect(
      failure(() => decodeModel(bytes, 'm.onnx', { 'weights.bin': file.subarray(0, 11) })),
    ).toMatch(/8 of a file of 11 bytes/);
  });

  it.each([
    ['too few raw bytes', [dims(2), type(1), raw(0, 0, 0, 0)], /needs 8 bytes and has 4/],
    ['too few numbers', [dims(3), type(7), packedVarints(7, [1, 2])], /needs 3 bytes and has 2/],
    ['too many numbers', [dims(1), type(7), packedVarints(7, [1, 2])], /as many numbers as/],
    ['a shape beyond the file', [dims(2 ** 40), type(1)], /needs 4398046511104 bytes and has 0/],
    ['a shape beyond any memory', [dims(2 ** 40, 2 ** 40), type(1)], /tensor "t" of shape/],
    ['a negative size', [dims(-1, -1), type(1), raw(0, 0, 0, 0)], /of shape \[-1, -1\]/],
    ['text', [dims(1), type(8)], /expected numbers.*got the type string/],
    ['a type that nobody knows', [dims(1), type(99)], /got a type that is not known/],
  ])('refuses a tensor with %s', (_, fields, message) => {
    expect(failure(() => tensorOf(...fields))).toMatch(message);
  });

  it("refuses the model's own functions, sparse weights and lists of tensors", () => {
    const model = (graph: readonly Uint8Array[], ...rest: readonly (readonly Uint8Array[])[]) =>
      join([
        ...varintField(1, 8),
        ...messageField(7, graph),
        ...messageField(8, varintField(2, 17)),
        ...rest.flat(),
      ]);
    const call = messageField(1, [...textField(4, 'Norm'), ...textField(7, 'my')]);
    const own = messageField(25, [...textField(1, 'Norm'), ...textField(10, 'my')]);
    expect(failure(() => decodeModel(model(call, own), 'm.onnx'))).toMatch(
      /\(Norm\): expected an operation of ONNX, got a function/,
    );
    const sparse = messageField(15, messageField(1, textField(8, 's')));
    expect(failure(() => decodeModel(model(sparse), 'm.onnx'))).toMatch(/dense weights.*sparse/);
    const lists = messageField(5, [...textField(1, 'all'), ...messageField(10, [])]);
    const node = messageField(1, [...textField(4, 'Odd'), ...lists]);
    expect(failure(() => decodeModel(model(node), 'm.onnx'))).toMatch(/attribute "all"/);
    expect(failure(() => decodeModel(model(messageField(1, [])), 'm.onnx'))).toMatch(
      /a node without an operation/,
    );
  });
});

/** Free sizes are 1. */
const sizes = ({ shape }: ValueInfo): number[] =>
  shape!.map((size) => (typeof size === 'number' ? size : 1));

const families = readdirSync(new URL('../golden/families/', import.meta.url)).filter((name) =>
  name.endsWith('.onnx.gz'),
);

describe('decoded and encoded again, networks give the very same numbers', () => {
  // One of each opset from 13 to 21 is enough here; `canonical.test.ts` runs them all.
  it.each(
    families.filter((name) => /^(vit|mixer|pyramid|resnet_v2)-/.test(name)),
  )('%s', async (file) => {
    const { bytes } = goldenModel(`families/${file}`);
    const graph = decodeModel(bytes, file);
    const feeds = { image: patterned(sizes(graph.inputs[0]!)) };
    expect(await runOnnx(encodeModel(graph), feeds)).toEqual(await runOnnx(bytes, feeds));
  });

  const folder = sharedPath('data', 'models');
  const real = folder === null ? [] : readdirSync(folder);
  it.skipIf(folder === null)(
    `the real ones${folder === null ? `: skipped, ${sharedSkipReason}` : ''}`,
    async () => {
      for (const file of real) {
        const bytes = readFileSync(`${folder}/${file}`);
        const graph = decodeModel(bytes, file);
        const feeds = { x: patterned(graph.inputs[0]!.shape as number[]) };
        expect(await runOnnx(encodeModel(graph), feeds), file).toEqual(await runOnnx(bytes, feeds));
      }
    },
  );
});

describe('damaged files', () => {
  const { parse, seconds } = parsers.onnx!;

  it('cut after any byte are refused', async () => {
    for (const model of [smallModel, branchModel]) {
      const { read } = await endure(truncations(model), parse, seconds);
      expect(read).toBe(0);
    }
  });

  it('with changes are read or refused: 2,000 of them', async () => {
    const files = mutations([smallModel, branchModel], 2000, createRandom('onnx mutations'));
    const { read, refused } = await endure(files, parse, seconds);
    expect(read + refused).toBe(2000);
    expect(read).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(500);
  });
});
