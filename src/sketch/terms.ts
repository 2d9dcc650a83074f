import { codeOf } from '../graph/schema.ts';
import type { Builder } from './builder.ts';
import { fillOf, sameShape } from './simplify.ts';
import type { Sketch } from './sketch.ts';

// The words in which graphs are written. Tensors in, a tensor out; sizes repeat as ONNX repeats them.

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
export const scaled = (sketch: Sketch, factor: number, x: string): string => {
  if (factor === -1) return negative(sketch, x);
  const [inner, own] = factorOf(sketch, x);
  return inner === -1 || own === x
    ? times(sketch, x, sketch.scalar(factor, x))
    : times(sketch, own, sketch.scalar(factor * inner, x));
};

/** `x` as a number times another tensor: what a sum over many elements need not multiply one by one. */
const factorOf = (sketch: Sketch, x: string): readonly [factor: number, rest: string] => {
  const maker = sketch.maker(x);
  if (maker === null || maker.domain !== undefined) return [1, x];
  const [first = '', second = ''] = maker.inputs;
  if (maker.op === 'Neg') return [-1, first];
  const factor = maker.op === 'Mul' ? fillOf(second, sketch) : null;
  const isWhole = factor !== null && sameShape(shapeOf(sketch, first), shapeOf(sketch, x));
  return isWhole ? [factor, first] : [1, x];
};

/** `x + offset` for a number. */
export const shifted = (sketch: Sketch, x: string, offset: number): string =>
  plus(sketch, x, sketch.scalar(offset, x));

/** 1 where a condition (bool) holds, 0 elsewhere, in the type of `like`. */
export const indicator = (sketch: Sketch, condition: string, like: string): string =>
  sketch.apply('Cast', [condition], { to: { int: codeOf(sketch.fact(like).type) } });

/** `x` where a condition (bool) holds, 0 elsewhere. A product takes onnxruntime half the time of `Where`. */
export const onlyWhere = (sketch: Sketch, condition: string, x: string): string =>
  times(sketch, x, indicator(sketch, condition, x));

/** `x` where a condition (bool) holds, `otherwise` elsewhere. */
export const where = (sketch: Sketch, condition: string, x: string, otherwise: string): string =>
  sketch.apply('Where', [condition, x, otherwise]);

export const shapeOf = (sketch: Sketch, tensor: string): readonly number[] =>
  sketch.fact(tensor).shape;

export const reshaped = (builder: Builder, x: string, shape: readonly number[]): string =>
  builder.apply('Reshape', [x, builder.ints(shape)]);

export const expanded = (sketch: Sketch, x: string, shape: readonly number[]): string =>
  sketch.apply('Expand', [x, sketch.ints(shape)]);

export const transposed = (builder: Builder, x: string, perm: readonly number[]): string =>
  builder.apply('Transpose', [x], { perm: { ints: perm } });

/** A tensor full of zeros of the type of `like`. */
export const zeros = (sketch: Sketch, shape: readonly number[], like: string): string =>
  expanded(sketch, sketch.scalar(0, like), shape);

const reduced = (
  op: 'ReduceSum' | 'ReduceMean',
  sketch: Sketch,
  x: string,
  axes: readonly number[],
): string => {
  const shape = shapeOf(sketch, x);
  const counted = axes.filter((axis) => shape[axis] !== 1);
  if (counted.length === 0) return x;
  const [factor, rest] = factorOf(sketch, x);
  const y = sketch.apply(op, [rest, sketch.ints(counted)], { keepdims: { int: 1 } });
  return factor === 1 ? y : scaled(sketch, factor, y);
};

/** Sum over axes (non-negative), which stay with size 1. */
export const summed = (sketch: Sketch, x: string, axes: readonly number[]): string =>
  reduced('ReduceSum', sketch, x, axes);

/** Mean over axes (non-negative), which stay with size 1. */
export const averaged = (sketch: Sketch, x: string, axes: readonly number[]): string =>
  reduced('ReduceMean', sketch, x, axes);

/** The adjoint of repeating a tensor of `shape`: the sum over the axes along which it was repeated, of that shape. */
export const summedTo = (sketch: Sketch, x: string, shape: readonly number[]): string => {
  const own = shapeOf(sketch, x);
  const extra = own.length - shape.length;
  const axes = own.flatMap((size, axis) =>
    axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : [],
  );
  return reshaped(sketch, summed(sketch, x, axes), shape);
};

/** Non-negative axes. */
export const axesFrom = (axes: readonly number[], rank: number): number[] =>
  axes.map((axis) => (axis < 0 ? axis + rank : axis));
