import type { ElementType } from './schema.ts';

/** A shape in which `null` stands for a size that is not known. */
export type Sizes = readonly (number | null)[];

/** What is known of a tensor without running the model. */
export interface Facts {
  readonly type: ElementType;
  readonly shape: Sizes | null;
  /** Elements of a small tensor that computes shapes, row-major; `null` elements are not known. */
  readonly values: Sizes | null;
}

/** Larger tensors are data, not shapes: their values stay unread. */
export const MOST_VALUES = 64;

export const NOTHING: Facts = { type: 'undefined', shape: null, values: null };

/** Number of elements; `null` where a size is not known. */
export const countOf = (shape: Sizes): number | null =>
  shape.reduce<number | null>(
    (count, size) => (count === null || size === null ? null : count * size),
    1,
  );

const broadcastSize = (a: number | null, b: number | null): number | null => {
  if (a === 1) return b;
  if (b === 1 || a === b) return a;
  // One is not known: it is 1 or equal to the other.
  return a === null ? b : b === null ? a : null;
};

/** NumPy's broadcasting of two shapes. */
export const broadcast = (a: Sizes, b: Sizes): Sizes => {
  const rank = Math.max(a.length, b.length);
  const at = (shape: Sizes, axis: number): number | null => {
    const own = axis - (rank - shape.length);
    return own < 0 ? 1 : shape[own]!;
  };
  return Array.from({ length: rank }, (_, axis) => broadcastSize(at(a, axis), at(b, axis)));
};

/** A negative axis counts from the end. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The bounds of an ONNX Slice on one axis, clamped as ONNX clamps them. */
export const sliceBounds = (
  start: number,
  end: number,
  step: number,
  size: number,
): { from: number; count: number } => {
  const clamp = (bound: number): number => {
    const positive = bound < 0 ? bound + size : bound;
    return step > 0
      ? Math.min(Math.max(positive, 0), size)
      : Math.min(Math.max(positive, -1), size - 1);
  };
  const from = clamp(start);
  return { from, count: Math.max(0, Math.ceil((clamp(end) - from) / step)) };
};
