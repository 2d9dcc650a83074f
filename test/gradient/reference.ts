import type { OnnxGraph } from '../../src/graph/graph.ts';
import {
  at,
  build,
  commonShape,
  type Dense,
  float,
  fromFront,
  grouped,
  type Index,
  int,
  integers,
  ints,
  keyWithout,
  type Operation,
  repeatedAt,
  type Setting,
  text,
} from './dense.ts';
import { rest } from './reference-rest.ts';
import { shapes } from './reference-shapes.ts';
import { windows } from './reference-windows.ts';

// An interpreter of ONNX graphs in float64, written from the definitions of the operators and from nothing of `src`:
// what random graphs are held against. One element at a time; for graphs of some hundred elements.

/** Abramowitz & Stegun 7.1.6: all terms have one sign. */
export const erf = (x: number): number => {
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return Math.min(Math.max((2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum, -1), 1);
};

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const clamped = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

type Node = Parameters<Operation>[1];

/** A function of each element, with the points at which its slope jumps. */
const elementwise =
  (
    f: (x: number, node: Node) => number,
    kinks: (node: Node) => readonly number[] = () => [],
  ): Operation =>
  ([x], node, { near }) => {
    const points = kinks(node);
    const data = x!.data.map((value) => {
      for (const point of points) near(Math.abs(value - point));
      return f(value, node);
    });
    return [{ data, shape: x!.shape }];
  };

const atZero = (): readonly number[] => [0];
const hardSigmoid = (x: number, alpha: number, beta: number): number =>
  clamped(alpha * x + beta, 0, 1);

const unary: Readonly<Record<string, Operation>> = {
  Abs: elementwise(Math.abs, atZero),
  Cos: elementwise(Math.cos),
  Elu: elementwise((x, node) => (x < 0 ? float(node, 'alpha', 1) * Math.expm1(x) : x), atZero),
  Erf: elementwise(erf),
  Exp: elementwise(Math.exp),
  Gelu: elementwise((x, node) =>
    text(node, 'approximate', 'none') === 'tanh'
      ? 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : 0.5 * x * (1 + erf(x / Math.SQRT2)),
  ),
  HardSigmoid: elementwise(
    (x, node) => hardSigmoid(x, float(node, 'alpha', 0.2), float(node, 'beta', 0.5)),
    (node) => {
      const [alpha, beta] = [float(node, 'alpha', 0.2), float(node, 'beta', 0.5)];
      return [-beta / alpha, (1 - beta) / alpha];
    },
  ),
  HardSwish: elementwise(
    (x) => x * hardSigmoid(x, 1 / 6, 0.5),
    () => [-3, 3],
  ),
  Identity: elementwise((x) => x),
  Dropout: elementwise((x) => x),
  LeakyRelu: elementwise((x, node) => (x < 0 ? float(node, 'alpha', 0.01) * x : x), atZero),
  Log: elementwise(Math.log),
  Mish: elementwise((x) => x * Math.tanh(softplus(x))),
  Neg: elementwise((x) => -x),
  Reciprocal: elementwise((x) => 1 / x),
  Relu: elementwise((x) => Math.max(x, 0), atZero),
  Selu: elementwise((x, node) => {
    const [alpha, gamma] = [float(node, 'alpha', 1.6732632), float(node, 'gamma', 1.050701)];
    return gamma * (x > 0 ? x : alpha * Math.expm1(x));
  }, atZero),
  Sigmoid: elementwise(logistic),
  Sin: elementwise(Math.sin),
  Softplus: elementwise(softplus),
  Sqrt: elementwise(Math.sqrt),
  Tanh: elementwise(Math.tanh),
};

const combining =
  (f: (values: readonly number[], near: Setting['near']) => number): Operation =>
  (inputs, _, { near }) => {
    const given = inputs.map((x) => x!);
    const shape = commonShape(given.map((x) => x.shape));
    const size = shape.reduce((a, b) => a * b, 1);
    const isFlat = given.every(({ data }) => data.length === size || data.length === 1);
    const read = (x: Dense, index: Index, place: number): number =>
      isFlat ? x.data[x.data.length === 1 ? 0 : place]! : repeatedAt(x, index);
    const y = build(shape, (index, place) =>
      f(
        given.map((x) => read(x, index, place)),
        near,
      ),
    );
    return [y];
  };

/** Among several the one that `pick` prefers; its slope jumps where two are equal. */
const extreme = (pick: (...values: number[]) => number): Operation =>
  combining((values, near) => {
    const [first = 0, second = 0] = values.toSorted((a, b) => (pick(a, b) === a ? -1 : 1));
    if (values.length > 1) near(Math.abs(first - second));
    return pick(...values);
  });

const Clip: Operation = ([x, low, high], _, { near }) => {
  const [from, to] = [low?.data[0] ?? -Infinity, high?.data[0] ?? Infinity];
  const data = x!.data.map((value) => {
    near(Math.min(Math.abs(value - from), Math.abs(value - to)));
    return clamped(value, from, to);
  });
  return [{ data, shape: x!.shape }];
};

const PRelu: Operation = ([x, slope], _, { near }) => [
  build(x!.shape, (index) => {
    const value = at(x!, index);
    near(Math.abs(value));
    return value < 0 ? value * repeatedAt(slope!, index) : value;
  }),
];

const binary: Readonly<Record<string, Operation>> = {
  Add: combining(([a = 0, b = 0]) => a + b),
  Sub: combining(([a = 0, b = 0]) => a - b),
  Mul: combining(([a = 0, b = 0]) => a * b),
  Div: combining(([a = 0, b = 0]) => a / b),
  Pow: combining(([a = 0, b = 0]) => a ** b),
  Sum: combining((values) => values.reduce((a, b) => a + b, 0)),
  Mean: combining((values) => values.reduce((a, b) => a + b, 0) / values.length),
  Max: extreme(Math.max),
  Min: extreme(Math.min),
  Greater: combining(([a = 0, b = 0], near) => {
    near(Math.abs(a - b));
    return a > b ? 1 : 0;
  }),
  Where: combining(([condition = 0, a = 0, b = 0]) => (condition ? a : b)),
  Clip,
  PRelu,
};

type Summary = (values: readonly number[], near: Setting['near']) => number;

const sum: Summary = (values) => values.reduce((a, b) => a + b, 0);
const squares: Summary = (values) => values.reduce((a, b) => a + b * b, 0);
const farthest =
  (pick: (...values: number[]) => number): Summary =>
  (values, near) => {
    const sorted = values.toSorted((a, b) => (pick(a, b) === a ? -1 : 1));
    if (sorted.length > 1) near(Math.abs(sorted[0]! - sorted[1]!));
    return sorted[0]!;
  };

/** Axes as an attribute to opset 17 (ReduceSum: to 12), as an input after it. */
const reducing =
  (summary: Summary): Operation =>
  ([x, given], node, { near }) => {
    const rank = x!.shape.length;
    const named = ints(node, 'axes') ?? (given === undefined ? [] : integers(given));
    const none = named.length === 0;
    if (none && int(node, 'noop_with_empty_axes', 0) === 1) return [x!];
    const axes = new Set(none ? x!.shape.keys() : named.map((axis) => fromFront(axis, rank)));
    const found = grouped(x!, keyWithout(x!.shape, axes), (values) => summary(values, near));
    const kept = x!.shape.map((size, axis) => (axes.has(axis) ? 1 : size));
    const y = build(kept, found);
    const dropped = kept.filter((_, axis) => !axes.has(axis));
    return [int(node, 'keepdims', 1) === 1 ? y : { data: y.data, shape: dropped }];
  };

const reductions: Readonly<Record<string, Operation>> = {
  ReduceSum: reducing(sum),
  ReduceMean: reducing((values, near) => sum(values, near) / values.length),
  ReduceMax: reducing(farthest(Math.max)),
  ReduceMin: reducing(farthest(Math.min)),
  ReduceL1: reducing((values, near) => {
    for (const value of values) near(Math.abs(value));
    return values.reduce((a, b) => a + Math.abs(b), 0);
  }),
  ReduceL2: reducing((values, near) => Math.sqrt(squares(values, near))),
  ReduceProd: reducing((values) => values.reduce((a, b) => a * b, 1)),
  ReduceSumSquare: reducing(squares),
  ReduceLogSum: reducing((values, near) => Math.log(sum(values, near))),
  ReduceLogSumExp: reducing((values) => Math.log(values.reduce((a, b) => a + Math.exp(b), 0))),
};

/** (x − mean)/√(variance + ε) over groups, and what scale and bias make of it. */
const normalising = (
  x: Dense,
  key: (index: Index) => number,
  epsilon: number,
  affine: (value: number, index: Index) => number,
): Dense => {
  const moments = grouped(x, key, (values) => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return { mean, variance: values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length };
  });
  return build(x.shape, (index) => {
    const { mean, variance } = moments(index);
    return affine((at(x, index) - mean) / Math.sqrt(variance + epsilon), index);
  });
};

const byChannel =
  (scale: Dense, bias: Dense) =>
  (value: number, [, channel = 0]: Index): number =>
    value * scale.data[channel]! + bias.data[channel]!;

const norms: Readonly<Record<string, Operation>> = {
  BatchNormalization: ([x, scale, bias, mean, variance], node) => {
    const epsilon = float(node, 'epsilon', 1e-5);
    const affine = byChannel(scale!, bias!);
    if (int(node, 'training_mode', 0) === 1) {
      const y = normalising(x!, ([, channel = 0]) => channel, epsilon, affine);
      return [y, mean!, variance!]; // running statistics: nobody reads them here
    }
    const y = build(x!.shape, (index) => {
      const channel = index[1]!;
      const deviation = Math.sqrt(variance!.data[channel]! + epsilon);
      return affine((at(x!, index) - mean!.data[channel]!) / deviation, index);
    });
    return [y];
  },
  InstanceNormalization: ([x, scale, bias], node) => {
    const key = ([image = 0, channel = 0]: Index) => image * x!.shape[1]! + channel;
    return [normalising(x!, key, float(node, 'epsilon', 1e-5), byChannel(scale!, bias!))];
  },
  GroupNormalization: ([x, scale, bias], node, { opset }) => {
    const groups = int(node, 'num_groups', 1);
    const within = x!.shape[1]! / groups;
    const groupOf = (channel: number) => Math.floor(channel / within);
    const key = ([image = 0, channel = 0]: Index) => image * groups + groupOf(channel);
    const affine = (value: number, [, channel = 0]: Index): number => {
      const own = opset < 21 ? groupOf(channel) : channel;
      return value * scale!.data[own]! + bias!.data[own]!;
    };
    return [normalising(x!, key, float(node, 'epsilon', 1e-5), affine)];
  },
  LayerNormalization: ([x, scale, bias], node) => {
    const first = fromFront(int(node, 'axis', -1), x!.shape.length);
    const axes = new Set([...x!.shape.keys()].filter((axis) => axis >= first));
    const affine = (value: number, index: Index): number =>
      value * repeatedAt(scale!, index) + (bias === undefined ? 0 : repeatedAt(bias, index));
    const key = keyWithout(x!.shape, axes);
    return [normalising(x!, key, float(node, 'epsilon', 1e-5), affine)];
  },
};

const softening =
  (f: (value: number, total: number) => number): Operation =>
  ([x], node) => {
    const axis = fromFront(int(node, 'axis', -1), x!.shape.length);
    const total = grouped(x!, keyWithout(x!.shape, new Set([axis])), (values) =>
      values.reduce((a, b) => a + Math.exp(b), 0),
    );
    return [build(x!.shape, (index) => f(at(x!, index), total(index)))];
  };

const MatMul: Operation = ([a, b]) => {
  const [left, right] = [a!.shape.length === 1, b!.shape.length === 1];
  const rows = left ? [1, ...a!.shape] : a!.shape;
  const columns = right ? [...b!.shape, 1] : b!.shape;
  const [A, B] = [
    { data: a!.data, shape: rows },
    { data: b!.data, shape: columns },
  ];
  const batch = commonShape([rows.slice(0, -2), columns.slice(0, -2)]);
  const y = build([...batch, rows.at(-2)!, columns.at(-1)!], (index) => {
    const before = index.slice(0, -2);
    let total = 0;
    for (let k = 0; k < rows.at(-1)!; k++) {
      total +=
        repeatedAt(A, [...before, index.at(-2)!, k]) * repeatedAt(B, [...before, k, index.at(-1)!]);
    }
    return total;
  });
  const shape = [...batch, ...(left ? [] : [rows.at(-2)!]), ...(right ? [] : [columns.at(-1)!])];
  return [{ data: y.data, shape }];
};

const Gemm: Operation = ([a, b, c], node) => {
  const [acrossA, acrossB] = [int(node, 'transA', 0) === 1, int(node, 'transB', 0) === 1];
  const [rows, inner] = acrossA ? a!.shape.toReversed() : a!.shape;
  const columns = b!.shape[acrossB ? 0 : 1]!;
  const y = build([rows!, columns], ([i = 0, j = 0]) => {
    let total = 0;
    for (let k = 0; k < inner!; k++) {
      total += at(a!, acrossA ? [k, i] : [i, k]) * at(b!, acrossB ? [j, k] : [k, j]);
    }
    const offset = c === undefined ? 0 : float(node, 'beta', 1) * repeatedAt(c, [i, j]);
    return float(node, 'alpha', 1) * total + offset;
  });
  return [y];
};

/** Without repeated or omitted letters' dots. */
const Einsum: Operation = (inputs, node) => {
  const [given = '', made = ''] = text(node, 'equation', '').replaceAll(' ', '').split('->');
  const terms = given.split(',');
  const sizes = new Map<string, number>();
  terms.forEach((term, which) => {
    [...term].forEach((letter, axis) => {
      sizes.set(letter, inputs[which]!.shape[axis]!);
    });
  });
  const letters = [...made, ...[...sizes.keys()].filter((letter) => !made.includes(letter))];
  const place = terms.map((term) => [...term].map((letter) => letters.indexOf(letter)));
  const products = build(
    letters.map((letter) => sizes.get(letter)!),
    (index) =>
      inputs.reduce(
        (total, x, which) =>
          total *
          at(
            x!,
            place[which]!.map((own) => index[own]!),
          ),
        1,
      ),
  );
  const summedAxes = new Set([...letters.keys()].filter((axis) => axis >= made.length));
  const totals = grouped(products, keyWithout(products.shape, summedAxes), (values) =>
    values.reduce((a, b) => a + b, 0),
  );
  const zeros = letters.slice(made.length).map(() => 0);
  return [build(products.shape.slice(0, made.length), (index) => totals([...index, ...zeros]))];
};

const products: Readonly<Record<string, Operation>> = {
  MatMul,
  Gemm,
  Einsum,
  Softmax: softening((value, total) => Math.exp(value) / total),
  LogSoftmax: softening((value, total) => value - Math.log(total)),
};

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...unary,
  ...binary,
  ...reductions,
  ...norms,
  ...products,
  ...shapes,
  ...windows,
  ...rest,
};

/**
 * Every tensor of a graph, and the smallest distance of any value to a point at which some operation's derivative
 * jumps (infinite where there is none).
 */
export const evaluate = (
  graph: OnnxGraph,
  feeds: Readonly<Record<string, Dense>>,
): { readonly values: ReadonlyMap<string, Dense>; readonly margin: number } => {
  let margin = Infinity;
  const near = (distance: number): void => {
    margin = Math.min(margin, distance);
  };
  const values = new Map<string, Dense>(Object.entries(feeds));
  for (const { name, array } of graph.initialisers) {
    values.set(name, { data: Float64Array.from(array.data, Number), shape: array.shape });
  }
  for (const node of graph.nodes) {
    const operation = OPERATIONS[node.op];
    if (operation === undefined) throw new Error(`the reference has no ${node.op}`);
    const made = operation(
      node.inputs.map((name) => values.get(name)),
      node,
      { opset: graph.opset, near },
    );
    node.outputs.forEach((name, index) => {
      if (name !== '') values.set(name, made[index]!);
    });
  }
  return { values, margin };
};
