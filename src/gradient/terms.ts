import { broadcastShape } from './simplify.ts';
import type { Sketch } from './sketch.ts';

// The words in which the rules are written. Tensors in, a tensor out; sizes repeat as ONNX repeats them.

type Binary = (sketch: Sketch, a: string, b: string) => string;
type Unary = (sketch: Sketch, x: string) => string;

const binary =
  (op: string): Binary =>
  (sketch, a, b) =>
    sketch.apply(op, [a, b]);
const unary =
  (op: string): Unary =>
  (sketch, x) =>
    sketch.apply(op, [x]);

export const plus = binary('Add');
export const minus = binary('Sub');
export const times = binary('Mul');
export const over = binary('Div');
export const negative = unary('Neg');
export const sign = unary('Sign');
export const squared: Unary = (sketch, x) => times(sketch, x, x);

/** `factor · x` for a number; its type is x's. */
export const scaled = (sketch: Sketch, factor: number, x: string): string =>
  factor === -1 ? negative(sketch, x) : times(sketch, x, sketch.scalar(factor, x));

/** `x + offset` for a number. */
export const shifted = (sketch: Sketch, x: string, offset: number): string =>
  plus(sketch, x, sketch.scalar(offset, x));

/** `x` where `condition` (bool), 0 elsewhere. */
export const where = (sketch: Sketch, condition: string, x: string, otherwise: string): string =>
  sketch.apply('Where', [condition, x, otherwise]);

export const shapeOf = (sketch: Sketch, tensor: string): readonly number[] =>
  sketch.fact(tensor).shape;

export const reshaped = (sketch: Sketch, x: string, shape: readonly number[]): string =>
  sketch.apply('Reshape', [x, sketch.ints(shape)]);

export const expanded = (sketch: Sketch, x: string, shape: readonly number[]): string =>
  sketch.apply('Expand', [x, sketch.ints(shape)]);

export const transposed = (sketch: Sketch, x: string, perm: readonly number[]): string =>
  sketch.apply('Transpose', [x], { perm: { ints: perm } });

/** A tensor full of zeros of the type of `like`. */
export const zeros = (sketch: Sketch, shape: readonly number[], like: string): string =>
  expanded(sketch, sketch.scalar(0, like), shape);

/** Sum over axes (non-negative), which stay with size 1. */
export const summed = (sketch: Sketch, x: string, axes: readonly number[]): string => {
  const shape = shapeOf(sketch, x);
  const counted = axes.filter((axis) => shape[axis] !== 1);
  return counted.length === 0
    ? x
    : sketch.apply('ReduceSum', [x, sketch.ints(counted)], { keepdims: { int: 1 } });
};

/** Mean over axes (non-negative), which stay with size 1. */
export const averaged = (sketch: Sketch, x: string, axes: readonly number[]): string => {
  const shape = shapeOf(sketch, x);
  const counted = axes.filter((axis) => shape[axis] !== 1);
  return counted.length === 0
    ? x
    : sketch.apply('ReduceMean', [x, sketch.ints(counted)], { keepdims: { int: 1 } });
};

/** The adjoint of repeating a tensor of `shape`: the sum over the axes along which it was repeated, of that shape. */
export const summedTo = (sketch: Sketch, x: string, shape: readonly number[]): string => {
  const own = shapeOf(sketch, x);
  const extra = own.length - shape.length;
  const axes = own.flatMap((size, axis) =>
    axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : [],
  );
  return reshaped(sketch, summed(sketch, x, axes), shape);
};

/** `x` repeated where it is smaller than what an operation makes of it and `others`. */
export const repeatedWith = (sketch: Sketch, x: string, others: readonly string[]): string => {
  const shape = others
    .map((other) => shapeOf(sketch, other))
    .reduce(broadcastShape, shapeOf(sketch, x));
  return expanded(sketch, x, shape);
};

/** Non-negative axes. */
export const axesFrom = (axes: readonly number[], rank: number): number[] =>
  axes.map((axis) => (axis < 0 ? axis + rank : axis));
