import type { Draft } from './draft.ts';
import { divisors, type Grow, signed, someAxes } from './random-operations.ts';

// Random convolutions, pools and movements of elements.

const isMap = (shape: readonly number[]): boolean => shape.length === 3 || shape.length === 4;

interface Drawn {
  readonly kernel: number[];
  readonly attributes: Record<string, { ints: number[] } | { string: string }>;
}

/** A window with strides, dilations and padding that fits into a map. */
const window = (
  draft: Draft,
  spatial: readonly number[],
  dilated: boolean,
  padded: boolean,
): Drawn => {
  const kernel = spatial.map((size) => draft.between(1, Math.min(3, size)));
  const dilations = spatial.map((size, axis) =>
    dilated && (kernel[axis]! - 1) * 2 < size && draft.chance(0.3) ? 2 : 1,
  );
  const strides = { ints: spatial.map(() => draft.choice([1, 1, 2, 3])) };
  const shared = { strides, ...(dilated ? { dilations: { ints: dilations } } : {}) };
  // onnxruntime refuses the negative padding that SAME would mean for strides beyond the kernel.
  if (draft.chance(0.2) && strides.ints.every((stride, axis) => stride <= kernel[axis]!)) {
    const auto_pad = { string: draft.choice(['SAME_UPPER', 'SAME_LOWER', 'VALID']) };
    return { kernel, attributes: { strides, auto_pad } };
  }
  const pads = [...kernel, ...kernel].map((size) => (padded ? draft.between(0, size - 1) : 0));
  return { kernel, attributes: { ...shared, pads: { ints: pads } } };
};

const Conv: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (!isMap(shape)) return null;
  const [, inputs = 0, ...spatial] = shape;
  const group = draft.choice(divisors(inputs));
  const outputs = group * draft.between(1, 2);
  const { kernel, attributes } = window(draft, spatial, true, true);
  const within = inputs / group;
  const scale = 1 / Math.sqrt(within * kernel.reduce((a, b) => a * b, 1));
  const bias = draft.chance(0.5) ? [draft.weight([outputs], 0.5)] : [];
  return draft.add('Conv', [x, draft.weight([outputs, within, ...kernel], scale), ...bias], {
    ...attributes,
    group: { int: group },
  });
};

const ConvTranspose: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (!isMap(shape)) return null;
  const [, inputs = 0, ...spatial] = shape;
  const group = draft.choice(divisors(inputs));
  const within = draft.between(1, 2);
  const kernel = spatial.map(() => draft.between(1, 3));
  const strides = spatial.map(() => draft.between(1, 2));
  const pads = [...kernel, ...kernel].map((size) => draft.between(0, Math.min(1, size - 1)));
  const extra = strides.map((stride) => draft.between(0, stride - 1));
  const bias = draft.chance(0.5) ? [draft.weight([within * group], 0.5)] : [];
  return draft.add('ConvTranspose', [x, draft.weight([inputs, within, ...kernel], 0.5), ...bias], {
    group: { int: group },
    strides: { ints: strides },
    pads: { ints: pads },
    output_padding: { ints: extra },
  });
};

const MaxPool: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (!isMap(shape)) return null;
  // Up to opset 21, ONNX and onnxruntime count the windows of padded maps differently where sizes are rounded up.
  const ceil = draft.chance(0.4);
  const { kernel, attributes } = window(draft, shape.slice(2), true, !ceil);
  return draft.add('MaxPool', [x], {
    ...attributes,
    ...('auto_pad' in attributes ? {} : { ceil_mode: { int: ceil ? 1 : 0 } }),
    kernel_shape: { ints: kernel },
  });
};

const AveragePool: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (!isMap(shape)) return null;
  const ceiled = draft.chance(0.4);
  const { kernel, attributes } = window(draft, shape.slice(2), false, !ceiled);
  const counting = 'auto_pad' in attributes || ceiled ? 0 : draft.between(0, 1);
  const ceil = 'auto_pad' in attributes || !ceiled ? 0 : 1;
  return draft.add('AveragePool', [x], {
    ...attributes,
    kernel_shape: { ints: kernel },
    count_include_pad: { int: counting },
    ceil_mode: { int: ceil },
  });
};

const global =
  (op: string): Grow =>
  (draft, x) =>
    isMap(draft.shape(x)) ? draft.add(op, [x]) : null;

const RESIZES = [
  ['nearest', 'asymmetric', 'floor'],
  ['nearest', 'half_pixel', 'round_prefer_floor'],
  ['linear', 'half_pixel', 'floor'],
  ['linear', 'pytorch_half_pixel', 'floor'],
  ['linear', 'align_corners', 'floor'],
  ['linear', 'asymmetric', 'floor'],
] as const;

const Resize: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (shape.length !== 4) return null;
  const [mode, coordinates, nearest] = draft.choice(RESIZES);
  const attributes = {
    mode: { string: mode },
    coordinate_transformation_mode: { string: coordinates },
    nearest_mode: { string: nearest },
  };
  const factors = [1, 1, draft.choice([0.5, 1, 2, 3]), draft.choice([0.5, 1, 2])];
  const whole = shape.every((size, axis) => Number.isInteger(size * factors[axis]!));
  if (whole && draft.chance(0.5)) {
    return draft.add('Resize', [x, '', draft.numbers(factors)], attributes);
  }
  const sizes = [...shape.slice(0, 2), draft.between(1, 6), draft.between(1, 6)];
  return draft.add('Resize', [x, '', '', draft.ints(sizes)], attributes);
};

const Pad: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (shape.length === 0) return null;
  const mode = draft.choice(['constant', 'constant', 'reflect', 'edge']);
  const rank = shape.length;
  const some = draft.opset >= 18 && draft.chance(0.5) ? someAxes(draft, rank) : null;
  const axes = some ?? [...shape.keys()];
  const amount = (axis: number): number => {
    const size = shape.at(axis)!;
    if (mode === 'reflect') return draft.between(0, Math.min(2, size - 1));
    return draft.between(mode === 'constant' && size > 2 ? -1 : 0, 2);
  };
  const pads = draft.ints([...axes.map(amount), ...axes.map(amount)]);
  const value = mode === 'constant' && draft.chance(0.5) ? draft.numbers([0.5], []) : '';
  const inputs =
    some === null
      ? [x, pads, ...(value === '' ? [] : [value])]
      : [x, pads, value, draft.ints(axes)];
  return draft.add('Pad', inputs, { mode: { string: mode } });
};

/** The sizes in another grouping: neighbours merged, or one split. */
const Reshape: Grow = (draft, x) => {
  const shape = [...draft.shape(x)];
  const rank = shape.length;
  const merge = rank > 1 && draft.chance(0.6);
  const axis = draft.between(0, Math.max(0, rank - (merge ? 2 : 1)));
  if (merge) shape.splice(axis, 2, shape[axis]! * shape[axis + 1]!);
  else {
    const part = draft.choice(divisors(shape[axis] ?? 1));
    shape.splice(axis, 1, part, (shape[axis] ?? 1) / part);
  }
  const wanted = draft.chance(0.3) ? shape.with(draft.between(0, shape.length - 1), -1) : shape;
  if (wanted[0] === draft.shape(x)[0] && draft.chance(0.3)) wanted[0] = 0;
  return draft.add('Reshape', [x, draft.ints(wanted)]);
};

const Slice: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (shape.length === 0) return null;
  const axes = someAxes(draft, shape.length);
  const parts = axes.map((axis) => {
    const size = shape.at(axis)!;
    const backwards = draft.chance(0.4);
    const from = draft.between(0, size - 1);
    const step = draft.choice([1, 2, 3]);
    if (backwards)
      return [from, draft.chance(0.5) ? -size - 5 : draft.between(-1, from - 1), -step];
    return [
      draft.chance(0.3) ? from - size : from,
      draft.chance(0.5) ? 1000 : draft.between(from + 1, size),
      step,
    ];
  });
  // An end of −1 means the last element, not the one before the first.
  const ends = parts.map(([, end = 0, step = 1], own) =>
    step < 0 && end === -1 ? -shape.at(axes[own]!)! - 1 : end,
  );
  return draft.add('Slice', [
    x,
    draft.ints(parts.map(([from = 0]) => from)),
    draft.ints(ends),
    draft.ints(axes),
    draft.ints(parts.map(([, , step = 1]) => step)),
  ]);
};

const Gather: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (shape.length === 0) return null;
  const axis = draft.between(0, shape.length - 1);
  const indices = draft.choice([[], [draft.between(1, 4)], [2, 2]]);
  const count = indices.reduce((a, b) => a * b, 1);
  const size = shape[axis]!;
  const values = Array.from({ length: count }, () => draft.between(-size, size - 1));
  return draft.add('Gather', [x, draft.ints(values, indices)], {
    axis: { int: signed(draft, axis, shape.length) },
  });
};

const Split: Grow = (draft, x) => {
  const shape = draft.shape(x);
  const axis = shape.findIndex((size) => size > 1);
  if (axis < 0) return null;
  const attribute = { axis: { int: signed(draft, axis, shape.length) } };
  if (draft.opset >= 18 && draft.chance(0.5)) {
    return draft.add('Split', [x], { ...attribute, num_outputs: { int: 2 } }, 2);
  }
  const first = draft.between(1, shape[axis]! - 1);
  return draft.add('Split', [x, draft.ints([first, shape[axis]! - first])], attribute, 2);
};

const Concat: Grow = (draft, x, others) => {
  const shape = draft.shape(x);
  if (shape.length === 0) return null;
  const axis = draft.between(0, shape.length - 1);
  const rest = shape.with(axis, 0).join();
  const fitting = others.filter((other) => {
    const own = draft.shape(other);
    return own.length === shape.length && own.with(axis, 0).join() === rest;
  });
  const weight = () => draft.weight(shape.with(axis, draft.between(1, 2)));
  const partner = fitting.length > 0 && draft.chance(0.6) ? draft.choice(fitting) : weight();
  const inputs = draft.chance(0.2) ? [x, partner, x] : [x, partner];
  return draft.add('Concat', inputs, { axis: { int: signed(draft, axis, shape.length) } });
};

const Expand: Grow = (draft, x) => {
  const larger = draft.shape(x).map((size) => (size === 1 ? draft.between(1, 3) : size));
  const shape = larger.length < 4 && draft.chance(0.5) ? [draft.between(1, 2), ...larger] : larger;
  return draft.add('Expand', [x, draft.ints(shape)]);
};

const Squeeze: Grow = (draft, x) => {
  const shape = draft.shape(x);
  const axis = shape.indexOf(1);
  if (axis < 0) return null;
  const axes = draft.ints([signed(draft, axis, shape.length)]);
  return draft.add('Squeeze', draft.chance(0.3) ? [x] : [x, axes]);
};

const Unsqueeze: Grow = (draft, x) => {
  const rank = draft.shape(x).length + 1;
  if (rank > 4) return null;
  return draft.add('Unsqueeze', [x, draft.ints([signed(draft, draft.between(0, rank - 1), rank)])]);
};

const blocks =
  (
    op: string,
    attributes: (draft: Draft) => object,
    fits: (shape: readonly number[]) => boolean,
  ): Grow =>
  (draft, x) => {
    const shape = draft.shape(x);
    if (shape.length !== 4 || !fits(shape)) return null;
    return draft.add(op, [x], { blocksize: { int: 2 }, ...attributes(draft) });
  };

export const moving: Readonly<Record<string, Grow>> = {
  AveragePool,
  Concat,
  Conv,
  ConvTranspose,
  DepthToSpace: blocks(
    'DepthToSpace',
    (draft) => ({ mode: { string: draft.choice(['DCR', 'CRD']) } }),
    ([, channels = 0]) => channels % 4 === 0,
  ),
  Expand,
  Flatten: (draft, x) =>
    draft.add('Flatten', [x], { axis: { int: draft.between(0, draft.shape(x).length) } }),
  Gather,
  GlobalAveragePool: global('GlobalAveragePool'),
  GlobalMaxPool: global('GlobalMaxPool'),
  MaxPool,
  Pad,
  Reshape,
  Resize,
  Slice,
  SpaceToDepth: blocks(
    'SpaceToDepth',
    () => ({}),
    ([, , height = 1, width = 1]) => height % 2 === 0 && width % 2 === 0,
  ),
  Split,
  Squeeze,
  Tile: (draft, x) =>
    draft.add('Tile', [x, draft.ints(draft.shape(x).map(() => draft.choice([1, 1, 2])))]),
  Transpose: (draft, x) =>
    draft.add('Transpose', [x], {
      perm: { ints: [...draft.random.permutation(draft.shape(x).length)] },
    }),
  Unsqueeze,
};
