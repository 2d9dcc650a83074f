import type { Draft } from './draft.ts';
import { type Grow, plain, positive, reducing, signed } from './random-operations.ts';

// Operations that networks seldom have, and those that pick or place single elements.

const anyAxis = (draft: Draft, rank: number): { axis: number; given: number } => {
  const axis = draft.between(0, rank - 1);
  return { axis, given: signed(draft, axis, rank) };
};

const indices = (draft: Draft, count: number, size: number): number[] =>
  Array.from({ length: count }, () => draft.between(-size, size - 1));

const CumSum: Grow = (draft, x) => {
  const rank = draft.shape(x).length;
  if (rank === 0) return null;
  return draft.add('CumSum', [x, draft.ints([anyAxis(draft, rank).given], [])], {
    exclusive: { int: draft.between(0, 1) },
    reverse: { int: draft.between(0, 1) },
  });
};

const Trilu: Grow = (draft, x) => {
  if (draft.opset < 14 || draft.shape(x).length < 2) return null;
  const diagonal = draft.chance(0.5) ? [] : [draft.ints([draft.between(-1, 2)], [])];
  return draft.add('Trilu', [x, ...diagonal], { upper: { int: draft.between(0, 1) } });
};

const LpNormalization: Grow = (draft, x) => {
  const rank = draft.shape(x).length;
  // Where a vector has one element, its direction is a sign.
  if (rank === 0) return null;
  const { axis, given } = anyAxis(draft, rank);
  if (draft.shape(x)[axis]! < 2) return null;
  return draft.add('LpNormalization', [x], { axis: { int: given }, p: { int: 2 } });
};

const LRN: Grow = (draft, x) => {
  if (draft.shape(x).length !== 4) return null;
  return draft.add('LRN', [x], {
    size: { int: draft.choice([1, 3, 5]) }, // onnxruntime takes odd ones only
    alpha: { float: 0.5 },
    beta: { float: 0.75 },
    bias: { float: 1 },
  });
};

const GatherElements: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (shape.length === 0) return null;
  const { axis, given } = anyAxis(draft, shape.length);
  const own = shape.map((size, other) =>
    other === axis ? draft.between(1, 4) : draft.between(1, size),
  );
  const count = own.reduce((a, b) => a * b, 1);
  const places = draft.ints(indices(draft, count, shape[axis]!), own);
  return draft.add('GatherElements', [x, places], { axis: { int: given } });
};

const ScatterElements: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (shape.length === 0) return null;
  const { axis, given } = anyAxis(draft, shape.length);
  const own = shape.map((size, other) => (other === axis ? 1 : draft.between(1, size)));
  const count = own.reduce((a, b) => a * b, 1);
  const places = draft.ints(indices(draft, count, shape[axis]!), own);
  const attributes = { axis: { int: given } };
  const adding = draft.opset >= 16 && draft.chance(0.5);
  return draft.add('ScatterElements', [x, places, draft.weight(own)], {
    ...attributes,
    ...(adding ? { reduction: { string: 'add' } } : {}),
  });
};

const GatherND: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (shape.length === 0) return null;
  const [rows, depth] = [draft.between(1, 3), draft.between(1, shape.length)];
  const places = Array.from({ length: rows }, () =>
    shape.slice(0, depth).flatMap((size) => indices(draft, 1, size)),
  );
  return draft.add('GatherND', [x, draft.ints(places.flat(), [rows, depth])]);
};

const TopK: Grow = (draft, x) => {
  const shape = draft.shape(x);
  if (shape.length === 0) return null;
  const { axis, given } = anyAxis(draft, shape.length);
  const count = draft.ints([draft.between(1, shape[axis]!)]);
  return draft.add('TopK', [x, count], { axis: { int: given } }, 2).slice(0, 1);
};

export const rarities: Readonly<Record<string, Grow>> = {
  Asinh: plain('Asinh'),
  Atan: plain('Atan'),
  CumSum,
  GatherElements,
  GatherND,
  LpNormalization,
  LRN,
  ReduceLogSum: (draft, x, others) => reducing('ReduceLogSum')(draft, positive(draft, x), others),
  ReduceProd: reducing('ReduceProd'),
  ScatterElements,
  TopK,
  Trilu,
};
