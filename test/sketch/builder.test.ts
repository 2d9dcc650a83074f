import { expect, test } from 'vitest';
import { lower } from '../../src/gradient/lower.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { builderOf } from '../../src/sketch/builder.ts';

const empty: OnnxGraph = {
  name: 'test',
  opset: 18,
  inputs: [{ name: 'x', type: 'float32', shape: ['batch', 3] }],
  outputs: [],
  initialisers: [],
  nodes: [],
};

test('gives names that nothing has: tensors of the graph, those written, and those said to be taken', () => {
  const builder = builderOf(empty, { taken: ['Relu~1'] });
  builder.write({ op: 'Relu', inputs: ['x'], outputs: ['Relu~2'] });
  builder.weight('Relu~3', { data: Float32Array.of(1), shape: [] });
  builder.input({ name: 'Relu~4', type: 'float32', shape: null });
  expect(builder.apply('Relu', ['x'])).toBe('Relu~5');
  expect(builder.add('com.microsoft.Relu', ['x'], {}, 2)).toEqual(['Relu~6', 'Relu~7']);
  expect(builder.graph().nodes.at(-1)).toMatchObject({ op: 'Relu', domain: 'com.microsoft' });
  expect(builderOf(empty, { prefix: 'tap/' }).apply('Relu', ['x'])).toBe('tap/Relu~1');
});

test('makes equal small constants one, but none of a weight', () => {
  const builder = builderOf(empty);
  const weight = builder.weight('w', { data: Float32Array.of(0), shape: [1] });
  const zero = builder.constant({ data: Float32Array.of(0), shape: [1] });
  expect(zero).not.toBe(weight);
  expect(builder.constant({ data: Float32Array.of(0), shape: [1] })).toBe(zero);
  expect(builder.constant({ data: Float32Array.of(-0), shape: [1] })).not.toBe(zero);
  expect(builder.ints([1, 2])).toBe(builder.ints([1, 2]));
  // A graph that a builder made and another goes on with.
  expect(builderOf(builder.graph()).constant({ data: Float32Array.of(0), shape: [1] })).toBe(zero);
});

test('finishes without what no output needs; outputs declare nothing unless told', () => {
  const builder = builderOf(empty);
  const y = builder.apply('Relu', ['x']);
  builder.apply('Neg', [y]);
  expect(builder.finish({ y, same: 'x' })).toMatchObject({
    outputs: [
      { name: 'y', type: 'undefined', shape: null },
      { name: 'same', type: 'undefined', shape: null },
    ],
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['y'] },
      { op: 'Identity', inputs: ['x'], outputs: ['same'] },
    ],
  });
  expect(() => builder.finish({ x: y })).toThrowError('an output would hide the tensor "x"');
});

test('what a subgraph reads of a tensor is renamed with it', () => {
  const builder = builderOf(empty);
  const y = builder.apply('Relu', ['x']);
  const body = {
    name: 'then',
    inputs: [],
    outputs: [{ name: 'z', type: 'float32', shape: null }],
    initialisers: [],
    nodes: [{ op: 'Neg', inputs: [y], outputs: ['z'] }],
  } as const;
  const [chosen = ''] = builder.add('If', ['x'], { then_branch: { graph: body } });
  const { nodes } = builder.finish({ public: y, chosen });
  expect(nodes[1]!.attributes).toMatchObject({
    then_branch: { graph: { nodes: [{ inputs: ['public'] }] } },
  });
});

test('lowering leaves the names of outputs to them, even those that a builder once made up', () => {
  const graph: OnnxGraph = {
    ...empty,
    inputs: [{ name: 'x', type: 'float32', shape: [2, 3] }],
    outputs: [{ name: 'Relu~1', type: 'float32', shape: [2, 3] }],
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['inner'] },
      { op: 'Neg', inputs: ['inner'], outputs: ['Relu~1'] },
    ],
  };
  expect(lower(graph).outputs[0]!.name).toBe('Relu~1');
});
