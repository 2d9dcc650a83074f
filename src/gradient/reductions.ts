import { intAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/encode.ts';
import { integersOf } from './constants.ts';
import { type Rules, unary } from './rule.ts';
import type { Sketch } from './sketch.ts';
import { axesFrom, expanded, reshaped, shapeOf } from './terms.ts';

/** The axes over which a node of opset 18 reduces, non-negative, ascending. */
const reducedAxes = (node: OnnxNode, sketch: Sketch): readonly number[] => {
  const shape = shapeOf(sketch, node.inputs[0]!);
  const axes = node.inputs[1] ? integersOf(node, 1, sketch) : [];
  if (axes.length > 0) return axesFrom(axes, shape.length).sort((a, b) => a - b);
  return intAttribute(node, 'noop_with_empty_axes', 0) === 1 ? [] : shape.map((_, axis) => axis);
};

/** A tensor of the reduced shape with the reduced axes as axes of size 1. */
const kept = (node: OnnxNode, tensor: string, sketch: Sketch): string => {
  const axes = reducedAxes(node, sketch);
  const shape = shapeOf(sketch, node.inputs[0]!);
  return reshaped(
    sketch,
    tensor,
    shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
  );
};

/** Reductions over axes. */
export const reductions: Rules = {
  ReduceSum: unary((cotangent, x, _, sketch, node) =>
    expanded(sketch, kept(node, cotangent, sketch), shapeOf(sketch, x)),
  ),
};
