import { intAttribute, intsAttribute, textAttribute } from '../graph/attributes.ts';
import type { Attributes, OnnxNode } from '../graph/graph.ts';

/** Where a sliding window stands on each spatial axis: kernels, strides, dilations, and zeros before and after. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Positions from the first element under a kernel to behind its last. */
export const reachOf = ({ kernel, dilations }: Window, axis: number): number =>
  (kernel[axis]! - 1) * dilations[axis]! + 1;

/**
 * The window of a convolution or pooling with its automatic padding written out (ONNX, Conv: `auto_pad`).
 *
 * @param from spatial sizes of what the window slides over. `to`: those of what it makes.
 */
export const windowOf = (
  node: OnnxNode,
  kernel: readonly number[],
  from: readonly number[],
  to: readonly number[],
): Window => {
  const ones = kernel.map(() => 1);
  const pads = intsAttribute(node, 'pads') ?? [...kernel, ...kernel].map(() => 0);
  const window: Window = {
    kernel,
    strides: intsAttribute(node, 'strides') ?? ones,
    dilations: intsAttribute(node, 'dilations') ?? ones,
    before: pads.slice(0, kernel.length),
    after: pads.slice(kernel.length),
  };
  const auto = textAttribute(node, 'auto_pad') ?? 'NOTSET';
  if (auto === 'NOTSET') return window;
  const none = kernel.map(() => 0);
  if (auto === 'VALID') return { ...window, before: none, after: none };
  const total = kernel.map((_, axis) =>
    Math.max(0, (to[axis]! - 1) * window.strides[axis]! + reachOf(window, axis) - from[axis]!),
  );
  const less = total.map((padding) => Math.floor(padding / 2));
  const more = total.map((padding, axis) => padding - less[axis]!);
  return auto === 'SAME_LOWER'
    ? { ...window, before: more, after: less }
    : { ...window, before: less, after: more };
};

/** Attributes of Conv and of its two adjoints. */
export const windowAttributes = (window: Window, group: number): Attributes => ({
  kernel_shape: { ints: window.kernel },
  strides: { ints: window.strides },
  dilations: { ints: window.dilations },
  pads: { ints: [...window.before, ...window.after] },
  group: { int: group },
});

export const groupOf = (node: OnnxNode): number => intAttribute(node, 'group', 1);
