import { afterAll, expect, test } from 'vitest';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { sketchOf } from '../../src/sketch/sketch.ts';
import {
  averaged,
  expanded,
  negative,
  plus,
  reshaped,
  scaled,
  shapeOf,
  shifted,
  summed,
  summedTo,
  times,
  transposed,
} from '../../src/sketch/terms.ts';
import { closeEngine, float32, graphOf, runGraph } from '../gradient/run.ts';

afterAll(closeEngine);

const x = float32([1, 2, 3, 4, 5, 6], [2, 3]);
const row = float32([10, 20, 30], [3]);
const plain = (): OnnxGraph =>
  graphOf(
    [{ op: 'Mul', inputs: ['x', 'one'], outputs: ['y'] }],
    { x, row },
    { one: float32([1], []) },
  );

/** Operations of the finished graph for one tensor of a sketch. */
const opsOf = (draw: (sketch: ReturnType<typeof sketchOf>) => string): string[] => {
  const sketch = sketchOf(plain());
  return sketch.finish({ out: draw(sketch) }).nodes.map(({ op }) => op);
};

test('knows the shape of what it adds', () => {
  const sketch = sketchOf(plain());
  expect(shapeOf(sketch, plus(sketch, 'x', 'row'))).toEqual([2, 3]);
  expect(shapeOf(sketch, transposed(sketch, 'x', [1, 0]))).toEqual([3, 2]);
  expect(shapeOf(sketch, summed(sketch, 'x', [0]))).toEqual([1, 3]);
  const own = sketch.apply('ventral.Anything', ['x'], { shape: { ints: [7] } });
  expect(sketch.fact(own)).toEqual({ type: 'float32', shape: [7] });
  expect(() => sketch.fact('nothing')).toThrowError('no tensor "nothing"');
});

test('the same node twice is one, and so are equal constants', () => {
  const sketch = sketchOf(plain());
  expect(plus(sketch, 'x', 'row')).toBe(plus(sketch, 'x', 'row'));
  expect(plus(sketch, 'x', 'row')).not.toBe(plus(sketch, 'row', 'x'));
  expect(sketch.apply('Mul', ['x', 'one'])).toBe('y');
  expect(sketch.ints([1, 2])).toBe(sketch.ints([1, 2]));
  expect(sketch.scalar(0, 'x')).not.toBe(sketch.scalar(-0, 'x'));
  expect(scaled(sketch, 2, 'x')).toBe(scaled(sketch, 2, 'x'));
  const later = sketchOf(sketch.finish({ out: scaled(sketch, 2, 'x') }));
  expect(scaled(later, 2, 'x')).toBe('out');
  const random = () => sketch.apply('RandomNormalLike', ['x']);
  expect(random()).not.toBe(random());
});

test('trivial operations are none', () => {
  expect(opsOf((s) => negative(s, negative(s, shifted(s, 'x', 1))))).toEqual(['Add']);
  const sketch = sketchOf(plain());
  expect(scaled(sketch, 1, 'x')).toBe('x');
  expect(shifted(sketch, 'x', 0)).toBe('x');
  expect(reshaped(sketch, 'x', [2, 3])).toBe('x');
  expect(expanded(sketch, 'x', [1, 3])).toBe('x');
  expect(transposed(sketch, transposed(sketch, 'x', [1, 0]), [1, 0])).toBe('x');
  expect(sketch.apply('Cast', ['x'], { to: { int: 1 } })).toBe('x');
  expect(sketch.apply('Concat', ['x'], { axis: { int: 0 } })).toBe('x');
  expect(summed(sketch, 'x', [])).toBe('x');
  expect(opsOf((s) => reshaped(s, reshaped(s, 'x', [6]), [3, 2]))).toEqual(['Reshape']);
  // A smaller tensor times 1 is still repeated.
  const ones = expanded(sketch, sketch.scalar(1, 'x'), [2, 3]);
  expect(shapeOf(sketch, times(sketch, ones, 'row'))).toEqual([2, 3]);
});

test('a constant of the model is a parameter and stays', () => {
  const sketch = sketchOf(plain());
  expect(sketch.maker(sketch.apply('Mul', ['row', 'one']))?.inputs).toEqual(['row', 'one']);
  expect(sketch.maker(reshaped(sketch, 'one', [1]))?.op).toBe('Reshape');
  expect(sketch.maker(reshaped(sketch, sketch.scalar(5, 'x'), [1]))).toBeNull();
});

test('work on repeated elements is done before they are repeated', () => {
  expect(opsOf((s) => times(s, expanded(s, 'row', [2, 3]), 'x'))).toEqual(['Mul']);
  expect(opsOf((s) => s.apply('Exp', [expanded(s, 'row', [2, 3])]))).toEqual(['Exp', 'Expand']);
  const sketch = sketchOf(plain());
  const product = scaled(sketch, 3, expanded(sketch, 'row', [4, 3]));
  expect(sketch.maker(product)?.op).toBe('Expand');
  expect(shapeOf(sketch, product)).toEqual([4, 3]);
});

test('factors are taken out of sums', async () => {
  const sketch = sketchOf(plain());
  const sum = summed(sketch, scaled(sketch, 3, 'x'), [0, 1]);
  const mean = averaged(sketch, negative(sketch, 'x'), [1]);
  expect([sketch.maker(sum)?.op, sketch.maker(mean)?.op]).toEqual(['Mul', 'Neg']);
  const results = await runGraph(sketch.finish({ sum, mean }), { x, row });
  expect(results.sum).toEqual(float32([63], [1, 1]));
  expect(results.mean).toEqual(float32([-2, -5], [2, 1]));
});

test('sums to a shape', async () => {
  const sketch = sketchOf(plain());
  const outputs = Object.fromEntries(
    [[], [1], [3], [2, 1], [1, 3], [2, 3]].map((shape) => [
      `to ${shape}`,
      summedTo(sketch, 'x', shape),
    ]),
  );
  const results = await runGraph(sketch.finish(outputs), { x, row });
  expect(results['to ']).toEqual(float32([21], []));
  expect(results['to 1']).toEqual(float32([21], [1]));
  expect(results['to 3']).toEqual(float32([5, 7, 9], [3]));
  expect(results['to 2,1']).toEqual(float32([6, 15], [2, 1]));
  expect(results['to 1,3']).toEqual(float32([5, 7, 9], [1, 3]));
  expect(results['to 2,3']).toEqual(x);
});

test('finishes with names for every tensor, copies where one has several, and nothing idle', async () => {
  const sketch = sketchOf(plain());
  const sum = plus(sketch, 'x', 'row');
  times(sketch, sum, sum);
  const graph = sketch.finish({ y: 'y', a: sum, b: sum, same: 'x', five: sketch.scalar(5, 'x') });
  expect(graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ['y', [2, 3]],
    ['a', [2, 3]],
    ['b', [2, 3]],
    ['same', [2, 3]],
    ['five', []],
  ]);
  expect(graph.nodes.map(({ op }) => op).toSorted()).toEqual([
    'Add',
    'Identity',
    'Identity',
    'Identity',
    'Mul',
  ]);
  const results = await runGraph(graph, { x, row });
  expect(results.a).toEqual(float32([11, 22, 33, 14, 25, 36], [2, 3]));
  expect(results.b).toEqual(results.a);
  expect(results.same).toEqual(x);
  expect(results.five).toEqual(float32([5], []));
  expect(() => sketch.finish({ x: sum })).toThrowError('an output would hide the tensor "x"');
});
