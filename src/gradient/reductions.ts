import { intAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/graph.ts';
import type { Sketch } from '../sketch/sketch.ts';
import {
  axesFrom,
  expanded,
  indicator,
  minus,
  over,
  reshaped,
  scaled,
  shapeOf,
  sign,
  summed,
  times,
  transposed,
  where,
} from '../sketch/terms.ts';
import { integersOf } from './constants.ts';
import { type Rules, unary } from './rule.ts';

/** The axes over which a node of opset 18 reduces, non-negative, ascending. */
const reducedAxes = (node: OnnxNode, sketch: Sketch): readonly number[] => {
  const shape = shapeOf(sketch, node.inputs[0]!);
  const axes = node.inputs[1] ? integersOf(node, 1, sketch) : [];
  if (axes.length > 0) return axesFrom(axes, shape.length).sort((a, b) => a - b);
  const isIdle = intAttribute(node, 'noop_with_empty_axes', 0) === 1;
  return isIdle ? [] : shape.map((_, axis) => axis);
};

/** What a reduction's slope is written in; the reduced tensors keep the reduced axes with size 1. */
interface Reduced {
  readonly sketch: Sketch;
  readonly x: string;
  readonly y: string;
  readonly cotangent: string;
  readonly axes: readonly number[];
  /** Elements that make one. */
  readonly count: number;
}

const reduction = (rule: (reduced: Reduced) => string) =>
  unary((cotangent, x, y, sketch, node) => {
    const axes = reducedAxes(node, sketch);
    const shape = shapeOf(sketch, x);
    const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const count = axes.reduce((product, axis) => product * shape[axis]!, 1);
    const flowing = rule({
      sketch,
      x,
      y: reshaped(sketch, y, kept),
      cotangent: reshaped(sketch, cotangent, kept),
      axes,
      count,
    });
    return expanded(sketch, flowing, shape);
  });

/** Equal largest (smallest) elements share the cotangent, as in PyTorch's `amax`. */
const extreme = reduction(({ sketch, x, y, cotangent, axes }) => {
  const chosen = indicator(sketch, sketch.apply('Equal', [x, y]), x);
  return times(sketch, over(sketch, cotangent, summed(sketch, chosen, axes)), chosen);
});

/** dx = dy · x / y, and 0 where all elements are 0. */
const euclidean = reduction(({ sketch, x, y, cotangent }) => {
  const none = sketch.scalar(0, y);
  const isZero = sketch.apply('Equal', [y, none]);
  const divisor = where(sketch, isZero, sketch.scalar(1, y), y);
  return times(sketch, over(sketch, cotangent, divisor), x);
});

/** Each element's slope is the product of the others, which holds where elements are 0, too. */
const product = reduction(({ sketch, x, cotangent, axes, count }) => {
  const shape = shapeOf(sketch, x);
  const rest = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const order = [...rest, ...axes];
  const moved = order.map((axis) => shape[axis]!);
  const rows = reshaped(sketch, transposed(sketch, x, order), [-1, 1, count]);
  const size = shape.reduce((a, b) => a * b, 1) / count;
  const copies = expanded(sketch, rows, [size, count, count]);
  const own = Float32Array.from({ length: count * count }, (_, at) =>
    Number(at % (count + 1) === 0),
  );
  const diagonal = sketch.apply('Cast', [sketch.constant({ data: own, shape: [count, count] })], {
    to: { int: 9 },
  });
  const others = where(sketch, diagonal, sketch.scalar(1, x), copies);
  const products = sketch.apply('ReduceProd', [others, sketch.ints([2])], { keepdims: { int: 0 } });
  const back = order.map((_, axis) => order.indexOf(axis));
  const slopes = transposed(sketch, reshaped(sketch, products, moved), back);
  return times(sketch, cotangent, slopes);
});

/** Reductions over axes. */
export const reductions: Rules = {
  ReduceSum: reduction(({ cotangent }) => cotangent),
  ReduceMean: reduction(({ sketch, cotangent, count }) => scaled(sketch, 1 / count, cotangent)),
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceL1: reduction(({ sketch, x, cotangent }) => times(sketch, cotangent, sign(sketch, x))),
  ReduceL2: euclidean,
  ReduceSumSquare: reduction(({ sketch, x, cotangent }) =>
    times(sketch, scaled(sketch, 2, cotangent), x),
  ),
  ReduceLogSum: reduction(({ sketch, y, cotangent }) =>
    over(sketch, cotangent, sketch.apply('Exp', [y])),
  ),
  ReduceLogSumExp: reduction(({ sketch, x, y, cotangent }) =>
    times(sketch, cotangent, sketch.apply('Exp', [minus(sketch, x, y)])),
  ),
  ReduceProd: product,
};
