import { intAttribute, intsAttribute, textAttribute } from '../graph/attributes.ts';
import { equationOf } from '../graph/einsum.ts';
import { inferFacts } from '../graph/facts.ts';
import type { ReadNode } from '../graph/read-node.ts';
import { axisOf, type Facts, type Sizes } from '../graph/sizes.ts';
import { type Axis, type Fresh, freshAxes, letterOf, regrouped, sizeOfAxis } from './atoms.ts';
import { imageInputsOf, isWeighted } from './operations.ts';
import { type ImageSize, imageShape, type View } from './view.ts';

/**
 * What the axes of a tensor are made of; and how many tokens (class, distillation, registers) stand before those of
 * the image.
 */
export interface Axes {
  readonly axes: readonly Axis[];
  readonly prefix: number;
}

/** The axes of all tensors that depend on the image, for a number of images. */
export interface Tracked {
  readonly images: number;
  readonly axes: ReadonlyMap<string, Axes>;
  readonly facts: ReadonlyMap<string, Facts>;
}

interface Tracking extends Tracked {
  readonly view: View;
  readonly fresh: Fresh;
  readonly axes: Map<string, Axes>;
}

export const lettersOf = ({ axes }: Axes): string => axes.map(letterOf).join('');

const shapeOf = ({ facts }: Tracked, tensor: string): Sizes | null =>
  facts.get(tensor)?.shape ?? null;

/** An axis that comes out with another size is one of its own, of the same kind. */
const fitted = ({ fresh, images }: Tracking, axis: Axis, size: number | null): Axis => {
  const own = sizeOfAxis(axis);
  if (own === size) return axis;
  const letter = letterOf(axis);
  const lost = letter === 'N' && size !== null && size !== images;
  return fresh(lost ? '?' : letter, size);
};

const unknown = ({ fresh }: Tracking, shape: Sizes): Axis[] =>
  shape.map((size) => fresh('?', size));

/** Axes that are as many as the sizes; else nothing is known of them. */
const fittedAll = (tracking: Tracking, { axes, prefix }: Axes, shape: Sizes | null): Axes => {
  if (shape === null) {
    return { axes: axes.map((axis) => tracking.fresh(letterOf(axis), null)), prefix };
  }
  if (axes.length !== shape.length) return { axes: unknown(tracking, shape), prefix };
  return { axes: axes.map((axis, index) => fitted(tracking, axis, shape[index]!)), prefix };
};

const isKnown = (axis: Axis): boolean =>
  axis.length > 0 && axis.every(({ letter }) => letter !== '?');

/** What several tensors of one shape, or repeated to it, know of its axes. */
const merged = (tracking: Tracking, inputs: readonly Axes[], shape: Sizes | null): Axes => {
  const rank = shape?.length ?? Math.max(...inputs.map(({ axes }) => axes.length));
  const full = inputs.filter(({ axes }) => axes.length === rank);
  const prefix = Math.max(0, ...full.map((each) => each.prefix));
  const [first] = full;
  if (first === undefined) return { axes: unknown(tracking, shape ?? []), prefix };
  const axes = first.axes.map((own, index) => {
    const size = shape?.[index] ?? null;
    const each = full.map((other) => other.axes[index]!);
    const same = each.filter((axis) => sizeOfAxis(axis) === size);
    return same.find(isKnown) ?? each.find(isKnown) ?? same[0] ?? own;
  });
  return fittedAll(tracking, { axes, prefix }, shape);
};

/** Tokens that a concatenation puts before the largest part, which is the image's. */
const prefixOfConcat = (tracking: Tracking, node: ReadNode, axis: number): number => {
  const known = tracking.axes;
  const sizes = node.inputs.map((name) => shapeOf(tracking, name)?.[axis] ?? null);
  const isTokens = (name: string): boolean => letterOf(known.get(name)?.axes[axis] ?? []) === 'T';
  const largest = sizes.includes(null)
    ? node.inputs.findIndex(isTokens)
    : sizes.indexOf(Math.max(...(sizes as number[])));
  if (largest < 0) return 0;
  const before = sizes.slice(0, largest).reduce<number>((sum, size) => sum + (size ?? 1), 0);
  return before + (known.get(node.inputs[largest]!)?.prefix ?? 0);
};

const concatenated = (
  tracking: Tracking,
  node: ReadNode,
  inputs: readonly Axes[],
  shape: Sizes | null,
): Axes => {
  const rank = shape?.length ?? inputs[0]!.axes.length;
  const along = axisOf(intAttribute(node, 'axis', 1), rank);
  const joined = merged(tracking, inputs, shape);
  const parts = node.inputs.flatMap((name) => {
    const own = tracking.axes.get(name);
    return own === undefined ? [] : [own.axes[along] ?? []];
  });
  const tokens = parts.some((axis) => letterOf(axis) === 'T');
  const prefix = tokens ? prefixOfConcat(tracking, node, along) : inputs[0]!.prefix;
  // Views or time steps of all images, one behind the other.
  const stacked =
    parts.length === node.inputs.length && parts.every((axis) => letterOf(axis) === 'N');
  const letter = parts.map(letterOf).find((each) => each !== '?') ?? '?';
  const size = shape?.[along] ?? null;
  const axis = stacked
    ? [...tracking.fresh('?', parts.length), ...parts[0]!]
    : tracking.fresh(letter === 'N' ? '?' : letter, size);
  const axes = joined.axes.map((own, index) => (index === along ? axis : own));
  return { axes: node.inputs.length === 1 ? joined.axes : axes, prefix };
};

/** Tokens left before the image's after the slice `[start, …)` of the token axis; axes that are turned are lost. */
const sliced = (tracking: Tracking, node: ReadNode, first: Axes, shape: Sizes | null): Axes => {
  const list = (name: string, index: number): Sizes | null =>
    intsAttribute(node, name) ?? tracking.facts.get(node.inputs[index] ?? '')?.values ?? null;
  const rank = first.axes.length;
  const starts = list('starts', 1);
  const steps = list('steps', 4);
  const cut = (list('axes', 3) ?? starts?.map((_, axis) => axis) ?? []).map((axis) =>
    axis === null ? -1 : axisOf(axis, rank),
  );
  const place = cut.findIndex((axis) => axis >= 0 && letterOf(first.axes[axis] ?? []) === 'T');
  const start = place < 0 ? 0 : (starts?.[place] ?? 0);
  const axes = first.axes.map((axis, index) => {
    const step = steps?.[cut.indexOf(index)] ?? 1;
    return cut.includes(index) && step < 0 ? tracking.fresh('?', sizeOfAxis(axis)) : axis;
  });
  const prefix = start > 0 ? Math.max(0, first.prefix - start) : first.prefix;
  return fittedAll(tracking, { axes, prefix }, shape);
};

const gathered = (tracking: Tracking, node: ReadNode, first: Axes, shape: Sizes | null): Axes => {
  const along = axisOf(intAttribute(node, 'axis', 0), first.axes.length);
  const index = tracking.facts.get(node.inputs[1] ?? '');
  const { prefix } = first;
  if (index?.shape?.length === 0) {
    const axes = first.axes.filter((_, axis) => axis !== along);
    return fittedAll(tracking, { axes, prefix }, shape);
  }
  // In what order, only the indices can say; channels have none that matters.
  const inOrder =
    index?.values?.every((value, at, all) => at === 0 || value! > all[at - 1]!) ?? false;
  const axes = first.axes.map((axis, own) =>
    own === along && !inOrder && letterOf(axis) !== 'C'
      ? tracking.fresh('?', sizeOfAxis(axis))
      : axis,
  );
  return fittedAll(tracking, { axes, prefix }, shape);
};

const transposed = (node: ReadNode, { axes, prefix }: Axes): Axes => {
  const perm = intsAttribute(node, 'perm') ?? axes.map((_, axis) => axes.length - 1 - axis);
  return { axes: perm.map((axis) => axes[axis] ?? []), prefix };
};

/** Where sizes are not known, the number of axes has to do. */
const byRank = (tracking: Tracking, first: Axes, shape: Sizes): Axes => {
  const { prefix } = first;
  if (shape.length === first.axes.length) return fittedAll(tracking, first, shape);
  const letters = lettersOf(first);
  const fresh = (names: string): Axes => ({
    axes: [
      first.axes[0]!,
      ...[...names].map((letter, axis) => tracking.fresh(letter, shape[axis + 1]!)),
    ],
    prefix,
  });
  if (shape.length === 2 && letters.startsWith('N')) return fresh('C');
  if (shape.length === 3 && letters === 'NCHW') return fresh('CT');
  if (shape.length === 3 && letters === 'NHWC') return fresh('TC');
  return { axes: unknown(tracking, shape), prefix };
};

const isWhole = (shape: Sizes | null): shape is readonly number[] =>
  shape !== null && !shape.includes(null);

const reshaped = (tracking: Tracking, node: ReadNode, first: Axes, shape: Sizes | null): Axes => {
  const from = shapeOf(tracking, node.inputs[0]!);
  if (shape === null) return fittedAll(tracking, first, null);
  if (!isWhole(from) || !isWhole(shape) || first.axes.some((axis) => sizeOfAxis(axis) === null)) {
    return byRank(tracking, first, shape);
  }
  const grid = first.prefix === 0;
  return {
    axes: regrouped(first.axes, from, shape, grid, tracking.fresh),
    prefix: first.prefix,
  };
};

const reduced = (tracking: Tracking, node: ReadNode, first: Axes, shape: Sizes | null): Axes => {
  const { axes, prefix } = first;
  if (intAttribute(node, 'keepdims', 1) === 1) return fittedAll(tracking, first, shape);
  const given =
    intsAttribute(node, 'axes') ?? tracking.facts.get(node.inputs[1] ?? '')?.values ?? [];
  const gone = given.map((axis) => (axis === null ? -1 : axisOf(axis, axes.length)));
  return fittedAll(
    tracking,
    { axes: axes.filter((_, axis) => !gone.includes(axis)), prefix },
    shape,
  );
};

/** Rows and columns of convolutions and pools keep what they are made of where no step is left out. */
const slid = (
  tracking: Tracking,
  node: ReadNode,
  first: Axes | undefined,
  shape: Sizes | null,
): Axes => {
  const rank = shape?.length ?? first?.axes.length ?? 4;
  const sizes = shape ?? Array.from({ length: rank }, () => null);
  // Without images, channels and an axis to slide over it is no convolution, and onnxruntime will refuse it.
  if (rank < 3) return { axes: unknown(tracking, sizes), prefix: 0 };
  const own =
    first?.axes.length === rank ? first.axes : sizes.map((size) => tracking.fresh('?', size));
  const [images, channels, ...space] = own.map((axis, index) =>
    fitted(tracking, axis, sizes[index]!),
  );
  const outer =
    letterOf(images!) !== '?' || images!.length > 1 || sizes[0] !== tracking.images
      ? images!
      : tracking.fresh('N', tracking.images);
  const names = rank === 4 ? 'HW' : rank === 3 ? 'T' : '';
  const perImage = tracking.images === 1 ? outer.length === 0 : letterOf(outer) === 'N';
  return {
    axes: [
      outer,
      node.op.endsWith('Pool') ? channels! : tracking.fresh('C', sizes[1]!),
      ...space.map((axis, index) => {
        const letter = names[index];
        if (letter === undefined || !perImage || letterOf(axis) === letter) return axis;
        return letter === 'T' && isKnown(axis) ? axis : tracking.fresh(letter, sizes[index + 2]!);
      }),
    ],
    prefix: 0,
  };
};

/** A new axis in the place of one that weights sum over. */
const projected = (tracking: Tracking, contracted: Axis, size: number | null): Axis => {
  const letter = letterOf(contracted);
  return tracking.fresh(letter === 'N' ? '?' : letter === '?' ? 'C' : letter, size);
};

const turned = (node: ReadNode, attribute: string, axes: readonly Axis[]): readonly Axis[] =>
  axes.length > 1 && intAttribute(node, attribute, 0) === 1
    ? [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]
    : axes;

/** A MatMul or Gemm: rows from the first factor, columns from the second, new ones from weights. */
const multiplied = (tracking: Tracking, node: ReadNode, shape: Sizes): Axes => {
  const second = /^Q/.test(node.op) ? 3 : 1;
  const [a, b] = [0, second].map((index) => tracking.axes.get(node.inputs[index] ?? ''));
  const prefix = Math.max(a?.prefix ?? 0, b?.prefix ?? 0);
  const rank = shape.length;
  const left = a === undefined ? null : turned(node, 'transA', a.axes);
  const right = b === undefined ? null : turned(node, 'transB', b.axes);
  const at = (axes: readonly Axis[] | null, fromEnd: number): Axis | null =>
    axes === null || axes.length < fromEnd ? null : axes[axes.length - fromEnd]!;
  if (rank < 2 || (left?.length ?? 2) < 2 || (right?.length ?? 2) < 2) {
    return { axes: unknown(tracking, shape), prefix };
  }
  const axes = shape.map((size, axis): Axis => {
    const fromEnd = rank - axis;
    if (fromEnd === 1) return at(right, 1) ?? projected(tracking, at(left, 1) ?? [], size);
    if (fromEnd === 2) return at(left, 2) ?? projected(tracking, at(right, 2) ?? [], size);
    const each = [at(left, fromEnd), at(right, fromEnd)].filter((own) => own !== null);
    const same = each.filter((own) => sizeOfAxis(own) === size);
    return same.find(isKnown) ?? same[0] ?? tracking.fresh('?', size);
  });
  return fittedAll(tracking, { axes, prefix }, shape);
};

/** Every letter of the result names an axis of a factor; one that only weights have is a new axis. */
const summed = (tracking: Tracking, node: ReadNode, shape: Sizes): Axes => {
  const ranks = node.inputs.map((name) => shapeOf(tracking, name)?.length ?? 0);
  const { terms, result } = equationOf(textAttribute(node, 'equation') ?? '', ranks);
  const factors = node.inputs.map((name) => tracking.axes.get(name));
  const prefix = Math.max(0, ...factors.map((each) => each?.prefix ?? 0));
  const found = [...result].map((letter) =>
    factors.flatMap((each, index) => {
      const axis = terms[index]!.indexOf(letter);
      return each === undefined || axis < 0 ? [] : [each.axes[axis] ?? []];
    }),
  );
  const made = found.filter((each) => each.length === 0).length;
  const axes = found.map((each, index): Axis => {
    if (each.length === 0) return tracking.fresh(made === 1 ? 'C' : '?', shape[index] ?? null);
    return each.find(isKnown) ?? each[0]!;
  });
  return fittedAll(tracking, { axes, prefix }, shape);
};

const PRODUCTS =
  /^(Fused)?(MatMul|Gemm)$|^QLinearMatMul$|^QGemm$|^MatMulInteger(ToFloat)?$|^DynamicQuantizeMatMul$/;

/** Axes of one output of a node. */
const follow = (tracking: Tracking, node: ReadNode, shape: Sizes | null): Axes | null => {
  const { view } = tracking;
  const inputs = imageInputsOf(view, node).flatMap((name) => tracking.axes.get(name) ?? []);
  const [first] = inputs;
  if (/^(Fused|QLinear)?Conv(Integer)?$|Pool$/.test(node.op))
    return slid(tracking, node, first, shape);
  if (PRODUCTS.test(node.op) || node.op === 'Einsum') {
    if (shape === null) return null;
    if (first === undefined) return { axes: ofProduct(tracking, node, shape), prefix: 0 };
    return node.op === 'Einsum' ? summed(tracking, node, shape) : multiplied(tracking, node, shape);
  }
  if (first === undefined)
    return shape === null ? null : { axes: unknown(tracking, shape), prefix: 0 };
  switch (node.op) {
    case 'Transpose':
      return fittedAll(tracking, transposed(node, first), shape);
    case 'Gather':
      return gathered(tracking, node, first, shape);
    case 'Slice':
      return sliced(tracking, node, first, shape);
    case 'Concat':
      return concatenated(tracking, node, inputs, shape);
    case 'Reshape':
    case 'Flatten':
    case 'Squeeze':
    case 'Unsqueeze':
      return reshaped(tracking, node, first, shape);
    default:
      if (node.op.startsWith('Reduce')) return reduced(tracking, node, first, shape);
      return merged(tracking, inputs, shape);
  }
};

/** A product of unknown origin: its last axis are the columns of the weights. */
const ofProduct = (tracking: Tracking, node: ReadNode, shape: Sizes): Axis[] =>
  shape.map((size, axis) =>
    tracking.fresh(isWeighted(tracking.view, node) && axis === shape.length - 1 ? 'C' : '?', size),
  );

/**
 * A branch takes over what its sum knows: where attention loses track of the axes, the residual stream that its
 * projection is added to restores it.
 */
const tellBranches = (tracking: Tracking, node: ReadNode, axes: Axes): void => {
  if (node.op !== 'Add' || !axes.axes.every((axis) => axis.length === 0 || isKnown(axis))) return;
  const shape = shapeOf(tracking, node.outputs[0]!);
  for (const name of imageInputsOf(tracking.view, node)) {
    const own = shapeOf(tracking, name);
    const same =
      isWhole(shape) &&
      own?.length === shape.length &&
      own.every((size, axis) => size === shape[axis]);
    const known = tracking.axes.get(name)?.axes.every((axis) => axis.length === 0 || isKnown(axis));
    if (same && !known) tracking.axes.set(name, axes);
  }
};

/** A prime that no network has for a size: an axis that has it is that of the images. */
export const MANY_IMAGES = 13;

/** As `view.facts`, for a number of images that the model may not be declared for. */
const factsFor = ({ structure, input }: View, images: number, size: ImageSize | null) =>
  inferFacts(
    // Sizes that an exporter declared are those of its own batch.
    { ...structure, values: [], outputs: [] },
    { [input.name]: imageShape({ ...input, batch: images }, size) },
  );

/**
 * Axes of every tensor that depends on the image, as far as the graph tells: shown the model's own number of images,
 * or another.
 */
export const trackAxes = (view: View, size: ImageSize | null, images: number): Tracked => {
  const { input, structure } = view;
  const own = images === (input.batch ?? 1);
  const facts = own ? view.facts : factsFor(view, images, size);
  const fresh = freshAxes();
  const shape = facts.get(input.name)?.shape ?? [images, null, null, null];
  const start = [...input.layout].map((letter, axis) => fresh(letter, shape[axis]!));
  const axes = new Map<string, Axes>([[input.name, { axes: start, prefix: 0 }]]);
  const tracking: Tracking = { view, images, facts, fresh, axes };
  for (const node of structure.nodes) {
    if (!node.outputs.some((name) => view.dependent.has(name))) continue;
    for (const name of node.outputs) {
      if (name === '') continue;
      const found = follow(tracking, node, shapeOf(tracking, name));
      if (found !== null) axes.set(name, found);
    }
    const sum = axes.get(node.outputs[0] ?? '');
    if (sum !== undefined) tellBranches(tracking, node, sum);
  }
  return tracking;
};
