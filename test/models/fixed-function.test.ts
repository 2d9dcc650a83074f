import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { join, messageField, textField, varintField } from '../../src/graph/wire.ts';
import { checkFixedFunction } from '../../src/models/fixed-function.ts';

const value = (name: string) => ({ name, type: 'float32' as const, shape: [1, 4] });
const bool = (name: string, is: number) => ({
  name,
  array: { data: Uint8Array.of(is), shape: [] },
  type: 'bool' as const,
});

const reasonFor = (
  nodes: readonly OnnxNode[],
  {
    tensors = ['y'],
    opset = 17,
    extra = [],
    more = new Uint8Array(0),
  }: {
    tensors?: readonly string[];
    opset?: number;
    extra?: OnnxGraph['initialisers'];
    more?: Uint8Array;
  } = {},
): string | null => {
  const model = encodeModel({
    name: 'g',
    opset,
    inputs: [value('x')],
    outputs: [value('y')],
    initialisers: [
      bool('on', 1),
      bool('off', 0),
      { name: 'half', array: { data: Float32Array.of(0.5), shape: [] } },
      { name: 'zero', array: { data: Float32Array.of(0), shape: [] } },
      ...extra,
    ],
    nodes,
  });
  const bytes = join([model, more]);
  try {
    checkFixedFunction({ bytes, structure: readModel(bytes, 'net'), name: 'net' }, tensors);
  } catch (thrown) {
    return (thrown as Error).message;
  }
  return null;
};

const through = (node: Partial<OnnxNode> & Pick<OnnxNode, 'op'>): OnnxNode[] => [
  { inputs: ['x'], outputs: ['h'], name: 'culprit', ...node },
  { op: 'Relu', inputs: ['h'], outputs: ['y'] },
];

describe('a fixed function of the image', () => {
  it.each([
    'RandomNormal',
    'RandomNormalLike',
    'RandomUniform',
    'RandomUniformLike',
    'Multinomial',
    'Bernoulli',
  ])('is not what %s makes', (op) => {
    expect(reasonFor(through({ op }))).toContain(`net: node "culprit" (${op}): expected a network`);
  });

  it('is what lies before such a node, or takes no more than its size', () => {
    const nodes = through({ op: 'RandomNormalLike' });
    expect(
      reasonFor([{ op: 'Abs', inputs: ['x'], outputs: ['early'] }, ...nodes], {
        tensors: ['early'],
      }),
    ).toBeNull();
    expect(reasonFor([nodes[0]!, { op: 'Shape', inputs: ['h'], outputs: ['y'] }])).toBeNull();
  });

  it('is dropout that is off, and none that is on or open', () => {
    const dropout = (...inputs: string[]) =>
      reasonFor(through({ op: 'Dropout', inputs: ['x', ...inputs] }));
    expect(dropout()).toBeNull();
    expect(dropout('half')).toBeNull();
    expect(dropout('half', '')).toBeNull();
    expect(dropout('half', 'off')).toBeNull();
    expect(dropout('zero', 'on')).toBeNull();
    expect(dropout('half', 'on')).toContain('dropout in training mode');
    expect(dropout('', 'on')).toContain('dropout in training mode');
    expect(dropout('half', 'x')).toContain('dropout in training mode');
    const constant = (is: number): OnnxNode => ({
      op: 'Constant',
      inputs: [],
      outputs: ['mode'],
      attributes: { value: { tensor: { data: Uint8Array.of(is), shape: [] }, type: 'bool' } },
    });
    const node = through({ op: 'Dropout', inputs: ['x', 'half', 'mode'] });
    expect(reasonFor([constant(0), ...node])).toBeNull();
    expect(reasonFor([constant(1), ...node])).toContain('dropout in training mode');
    const not: OnnxNode = { op: 'Not', inputs: ['mode'], outputs: ['other'] };
    const turned = through({ op: 'Dropout', inputs: ['x', 'half', 'other'] });
    expect(reasonFor([constant(1), not, ...turned])).toBeNull();
  });

  it('is batch normalisation with running statistics', () => {
    const norm = (opset: number, outputs: string[], training?: number) =>
      reasonFor(
        through({
          op: 'BatchNormalization',
          inputs: ['x', 'half', 'half', 'half', 'half'],
          outputs,
          ...(training === undefined ? {} : { attributes: { training_mode: { int: training } } }),
        }),
        { opset },
      );
    expect(norm(17, ['h'])).toBeNull();
    expect(norm(17, ['h'], 0)).toBeNull();
    expect(norm(17, ['h'], 1)).toContain('depends on the other images of the batch');
    expect(norm(9, ['h'])).toBeNull();
    expect(norm(9, ['h', '', ''])).toBeNull();
    expect(norm(9, ['h', 'm', 'v', 'sm', 'sv'])).toContain('depends on the other images');
  });

  it('is looked for in branches', () => {
    const body = (op: string) => ({
      graph: {
        name: 'body',
        inputs: [],
        outputs: [value('inner')],
        initialisers: [],
        nodes: [{ op, inputs: ['x'], outputs: ['inner'], name: 'deep' }],
      },
    });
    const branch = (op: string): OnnxNode[] => [
      {
        op: 'If',
        inputs: ['on'],
        outputs: ['y'],
        attributes: { then_branch: body('Relu'), else_branch: body(op) },
      },
    ];
    expect(reasonFor(branch('Abs'))).toBeNull();
    expect(reasonFor(branch('Bernoulli'))).toContain('net: node "deep" (Bernoulli)');
  });

  it("is looked for in the model's own functions, whatever these are called", () => {
    const node = (op: string) =>
      messageField(7, [
        ...textField(1, 'x'),
        ...textField(2, 'y'),
        ...textField(3, 'within'),
        ...textField(4, op),
      ]);
    const own = (op: string) =>
      join(
        messageField(25, [
          ...textField(1, 'Dropout'),
          ...textField(4, 'x'),
          ...textField(5, 'y'),
          ...node(op),
          ...messageField(9, varintField(2, 17)),
          ...textField(10, 'mine'),
        ]),
      );
    const call = through({ op: 'Dropout', domain: 'mine', inputs: ['x', 'half', 'on'] });
    expect(reasonFor(call, { more: own('Relu') })).toBeNull();
    expect(reasonFor(call, { more: own('RandomUniformLike') })).toContain('node "within"');
  });
});
