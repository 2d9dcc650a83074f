import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import { inferFacts } from '../../src/graph/facts.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { fedInputs, readModel } from '../../src/graph/read.ts';
import { join, messageField, textField, varintField } from '../../src/graph/wire.ts';
import { everyTensor, listLayers } from '../../src/models/layers.ts';
import { tapModel } from '../../src/models/taps.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { VentralError } from '../../src/records/errors.ts';
import { patterned } from '../onnx.ts';

const graph: OnnxGraph = {
  name: 'net',
  opset: 13,
  inputs: [{ name: 'image', type: 'float32', shape: ['batch', 3, 6, 6] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['batch', 5] }],
  initialisers: [
    { name: 'w', array: patterned([4, 3, 3, 3]) },
    { name: 'fc', array: patterned([4, 5]) },
    { name: 'scalar', array: { data: BigInt64Array.of(-1n, 4n), shape: [2] } },
  ],
  nodes: [
    {
      op: 'Conv',
      name: '/stem/conv/Conv',
      inputs: ['image', 'w', ''],
      outputs: ['c'],
      attributes: { strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] }, group: { int: 1 } },
    },
    { op: 'LeakyRelu', inputs: ['c'], outputs: ['r'], attributes: { alpha: { float: 0.25 } } },
    { op: 'GlobalAveragePool', inputs: ['r'], outputs: ['p'] },
    {
      op: 'Constant',
      inputs: [],
      outputs: ['shape'],
      attributes: { value: { tensor: { data: BigInt64Array.of(-1n, 4n), shape: [2] } } },
    },
    { op: 'Reshape', inputs: ['p', 'shape'], outputs: ['f'] },
    { op: 'MatMul', inputs: ['f', 'fc'], outputs: ['y'], attributes: { note: { string: 'last' } } },
  ],
};

const bytes = encodeModel(graph);

describe('readModel', () => {
  const model = readModel(bytes, 'net.onnx');

  it('reads what encodeModel wrote', () => {
    expect(model).toMatchObject({ name: 'net.onnx', irVersion: 8, producer: 'ventral', opset: 13 });
    expect(model.inputs[0]).toMatchObject({
      name: 'image',
      type: 'float32',
      shape: ['batch', 3, 6, 6],
    });
    expect(model.outputs[0]).toMatchObject({ name: 'y', shape: ['batch', 5] });
    expect(model.nodes.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op));
    expect(model.nodes[0]).toMatchObject({
      name: '/stem/conv/Conv',
      inputs: ['image', 'w', ''],
      outputs: ['c'],
      attributes: {
        strides: { ints: [2, 2] },
        group: { int: 1 },
      },
    });
    expect(model.nodes[1]!.attributes.alpha).toEqual({ float: 0.25 });
    expect(model.nodes[5]!.attributes.note).toEqual({ string: 'last' });
  });

  it('leaves weights alone and reads the few numbers that shapes depend on', () => {
    expect(model.initialisers.map(({ dims, type, values }) => [dims, type, values])).toEqual([
      [[4, 3, 3, 3], 'float32', null],
      [[4, 5], 'float32', [...patterned([4, 5]).data]],
      [[2], 'int64', [-1, 4]],
    ]);
    expect(model.nodes[3]!.attributes.value).toMatchObject({
      tensor: { values: [-1, 4] },
    });
    const facts = inferFacts(model, { image: [1, 3, 6, 6] });
    expect(facts.get('c')!.shape).toEqual([1, 4, 3, 3]);
    expect(facts.get('f')!.shape).toEqual([1, 4]);
  });

  it('takes an initialiser that is also an input (IR version 3) for filled', () => {
    const old = encodeModel({
      ...graph,
      inputs: [...graph.inputs, { name: 'w', type: 'float32', shape: [4, 3, 3, 3] }],
    });
    expect(fedInputs(readModel(old, 'old.onnx')).map(({ name }) => name)).toEqual(['image']);
  });

  it('joins the parts of a model that was extended by appending', () => {
    const extended = join([bytes, ...messageField(7, messageField(12, textField(1, 'r')))]);
    const { outputs, nodes } = readModel(extended, 'net.onnx');
    expect(outputs.map(({ name }) => name)).toEqual(['y', 'r']);
    expect(nodes).toHaveLength(6);
  });

  it('reads node metadata and what subgraphs use of the graph around them', () => {
    const node = (...fields: readonly (readonly Uint8Array[])[]) => messageField(1, fields.flat());
    const inner = node(
      textField(1, 'outer'),
      textField(1, 'own'),
      textField(2, 'z'),
      textField(4, 'Add'),
    );
    const branch = [
      ...inner,
      ...messageField(5, textField(8, 'own')),
      ...messageField(12, textField(1, 'z')),
    ];
    const attribute = messageField(5, [...textField(1, 'then_branch'), ...messageField(6, branch)]);
    const entry = messageField(9, [...textField(1, 'namespace'), ...textField(2, 'a/b')]);
    const outer = node(
      textField(1, 'condition'),
      textField(2, 'q'),
      textField(4, 'If'),
      attribute,
      entry,
    );
    const model = readModel(
      join([
        ...varintField(1, 8),
        ...messageField(7, outer),
        ...messageField(8, varintField(2, 16)),
      ]),
      'if.onnx',
    );
    expect(model.nodes[0]).toMatchObject({
      op: 'If',
      inputs: ['condition'],
      captured: ['outer'],
      metadata: { namespace: 'a/b' },
    });
  });
});

const failure = (file: Uint8Array): string => {
  try {
    readModel(file, 'net.onnx');
  } catch (thrown) {
    if (thrown instanceof VentralError && thrown.kind === 'input') return thrown.message;
    throw thrown;
  }
  return '';
};

describe('files that are no ONNX model', () => {
  const text = (content: string) => new TextEncoder().encode(content);

  it.each([
    ['nothing', new Uint8Array(0), /expected an ONNX model, got an empty file/],
    ['JPEG', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), /got a JPEG image/],
    [
      'PyTorch',
      Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0),
      /got a ZIP archive, perhaps a PyTorch checkpoint/,
    ],
    [
      'Git LFS',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:0'),
      /Git LFS pointer/,
    ],
    ['HDF5', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10), /HDF5/],
    ['text', text('hello'), /got a file of another kind/],
    ['zeros', new Uint8Array(100), /got a file of another kind/],
    ['a protobuf without graph', join(varintField(1, 8)), /too early .*no graph/],
  ])('%s', (_, file, message) => {
    expect(failure(file)).toMatch(/^net\.onnx: /);
    expect(failure(file)).toMatch(message);
  });
});

/** Everything that is done with a model file; any failure must be an error of ours. */
const useAll = (file: Uint8Array): 'used' | 'refused' => {
  try {
    const structure = readModel(file, 'net.onnx');
    inferFacts(structure, {});
    everyTensor(structure);
    for (const layer of listLayers(structure)) {
      const taps = [{ layer, form: { kind: 'flatten' }, output: 'ventral.tap' }] as const;
      readModel(tapModel(file, structure, taps, { sliced: false, batch: 'symbolic' }), 'tapped');
    }
    return 'used';
  } catch (thrown) {
    if (thrown instanceof VentralError && thrown.kind === 'input') return 'refused';
    throw thrown;
  }
};

describe('damaged files', () => {
  it('cut at any byte give an input error', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(failure(bytes.subarray(0, length)), `${length} of ${bytes.length} bytes`).not.toBe('');
    }
    expect(failure(bytes.subarray(0, bytes.length - 100))).toMatch(
      /net\.onnx: expected a whole ONNX file, got a file that ends too early \(.*\); copy, download or export/,
    );
  });

  it('with 2,000 random changes are read or refused, never anything else', () => {
    const random = createRandom('mutations');
    const counts = { used: 0, refused: 0 };
    for (let round = 0; round < 2000; round++) {
      const damaged = bytes.slice();
      for (let change = random.int(4); change >= 0; change--) {
        damaged[random.int(damaged.length)] = random.int(256);
      }
      if (round % 4 === 0)
        damaged.copyWithin(random.int(damaged.length), random.int(damaged.length));
      counts[useAll(damaged)]++;
    }
    expect(counts.used).toBeGreaterThan(200);
    expect(counts.refused).toBeGreaterThan(200);
  });

  it('with subgraphs nested without end do not exhaust the stack', () => {
    let branch: Uint8Array = join(textField(4, 'If'));
    for (let depth = 0; depth < 2000; depth++) {
      branch = join(messageField(5, messageField(6, messageField(1, [branch]))));
    }
    const file = join([...varintField(1, 8), ...messageField(7, messageField(1, [branch]))]);
    expect(failure(file)).toMatch(/nested more than 32 deep/);
  });

  it('that double shapes and values at each node stay small', () => {
    const doubled = Array.from({ length: 60 }, (_, index) => ({
      op: 'Concat',
      inputs: [`s${index}`, `s${index}`],
      outputs: [`s${index + 1}`],
      attributes: { axis: { int: 0 } },
    }));
    const gathered = Array.from({ length: 60 }, (_, index) => ({
      op: 'Gather',
      inputs: [`g${index}`, `g${index}`],
      outputs: [`g${index + 1}`],
    }));
    const file = encodeModel({
      ...graph,
      initialisers: [
        { name: 's0', array: { data: BigInt64Array.of(1n, 1n), shape: [2] } },
        { name: 'g0', array: { data: BigInt64Array.of(0n, 0n, 0n, 0n), shape: [2, 2] } },
      ],
      nodes: [...doubled, ...gathered],
    });
    const facts = inferFacts(readModel(file, 'net.onnx'), {});
    expect(facts.get('s60')!.values).toBeNull();
    expect(facts.get('g60')!.shape).toBeNull();
  });
});
