import {
  at,
  build,
  type Dense,
  everyIndex,
  float,
  fromFront,
  grouped,
  type Index,
  int,
  keyWithout,
  type Operation,
  text,
} from './dense.ts';

// Operations of the interpreter that are rare in networks. Kinks of those that random graphs do without are not reported.

const elementwise =
  (f: (x: number, alpha: number) => number, alpha = 1): Operation =>
  ([x], node) => [
    { data: x!.data.map((value) => f(value, float(node, 'alpha', alpha))), shape: x!.shape },
  ];

const functions: Readonly<Record<string, Operation>> = {
  Tan: elementwise(Math.tan),
  Asin: elementwise(Math.asin),
  Acos: elementwise(Math.acos),
  Atan: elementwise(Math.atan),
  Sinh: elementwise(Math.sinh),
  Cosh: elementwise(Math.cosh),
  Asinh: elementwise(Math.asinh),
  Acosh: elementwise(Math.acosh),
  Atanh: elementwise(Math.atanh),
  Softsign: elementwise((x) => x / (1 + Math.abs(x))),
  Celu: elementwise((x, alpha) => (x > 0 ? x : alpha * Math.expm1(x / alpha))),
  ThresholdedRelu: elementwise((x, alpha) => (x > alpha ? x : 0)),
};

const LRN: Operation = ([x], node) => {
  const [size, channels] = [int(node, 'size', 1), x!.shape[1]!];
  const y = build(x!.shape, (index) => {
    const own = index[1]!;
    let squares = 0;
    for (let c = own - Math.floor((size - 1) / 2); c <= own + Math.ceil((size - 1) / 2); c++) {
      if (c >= 0 && c < channels) squares += at(x!, index.with(1, c)) ** 2;
    }
    const sum = float(node, 'bias', 1) + (float(node, 'alpha', 1e-4) / size) * squares;
    return at(x!, index) / sum ** float(node, 'beta', 0.75);
  });
  return [y];
};

const LpNormalization: Operation = ([x], node) => {
  const axis = fromFront(int(node, 'axis', -1), x!.shape.length);
  const p = int(node, 'p', 2);
  const norm = grouped(
    x!,
    keyWithout(x!.shape, new Set([axis])),
    (values) => values.reduce((sum, value) => sum + Math.abs(value) ** p, 0) ** (1 / p),
  );
  return [build(x!.shape, (index) => at(x!, index) / norm(index))];
};

const CumSum: Operation = ([x, given], node) => {
  const axis = fromFront(given!.data[0]!, x!.shape.length);
  const isReversed = int(node, 'reverse', 0) === 1;
  const isExclusive = int(node, 'exclusive', 0) === 1;
  const y = build(x!.shape, (index) => {
    let sum = 0;
    for (let place = 0; place < x!.shape[axis]!; place++) {
      const before = isReversed ? place > index[axis]! : place < index[axis]!;
      if (before || (place === index[axis] && !isExclusive)) sum += at(x!, index.with(axis, place));
    }
    return sum;
  });
  return [y];
};

const Trilu: Operation = ([x, given], node) => {
  const diagonal = given?.data[0] ?? 0;
  const y = build(x!.shape, (index) => {
    const offset = index.at(-1)! - index.at(-2)! - diagonal;
    const stays = int(node, 'upper', 1) === 1 ? offset >= 0 : offset <= 0;
    return stays ? at(x!, index) : 0;
  });
  return [y];
};

const GatherElements: Operation = ([x, indices], node) => {
  const axis = fromFront(int(node, 'axis', 0), x!.shape.length);
  const y = build(indices!.shape, (index) =>
    at(x!, index.with(axis, fromFront(at(indices!, index), x!.shape[axis]!))),
  );
  return [y];
};

/** A copy of x in which `visit` may replace elements or add to them. */
const scattered = (
  x: Dense,
  reduction: string,
  visit: (put: (place: Index, value: number) => void) => void,
): Dense => {
  const data = Float64Array.from(x.data);
  visit((place, value) => {
    const own = place.reduce((sum, each, axis) => sum * x.shape[axis]! + each, 0);
    data[own] = reduction === 'add' ? data[own]! + value : value;
  });
  return { data, shape: x.shape };
};

const ScatterElements: Operation = ([x, indices, updates], node) => {
  const axis = fromFront(int(node, 'axis', 0), x!.shape.length);
  const y = scattered(x!, text(node, 'reduction', 'none'), (put) => {
    everyIndex(indices!.shape, (index) => {
      const place = index.with(axis, fromFront(at(indices!, index), x!.shape[axis]!));
      put(place, at(updates!, index));
    });
  });
  return [y];
};

/** The index that a row of indices names. */
const rowOf = (indices: Dense, row: Index, shape: readonly number[]): number[] =>
  Array.from({ length: indices.shape.at(-1)! }, (_, axis) =>
    fromFront(at(indices, [...row, axis]), shape[axis]!),
  );

const GatherND: Operation = ([x, indices]) => {
  const rows = indices!.shape.slice(0, -1);
  const shape = [...rows, ...x!.shape.slice(indices!.shape.at(-1)!)];
  const y = build(shape, (index) =>
    at(x!, [
      ...rowOf(indices!, index.slice(0, rows.length), x!.shape),
      ...index.slice(rows.length),
    ]),
  );
  return [y];
};

const ScatterND: Operation = ([x, indices, updates], node) => {
  const rank = indices!.shape.length - 1;
  const y = scattered(x!, text(node, 'reduction', 'none'), (put) => {
    everyIndex(updates!.shape, (index) => {
      const row = rowOf(indices!, index.slice(0, rank), x!.shape);
      put([...row, ...index.slice(rank)], at(updates!, index));
    });
  });
  return [y];
};

const TopK: Operation = ([x, count], node, { near }) => {
  const axis = fromFront(int(node, 'axis', -1), x!.shape.length);
  const sorted = grouped(x!, keyWithout(x!.shape, new Set([axis])), (values) => {
    const order = values.toSorted((a, b) => b - a);
    for (let place = 1; place < order.length; place++) near(order[place - 1]! - order[place]!);
    return order;
  });
  const y = build(x!.shape.with(axis, count!.data[0]!), (index) => sorted(index)[index[axis]!]!);
  // Nobody reads the places here.
  return [y, y];
};

export const rest: Readonly<Record<string, Operation>> = {
  ...functions,
  LRN,
  LpNormalization,
  CumSum,
  Trilu,
  GatherElements,
  ScatterElements,
  GatherND,
  ScatterND,
  TopK,
};
