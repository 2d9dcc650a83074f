import { intAttribute, intsAttribute } from '../graph/attributes.ts';
import type { ReadNode } from '../graph/read-node.ts';
import { axisOf, type Sizes } from '../graph/sizes.ts';
import type { LayerAxes } from '../records/model.ts';
import { imageInputsOf, isWeighted } from './operations.ts';
import { relabel } from './relabel.ts';
import type { View } from './view.ts';

/**
 * What the axes of a tensor are, one letter each: `N` images, `C` channels, `H` rows, `W` columns, `T` tokens,
 * `?` unknown; and how many tokens (class, distillation, registers) stand before those of the image.
 */
export interface Axes {
  readonly letters: string;
  readonly prefix: number;
  /** What the tensor was before it was reshaped into groups, as group norm is exported. */
  readonly origin?: { readonly letters: string; readonly shape: Sizes } | undefined;
}

const shapeOf = (view: View, tensor: string): Sizes | null => view.facts.get(tensor)?.shape ?? null;

const unknown = (rank: number): string => '?'.repeat(rank);

/** The known letters of several tensors of one rank. */
const joined = (all: readonly string[]): string =>
  [...all[0]!]
    .map((_, axis) => all.map((each) => each[axis]!).find((letter) => letter !== '?') ?? '?')
    .join('');

const without = (letters: string, axes: readonly number[]): string =>
  [...letters].filter((_, axis) => !axes.includes(axis)).join('');

/** Tokens that a concatenation puts before the largest part, which is the image's. */
const prefixOfConcat = (view: View, node: ReadNode, axis: number, known: Known): number => {
  const sizes = node.inputs.map((name) => shapeOf(view, name)?.[axis] ?? null);
  const largest = sizes.includes(null)
    ? node.inputs.findIndex((name) => known.get(name)?.letters[axis] === 'T')
    : sizes.indexOf(Math.max(...(sizes as number[])));
  if (largest < 0) return 0;
  const before = sizes.slice(0, largest).reduce<number>((sum, size) => sum + (size ?? 1), 0);
  return before + (known.get(node.inputs[largest]!)?.prefix ?? 0);
};

/** Tokens left before the image's after the slice `[start, …)` of the token axis. */
const prefixOfSlice = (view: View, node: ReadNode, axes: Axes): number => {
  const list = (name: string, index: number): Sizes | null =>
    intsAttribute(node, name) ?? view.facts.get(node.inputs[index] ?? '')?.values ?? null;
  const starts = list('starts', 1);
  const cut = list('axes', 3) ?? starts?.map((_, axis) => axis) ?? [];
  const place = cut.findIndex(
    (axis) => axis !== null && axes.letters[axisOf(axis, axes.letters.length)] === 'T',
  );
  const start = place < 0 ? 0 : (starts?.[place] ?? 0);
  return start > 0 ? Math.max(0, axes.prefix - start) : axes.prefix;
};

type Known = ReadonlyMap<string, Axes>;

const reduced = (view: View, node: ReadNode, { letters, prefix }: Axes): Axes => {
  if (intAttribute(node, 'keepdims', 1) === 1) return { letters, prefix };
  const given = intsAttribute(node, 'axes') ?? view.facts.get(node.inputs[1] ?? '')?.values ?? [];
  const axes = given.flatMap((axis) => (axis === null ? [] : [axisOf(axis, letters.length)]));
  return { letters: without(letters, axes), prefix };
};

const gathered = (view: View, node: ReadNode, { letters, prefix }: Axes): Axes => {
  const axis = axisOf(intAttribute(node, 'axis', 0), letters.length);
  const scalar = shapeOf(view, node.inputs[1] ?? '')?.length === 0;
  return { letters: scalar ? without(letters, [axis]) : letters, prefix };
};

const transposed = (node: ReadNode, { letters, prefix }: Axes): Axes => {
  const perm =
    intsAttribute(node, 'perm') ?? [...letters].map((_, axis) => letters.length - 1 - axis);
  return { letters: perm.map((axis) => letters[axis] ?? '?').join(''), prefix };
};

const sameSizes = (a: Sizes, b: Sizes): boolean =>
  a.length === b.length && a.every((size, axis) => size !== null && size === b[axis]);

const reshaped = (view: View, node: ReadNode, axes: Axes): Axes => {
  const [from, to] = [shapeOf(view, node.inputs[0]!), shapeOf(view, node.outputs[0]!)];
  const { origin, prefix } = axes;
  if (origin !== undefined && to !== null && sameSizes(origin.shape, to)) {
    return { letters: origin.letters, prefix };
  }
  const letters = relabel(axes.letters, from, to);
  if (!letters.includes('?') || from === null) return { letters, prefix };
  const known = axes.letters.includes('?') ? origin : { letters: axes.letters, shape: from };
  return { letters, prefix, origin: known };
};

const spatial = (rank: number | undefined): string =>
  rank === 4 ? 'NCHW' : rank === 3 ? 'NCT' : unknown(rank ?? 4);

/** Axes of a node's first output. */
const follow = (view: View, node: ReadNode, known: Known): Axes | null => {
  const rank = shapeOf(view, node.outputs[0]!)?.length;
  const inputs = imageInputsOf(view, node).flatMap((name) => known.get(name) ?? []);
  if (/^(Fused)?Conv|Pool$/.test(node.op)) return { letters: spatial(rank), prefix: 0 };
  if (/^(Fused)?MatMul$|^Einsum$/.test(node.op)) {
    if (rank === undefined) return null;
    const own = isWeighted(view, node) ? inputs[0] : undefined;
    if (own === undefined || own.letters.length !== rank) return ofProduct(view, node, rank);
    const last = own.letters.at(-1) === '?' ? 'C' : own.letters.at(-1)!;
    return { letters: own.letters.slice(0, -1) + last, prefix: own.prefix };
  }
  const [first] = inputs;
  if (first === undefined) return rank === undefined ? null : { letters: unknown(rank), prefix: 0 };
  switch (node.op) {
    case 'Transpose':
      return transposed(node, first);
    case 'Gather':
      return gathered(view, node, first);
    case 'Slice':
      return { letters: first.letters, prefix: prefixOfSlice(view, node, first) };
    case 'Concat': {
      const letters = joined(inputs.map((each) => each.letters));
      const axis = axisOf(intAttribute(node, 'axis', 1), letters.length);
      const along = letters[axis] === 'T';
      return { letters, prefix: along ? prefixOfConcat(view, node, axis, known) : first.prefix };
    }
    case 'Reshape':
    case 'Flatten':
    case 'Squeeze':
    case 'Unsqueeze':
      return reshaped(view, node, first);
    default:
      if (node.op.startsWith('Reduce')) return reduced(view, node, first);
      return merged(inputs, rank);
  }
};

/** A product of unknown origin: its last axis are the columns of the weights. */
const ofProduct = (view: View, node: ReadNode, rank: number): Axes => ({
  letters: isWeighted(view, node) && rank > 0 ? `${unknown(rank - 1)}C` : unknown(rank),
  prefix: 0,
});

const merged = (inputs: readonly Axes[], rank: number | undefined): Axes => {
  const most = rank ?? Math.max(...inputs.map(({ letters }) => letters.length));
  const full = inputs.filter(({ letters }) => letters.length === most);
  return {
    letters: full.length === 0 ? unknown(most) : joined(full.map(({ letters }) => letters)),
    prefix: Math.max(0, ...full.map(({ prefix }) => prefix)),
    origin: full[0]?.origin,
  };
};

/**
 * A branch takes over what its sum knows: attention loses track of the axes, and the residual stream that its
 * projection is added to restores it.
 */
const tellBranches = (view: View, node: ReadNode, axes: Axes, known: Map<string, Axes>): void => {
  if (node.op !== 'Add' || axes.letters.includes('?')) return;
  const shape = shapeOf(view, node.outputs[0]!);
  for (const name of imageInputsOf(view, node)) {
    const same = shape !== null && sameSizes(shape, shapeOf(view, name) ?? []);
    if (same && (known.get(name)?.letters.includes('?') ?? true)) known.set(name, axes);
  }
};

/** Axes of every tensor that depends on the image, as far as the graph tells. */
export const axesOfTensors = (view: View): Map<string, Axes> => {
  const { input, structure } = view;
  const known = new Map<string, Axes>([[input.name, { letters: input.layout, prefix: 0 }]]);
  for (const node of structure.nodes) {
    if (!node.outputs.some((name) => view.dependent.has(name))) continue;
    const axes = follow(view, node, known);
    if (axes === null) continue;
    for (const name of node.outputs) if (name !== '') known.set(name, axes);
    tellBranches(view, node, axes, known);
  }
  return known;
};

/** How a layer's axes are read (`LayerAxes`); a place in space is claimed only where the graph shows it. */
export const layerAxes = (letters: string): LayerAxes => {
  const inner = letters.slice(1);
  if (inner === 'CHW') return 'channel-row-column';
  if (inner === 'HWC') return 'row-column-channel';
  return inner === 'TC' ? 'token-channel' : 'channel';
};
