import type { OnnxNode } from '../graph/graph.ts';
import type { TensorFact } from '../graph/static-shapes.ts';
import { sizeOf } from '../numeric/array.ts';
import type { NdArray } from '../records/array.ts';
import { ownValue } from '../records/own-value.ts';
import { isOwn } from './builder.ts';

/** What simplification may ask about the tensors of a sketch. */
export interface Known {
  fact(tensor: string): TensorFact;
  /** The numbers of a constant. */
  value(tensor: string): NdArray | null;
  /** The node that makes a tensor; null for inputs and constants. */
  maker(tensor: string): OnnxNode | null;
}

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/** The number that fills a tensor, where it is a constant of one element, repeated or not; otherwise null. */
export const fillOf = (tensor: string, known: Known): number | null => {
  const maker = known.maker(tensor);
  if (maker?.op === 'Expand' && maker.domain === undefined) return fillOf(maker.inputs[0]!, known);
  const value = isOwn(tensor) ? known.value(tensor) : null;
  return value?.data.length === 1 ? Number(value.data[0]) : null;
};

/** Shape that two tensors take together. */
export const broadcastShape = (a: readonly number[], b: readonly number[]): number[] => {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [own, other] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    return own === 1 ? other : own;
  });
};

/** Elementwise operations of two tensors that repeat the smaller by themselves. */
const BROADCASTING: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div', 'Pow']);
/** The operand that changes nothing, and whether it may stand on the left. */
const NEUTRAL: Readonly<Record<string, readonly [value: number, left: boolean]>> = {
  Add: [0, true],
  Sub: [0, false],
  Mul: [1, true],
  Div: [1, false],
  Pow: [1, false],
};

/** Operands without the Expand nodes that the operation does not need. */
export const withoutExpands = (
  op: string,
  inputs: readonly string[],
  known: Known,
): readonly string[] => {
  if (!BROADCASTING.has(op)) return inputs;
  const result = inputs.map((input) => known.fact(input).shape).reduce(broadcastShape);
  let current = inputs;
  inputs.forEach((input, place) => {
    const maker = known.maker(input);
    if (maker?.op !== 'Expand' || maker.domain !== undefined) return;
    const tried = current.map((each, own) => (own === place ? maker.inputs[0]! : each));
    const shape = tried.map((each) => known.fact(each).shape).reduce(broadcastShape);
    if (sameShape(shape, result)) current = tried;
  });
  return current;
};

/** Elementwise operations of one tensor, by which nothing is gained on repeated elements. */
const UNARY: ReadonlySet<string> = new Set(
  'Neg Exp Log Sqrt Reciprocal Abs Sign Tanh Sigmoid Cast'.split(' '),
);

/**
 * Smaller operands from which an elementwise operation makes the elements that it would repeat: f(Expand(x)) is
 * Expand(f(x)). Null where there are none.
 */
export const beforeExpand = (
  op: string,
  inputs: readonly string[],
  known: Known,
): readonly string[] | null => {
  if (!BROADCASTING.has(op) && !UNARY.has(op)) return null;
  const sources = inputs.map((input) => {
    const maker = known.maker(input);
    return maker?.op === 'Expand' && maker.domain === undefined ? maker.inputs[0]! : input;
  });
  const sizeFrom = (tensors: readonly string[]): number =>
    sizeOf(tensors.map((each) => known.fact(each).shape).reduce(broadcastShape));
  return sizeFrom(sources) < sizeFrom(inputs) ? sources : null;
};

/** The array that a node makes where it only gives another shape to a constant of the sketch; otherwise null. */
export const folded = (node: OnnxNode, result: TensorFact, known: Known): NdArray | null => {
  const [first = ''] = node.inputs;
  const value =
    node.op === 'Reshape' && node.domain === undefined && isOwn(first) ? known.value(first) : null;
  return value === null ? null : { data: value.data, shape: result.shape };
};

/** The operand of a + 0, a · 1, …; its size may be smaller than the result's. */
const operandOf = ({ op, inputs }: OnnxNode, known: Known): string | null => {
  const neutral = ownValue(NEUTRAL, op);
  const [first = '', second = ''] = inputs;
  if (neutral === undefined) return null;
  if (fillOf(second, known) === neutral[0]) return first;
  return neutral[1] && fillOf(first, known) === neutral[0] ? second : null;
};

const permOf = ({ attributes }: OnnxNode): readonly number[] | null => {
  const perm = attributes?.perm;
  return perm !== undefined && 'ints' in perm ? perm.ints : null;
};

/** One operation on one tensor, with a shape or an order of axes. */
export type Movement =
  | { readonly op: 'Reshape' | 'Expand'; readonly x: string; readonly shape: readonly number[] }
  | { readonly op: 'Transpose'; readonly x: string; readonly perm: readonly number[] };

/** A simpler operation that makes the same as a node about to be added; otherwise null. */
export const rewritten = (node: OnnxNode, result: TensorFact, known: Known): Movement | null => {
  if (node.domain !== undefined) return null;
  const operand = operandOf(node, known);
  if (operand !== null) return { op: 'Expand', x: operand, shape: result.shape };
  const maker = known.maker(node.inputs[0] ?? '');
  if (maker?.op !== node.op || maker.domain !== undefined) return null;
  const x = maker.inputs[0]!;
  if (node.op === 'Reshape' || node.op === 'Expand') return { op: node.op, x, shape: result.shape };
  const [outer, inner] = [permOf(node), permOf(maker)];
  return node.op === 'Transpose' && outer !== null && inner !== null
    ? { op: 'Transpose', x, perm: outer.map((axis) => inner[axis]!) }
    : null;
};

/** An existing tensor that equals the first output of a node about to be added; otherwise null. */
export const existingEqual = (node: OnnxNode, result: TensorFact, known: Known): string | null => {
  if (node.domain !== undefined) return null;
  const [first = ''] = node.inputs;
  const isResult = (tensor: string): boolean => {
    const { type, shape } = known.fact(tensor);
    return type === result.type && sameShape(shape, result.shape);
  };
  switch (node.op) {
    case 'Identity':
      return first;
    case 'Cast':
    case 'Expand':
    case 'Reshape':
      return isResult(first) ? first : null;
    case 'Transpose':
      return permOf(node)?.every((axis, own) => axis === own) ? first : null;
    case 'Concat':
      return node.inputs.length === 1 ? first : null;
    case 'Neg': {
      const maker = known.maker(first);
      return maker?.op === 'Neg' && maker.domain === undefined ? maker.inputs[0]! : null;
    }
    default:
      return null;
  }
};
