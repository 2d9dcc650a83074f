import { describe, expect, it } from 'vitest';
import { encodeModel, nodeField } from '../../src/graph/encode.ts';
import type { OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { withoutFunctions } from '../../src/graph/inline.ts';
import { readModel } from '../../src/graph/read.ts';
import { ATTRIBUTE, FUNCTION, MODEL, NODE, OPSET } from '../../src/graph/schema.ts';
import {
  fieldsOf,
  join,
  messageField,
  type Pieces,
  textField,
  varintField,
} from '../../src/graph/wire.ts';
import { patterned, relativeError, runOnnx } from '../onnx.ts';

/** An attribute of a node in a function whose value is an attribute of the call. */
interface Reference {
  readonly attribute: string;
  readonly of: string;
  /** Its kind (AttributeProto.type). */
  readonly type: number;
}

interface Body {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly (OnnxNode & { readonly reference?: Reference })[];
  readonly opset?: number;
}

/** What is inside the only field of a message. */
const payload = (pieces: Pieces): Uint8Array => {
  const bytes = join(pieces);
  const [field] = fieldsOf({ bytes, name: 'made' }, 0, bytes.length);
  return bytes.subarray(field!.from, field!.to);
};

const referring = ({ attribute, of, type }: Reference): Pieces =>
  messageField(NODE.attribute, [
    ...textField(ATTRIBUTE.name, attribute),
    ...varintField(ATTRIBUTE.type, type),
    ...textField(ATTRIBUTE.reference, of),
  ]);

const functionField = ({ name, inputs, outputs, nodes, opset = 13 }: Body): Pieces =>
  messageField(MODEL.functions, [
    ...textField(FUNCTION.name, name),
    ...inputs.flatMap((each) => textField(FUNCTION.input, each)),
    ...outputs.flatMap((each) => textField(FUNCTION.output, each)),
    ...nodes.flatMap(({ reference, ...node }) =>
      messageField(FUNCTION.node, [
        payload(nodeField(node)),
        ...(reference === undefined ? [] : referring(reference)),
      ]),
    ),
    ...messageField(FUNCTION.opsetImport, varintField(OPSET.version, opset)),
    ...messageField(FUNCTION.opsetImport, [
      ...textField(OPSET.domain, 'own'),
      ...varintField(OPSET.version, 1),
    ]),
    ...textField(FUNCTION.domain, 'own'),
  ]);

const model = (nodes: readonly OnnxNode[], functions: readonly Body[]): Uint8Array => {
  const graph: OnnxGraph = {
    name: 'calls',
    opset: 13,
    opsets: { own: 1 },
    inputs: [{ name: 'x', type: 'float32', shape: [1, 3, 4, 4] }],
    outputs: [{ name: 'y', type: 'float32', shape: null }],
    initialisers: [
      { name: 'w', array: patterned([3, 3, 1, 1]) },
      { name: 'yes', array: { data: Uint8Array.of(1), shape: [] }, type: 'bool' },
    ],
    nodes,
  };
  return join([encodeModel(graph), ...functions.flatMap(functionField)]);
};

const call = (op: string, inputs: readonly string[], output: string, name = ''): OnnxNode => ({
  op,
  domain: 'own',
  inputs,
  outputs: [output],
  ...(name === '' ? {} : { name }),
});

const block: Body = {
  name: 'Block',
  inputs: ['a', 'w'],
  outputs: ['o'],
  nodes: [
    { op: 'Conv', name: 'conv', inputs: ['a', 'w'], outputs: ['t'] },
    { op: 'Relu', inputs: ['t'], outputs: ['o'] },
  ],
};

const opsOf = (bytes: Uint8Array): string[] =>
  readModel(bytes, 'calls').nodes.map(({ name, op }) => `${op} ${name}`);

/** Largest difference from what the engine makes of the model with its functions. */
const change = async (bytes: Uint8Array): Promise<number> => {
  const feeds = { x: patterned([1, 3, 4, 4]) };
  const [before, after] = [
    await runOnnx(bytes, feeds),
    await runOnnx(withoutFunctions(bytes, 'calls'), feeds),
  ];
  return relativeError(after.y!.data, before.y!.data);
};

describe('withoutFunctions', () => {
  it('leaves a model without functions as it is', () => {
    const bytes = model([{ op: 'Relu', inputs: ['x'], outputs: ['y'] }], []);
    expect(withoutFunctions(bytes, 'calls')).toBe(bytes);
  });

  it('writes every call out under names of its own', async () => {
    const bytes = model(
      [call('Block', ['x', 'w'], 'm', 'first'), call('Block', ['m', 'w'], 'y', 'second')],
      [block],
    );
    const written = withoutFunctions(bytes, 'calls');
    expect(opsOf(written)).toEqual([
      'Conv first/conv',
      'Relu first/Relu',
      'Conv second/conv',
      'Relu second/Relu',
    ]);
    expect(readModel(written, 'calls').functions).toEqual([]);
    expect(await change(bytes)).toBe(0);
  });

  it('writes out calls of calls', async () => {
    const outer: Body = {
      name: 'Outer',
      inputs: ['a', 'w'],
      outputs: ['b'],
      nodes: [call('Block', ['a', 'w'], 't', 'inner'), call('Block', ['t', 'w'], 'b', 'again')],
    };
    const bytes = model([call('Outer', ['x', 'w'], 'y', 'outer')], [outer, block]);
    expect(opsOf(withoutFunctions(bytes, 'calls'))).toEqual([
      'Conv outer/inner/conv',
      'Relu outer/inner/Relu',
      'Conv outer/again/conv',
      'Relu outer/again/Relu',
    ]);
    expect(await change(bytes)).toBe(0);
  });

  it('hands on what comes in and goes out unchanged', async () => {
    // The engine itself refuses such a function.
    const same: Body = { name: 'Same', inputs: ['a'], outputs: ['a'], nodes: [] };
    const bytes = model(
      [call('Same', ['x'], 'm'), { op: 'Neg', inputs: ['m'], outputs: ['y'] }],
      [same],
    );
    const x = patterned([1, 3, 4, 4]);
    const { y } = await runOnnx(withoutFunctions(bytes, 'calls'), { x });
    expect(
      relativeError(
        y!.data,
        x.data.map((value) => -value),
      ),
    ).toBe(0);
  });

  it('gives attributes of the call to the nodes that refer to them', async () => {
    const leaky: Body = {
      name: 'Leaky',
      inputs: ['a'],
      outputs: ['o'],
      nodes: [
        {
          op: 'LeakyRelu',
          inputs: ['a'],
          outputs: ['o'],
          reference: { attribute: 'alpha', of: 'slope', type: 1 },
        },
      ],
    };
    // The engine does not know defaults of functions that name no attribute, so that the values are our own.
    const bytes = model(
      [{ ...call('Leaky', ['x'], 'y'), attributes: { slope: { float: 0.5 } } }],
      [leaky],
    );
    const x = patterned([1, 3, 4, 4]);
    const { y } = await runOnnx(withoutFunctions(bytes, 'calls'), { x });
    const right = x.data.map((value) => (value < 0 ? value / 2 : value));
    expect(relativeError(y!.data, right)).toBe(0);
  });

  it('writes out calls in the body of an If', async () => {
    const branch = (nodes: readonly OnnxNode[], output: string) => ({
      graph: {
        name: 'branch',
        inputs: [],
        outputs: [{ name: output, type: 'float32' as const, shape: null }],
        initialisers: [],
        nodes,
      },
    });
    const bytes = model(
      [
        {
          op: 'If',
          name: 'choice',
          inputs: ['yes'],
          outputs: ['y'],
          attributes: {
            then_branch: branch([call('Block', ['x', 'w'], 'one', 'called')], 'one'),
            else_branch: branch([{ op: 'Relu', inputs: ['x'], outputs: ['two'] }], 'two'),
          },
        },
      ],
      [block],
    );
    expect(await change(bytes)).toBe(0);
  });

  it('refuses functions that call themselves, and such of another version', () => {
    const endless: Body = {
      ...block,
      nodes: [call('Block', ['a', 'w'], 'o')],
    };
    const calls = [call('Block', ['x', 'w'], 'y')];
    expect(() => withoutFunctions(model(calls, [endless]), 'calls')).toThrow(
      'functions and subgraphs more than 32 deep',
    );
    expect(() => withoutFunctions(model(calls, [{ ...block, opset: 18 }]), 'calls')).toThrow(
      'expected operations of ONNX in version 13',
    );
  });
});
