import { intAttribute, intsAttribute, textAttribute } from './attributes.ts';
import type { Operation } from './operation.ts';
import { ruleFor, type ShapeRule, type ShapeRules, shapeAt } from './shape-rule.ts';

// Shapes behind convolutions and pools.

interface Window {
  readonly kernel: readonly (number | null)[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly auto: string;
  readonly ceil: boolean;
}

const windowOf = (node: Operation, kernel: readonly (number | null)[]): Window => ({
  kernel,
  strides: intsAttribute(node, 'strides') ?? kernel.map(() => 1),
  dilations: intsAttribute(node, 'dilations') ?? kernel.map(() => 1),
  pads: intsAttribute(node, 'pads') ?? [...kernel, ...kernel].map(() => 0),
  auto: textAttribute(node, 'auto_pad') ?? 'NOTSET',
  ceil: intAttribute(node, 'ceil_mode', 0) === 1,
});

/** Size of one axis after a sliding window. */
const slid = (size: number | null, axis: number, window: Window): number | null => {
  const kernel = window.kernel[axis] ?? null;
  const stride = window.strides[axis] ?? 1;
  if (size === null || kernel === null) return null;
  if (window.auto.startsWith('SAME')) return Math.ceil(size / stride);
  const before = window.auto === 'VALID' ? 0 : (window.pads[axis] ?? 0);
  const after = window.auto === 'VALID' ? 0 : (window.pads[axis + window.kernel.length] ?? 0);
  const steps = (size + before + after - (window.dilations[axis] ?? 1) * (kernel - 1) - 1) / stride;
  if (!window.ceil) return Math.floor(steps) + 1;
  const count = Math.ceil(steps) + 1;
  // A window must start inside the input or its left padding.
  return (count - 1) * stride >= size + before ? count - 1 : count;
};

export const convShape: ShapeRule = (node, inputs) => {
  const [x, w] = [shapeAt(inputs, 0), shapeAt(inputs, 1)];
  if (x === null || x.length < 3) return [null];
  const kernel = intsAttribute(node, 'kernel_shape') ?? w?.slice(2) ?? x.slice(2).map(() => null);
  const window = windowOf(node, kernel);
  return [[x[0]!, w?.[0] ?? null, ...x.slice(2).map((size, axis) => slid(size, axis, window))]];
};

const convTranspose: ShapeRule = (node, inputs) => {
  const [x, w] = [shapeAt(inputs, 0), shapeAt(inputs, 1)];
  if (x === null || w === null || x.length < 3) return [null];
  const { kernel, strides, dilations, pads, auto } = windowOf(
    node,
    intsAttribute(node, 'kernel_shape') ?? w.slice(2),
  );
  const extra = intsAttribute(node, 'output_padding') ?? kernel.map(() => 0);
  const fixed = intsAttribute(node, 'output_shape');
  const channels = w[1] === null ? null : w[1]! * intAttribute(node, 'group', 1);
  const sizes = x.slice(2).map((size, axis) => {
    if (fixed !== null) return fixed[axis] ?? null;
    const width = kernel[axis] ?? null;
    if (size === null || width === null) return null;
    if (auto.startsWith('SAME')) return size * (strides[axis] ?? 1);
    const padding = auto === 'VALID' ? 0 : (pads[axis] ?? 0) + (pads[axis + kernel.length] ?? 0);
    const reach = (width - 1) * (dilations[axis] ?? 1) + 1;
    return (strides[axis] ?? 1) * (size - 1) + (extra[axis] ?? 0) + reach - padding;
  });
  return [[x[0]!, channels, ...sizes]];
};

export const poolShape: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  const kernel = intsAttribute(node, 'kernel_shape');
  if (x === null || kernel === null) return [null, null];
  const window = windowOf(node, kernel);
  const shape = [x[0]!, x[1]!, ...x.slice(2).map((size, axis) => slid(size, axis, window))];
  return [shape, shape];
};

export const globalPoolShape: ShapeRule = (_, inputs) => [
  shapeAt(inputs, 0)?.map((size, axis) => (axis < 2 ? size : 1)) ?? null,
];

export const windowShapes: ShapeRules = {
  ...ruleFor('Conv FusedConv', convShape),
  ConvTranspose: convTranspose,
  ...ruleFor('MaxPool AveragePool LpPool', poolShape),
  ...ruleFor('GlobalAveragePool GlobalMaxPool GlobalLpPool', globalPoolShape),
};
