import type { OnnxNode } from '../graph/graph.ts';
import { sizeOf, stridesOf } from '../numeric/array.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { reshaped, shapeOf, summed, transposed } from '../sketch/terms.ts';
import { columnsOf, paddedSpace, seeing, tapsOf } from './columns.ts';
import { groupOf, reachOf, type Window, windowAttributes, windowOf } from './window.ts';

/** One of the triple with its sizes: image [N, C, …from], weights [M, C/group, …kernel], result [N, M, …to]. */
export interface Shape {
  readonly n: number;
  readonly c: number;
  readonly m: number;
  readonly group: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly window: Window;
}

export const shapeOfTriple = (
  node: OnnxNode,
  image: readonly number[],
  weights: readonly number[],
  result: readonly number[],
): Shape => {
  const [from, to] = [image.slice(2), result.slice(2)];
  const window = windowOf(node, weights.slice(2), from, to);
  return { n: image[0]!, c: image[1]!, m: weights[0]!, group: groupOf(node), from, to, window };
};

export const isPointwise = ({ window }: Shape): boolean =>
  window.kernel.every((size) => size === 1) &&
  window.strides.every((stride) => stride === 1) &&
  [...window.before, ...window.after].every((pad) => pad === 0);

const matMul = (sketch: Sketch, a: string, b: string): string => sketch.apply('MatMul', [a, b]);

/** The last two axes exchanged; onnxruntime fuses it with a product that follows. */
const swapped = (sketch: Sketch, x: string): string => {
  const rank = shapeOf(sketch, x).length;
  const lead = Array.from({ length: rank - 2 }, (_, axis) => axis);
  return transposed(sketch, x, [...lead, rank - 1, rank - 2]);
};

/** Batch and channels exchanged, places in one row: [N, C, …] → [C, N · places]. */
const channelRows = (sketch: Sketch, x: string): string => {
  const [n = 0, c = 0, ...space] = shapeOf(sketch, x);
  const exchanged = transposed(sketch, reshaped(sketch, x, [n, c, sizeOf(space)]), [1, 0, 2]);
  return reshaped(sketch, exchanged, [c, n * sizeOf(space)]);
};

/** Elements `[from, to)` of one axis. */
const range = (sketch: Sketch, x: string, axis: number, from: number, to: number): string =>
  from === 0 && to === shapeOf(sketch, x)[axis]
    ? x
    : sketch.apply('Slice', [x, sketch.ints([from]), sketch.ints([to]), sketch.ints([axis])]);

/** Exchanges batch and channels: [N, C, …] → [C, N, …]. */
const exchanged = (sketch: Sketch, x: string): string => {
  const [n = 0, c = 0, ...space] = shapeOf(sketch, x);
  const flat = transposed(sketch, reshaped(sketch, x, [n, c, sizeOf(space)]), [1, 0, 2]);
  return reshaped(sketch, flat, [c, n, ...space]);
};

// ── Tiny maps, all three ───────────────────────────────────────────────────────────────────────────────────────────

// A map of a few places is a vector. What the taps see of it is a product with a constant matrix S, and the whole batch,
// which comes last, goes into one product with the weights. The three share what they make of x and y.

/** [N, C, …] → [C, places, N]. */
const batchLast = (sketch: Sketch, x: string): string => {
  const [n = 0, c = 0, ...space] = shapeOf(sketch, x);
  return transposed(sketch, reshaped(sketch, x, [n, c, sizeOf(space)]), [1, 2, 0]);
};

/** [C, places, N] → [N, C, …space]. */
const batchFirst = (sketch: Sketch, x: string, space: readonly number[]): string => {
  const [c = 0, , n = 0] = shapeOf(sketch, x);
  return reshaped(sketch, transposed(sketch, x, [2, 0, 1]), [n, c, ...space]);
};

/** Number of elements of S. */
export const seeingSize = ({ from, to, window }: Shape): number =>
  sizeOf(window.kernel) * sizeOf(to) * sizeOf(from);

/** S · x: [C · kernel positions, places · N]. */
const tinyColumns = (sketch: Sketch, x: string, shape: Shape): string => {
  const { n, c, from, to, window } = shape;
  const maps = batchLast(sketch, x);
  const seen = isPointwise(shape)
    ? maps
    : matMul(sketch, sketch.constant(seeing(window, from, to)), maps);
  return reshaped(sketch, seen, [c * sizeOf(window.kernel), sizeOf(to) * n]);
};

export const tinyConv = (sketch: Sketch, x: string, w: string, shape: Shape): string => {
  const { n, c, m, to, window } = shape;
  const weights = reshaped(sketch, w, [m, c * sizeOf(window.kernel)]);
  const product = matMul(sketch, weights, tinyColumns(sketch, x, shape));
  return batchFirst(sketch, reshaped(sketch, product, [m, sizeOf(to), n]), to);
};

/** Sᵀ · (wᵀ · y). */
export const tinyInput = (sketch: Sketch, y: string, w: string, shape: Shape): string => {
  const { n, c, m, from, to, window } = shape;
  const taps = sizeOf(window.kernel);
  const weights = swapped(sketch, reshaped(sketch, w, [m, c * taps]));
  const product = matMul(sketch, weights, reshaped(sketch, batchLast(sketch, y), [m, -1]));
  const seen = reshaped(sketch, product, [c, taps * sizeOf(to), n]);
  const maps = isPointwise(shape)
    ? seen
    : matMul(sketch, swapped(sketch, sketch.constant(seeing(window, from, to))), seen);
  return batchFirst(sketch, maps, from);
};

export const tinyWeight = (sketch: Sketch, x: string, y: string, shape: Shape): string => {
  const rows = reshaped(sketch, batchLast(sketch, y), [shape.m, -1]);
  const product = matMul(sketch, rows, swapped(sketch, tinyColumns(sketch, x, shape)));
  return reshaped(sketch, product, [shape.m, shape.c, ...shape.window.kernel]);
};

// ── convInput ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A 1×1 kernel: wᵀ · y for every image. */
export const pointwiseInput = (
  sketch: Sketch,
  y: string,
  w: string,
  { n, c, m, from }: Shape,
): string => {
  const weights = swapped(sketch, reshaped(sketch, w, [m, c]));
  const product = matMul(sketch, weights, reshaped(sketch, y, [n, m, sizeOf(from)]));
  return reshaped(sketch, product, [n, c, ...from]);
};

/** Weights of the convolution that is the adjoint at stride 1: in and out exchanged, kernels turned around. */
const turned = (sketch: Sketch, w: string, { c, m, group, window }: Shape): string => {
  const taps = sizeOf(window.kernel);
  const split = reshaped(sketch, w, [group, m / group, c / group, taps]);
  const outFirst = transposed(sketch, split, [0, 2, 1, 3]);
  const shape = [c, m / group, ...window.kernel];
  if (taps === 1) return reshaped(sketch, outFirst, shape);
  // A product with the reversing permutation; onnxruntime's Slice with a negative step takes several times as long.
  const reversal = new Float32Array(taps * taps);
  for (let tap = 0; tap < taps; tap++) reversal[tap * taps + taps - 1 - tap] = 1;
  const reverse = sketch.constant({ data: reversal, shape: [taps, taps] });
  const rows = reshaped(sketch, outFirst, [(c * m) / group, taps]);
  return reshaped(sketch, matMul(sketch, rows, reverse), shape);
};

export const turnedInput = (sketch: Sketch, y: string, w: string, shape: Shape): string => {
  const { window, group } = shape;
  const reach = window.kernel.map((_, axis) => reachOf(window, axis) - 1);
  const before = reach.map((each, axis) => each - window.before[axis]!);
  const after = reach.map((each, axis) => each - window.after[axis]!);
  const attributes = windowAttributes({ ...window, before, after }, group);
  return sketch.apply('Conv', [y, turned(sketch, w, shape)], attributes);
};

export const canTurn = ({ window }: Shape): boolean =>
  window.strides.every((stride) => stride === 1) &&
  window.kernel.every(
    (_, axis) => Math.max(window.before[axis]!, window.after[axis]!) <= reachOf(window, axis) - 1,
  );

export const transposedInput = (sketch: Sketch, y: string, w: string, shape: Shape): string => {
  const { window, group, from, to } = shape;
  const beyond = from.map(
    (size, axis) =>
      size +
      window.before[axis]! +
      window.after[axis]! -
      reachOf(window, axis) -
      (to[axis]! - 1) * window.strides[axis]!,
  );
  const attributes = { ...windowAttributes(window, group), output_padding: { ints: beyond } };
  return sketch.apply('ConvTranspose', [y, w], attributes);
};

// ── convWeight ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** One product per image, y · columnsᵀ, summed over the batch. */
export const batchedWeight = (sketch: Sketch, x: string, y: string, shape: Shape): string => {
  const { n, c, m, group, from, to, window } = shape;
  const taps = sizeOf(window.kernel);
  const places = sizeOf(to);
  const seen = isPointwise(shape)
    ? x
    : columnsOf(sketch, reshaped(sketch, x, [n * c, 1, ...from]), window, to);
  const columns = reshaped(sketch, seen, [n, group, (c / group) * taps, places]);
  const result = reshaped(sketch, y, [n, group, m / group, places]);
  const perImage = matMul(sketch, result, swapped(sketch, columns));
  return reshaped(sketch, summed(sketch, perImage, [0]), [m, c / group, ...window.kernel]);
};

/** One product for the whole batch. */
export const joinedWeight = (sketch: Sketch, x: string, y: string, shape: Shape): string => {
  const { n, c, m, to, window } = shape;
  const columns = isPointwise(shape)
    ? channelRows(sketch, x)
    : columnsOf(sketch, exchanged(sketch, x), window, to);
  const rows = reshaped(sketch, columns, [c * sizeOf(window.kernel), n * sizeOf(to)]);
  const product = matMul(sketch, channelRows(sketch, y), swapped(sketch, rows));
  return reshaped(sketch, product, [m, c, ...window.kernel]);
};

/**
 * At stride 1 a tap sees the flattened rows of all padded images moved by a fixed number of places: y · moved rows for
 * every tap, without columns. Places at the borders, which a tap sees across the end of a row, meet zeros of y.
 */
export const movedWeight = (sketch: Sketch, x: string, y: string, shape: Shape): string => {
  const { n, c, m, from, to, window } = shape;
  const sizes = from.map((size, axis) => size + window.before[axis]! + window.after[axis]!);
  const places = n * sizeOf(sizes);
  const strides = stridesOf(sizes);
  const moves = tapsOf(window.kernel).map((tap) =>
    tap.reduce((sum, at, axis) => sum + at * window.dilations[axis]! * strides[axis]!, 0),
  );
  const length = places - moves.at(-1)!;
  const rows = channelRows(sketch, paddedSpace(sketch, x, window.before, window.after));
  const beyond = sizes.map((size, axis) => size - to[axis]!);
  const none = beyond.map(() => 0);
  const seen = range(
    sketch,
    channelRows(sketch, paddedSpace(sketch, y, none, beyond)),
    1,
    0,
    length,
  );
  const parts = moves.map((move) => {
    const moved = range(sketch, rows, 1, move, move + length);
    return reshaped(sketch, matMul(sketch, seen, swapped(sketch, moved)), [m, c, 1]);
  });
  const stacked = sketch.apply('Concat', parts, { axis: { int: 2 } });
  return reshaped(sketch, stacked, [m, c, ...window.kernel]);
};

/** A convolution of batch by batch, in which strides and dilations change places: no columns, for few channels. */
export const dilatedWeight = (sketch: Sketch, x: string, y: string, shape: Shape): string => {
  const { window, from, to } = shape;
  // Positions behind the last kernel would be further kernel positions.
  const left = from.map(
    (size, axis) =>
      (to[axis]! - 1) * window.strides[axis]! + reachOf(window, axis) - window.before[axis]! - size,
  );
  const none = left.map(() => 0);
  const used = paddedSpace(
    sketch,
    exchanged(sketch, x),
    none,
    left.map((each) => Math.min(each, 0)),
  );
  const attributes = windowAttributes(
    {
      ...window,
      kernel: to,
      strides: window.dilations,
      dilations: window.strides,
      after: left.map((each) => Math.max(each, 0)),
    },
    1,
  );
  return exchanged(sketch, sketch.apply('Conv', [used, exchanged(sketch, y)], attributes));
};
