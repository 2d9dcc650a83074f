import { sizeOf } from '../numeric/array.ts';
import type { Sketch } from './sketch.ts';
import { reshaped, shapeOf } from './terms.ts';
import type { Window } from './window.ts';

/** Every position of a kernel, in row-major order: one coordinate per spatial axis. */
export const tapsOf = (kernel: readonly number[]): number[][] =>
  kernel.reduce<number[][]>(
    (taps, size) => taps.flatMap((tap) => Array.from({ length: size }, (_, at) => [...tap, at])),
    [[]],
  );

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

/** `x` with zeros around its last axes; negative numbers cut off. */
export const padded = (
  sketch: Sketch,
  x: string,
  before: readonly number[],
  after: readonly number[],
): string => {
  if ([...before, ...after].every((each) => each === 0)) return x;
  const lead = range(before.length, shapeOf(sketch, x).length).map(() => 0);
  return sketch.apply('Pad', [x, sketch.ints([...lead, ...before, ...lead, ...after])]);
};

/** What one tap of a kernel sees at every place of its window: strided slices of the padded `x`, of spatial sizes `to`. */
const seenBy = (
  sketch: Sketch,
  x: string,
  tap: readonly number[],
  window: Window,
  to: readonly number[],
): string => {
  const starts = tap.map((at, axis) => at * window.dilations[axis]!);
  const ends = starts.map((start, axis) => start + (to[axis]! - 1) * window.strides[axis]! + 1);
  const shape = shapeOf(sketch, x);
  const lead = shape.length - to.length;
  const isWhole = to.every((_, axis) => starts[axis] === 0 && ends[axis] === shape[lead + axis]);
  if (isWhole && window.strides.every((stride) => stride === 1)) return x;
  return sketch.apply('Slice', [
    x,
    sketch.ints(starts),
    sketch.ints(ends),
    sketch.ints(range(lead, shape.length)),
    sketch.ints(window.strides),
  ]);
};

/**
 * The matrix of which a convolution is the product with its weights (im2col): [A, B, …] → [A, kernel positions,
 * B · places] where `x` is [A, B, …spatial] and the window makes `to` places.
 */
export const columnsOf = (
  sketch: Sketch,
  x: string,
  window: Window,
  to: readonly number[],
): string => {
  const [a = 0, b = 0] = shapeOf(sketch, x);
  const places = b * sizeOf(to);
  const around = padded(sketch, x, window.before, window.after);
  const rows = tapsOf(window.kernel).map((tap) =>
    reshaped(sketch, seenBy(sketch, around, tap, window, to), [a, 1, places]),
  );
  return sketch.apply('Concat', rows, { axis: { int: 1 } });
};

/** Zeros between the places of the last axes: [A, B, …to] → [A, B, …to · stride]. */
const spread = (sketch: Sketch, x: string, strides: readonly number[]): string => {
  if (strides.every((stride) => stride === 1)) return x;
  const [a = 0, b = 0, ...to] = shapeOf(sketch, x);
  const single = reshaped(sketch, x, [a, b, ...to.flatMap((size) => [size, 1])]);
  const none = strides.flatMap(() => [0, 0]);
  const behind = strides.flatMap((stride) => [0, stride - 1]);
  return reshaped(sketch, padded(sketch, single, none, behind), [
    a,
    b,
    ...to.map((size, axis) => size * strides[axis]!),
  ]);
};

/**
 * The adjoint of `columnsOf`: every tap's part is put back where it was seen, and the parts are added.
 * [A, kernel positions, B · places] → [A, B, …from].
 */
export const fromColumns = (
  sketch: Sketch,
  columns: string,
  window: Window,
  b: number,
  from: readonly number[],
  to: readonly number[],
): string => {
  const [a = 0] = shapeOf(sketch, columns);
  const axes = sketch.ints([1]);
  const parts = tapsOf(window.kernel).map((tap, index) => {
    const range = [sketch.ints([index]), sketch.ints([index + 1])];
    const row = sketch.apply('Slice', [columns, ...range, axes]);
    const seen = spread(sketch, reshaped(sketch, row, [a, b, ...to]), window.strides);
    const before = tap.map((at, axis) => at * window.dilations[axis]! - window.before[axis]!);
    const after = before.map(
      (each, axis) => from[axis]! - to[axis]! * window.strides[axis]! - each,
    );
    return padded(sketch, seen, before, after);
  });
  return parts.length === 1 ? parts[0]! : sketch.apply('Sum', parts);
};
