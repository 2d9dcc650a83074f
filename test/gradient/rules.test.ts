import { expect, test } from 'vitest';
import { flat } from '../../src/gradient/rule.ts';
import { RULES } from '../../src/gradient/rules.ts';
import type { OnnxNode } from '../../src/graph/graph.ts';
import { canonical } from '../../src/sketch/canonical.ts';
import { operationCases } from './operation-cases.ts';
import { float32, graphOf } from './run.ts';
import { spaceCases } from './space.ts';

const sloping = Object.entries(RULES).flatMap(([op, rule]) => (rule === flat ? [] : [op]));

test('every rule has an oracle', () => {
  const held = new Set([...operationCases, ...spaceCases].map(({ op }) => op));
  // The adjoints of convolution and what normalisations share are in the second order of those that they come from;
  // casts are in differentiate.test.ts.
  const elsewhere = /^ventral\.|^Cast/;
  expect(sloping.filter((op) => !held.has(op) && !elsewhere.test(op))).toEqual([]);
});

test('the operations that classifiers are exported with have rules', () => {
  const needed =
    'Conv ConvTranspose MatMul Gemm Add Sub Mul Div Pow Sqrt Exp Log Neg Abs Erf Tanh Sigmoid Reciprocal Min Max Where ' +
    'Relu LeakyRelu Elu Clip HardSwish HardSigmoid Mish Softmax LogSoftmax LayerNormalization BatchNormalization ' +
    'InstanceNormalization MaxPool AveragePool GlobalAveragePool GlobalMaxPool ReduceMean ReduceSum ReduceMax ReduceL2 ' +
    'Reshape Flatten Transpose Squeeze Unsqueeze Expand Concat Split Slice Gather Pad Resize Einsum Identity Cast Dropout';
  expect(needed.split(' ').filter((op) => !sloping.includes(op))).toEqual([]);
});

const attributes = { num_groups: { int: 2 } };
const composed: readonly (readonly [number, OnnxNode])[] = [
  [20, { op: 'Gelu', inputs: ['x'], outputs: ['y'] }],
  [
    20,
    { op: 'Gelu', inputs: ['x'], outputs: ['y'], attributes: { approximate: { string: 'tanh' } } },
  ],
  [18, { op: 'GroupNormalization', inputs: ['x', 'two', 'two'], outputs: ['y'], attributes }],
  [21, { op: 'GroupNormalization', inputs: ['x', 'four', 'four'], outputs: ['y'], attributes }],
  [13, { op: 'MeanVarianceNormalization', inputs: ['x'], outputs: ['y'] }],
];

test.each(composed)('opset %i: $op is written out in operations with rules', (opset, node) => {
  const x = float32(new Float32Array(24), [1, 4, 2, 3]);
  const constants = { two: float32([1, 2], [2]), four: float32([1, 2, 3, 4], [4]) };
  const graph = {
    ...graphOf([node], { x }, constants, [{ name: 'y', type: 'float32', shape: [1, 4, 2, 3] }]),
    opset,
  };
  const { nodes } = canonical(graph);
  expect(nodes.length).toBeGreaterThan(1);
  expect(nodes.map(({ op }) => op).filter((op) => !sloping.includes(op))).toEqual([]);
});
