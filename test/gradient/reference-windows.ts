import {
  at,
  build,
  everyIndex,
  type Index,
  int,
  integers,
  ints,
  type Operation,
  text,
} from './dense.ts';

// Convolution, pooling, padding and resizing, straight from the definitions of the ONNX operators.

type Node = Parameters<Operation>[1];

interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begins: readonly number[];
  readonly sizes: readonly number[];
}

const windowOf = (node: Node, spatial: readonly number[], kernel: readonly number[]): Window => {
  const ones = spatial.map(() => 1);
  const strides = ints(node, 'strides') ?? ones;
  const dilations = ints(node, 'dilations') ?? ones;
  const reach = kernel.map((size, axis) => (size - 1) * dilations[axis]! + 1);
  const automatic = text(node, 'auto_pad', 'NOTSET');
  if (automatic.startsWith('SAME')) {
    const sizes = spatial.map((size, axis) => Math.ceil(size / strides[axis]!));
    const begins = sizes.map((size, axis) => {
      const total = Math.max(0, (size - 1) * strides[axis]! + reach[axis]! - spatial[axis]!);
      return automatic === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
    });
    return { kernel, strides, dilations, begins, sizes };
  }
  const given = automatic === 'VALID' ? null : ints(node, 'pads');
  const pads = given ?? [...spatial, ...spatial].map(() => 0);
  const begins = pads.slice(0, spatial.length);
  const sizes = spatial.map((size, axis) => {
    const room = size + begins[axis]! + pads[axis + spatial.length]! - reach[axis]!;
    if (int(node, 'ceil_mode', 0) === 0) return Math.floor(room / strides[axis]!) + 1;
    const count = Math.ceil(room / strides[axis]!) + 1;
    return (count - 1) * strides[axis]! >= size + begins[axis]! ? count - 1 : count;
  });
  return { kernel, strides, dilations, begins, sizes };
};

/** Visits the places of the input under the window that makes the output at `place`: null where it is padding. */
const underWindow = (
  { kernel, strides, dilations, begins }: Window,
  spatial: readonly number[],
  place: Index,
  visit: (position: Index | null, tap: Index) => void,
): void => {
  everyIndex(kernel, (tap) => {
    const position = tap.map(
      (own, axis) => place[axis]! * strides[axis]! + own * dilations[axis]! - begins[axis]!,
    );
    const inside = position.every((own, axis) => own >= 0 && own < spatial[axis]!);
    visit(inside ? position : null, tap);
  });
};

const Conv: Operation = ([x, w, bias], node) => {
  const spatial = x!.shape.slice(2);
  const [outputs = 0, within = 0, ...kernel] = w!.shape;
  const window = windowOf(node, spatial, kernel);
  const perGroup = outputs / int(node, 'group', 1);
  const y = build([x!.shape[0]!, outputs, ...window.sizes], ([image = 0, own = 0, ...place]) => {
    const first = Math.floor(own / perGroup) * within;
    let sum = bias === undefined ? 0 : bias.data[own]!;
    underWindow(window, spatial, place, (position, tap) => {
      if (position === null) return;
      for (let c = 0; c < within; c++) {
        sum += at(x!, [image, first + c, ...position]) * at(w!, [own, c, ...tap]);
      }
    });
    return sum;
  });
  return [y];
};

const ConvTranspose: Operation = ([x, w, bias], node) => {
  const [images = 0, inputs = 0, ...spatial] = x!.shape;
  const [, within = 0, ...kernel] = w!.shape;
  const ones = spatial.map(() => 1);
  const strides = ints(node, 'strides') ?? ones;
  const dilations = ints(node, 'dilations') ?? ones;
  const extra = ints(node, 'output_padding') ?? spatial.map(() => 0);
  const pads = ints(node, 'pads') ?? [...spatial, ...spatial].map(() => 0);
  const groups = int(node, 'group', 1);
  const perGroup = inputs / groups;
  const sizes = spatial.map(
    (size, axis) =>
      strides[axis]! * (size - 1) +
      extra[axis]! +
      (kernel[axis]! - 1) * dilations[axis]! +
      1 -
      pads[axis]! -
      pads[axis + spatial.length]!,
  );
  const y = build([images, within * groups, ...sizes], ([image = 0, own = 0, ...place]) => {
    const group = Math.floor(own / within);
    let sum = bias === undefined ? 0 : bias.data[own]!;
    everyIndex(kernel, (tap) => {
      const position = tap.map(
        (k, axis) => (place[axis]! + pads[axis]! - k * dilations[axis]!) / strides[axis]!,
      );
      const hit = position.every((p, axis) => Number.isInteger(p) && p >= 0 && p < spatial[axis]!);
      if (!hit) return;
      for (let c = 0; c < perGroup; c++) {
        const channel = group * perGroup + c;
        sum += at(x!, [image, channel, ...position]) * at(w!, [channel, own % within, ...tap]);
      }
    });
    return sum;
  });
  return [y];
};

const MaxPool: Operation = ([x], node, { near }) => {
  const spatial = x!.shape.slice(2);
  const window = windowOf(node, spatial, ints(node, 'kernel_shape')!);
  const shape = [...x!.shape.slice(0, 2), ...window.sizes];
  const y = build(shape, ([image = 0, channel = 0, ...place]) => {
    let [largest, second] = [-Infinity, -Infinity];
    underWindow(window, spatial, place, (position) => {
      if (position === null) return;
      const value = at(x!, [image, channel, ...position]);
      if (value > largest) [largest, second] = [value, largest];
      else if (value > second) second = value;
    });
    near(largest - second);
    return largest;
  });
  return [y];
};

const AveragePool: Operation = ([x], node) => {
  const spatial = x!.shape.slice(2);
  const window = windowOf(node, spatial, ints(node, 'kernel_shape')!);
  const countsPadding = int(node, 'count_include_pad', 0) === 1;
  const shape = [...x!.shape.slice(0, 2), ...window.sizes];
  const y = build(shape, ([image = 0, channel = 0, ...place]) => {
    let [sum, count] = [0, 0];
    underWindow(window, spatial, place, (position) => {
      if (position !== null) sum += at(x!, [image, channel, ...position]);
      if (position !== null || countsPadding) count++;
    });
    return sum / count;
  });
  return [y];
};

/** Where an index outside an axis reads from; null: from the padding. */
const mirrored = (place: number, size: number, mode: string): number | null => {
  if (place >= 0 && place < size) return place;
  if (mode === 'constant') return null;
  if (mode === 'edge') return place < 0 ? 0 : size - 1;
  if (mode === 'wrap') return ((place % size) + size) % size;
  return place < 0 ? -place : 2 * (size - 1) - place;
};

const Pad: Operation = ([x, given, value, axes], node) => {
  const rank = x!.shape.length;
  const some =
    axes === undefined
      ? x!.shape.map((_, axis) => axis)
      : integers(axes).map((a) => (a + rank) % rank);
  const amounts = integers(given!);
  const [begins, ends] = [x!.shape.map(() => 0), x!.shape.map(() => 0)];
  some.forEach((axis, own) => {
    begins[axis] = amounts[own]!;
    ends[axis] = amounts[own + some.length]!;
  });
  const shape = x!.shape.map((size, axis) => size + begins[axis]! + ends[axis]!);
  const mode = text(node, 'mode', 'constant');
  const y = build(shape, (index) => {
    const source = index.map((own, axis) => mirrored(own - begins[axis]!, x!.shape[axis]!, mode));
    return source.includes(null) ? (value?.data[0] ?? 0) : at(x!, source as number[]);
  });
  return [y];
};

const NEAREST: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

const sourceOf = (mode: string, place: number, from: number, to: number, scale: number): number => {
  if (mode === 'asymmetric') return place / scale;
  if (mode === 'align_corners') return to === 1 ? 0 : (place * (from - 1)) / (to - 1);
  if (mode === 'pytorch_half_pixel' && to === 1) return 0;
  return (place + 0.5) / scale - 0.5;
};

/** Weights of the places of an axis that an output place is made of. */
const contributions = (
  node: Node,
  place: number,
  from: number,
  to: number,
  scale: number,
): readonly (readonly [place: number, weight: number])[] => {
  const source = sourceOf(
    text(node, 'coordinate_transformation_mode', 'half_pixel'),
    place,
    from,
    to,
    scale,
  );
  const within = (own: number): number => Math.min(Math.max(own, 0), from - 1);
  if (text(node, 'mode', 'nearest') === 'nearest') {
    return [[within(NEAREST[text(node, 'nearest_mode', 'round_prefer_floor')]!(source)), 1]];
  }
  const low = Math.floor(source);
  return [
    [within(low), low + 1 - source],
    [within(low + 1), source - low],
  ];
};

const Resize: Operation = ([x, , scales, sizes], node) => {
  const shape =
    sizes === undefined
      ? x!.shape.map((size, axis) => Math.floor(size * scales!.data[axis]!))
      : integers(sizes);
  const scaleOf = (axis: number): number =>
    sizes === undefined ? scales!.data[axis]! : shape[axis]! / x!.shape[axis]!;
  const parts = shape.map((size, axis) =>
    Array.from({ length: size }, (_, place) =>
      size === x!.shape[axis]
        ? ([[place, 1]] as const)
        : contributions(node, place, x!.shape[axis]!, size, scaleOf(axis)),
    ),
  );
  const y = build(shape, (index) => {
    const own = index.map((place, axis) => parts[axis]![place]!);
    let sum = 0;
    everyIndex(
      own.map((each) => each.length),
      (choice) => {
        const picked = choice.map((which, axis) => own[axis]![which]!);
        const weight = picked.reduce((total, [, each]) => total * each, 1);
        sum +=
          weight *
          at(
            x!,
            picked.map(([place]) => place),
          );
      },
    );
    return sum;
  });
  return [y];
};

const overSpace =
  (summary: (values: readonly number[]) => number): Operation =>
  ([x], _, { near }) => {
    const [images = 0, channels = 0, ...spatial] = x!.shape;
    const values = (image: number, channel: number): number[] => {
      const found: number[] = [];
      everyIndex(spatial, (place) => found.push(at(x!, [image, channel, ...place])));
      return found;
    };
    const shape = [images, channels, ...spatial.map(() => 1)];
    const y = build(shape, ([image = 0, channel = 0]) => {
      const own = values(image, channel);
      if (summary === largest && own.length > 1) {
        const [first = 0, second = 0] = own.toSorted((a, b) => b - a);
        near(first - second);
      }
      return summary(own);
    });
    return [y];
  };

const largest = (values: readonly number[]): number => Math.max(...values);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export const windows: Readonly<Record<string, Operation>> = {
  Conv,
  ConvTranspose,
  MaxPool,
  AveragePool,
  GlobalAveragePool: overSpace(mean),
  GlobalMaxPool: overSpace(largest),
  Pad,
  Resize,
};
