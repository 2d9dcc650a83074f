import { sizeOf, stridesOf } from '../numeric/array.ts';
import type { Float32Nd } from '../records/array.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { reshaped, shapeOf } from '../sketch/terms.ts';
import type { Window } from './window.ts';

/** Every position of a kernel (or a map), in row-major order: one coordinate per spatial axis. */
export const tapsOf = (kernel: readonly number[]): number[][] =>
  kernel.reduce<number[][]>(
    (taps, size) => taps.flatMap((tap) => Array.from({ length: size }, (_, at) => [...tap, at])),
    [[]],
  );

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

/** `x` with zeros around its last axes; negative numbers cut off. */
export const paddedSpace = (
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
  const around = paddedSpace(sketch, x, window.before, window.after);
  const rows = tapsOf(window.kernel).map((tap) =>
    reshaped(sketch, seenBy(sketch, around, tap, window, to), [a, 1, places]),
  );
  return sketch.apply('Concat', rows, { axis: { int: 1 } });
};

/**
 * What every tap of a kernel sees at every place, as a matrix of 0 and 1: [kernel positions · places of `to`, places of
 * `from`].
 */
export const seeing = (
  window: Window,
  from: readonly number[],
  to: readonly number[],
): Float32Nd => {
  const strides = stridesOf(from);
  const sources = tapsOf(window.kernel).flatMap((tap) =>
    tapsOf(to).map((place) =>
      place.map(
        (at, axis) =>
          at * window.strides[axis]! + tap[axis]! * window.dilations[axis]! - window.before[axis]!,
      ),
    ),
  );
  const columns = sizeOf(from);
  const data = new Float32Array(sources.length * columns);
  sources.forEach((source, row) => {
    if (!source.every((at, axis) => at >= 0 && at < from[axis]!)) return;
    data[row * columns + source.reduce((sum, at, axis) => sum + at * strides[axis]!, 0)] = 1;
  });
  return { data, shape: [sources.length, columns] };
};
