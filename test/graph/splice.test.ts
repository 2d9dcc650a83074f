import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { spliceModel } from '../../src/graph/splice.ts';
import {
  join,
  lengthOf,
  messageField,
  type Pieces,
  textField,
  varintField,
} from '../../src/graph/wire.ts';
import { goldenModel, patterned, relativeError, runOnnx } from '../onnx.ts';

const two: OnnxGraph = {
  name: 'two branches',
  opset: 13,
  inputs: [
    { name: 'x', type: 'float32', shape: [1, 4] },
    { name: 'other', type: 'float32', shape: [1, 4] },
  ],
  outputs: [
    { name: 'left', type: 'float32', shape: [1, 4] },
    { name: 'right', type: 'float32', shape: [1, 3] },
  ],
  initialisers: [
    { name: 'a', array: patterned([4, 4]) },
    { name: 'b', array: patterned([4, 3]) },
    { name: 'unused', array: patterned([1000]) },
  ],
  nodes: [
    { op: 'MatMul', inputs: ['x', 'a'], outputs: ['h'] },
    { op: 'Relu', inputs: ['h'], outputs: ['r'] },
    { op: 'Add', inputs: ['r', 'other'], outputs: ['left'] },
    { op: 'MatMul', inputs: ['r', 'b'], outputs: ['right'] },
  ],
};

const bytes = encodeModel(two);
const model = readModel(bytes, 'two.onnx');
const names = (parts: readonly { readonly name: string }[]) => parts.map(({ name }) => name);

describe('spliceModel', () => {
  it('keeps only what the outputs need', () => {
    const file = spliceModel(bytes, model, { outputs: ['r'] });
    const cut = readModel(file, 'cut.onnx');
    expect(cut.nodes.map(({ op }) => op)).toEqual(['MatMul', 'Relu']);
    expect(names(cut.initialisers)).toEqual(['a']);
    expect(names(cut.inputs)).toEqual(['x']);
    expect(names(cut.outputs)).toEqual(['r']);
    expect(file.length).toBeLessThan(bytes.length - 4000);
  });

  it('changes no number: cut, appended and run', async () => {
    const x = patterned([1, 4]);
    const whole = await runOnnx(bytes, { x, other: patterned([1, 4]) });
    const file = spliceModel(bytes, model, {
      outputs: ['right', 'doubled'],
      nodes: [{ op: 'Mul', inputs: ['right', 'two'], outputs: ['doubled'] }],
      initialisers: [{ name: 'two', array: { data: Float32Array.of(2), shape: [] } }],
    });
    const { right, doubled } = await runOnnx(file, { x });
    expect(right!.data).toEqual(whole.right!.data);
    expect([...doubled!.data]).toEqual([...right!.data].map((value) => 2 * value));
  });

  it('makes an inner tensor an input, and drops what made it', async () => {
    const file = spliceModel(bytes, model, {
      outputs: ['right'],
      inputs: [{ name: 'r', type: 'float32', shape: ['n', 4] }],
    });
    const behind = readModel(file, 'behind.onnx');
    expect(behind.nodes).toHaveLength(1);
    expect(names(behind.inputs)).toEqual(['r']);
    const { right } = await runOnnx(file, {
      r: { data: Float32Array.of(1, 0, 0, 0), shape: [1, 4] },
    });
    expect([...right!.data]).toEqual([...patterned([4, 3]).data.subarray(0, 3)]);
  });

  it('frees the batch, with the shapes that were declared for the old one', async () => {
    const value = messageField(13, [
      ...textField(1, 'r'),
      ...messageField(
        2,
        messageField(1, [
          ...varintField(1, 1),
          ...messageField(
            2,
            [1, 4].flatMap((size) => messageField(1, varintField(1, size))),
          ),
        ]),
      ),
    ]);
    const declared = join([bytes, ...messageField(7, value)]);
    const structure = readModel(declared, 'declared.onnx');
    expect(structure.values[0]).toMatchObject({ name: 'r', shape: [1, 4] });
    const file = spliceModel(declared, structure, {
      outputs: ['right'],
      inputShapes: { x: ['batch', 4] },
    });
    expect(readModel(file, 'free.onnx')).toMatchObject({
      values: [],
      inputs: [{ shape: ['batch', 4] }],
    });
    const { right } = await runOnnx(file, { x: patterned([5, 4]) });
    expect(right!.shape).toEqual([5, 3]);
    const kept = spliceModel(declared, structure, { outputs: ['right'] });
    expect(names(readModel(kept, 'kept.onnx').values)).toEqual(['r']);
    const elsewhere = spliceModel(declared, structure, { outputs: ['h'] });
    expect(readModel(elsewhere, 'elsewhere.onnx').values).toEqual([]);
  });

  it('keeps what a subgraph uses of the graph around it', async () => {
    const graphOf = (operation: string): Pieces => [
      ...messageField(1, [...textField(1, 'r'), ...textField(2, 'z'), ...textField(4, operation)]),
      ...textField(2, operation),
      ...messageField(12, textField(1, 'z')),
    ];
    const branch = (name: string, operation: string): Pieces =>
      messageField(5, [
        ...textField(1, name),
        ...messageField(6, graphOf(operation)),
        ...varintField(20, 5),
      ]);
    const choice = messageField(1, [
      ...textField(1, 'flag'),
      ...textField(2, 'chosen'),
      ...textField(4, 'If'),
      ...branch('then_branch', 'Neg'),
      ...branch('else_branch', 'Identity'),
    ]);
    const flag = messageField(5, [
      ...varintField(2, 9),
      ...textField(8, 'flag'),
      ...messageField(9, [Uint8Array.of(1)]),
    ]);
    const file = join([bytes, ...messageField(7, [...choice, ...flag])]);
    const cut = spliceModel(file, readModel(file, 'if.onnx'), { outputs: ['chosen'] });
    expect(readModel(cut, 'cut.onnx').nodes.map(({ op }) => op)).toEqual(['MatMul', 'Relu', 'If']);
    const x = patterned([1, 4]);
    const { chosen } = await runOnnx(cut, { x });
    const { r } = await runOnnx(spliceModel(bytes, model, { outputs: ['r'] }), { x });
    expect([...chosen!.data]).toEqual([...r!.data].map((value) => -value));
  });

  it('imports the domain of an appended operation', async () => {
    const file = spliceModel(bytes, model, {
      outputs: ['g'],
      nodes: [{ op: 'QuickGelu', domain: 'com.microsoft', inputs: ['r'], outputs: ['g'] }],
    });
    expect(readModel(file, 'g.onnx').opsets).toEqual({ '': 13, 'com.microsoft': 1 });
    expect((await runOnnx(file, { x: patterned([1, 4]) })).g!.shape).toEqual([1, 4]);
  });

  it('gives every tensor of a real export bit for bit', async () => {
    const { bytes: file, structure } = goldenModel('activations/vit.onnx');
    const image = patterned([1, 3, 32, 32]);
    const options = { graphOptimizationLevel: 'disabled' } as const;
    const { logits } = await runOnnx(file, { image }, options);
    const wanted = structure.nodes
      .filter(({ op }) => op === 'Add')
      .map(({ outputs }) => outputs[0]!);
    const spliced = spliceModel(file, structure, { outputs: ['logits', ...wanted] });
    const all = await runOnnx(spliced, { image }, options);
    expect(all.logits!.data).toEqual(logits!.data);
    expect(wanted.length).toBeGreaterThan(10);
    const alone = await runOnnx(
      spliceModel(file, structure, { outputs: [wanted[3]!] }),
      { image },
      options,
    );
    expect(relativeError(alone[wanted[3]!]!.data, all[wanted[3]!]!.data)).toBe(0);
  });
});

/** A TensorProto field whose numbers lie in `weights.bin`. */
const external = (
  name: string,
  dims: readonly number[],
  offset: number,
  length: number,
): Pieces => {
  const entry = (key: string, value: string): Pieces =>
    messageField(13, [...textField(1, key), ...textField(2, value)]);
  return messageField(5, [
    ...dims.flatMap((size) => varintField(1, size)),
    ...varintField(2, 1),
    ...textField(8, name),
    ...entry('location', 'weights.bin'),
    ...entry('offset', `${offset}`),
    ...entry('length', `${length}`),
    ...varintField(14, 1),
  ]);
};

describe('external data', () => {
  it('stays outside: a model of 2.4 GB is cut to what lies behind its first 2 GiB', async () => {
    const folder = mkdtempSync(joinPath(tmpdir(), 'ventral-splice-'));
    try {
      const [large, at] = [600_000_000, 2_400_000_000];
      const weights = patterned([4, 4]).data;
      const file = openSync(joinPath(folder, 'weights.bin'), 'w');
      // A sparse file: it takes no room on the disk.
      ftruncateSync(file, at + weights.byteLength);
      writeSync(file, new Uint8Array(weights.buffer), 0, weights.byteLength, at);
      closeSync(file);
      const inside = encodeModel({ ...two, initialisers: two.initialisers.slice(1, 2) });
      const extra: Pieces = [
        ...external('a', [4, 4], at, weights.byteLength),
        ...external('huge', [large], 0, 4 * large),
        ...messageField(1, [
          ...textField(1, 'huge'),
          ...textField(2, 'total'),
          ...textField(4, 'ReduceSum'),
        ]),
      ];
      expect(lengthOf(extra)).toBeLessThan(400);
      const whole = join([inside, ...messageField(7, extra)]);
      const structure = readModel(whole, 'large.onnx');
      expect(structure.initialisers.find(({ name }) => name === 'a')!.external).toEqual({
        location: 'weights.bin',
        offset: at,
        length: 64,
      });
      const cut = spliceModel(whole, structure, { outputs: ['right'] });
      const x = patterned([1, 4]);
      const { right } = await runOnnx(
        cut,
        { x },
        {
          extra: { session: { model_external_initializers_file_folder_path: folder } },
        },
      );
      const expected = await runOnnx(spliceModel(bytes, model, { outputs: ['right'] }), { x });
      expect(right!.data).toEqual(expected.right!.data);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
