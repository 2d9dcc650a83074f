import { intAttribute, intsAttribute } from '../graph/attributes.ts';
import { sizeOf } from '../numeric/array.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { expanded, reshaped, scaled, shapeOf, times, zeros } from '../sketch/terms.ts';
import { convInput } from './convolution.ts';
import { type Rules, unary } from './rule.ts';
import { reachOf, type Window, windowAttributes, windowOf } from './window.ts';

/** Every cotangent goes to the element that was the largest of its window: `indices` into the flattened input. */
const scattered = (
  sketch: Sketch,
  cotangent: string,
  indices: string,
  shape: readonly number[],
): string => {
  const count = sizeOf(shapeOf(sketch, cotangent));
  const target = zeros(sketch, [sizeOf(shape)], cotangent);
  const places = reshaped(sketch, indices, [count]);
  const added = sketch.apply(
    'ScatterElements',
    [target, places, reshaped(sketch, cotangent, [count])],
    {
      axis: { int: 0 },
      reduction: { string: 'add' },
    },
  );
  return reshaped(sketch, added, shape);
};

/** Where two elements of a window are equal, the first takes all, as in PyTorch. */
const maxPool = unary((cotangent, x, _, sketch, node) => {
  const [, indices] = sketch.add('MaxPool', [x], node.attributes, 2);
  return scattered(sketch, cotangent, indices!, shapeOf(sketch, x));
});

const globalMaxPool = unary((cotangent, x, _, sketch) => {
  const shape = shapeOf(sketch, x);
  const [n = 1, c = 1, ...space] = shape;
  const rows = reshaped(sketch, x, [n * c, sizeOf(space)]);
  const largest = sketch.apply('ArgMax', [rows], { axis: { int: 1 }, keepdims: { int: 1 } });
  const target = zeros(sketch, [n * c, sizeOf(space)], cotangent);
  const row = reshaped(sketch, cotangent, [n * c, 1]);
  const added = sketch.apply('ScatterElements', [target, largest, row], {
    axis: { int: 1 },
    reduction: { string: 'add' },
  });
  return reshaped(sketch, added, shape);
});

const globalAveragePool = unary((cotangent, x, _, sketch) => {
  const shape = shapeOf(sketch, x);
  return expanded(sketch, scaled(sketch, 1 / sizeOf(shape.slice(2)), cotangent), shape);
});

/** How many elements each window of an axis averages: those of the input, or of the padded input. */
const counts = (
  window: Window,
  axis: number,
  from: number,
  to: number,
  isPadCounted: boolean,
): number[] => {
  const [before, after] = [window.before[axis]!, window.after[axis]!];
  const [low, high] = isPadCounted ? [-before, from + after] : [0, from];
  return Array.from({ length: to }, (_, place) => {
    const start = place * window.strides[axis]! - before;
    const taps = Array.from(
      { length: window.kernel[axis]! },
      (_, tap) => start + tap * window.dilations[axis]!,
    );
    return taps.filter((at) => at >= low && at < high).length;
  });
};

/** 1/number of averaged elements at every place: [1, 1, …to], or one number where all are the same. */
const shares = (sketch: Sketch, perAxis: readonly number[][], like: string): string => {
  const products = perAxis.reduce<number[]>(
    (before, own) => before.flatMap((count) => own.map((each) => count * each)),
    [1],
  );
  if (products.every((each) => each === products[0])) return sketch.scalar(1 / products[0]!, like);
  return sketch.constant({
    data: Float32Array.from(products, (each) => 1 / each),
    shape: [1, 1, ...perAxis.map(({ length }) => length)],
  });
};

/** Windows that lie side by side and leave nothing over. */
const isTiling = (window: Window, from: readonly number[], to: readonly number[]): boolean =>
  from.every(
    (size, axis) =>
      window.kernel[axis] === window.strides[axis] &&
      window.kernel[axis]! * to[axis]! === size &&
      window.dilations[axis] === 1 &&
      window.before[axis] === 0,
  );

/** Each place repeated over its window: [N, C, …to] → [N, C, …from]. */
const repeated = (sketch: Sketch, x: string, kernel: readonly number[]): string => {
  const [n = 1, c = 1, ...to] = shapeOf(sketch, x);
  const single = reshaped(sketch, x, [n, c, ...to.flatMap((size) => [size, 1])]);
  const whole = expanded(sketch, single, [
    n,
    c,
    ...to.flatMap((size, axis) => [size, kernel[axis]!]),
  ]);
  return reshaped(sketch, whole, [n, c, ...to.map((size, axis) => size * kernel[axis]!)]);
};

/** An average is a convolution with equal weights, divided by how many elements it saw; its adjoint follows. */
const averagePool = unary((cotangent, x, _, sketch, node) => {
  const shape = shapeOf(sketch, x);
  const [n = 1, c = 1, ...from] = shape;
  const to = shapeOf(sketch, cotangent).slice(2);
  const window = windowOf(node, intsAttribute(node, 'kernel_shape')!, from, to);
  const isPadCounted = intAttribute(node, 'count_include_pad', 0) === 1;
  const perAxis = from.map((size, axis) => counts(window, axis, size, to[axis]!, isPadCounted));
  const share = times(sketch, cotangent, shares(sketch, perAxis, cotangent));
  if (isTiling(window, from, to)) return repeated(sketch, share, window.kernel);
  // Rounding up may have put a last window beyond the padding.
  const after = from.map((size, axis) =>
    Math.max(
      window.after[axis]!,
      (to[axis]! - 1) * window.strides[axis]! + reachOf(window, axis) - size - window.before[axis]!,
    ),
  );
  const weights = sketch.constant({
    data: new Float32Array(sizeOf(window.kernel)).fill(1),
    shape: [1, 1, ...window.kernel],
  });
  const images = reshaped(sketch, share, [n * c, 1, ...to]);
  const attributes = windowAttributes({ ...window, after }, 1);
  const spread = convInput(sketch, images, weights, attributes, [n * c, 1, ...from]);
  return reshaped(sketch, spread, shape);
});

/** Largest and average of windows, and of whole maps. */
export const pools: Rules = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalMaxPool: globalMaxPool,
  GlobalAveragePool: globalAveragePool,
};
