import type { Attributes } from '../../src/graph/graph.ts';
import type { Draft } from './draft.ts';

// How each operation is put on a tensor of a random graph, with random attributes. An entry returns what it made, or null
// where the tensor or the opset does not suit it.

type Grow = (draft: Draft, x: string, others: readonly string[]) => readonly string[] | null;
const plain =
  (op: string, since = 7, attributes: (draft: Draft) => Attributes = () => ({})): Grow =>
  (draft, x) =>
    draft.opset < since ? null : draft.add(op, [x], attributes(draft));

const near = (value: number) => (draft: Draft) => ({
  float: Math.fround(value * (0.7 + 0.6 * draft.random.next())),
});

/** Something at least 0.4, of about the size of x. */
const positive = (draft: Draft, x: string): string =>
  draft.apply('Add', [draft.apply('Mul', [x, x]), draft.numbers([0.4], [])]);

const ofPositive =
  (op: string): Grow =>
  (draft, x) =>
    draft.add(op, [positive(draft, x)]);

const unary: Readonly<Record<string, Grow>> = {
  Abs: plain('Abs'),
  Cast: plain('Cast', 9, () => ({ to: { int: 1 } })),
  Cos: plain('Cos'),
  Dropout: plain('Dropout', 13),
  Elu: plain('Elu', 7, (draft) => ({ alpha: near(0.8)(draft) })),
  Erf: plain('Erf', 9),
  Exp: (draft, x) => draft.add('Exp', [draft.apply('Mul', [x, draft.numbers([0.5], [])])]),
  Gelu: plain('Gelu', 20, (draft) => ({ approximate: { string: draft.choice(['none', 'tanh']) } })),
  HardSigmoid: plain('HardSigmoid', 7, (draft) => ({
    alpha: near(0.3)(draft),
    beta: near(0.5)(draft),
  })),
  HardSwish: plain('HardSwish', 14),
  Identity: plain('Identity'),
  LeakyRelu: plain('LeakyRelu', 7, (draft) => ({ alpha: near(0.2)(draft) })),
  Log: ofPositive('Log'),
  Mish: plain('Mish', 18),
  Neg: plain('Neg'),
  Reciprocal: ofPositive('Reciprocal'),
  Relu: plain('Relu'),
  Selu: plain('Selu'),
  Sigmoid: plain('Sigmoid'),
  Sin: plain('Sin'),
  Softplus: plain('Softplus'),
  Sqrt: ofPositive('Sqrt'),
  Tanh: plain('Tanh'),
};

/** A shape that repeats to `shape`: some sizes 1, some leading axes gone. */
const smaller = (draft: Draft, shape: readonly number[]): number[] =>
  shape
    .slice(draft.chance(0.3) ? draft.between(0, shape.length) : 0)
    .map((size) => (draft.chance(0.3) ? 1 : size));

const repeats = (from: readonly number[], to: readonly number[]): boolean =>
  from.length <= to.length &&
  from.every((size, axis) => size === 1 || size === to[axis + to.length - from.length]);

/** A second operand: a tensor that is there, or a new weight. */
const partner = (draft: Draft, x: string, others: readonly string[]): string => {
  const shape = draft.shape(x);
  const there = others.filter((other) => repeats(draft.shape(other), shape));
  return there.length > 0 && draft.chance(0.5)
    ? draft.choice(there)
    : draft.weight(smaller(draft, shape));
};

const swapped = (draft: Draft, pair: readonly string[]): readonly string[] =>
  draft.chance(0.5) ? pair.toReversed() : pair;

const pairing =
  (op: string): Grow =>
  (draft, x, others) =>
    draft.add(op, swapped(draft, [x, partner(draft, x, others)]));

const binary: Readonly<Record<string, Grow>> = {
  Add: pairing('Add'),
  Sub: pairing('Sub'),
  Mul: pairing('Mul'),
  Max: pairing('Max'),
  Min: pairing('Min'),
  Sum: pairing('Sum'),
  Mean: (draft, x, others) =>
    draft.add('Mean', [x, partner(draft, x, others), partner(draft, x, others)]),
  Div: (draft, x, others) => draft.add('Div', [x, positive(draft, partner(draft, x, others))]),
  Pow: (draft, x, others) =>
    draft.chance(0.5)
      ? draft.add('Pow', [x, draft.numbers([draft.choice([2, 3])], [])])
      : draft.add('Pow', [positive(draft, x), partner(draft, x, others)]),
  Where: (draft, x, others) => {
    const condition = draft.apply('Greater', [partner(draft, x, others), draft.numbers([0.1], [])]);
    return draft.add('Where', [condition, ...swapped(draft, [x, partner(draft, x, others)])]);
  },
  Clip: (draft, x) =>
    draft.add('Clip', [
      x,
      draft.numbers([-0.7], []),
      draft.chance(0.3) ? '' : draft.numbers([0.9], []),
    ]),
  PRelu: (draft, x) =>
    draft.add('PRelu', [
      x,
      draft.weight(
        draft.shape(x).map((size) => (draft.chance(0.6) ? 1 : size)),
        0.4,
      ),
    ]),
};

const signed = (draft: Draft, axis: number, rank: number): number =>
  draft.chance(0.3) ? axis - rank : axis;

const someAxes = (draft: Draft, rank: number): number[] => {
  const axes = [...Array(rank).keys()].filter(() => draft.chance(0.5));
  return (axes.length === 0 ? [draft.between(0, rank - 1)] : axes).map((axis) =>
    signed(draft, axis, rank),
  );
};

const reducing =
  (op: string, axesAreInputSince = 18): Grow =>
  (draft, x) => {
    const rank = draft.shape(x).length;
    if (rank === 0) return null;
    const keepdims = { int: draft.between(0, 1) };
    if (draft.chance(0.15)) return draft.add(op, [x], { keepdims });
    const axes = someAxes(draft, rank);
    return draft.opset < axesAreInputSince
      ? draft.add(op, [x], { axes: { ints: axes }, keepdims })
      : draft.add(op, [x, draft.ints(axes)], { keepdims });
  };

const alongAxis =
  (op: string): Grow =>
  (draft, x) => {
    const rank = draft.shape(x).length;
    if (rank === 0) return null;
    return draft.add(op, [x], { axis: { int: signed(draft, draft.between(0, rank - 1), rank) } });
  };

const reductions: Readonly<Record<string, Grow>> = {
  ReduceSum: reducing('ReduceSum', 13),
  ReduceMean: reducing('ReduceMean'),
  ReduceMax: reducing('ReduceMax'),
  ReduceMin: reducing('ReduceMin'),
  ReduceL1: reducing('ReduceL1'),
  ReduceL2: reducing('ReduceL2'),
  ReduceSumSquare: reducing('ReduceSumSquare'),
  ReduceLogSumExp: reducing('ReduceLogSumExp'),
  Softmax: alongAxis('Softmax'),
  LogSoftmax: alongAxis('LogSoftmax'),
};

/** Scale near 1, and bias. */
const affine = (draft: Draft, shape: readonly number[]): string[] => [
  draft.apply('Add', [draft.weight(shape, 0.2), draft.numbers([1], [])]),
  draft.weight(shape, 0.3),
];

const epsilon = { float: Math.fround(1e-2) };

const norms: Readonly<Record<string, Grow>> = {
  BatchNormalization: (draft, x) => {
    const shape = draft.shape(x);
    if (shape.length < 2) return null;
    const channels = [shape[1]!];
    const [mean, variance] = [draft.weight(channels, 0.3), positive(draft, draft.weight(channels))];
    // Without an input of its own for statistics that the batch replaces: they have no derivative.
    const count = draft.value(x).data.length / channels[0]!;
    if (draft.opset < 14 || count < 4 || draft.chance(0.4)) {
      return draft.add('BatchNormalization', [x, ...affine(draft, channels), mean, variance], {
        epsilon,
      });
    }
    const running = draft.numbers(Array(channels[0]!).fill(1));
    const inputs = [x, ...affine(draft, channels), running, running];
    const training = { epsilon, training_mode: { int: 1 } };
    return draft.add('BatchNormalization', inputs, training, 3).slice(0, 1);
  },
  InstanceNormalization: (draft, x) => {
    const [, channels = 0, ...spatial] = draft.shape(x);
    if (spatial.length === 0 || spatial.reduce((a, b) => a * b, 1) < 4) return null;
    const inputs = [x, ...affine(draft, [channels])];
    return draft.add('InstanceNormalization', inputs, { epsilon });
  },
  GroupNormalization: (draft, x) => {
    const [images = 1, channels = 0, ...spatial] = draft.shape(x);
    if (draft.opset < 18 || spatial.length === 0) return null;
    const groups = draft.choice(divisors(channels));
    if (draft.value(x).data.length / images / groups < 4) return null;
    const inputs = [x, ...affine(draft, [draft.opset < 21 ? groups : channels])];
    return draft.add('GroupNormalization', inputs, { epsilon, num_groups: { int: groups } });
  },
  LayerNormalization: (draft, x) => {
    const shape = draft.shape(x);
    if (draft.opset < 17 || shape.length === 0) return null;
    const axis = draft.between(0, shape.length - 1);
    const own = shape.slice(axis);
    if (own.reduce((a, b) => a * b, 1) < 4) return null;
    const [scale, bias] = affine(draft, own);
    const inputs = [x, scale!, ...(draft.chance(0.3) ? [] : [bias!])];
    return draft.add('LayerNormalization', inputs, {
      epsilon,
      axis: { int: signed(draft, axis, shape.length) },
    });
  },
};

const divisors = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

const EQUATIONS: readonly (readonly [given: string, other: string | null, equation: string])[] = [
  ['ij', 'jk', 'ij,jk->ik'],
  ['ij', 'ij', 'ij,ij->i'],
  ['bij', 'bkj', 'bij,bkj->bik'],
  ['bij', 'jk', 'bij,jk->bki'],
  ['bhqd', 'bhkd', 'bhqd,bhkd->bhqk'],
  ['bqhd', 'bkhd', 'bqhd,bkhd->bhqk'],
  ['bchw', 'cd', 'bchw,cd->bdhw'],
  ['bchw', null, 'bchw->bwc'],
];

const products: Readonly<Record<string, Grow>> = {
  MatMul: (draft, x) => {
    const shape = draft.shape(x);
    const [rows, inner] = [shape.at(-2) ?? 1, shape.at(-1)];
    if (inner === undefined) return null;
    const batch = shape.slice(0, -2).slice(draft.between(0, Math.max(0, shape.length - 2)));
    const scale = 1 / Math.sqrt(inner);
    switch (draft.between(0, 3)) {
      case 0:
        return draft.add('MatMul', [
          x,
          draft.weight([...(shape.length > 1 ? batch : []), inner, draft.between(1, 4)], scale),
        ]);
      case 1:
        return draft.add('MatMul', [
          draft.weight([...batch, draft.between(1, 4), shape.length === 1 ? inner : rows], scale),
          x,
        ]);
      case 2:
        return draft.add('MatMul', [x, draft.weight([inner], scale)]);
      default: {
        if (shape.length < 2) return null;
        const order = [...shape.keys()];
        const perm = { ints: [...order.slice(0, -2), shape.length - 1, shape.length - 2] };
        return draft.add('MatMul', [x, draft.apply('Transpose', [x], { perm })]);
      }
    }
  },
  Gemm: (draft, x) => {
    const shape = draft.shape(x);
    if (shape.length !== 2) return null;
    const [transA, transB] = [draft.between(0, 1), draft.between(0, 1)];
    const [rows, inner] = transA === 1 ? shape.toReversed() : shape;
    const columns = draft.between(1, 4);
    const b = draft.weight(
      transB === 1 ? [columns, inner!] : [inner!, columns],
      1 / Math.sqrt(inner!),
    );
    const c = draft.choice([[], [columns], [1, columns], [rows!, 1], [rows!, columns]]);
    return draft.add('Gemm', [x, b, ...(draft.chance(0.3) ? [] : [draft.weight(c)])], {
      transA: { int: transA },
      transB: { int: transB },
      alpha: near(0.8)(draft),
      beta: near(0.6)(draft),
    });
  },
  Einsum: (draft, x) => {
    const shape = draft.shape(x);
    const fitting = EQUATIONS.filter(([given]) => given.length === shape.length);
    if (fitting.length === 0) return null;
    const [given, other, equation] = draft.choice(fitting);
    if (other === null) return draft.add('Einsum', [x], { equation: { string: equation } });
    const sizes = [...other].map((letter) => {
      const axis = given.indexOf(letter);
      return axis < 0 ? draft.between(1, 3) : shape[axis]!;
    });
    return draft.add('Einsum', [x, draft.weight(sizes, 0.6)], { equation: { string: equation } });
  },
};

export const calculating: Readonly<Record<string, Grow>> = {
  ...unary,
  ...binary,
  ...reductions,
  ...norms,
  ...products,
};

export { divisors, type Grow, near, plain, positive, reducing, signed, someAxes };
