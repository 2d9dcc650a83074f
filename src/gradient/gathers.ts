import { intAttribute, textAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/graph.ts';
import { inputError } from '../records/errors.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { axesFrom, expanded, reshaped, shapeOf, zeros } from '../sketch/terms.ts';
import { described } from './constants.ts';
import { paddedAxes } from './joins.ts';
import { type Rule, type Rules, unary } from './rule.ts';

const refused = (node: OnnxNode, got: string): Error =>
  inputError({
    where: described(node),
    expected: 'indices that replace elements or add to them',
    got,
    mend: 'export the model without it',
  });

/** Zeros of `shape` to which values are added at `indices` along an axis. */
const addedAt = (
  sketch: Sketch,
  shape: readonly number[],
  indices: string,
  values: string,
  axis: number,
): string =>
  sketch.apply('ScatterElements', [zeros(sketch, shape, values), indices, values], {
    axis: { int: axis },
    reduction: { string: 'add' },
  });

/** The first of constant indices that follow each other; null for others. */
const runOf = (indices: string, size: number, sketch: Sketch): number | null => {
  const value = sketch.value(indices);
  if (value === null || value.data.length === 0) return null;
  const places = axesFrom(Array.from(value.data as Float64Array, Number), size);
  return places.every((place, index) => place === places[0]! + index) ? places[0]! : null;
};

/** Slices of x by index: each one's cotangent is added where it came from. */
const gather = unary((cotangent, x, _, sketch, node) => {
  const shape = shapeOf(sketch, x);
  const indices = node.inputs[1]!;
  const [axis = 0] = axesFrom([intAttribute(node, 'axis', 0)], shape.length);
  const count = shapeOf(sketch, indices).reduce((product, size) => product * size, 1);
  const slices = shape.map((size, own) => (own === axis ? count : size));
  const flowing = reshaped(sketch, cotangent, slices);
  const first = runOf(indices, shape[axis]!, sketch);
  if (first !== null) {
    const before = shape.map((_size, own) => (own === axis ? first : 0));
    const after = shape.map((size, own) => (own === axis ? size - count - first : 0));
    return paddedAxes(sketch, flowing, before, after);
  }
  const along = shape.map((_size, own) => (own === axis ? count : 1));
  const everywhere = expanded(sketch, reshaped(sketch, indices, along), slices);
  return addedAt(sketch, shape, everywhere, flowing, axis);
});

const gatherElements = unary((cotangent, x, _, sketch, node) =>
  addedAt(sketch, shapeOf(sketch, x), node.inputs[1]!, cotangent, intAttribute(node, 'axis', 0)),
);

/** Replaced elements get no cotangent, those that were added to do; the updates get what lies at their places. */
const scatter =
  (read: (cotangent: string, indices: string, node: OnnxNode, sketch: Sketch) => string): Rule =>
  (node, [cotangent], wanted, sketch) => {
    if (cotangent == null) return [null, null, null];
    const [, indices = '', updates = ''] = node.inputs;
    const reduction = textAttribute(node, 'reduction') ?? 'none';
    if (reduction !== 'none' && reduction !== 'add') throw refused(node, `reduction ${reduction}`);
    const emptied = (): string =>
      sketch.apply(
        node.op,
        [cotangent, indices, zeros(sketch, shapeOf(sketch, updates), updates)],
        node.attributes,
      );
    return [
      wanted[0] ? (reduction === 'add' ? cotangent : emptied()) : null,
      null,
      wanted[2] ? read(cotangent, indices, node, sketch) : null,
    ];
  };

const gatherNd = unary((cotangent, x, _, sketch, node) => {
  if (intAttribute(node, 'batch_dims', 0) !== 0) throw refused(node, 'batch_dims');
  const target = zeros(sketch, shapeOf(sketch, x), x);
  return sketch.apply('ScatterND', [target, node.inputs[1]!, cotangent], {
    reduction: { string: 'add' },
  });
});

/** The largest elements along an axis: their cotangents go back to where they stood. */
const topK = unary((cotangent, x, _, sketch, node) => {
  const [, places = ''] = sketch.add('TopK', node.inputs, node.attributes, 2);
  return addedAt(sketch, shapeOf(sketch, x), places, cotangent, intAttribute(node, 'axis', -1));
});

/** Elements by index. */
export const gathers: Rules = {
  Gather: gather,
  GatherElements: gatherElements,
  ScatterElements: scatter((cotangent, indices, node, sketch) =>
    sketch.apply('GatherElements', [cotangent, indices], {
      axis: { int: intAttribute(node, 'axis', 0) },
    }),
  ),
  GatherND: gatherNd,
  ScatterND: scatter((cotangent, indices, _, sketch) =>
    sketch.apply('GatherND', [cotangent, indices]),
  ),
  TopK: topK,
};
