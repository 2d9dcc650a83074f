import { intAttribute } from '../graph/attributes.ts';
import { sliceBounds } from '../graph/sizes.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { axesFrom, reshaped, shapeOf, zeros } from '../sketch/terms.ts';
import { integersOf } from './constants.ts';
import { type Rule, type Rules, unary } from './rule.ts';

/** Zeros before and after the elements of each axis. */
export const paddedAxes = (
  sketch: Sketch,
  x: string,
  before: readonly number[],
  after: readonly number[],
): string =>
  [...before, ...after].every((size) => size === 0)
    ? x
    : sketch.apply('Pad', [x, sketch.ints([...before, ...after])]);

/** Elements `from`, `from + step`, … , `count` of them, of one axis. */
export const sliced = (
  sketch: Sketch,
  x: string,
  axis: number,
  {
    from,
    count,
    step = 1,
  }: { readonly from: number; readonly count: number; readonly step?: number },
): string => {
  const size = shapeOf(sketch, x)[axis]!;
  if (step === 1 && count === size) return x;
  // An end before the first element can only be said relative to the end.
  const end = from + (count - 1) * step + Math.sign(step);
  const [starts, ends, axes, steps] = [[from], [end < 0 ? -size - 1 : end], [axis], [step]].map(
    (values) => sketch.ints(values),
  );
  return sketch.apply('Slice', [x, starts!, ends!, axes!, ...(step === 1 ? [] : [steps!])]);
};

/** `gap` zeros between the elements of one axis. */
const spread = (sketch: Sketch, x: string, axis: number, gap: number): string => {
  const shape = shapeOf(sketch, x);
  const count = shape[axis]!;
  if (gap === 0 || count === 1) return x;
  const apart = reshaped(sketch, x, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
  const none = [...shape, 1].map(() => 0);
  const wide = paddedAxes(
    sketch,
    apart,
    none,
    none.map((_, own) => (own === axis + 1 ? gap : 0)),
  );
  const joined = shape.map((size, own) => (own === axis ? size * (gap + 1) : size));
  return sliced(sketch, reshaped(sketch, wide, joined), axis, {
    from: 0,
    count: (count - 1) * (gap + 1) + 1,
  });
};

/** Back to the places from which the elements came, zeros elsewhere. */
const slice = unary((cotangent, x, y, sketch, node) => {
  const shape = shapeOf(sketch, x);
  const list = (index: number): readonly number[] | null =>
    node.inputs[index] ? integersOf(node, index, sketch) : null;
  const [starts, ends] = [list(1)!, list(2)!];
  const axes = axesFrom(list(3) ?? starts.map((_, axis) => axis), shape.length);
  const steps = list(4) ?? starts.map(() => 1);
  if (shapeOf(sketch, y).includes(0)) return zeros(sketch, shape, x);
  const before = shape.map(() => 0);
  const after = shape.map(() => 0);
  let flowing = cotangent;
  axes.forEach((axis, place) => {
    const step = steps[place]!;
    const { from, count } = sliceBounds(starts[place]!, ends[place]!, step, shape[axis]!);
    if (step < 0) flowing = sliced(sketch, flowing, axis, { from: count - 1, count, step: -1 });
    flowing = spread(sketch, flowing, axis, Math.abs(step) - 1);
    before[axis] = step < 0 ? from + (count - 1) * step : from;
    after[axis] = shape[axis]! - before[axis]! - shapeOf(sketch, flowing)[axis]!;
  });
  return paddedAxes(sketch, flowing, before, after);
});

const concat: Rule = (node, [cotangent], wanted, sketch) => {
  const rank = shapeOf(sketch, node.outputs[0]!).length;
  const [axis = 0] = axesFrom([intAttribute(node, 'axis', 0)], rank);
  let from = 0;
  return node.inputs.map((input, index) => {
    const count = shapeOf(sketch, input)[axis]!;
    const start = from;
    from += count;
    if (!wanted[index] || cotangent == null) return null;
    return sliced(sketch, cotangent, axis, { from: start, count });
  });
};

const split: Rule = (node, cotangents, wanted, sketch) => {
  if (!wanted[0]) return [null];
  const [x = ''] = node.inputs;
  const [axis = 0] = axesFrom([intAttribute(node, 'axis', 0)], shapeOf(sketch, x).length);
  const parts = node.outputs.map(
    (output, index) => cotangents[index] ?? zeros(sketch, shapeOf(sketch, output), x),
  );
  return [sketch.apply('Concat', parts, { axis: { int: axis } })];
};

/** Parts of tensors, and tensors of parts. */
export const joins: Rules = { Slice: slice, Concat: concat, Split: split };
