import {
  at,
  build,
  commonShape,
  type Dense,
  fromFront,
  int,
  integers,
  ints,
  type Operation,
  repeatedAt,
  text,
} from './dense.ts';

// Operations that move elements, straight from the definitions of the ONNX operators.

const withShape = ({ data }: Dense, shape: readonly number[]): Dense => ({ data, shape });

const Reshape: Operation = ([x, given], node) => {
  const wanted = integers(given!).map((size, axis) =>
    size === 0 && int(node, 'allowzero', 0) === 0 ? x!.shape[axis]! : size,
  );
  const known = wanted.filter((size) => size !== -1).reduce((a, b) => a * b, 1);
  return [
    withShape(
      x!,
      wanted.map((size) => (size === -1 ? x!.data.length / known : size)),
    ),
  ];
};

const Flatten: Operation = ([x], node) => {
  const axis = fromFront(int(node, 'axis', 1), x!.shape.length);
  const rows = x!.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  return [withShape(x!, [rows, x!.data.length / rows])];
};

const Transpose: Operation = ([x], node) => {
  const order = ints(node, 'perm') ?? x!.shape.map((_, axis) => x!.shape.length - 1 - axis);
  const y = build(
    order.map((axis) => x!.shape[axis]!),
    (index) => {
      const source = [...index];
      order.forEach((axis, own) => {
        source[axis] = index[own]!;
      });
      return at(x!, source);
    },
  );
  return [y];
};

const Squeeze: Operation = ([x, given]) => {
  const rank = x!.shape.length;
  const axes = given && integers(given).map((axis) => fromFront(axis, rank));
  const goes = (size: number, axis: number) => (axes ? axes.includes(axis) : size === 1);
  return [
    withShape(
      x!,
      x!.shape.filter((size, axis) => !goes(size, axis)),
    ),
  ];
};

const Unsqueeze: Operation = ([x, given]) => {
  const rank = x!.shape.length + given!.data.length;
  const axes = integers(given!).map((axis) => fromFront(axis, rank));
  const sizes = [...x!.shape];
  const shape = Array.from({ length: rank }, (_, axis) =>
    axes.includes(axis) ? 1 : sizes.shift()!,
  );
  return [withShape(x!, shape)];
};

const Expand: Operation = ([x, given]) => [
  build(commonShape([x!.shape, integers(given!)]), (index) => repeatedAt(x!, index)),
];

const Concat: Operation = (inputs, node) => {
  const [first] = inputs;
  const axis = fromFront(int(node, 'axis', 0), first!.shape.length);
  const total = inputs.reduce((sum, x) => sum + x!.shape[axis]!, 0);
  const y = build(first!.shape.with(axis, total), (index) => {
    let place = index[axis]!;
    const own = inputs.find((x) => {
      if (place < x!.shape[axis]!) return true;
      place -= x!.shape[axis]!;
      return false;
    });
    return at(own!, index.with(axis, place));
  });
  return [y];
};

const Split: Operation = ([x, given], node) => {
  const axis = fromFront(int(node, 'axis', 0), x!.shape.length);
  const count = node.outputs.length;
  const even = Math.ceil(x!.shape[axis]! / count);
  const sizes =
    given === undefined
      ? node.outputs.map((_, own) => Math.min(even, x!.shape[axis]! - own * even))
      : integers(given);
  let start = 0;
  return sizes.map((size) => {
    const from = start;
    start += size;
    return build(x!.shape.with(axis, size), (index) =>
      at(x!, index.with(axis, index[axis]! + from)),
    );
  });
};

const Slice: Operation = ([x, starts, ends, axes, steps]) => {
  const rank = x!.shape.length;
  const from = x!.shape.map(() => 0);
  const by = x!.shape.map(() => 1);
  const shape = [...x!.shape];
  integers(starts!).forEach((start, own) => {
    const axis = axes === undefined ? own : fromFront(axes.data[own]!, rank);
    const size = x!.shape[axis]!;
    const step = steps?.data[own] ?? 1;
    const bound = (value: number): number => {
      const place = value < 0 ? value + size : value;
      return step > 0
        ? Math.min(Math.max(place, 0), size)
        : Math.min(Math.max(place, -1), size - 1);
    };
    from[axis] = bound(start);
    by[axis] = step;
    shape[axis] = Math.max(0, Math.ceil((bound(ends!.data[own]!) - bound(start)) / step));
  });
  const y = build(shape, (index) =>
    at(
      x!,
      index.map((own, axis) => from[axis]! + own * by[axis]!),
    ),
  );
  return [y];
};

const Gather: Operation = ([x, indices], node) => {
  const axis = fromFront(int(node, 'axis', 0), x!.shape.length);
  const shape = [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)];
  const y = build(shape, (index) => {
    const own = at(indices!, index.slice(axis, axis + indices!.shape.length));
    const place = fromFront(own, x!.shape[axis]!);
    const behind = index.slice(axis + indices!.shape.length);
    return at(x!, [...index.slice(0, axis), place, ...behind]);
  });
  return [y];
};

const Tile: Operation = ([x, repeats]) => [
  build(
    x!.shape.map((size, axis) => size * repeats!.data[axis]!),
    (index) =>
      at(
        x!,
        index.map((own, axis) => own % x!.shape[axis]!),
      ),
  ),
];

const DepthToSpace: Operation = ([x], node) => {
  const [n = 0, c = 0, h = 0, w = 0] = x!.shape;
  const block = int(node, 'blocksize', 1);
  const depth = c / block ** 2;
  const columnsFirst = text(node, 'mode', 'DCR') === 'CRD';
  const y = build([n, depth, h * block, w * block], ([image = 0, own = 0, i = 0, j = 0]) => {
    const part = (i % block) * block + (j % block);
    const channel = columnsFirst ? own * block ** 2 + part : part * depth + own;
    return at(x!, [image, channel, Math.floor(i / block), Math.floor(j / block)]);
  });
  return [y];
};

const SpaceToDepth: Operation = ([x], node) => {
  const [n = 0, c = 0, h = 0, w = 0] = x!.shape;
  const block = int(node, 'blocksize', 1);
  const y = build(
    [n, c * block ** 2, h / block, w / block],
    ([image = 0, own = 0, i = 0, j = 0]) => {
      const part = Math.floor(own / c);
      const [di, dj] = [Math.floor(part / block), part % block];
      return at(x!, [image, own % c, i * block + di, j * block + dj]);
    },
  );
  return [y];
};

export const shapes: Readonly<Record<string, Operation>> = {
  Cast: ([x]) => [x!],
  Concat,
  DepthToSpace,
  Expand,
  Flatten,
  Gather,
  Reshape,
  Slice,
  SpaceToDepth,
  Split,
  Squeeze,
  Tile,
  Transpose,
  Unsqueeze,
};
