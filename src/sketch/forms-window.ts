import { floatAttribute, intAttribute, intsAttribute, textAttribute } from '../graph/attributes.ts';
import type { Attributes } from '../graph/graph.ts';
import type { Draft, Form, Forms } from './form.ts';

// Convolutions and pools with kernel, strides, dilations and pads written out; automatic padding becomes explicit.

interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/** Input error: not a positive number for each axis behind batch and channels. */
const windowOf = (draft: Draft, kernel: readonly number[]): Window => {
  const { node } = draft;
  const window = {
    kernel,
    strides: intsAttribute(node, 'strides') ?? kernel.map(() => 1),
    dilations: intsAttribute(node, 'dilations') ?? kernel.map(() => 1),
  };
  const axes = draft.rank(0) - 2;
  for (const [name, numbers] of Object.entries(window)) {
    if (numbers.length === axes && numbers.every((each) => each > 0)) continue;
    throw draft.refuse(`${name} of ${axes} positive numbers`, `[${numbers.join(', ')}]`);
  }
  return window;
};

const reachOf = ({ kernel, dilations }: Window, axis: number): number =>
  (kernel[axis]! - 1) * dilations[axis]! + 1;

const checkedPads = (draft: Draft, none: readonly number[]): readonly number[] => {
  const pads = intsAttribute(draft.node, 'pads') ?? none;
  if (pads.length === none.length) return pads;
  throw draft.refuse(`pads of ${none.length} numbers`, `[${pads.join(', ')}]`);
};

/** Before all axes, then after all axes. */
const padsOf = (draft: Draft, window: Window): readonly number[] => {
  const { node } = draft;
  const auto = textAttribute(node, 'auto_pad') ?? 'NOTSET';
  const none = [...window.kernel, ...window.kernel].map(() => 0);
  if (auto === 'NOTSET' || auto === '') return checkedPads(draft, none);
  if (auto === 'VALID') return none;
  const totals = window.kernel.map((_, axis) => {
    const size = draft.sizes(0)[axis + 2]!;
    const stride = window.strides[axis]!;
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + reachOf(window, axis) - size);
  });
  return halved(totals, auto === 'SAME_UPPER');
};

/** The odd one goes after (`upper`) or before. */
const halved = (totals: readonly number[], upper: boolean): number[] => {
  const before = totals.map((total) => (upper ? Math.floor(total / 2) : Math.ceil(total / 2)));
  return [...before, ...totals.map((total, axis) => total - before[axis]!)];
};

const kernelOf = (draft: Draft): readonly number[] =>
  intsAttribute(draft.node, 'kernel_shape') ?? draft.sizes(1).slice(2);

const windowAttributes = (window: Window, pads: readonly number[]): Attributes => ({
  kernel_shape: { ints: window.kernel },
  strides: { ints: window.strides },
  dilations: { ints: window.dilations },
  pads: { ints: pads },
});

export const convAttributes = (draft: Draft): Attributes => {
  const window = windowOf(draft, kernelOf(draft));
  return {
    ...windowAttributes(window, padsOf(draft, window)),
    group: { int: intAttribute(draft.node, 'group', 1) },
  };
};

const conv: Form = (draft) => draft.finish('Conv', draft.node.inputs, convAttributes(draft));

/** `output_shape` and automatic padding become pads and `output_padding`. */
const convTranspose: Form = (draft) => {
  const { node } = draft;
  const window = windowOf(draft, kernelOf(draft));
  const auto = textAttribute(node, 'auto_pad') ?? 'NOTSET';
  let extra = intsAttribute(node, 'output_padding') ?? window.kernel.map(() => 0);
  const none = [...window.kernel, ...window.kernel].map(() => 0);
  let pads = auto === 'NOTSET' || auto === '' ? checkedPads(draft, none) : none;
  const wanted =
    intsAttribute(node, 'output_shape')?.slice(-window.kernel.length) ??
    (auto.startsWith('SAME')
      ? draft
          .sizes(0)
          .slice(2)
          .map((size, axis) => size * window.strides[axis]!)
      : null);
  if (wanted !== null) {
    const totals = wanted.map((size, axis) => {
      const full = window.strides[axis]! * (draft.sizes(0)[axis + 2]! - 1) + reachOf(window, axis);
      return full + extra[axis]! - size;
    });
    pads = halved(
      totals.map((total) => Math.max(0, total)),
      auto === 'SAME_UPPER',
    );
    extra = extra.map((each, axis) => each + Math.max(0, -totals[axis]!));
  }
  return draft.finish('ConvTranspose', node.inputs, {
    ...windowAttributes(window, pads),
    group: { int: intAttribute(node, 'group', 1) },
    output_padding: { ints: extra },
  });
};

/** What `ceil_mode` adds behind the input, so that a last incomplete window counts. */
const ceiled = (draft: Draft, window: Window, pads: readonly number[]): readonly number[] => {
  const rank = window.kernel.length;
  const sizes = draft.sizes(0).slice(2);
  return pads.map((own, place) => {
    const axis = place - rank;
    if (axis < 0) return own;
    const [size, stride, before] = [sizes[axis]!, window.strides[axis]!, pads[axis]!];
    const reach = reachOf(window, axis);
    const count = Math.ceil((size + before + own - reach) / stride) + 1;
    // A window must start inside the input or its left padding.
    const windows = (count - 1) * stride >= size + before ? count - 1 : count;
    return Math.max(own, (windows - 1) * stride + reach - size - before);
  });
};

const pool: Form = (draft) => {
  const { node } = draft;
  const kernel = intsAttribute(node, 'kernel_shape');
  if (kernel === null) throw draft.refuse('a kernel_shape', 'none');
  const window = windowOf(draft, kernel);
  const pads = padsOf(draft, window);
  const counted = intAttribute(node, 'count_include_pad', 0);
  const isCeil = intAttribute(node, 'ceil_mode', 0) === 1;
  // Where padding counts in the mean, what lies behind it does not: no padding says the same.
  const wide = isCeil && counted === 0 ? ceiled(draft, window, pads) : pads;
  const fits = wide.every((each, place) => each < kernel[place % kernel.length]!);
  const { dilations, ...attributes } = windowAttributes(window, fits ? wide : pads);
  return draft.finish(node.op, node.inputs, {
    ...attributes,
    ...(node.op === 'AveragePool' ? {} : { dilations: dilations! }),
    ...(isCeil && !(fits && counted === 0) ? { ceil_mode: { int: 1 } } : {}),
    ...(node.op === 'AveragePool' ? { count_include_pad: { int: counted } } : {}),
    ...(node.op === 'LpPool' ? { p: { int: intAttribute(node, 'p', 2) } } : {}),
    ...(node.op === 'MaxPool'
      ? { storage_order: { int: intAttribute(node, 'storage_order', 0) } }
      : {}),
  });
};

/** An AveragePool with dilations came with opset 19. */
const averagePool: Form = (draft) => {
  if ((intsAttribute(draft.node, 'dilations') ?? []).some((each) => each !== 1)) {
    throw draft.refuse('an average over neighbouring pixels', 'one with dilations');
  }
  return pool(draft);
};

/** y and the running mean and variance. */
const RUNNING_OUTPUTS = 3;

/** Frozen, or, where it has further outputs or says so, with the statistics of the batch. */
const batchNormalisation: Form = (draft) => {
  const { node, opset } = draft;
  if (intAttribute(node, 'spatial', 1) !== 1) {
    throw draft.refuse('statistics per channel', 'statistics per pixel (spatial = 0)');
  }
  const training =
    opset >= 14 ? intAttribute(node, 'training_mode', 0) : Number(node.outputs.length > 1);
  // Up to opset 13 the statistics of the batch followed the running ones; exporters name them and nothing reads them.
  if (node.outputs.slice(RUNNING_OUTPUTS).some(draft.isUsed)) {
    throw draft.refuse('running statistics only', 'the saved mean or variance of the batch');
  }
  const attributes = {
    epsilon: { float: floatAttribute(node, 'epsilon') ?? 1e-5 },
    momentum: { float: floatAttribute(node, 'momentum') ?? 0.9 },
    training_mode: { int: training },
  };
  return draft.finish('BatchNormalization', node.inputs, attributes, RUNNING_OUTPUTS);
};

export const windowForms: Forms = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool,
  LpPool: pool,
  AveragePool: averagePool,
  BatchNormalization: batchNormalisation,
};
