import {
  floatsAttribute,
  intAttribute,
  intsAttribute,
  textAttribute,
} from '../graph/attributes.ts';
import { axisOf } from '../graph/sizes.ts';
import type { Draft, Form, Forms, Made } from './form.ts';

// Operations on axes: what older opsets give as attributes becomes inputs; axes are non-negative and complete.

/** A list that is an attribute in older opsets and input `index` in newer ones; `null` where there is none. */
const listOf = (draft: Draft, name: string, index: number): readonly number[] | null =>
  intsAttribute(draft.node, name) ?? draft.values(index);

const positive = (draft: Draft, axes: readonly number[], rank: number): number[] =>
  axes.map((axis) => {
    const own = axisOf(axis, rank);
    if (own >= 0 && own < rank) return own;
    throw draft.refuse(`axes of a tensor of rank ${rank}`, `${axis}`);
  });

/** The attribute `axis`, non-negative; Flatten may name the place behind the last. */
const axisFrom = (draft: Draft, fallback: number): number => {
  const rank = draft.rank(0);
  const own = axisOf(intAttribute(draft.node, 'axis', fallback), rank);
  if (own >= 0 && (own < rank || (own === rank && draft.node.op === 'Flatten'))) return own;
  throw draft.refuse(`an axis of a tensor of rank ${rank}`, `${own}`);
};

const upTo = (rank: number): number[] => Array.from({ length: rank }, (_, axis) => axis);

/** Reduce*: axes as input, all of them where none were given. */
const reduce: Form = (draft) => {
  const { node, rank } = draft;
  const axes = listOf(draft, 'axes', 1) ?? [];
  const x = node.inputs[0]!;
  if (axes.length === 0 && intAttribute(node, 'noop_with_empty_axes', 0) === 1) {
    throw draft.refuse('axes to reduce', 'none, and noop_with_empty_axes');
  }
  const all = axes.length === 0 ? upTo(rank(0)) : positive(draft, axes, rank(0));
  return draft.finish(node.op, [x, draft.ints(all.sort((a, b) => a - b))], {
    keepdims: { int: intAttribute(node, 'keepdims', 1) },
  });
};

const squeeze: Form = (draft) => {
  const given = listOf(draft, 'axes', 1);
  const axes =
    given === null
      ? draft.sizes(0).flatMap((size, axis) => (size === 1 ? [axis] : []))
      : positive(draft, given, draft.rank(0));
  return draft.finish('Squeeze', [draft.node.inputs[0]!, draft.ints(axes)]);
};

const unsqueeze: Form = (draft) => {
  const axes = listOf(draft, 'axes', 1) ?? [];
  const all = positive(draft, axes, draft.rank(0) + axes.length).sort((a, b) => a - b);
  return draft.finish('Unsqueeze', [draft.node.inputs[0]!, draft.ints(all)]);
};

const split: Form = (draft) => {
  const { node } = draft;
  const axis = axisFrom(draft, 0);
  const parts = listOf(draft, 'split', 1) ?? evenParts(draft, axis);
  return draft.finish('Split', [node.inputs[0]!, draft.ints(parts)], { axis: { int: axis } });
};

/** Equal parts; the last is smaller where they don't come out even. */
const evenParts = (draft: Draft, axis: number): number[] => {
  const size = draft.sizes(0)[axis]!;
  const count = draft.node.outputs.length;
  const part = Math.ceil(size / count);
  return Array.from({ length: count }, (_, index) =>
    index < count - 1 ? part : size - part * (count - 1),
  );
};

const slice: Form = (draft) => {
  const { node } = draft;
  const starts = listOf(draft, 'starts', 1) ?? [];
  const ends = listOf(draft, 'ends', 2) ?? [];
  const axes = listOf(draft, 'axes', 3) ?? upTo(starts.length);
  const steps = draft.values(4) ?? starts.map(() => 1);
  return draft.finish('Slice', [
    node.inputs[0]!,
    bounds(draft, starts),
    bounds(draft, ends),
    draft.ints(positive(draft, axes, draft.rank(0))),
    draft.ints(steps),
  ]);
};

/** Bounds far outside stay far outside where a double cannot hold the largest int64. */
const bounds = (draft: Draft, values: readonly number[]): string =>
  draft.ints(
    values.map((value) =>
      Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value)),
    ),
  );

/** Pads of every axis, before and after, without an axes input; the value as an input. */
const pad: Form = (draft) => {
  const { node } = draft;
  const mode = textAttribute(node, 'mode') ?? 'constant';
  const given = intsAttribute(node, 'pads') ?? intsAttribute(node, 'paddings') ?? draft.values(1);
  const rank = draft.rank(0);
  const axes = positive(draft, draft.values(3) ?? upTo(rank), rank);
  const pads = Array.from({ length: 2 * rank }, () => 0);
  axes.forEach((axis, place) => {
    pads[axis] = given?.[place] ?? 0;
    pads[axis + rank] = given?.[place + axes.length] ?? 0;
  });
  if (mode === 'wrap') return wrap(draft, pads);
  const old = node.attributes?.value;
  const value =
    old !== undefined && 'float' in old && old.float !== 0
      ? draft.floats(old.float)
      : (node.inputs[2] ?? '');
  return draft.finish('Pad', [node.inputs[0]!, draft.ints(pads), value], {
    mode: { string: mode },
  });
};

/** Padding of opset 19 with the other end of each axis: slices joined. */
const wrap = (draft: Draft, pads: readonly number[]): Made => {
  const sizes = draft.sizes(0);
  let x = draft.node.inputs[0]!;
  sizes.forEach((size, axis) => {
    const [before, after] = [pads[axis]!, pads[axis + sizes.length]!];
    if (before === 0 && after === 0) return;
    if (before < 0 || after < 0 || before > size || after > size) {
      throw draft.refuse(
        'wrapped padding of at most the size',
        `${before} and ${after} at ${size}`,
      );
    }
    const part = (from: number, to: number): string[] =>
      from === to ? [] : [draft.add('Slice', [x, ...[[from], [to], [axis], [1]].map(draft.ints)])];
    const parts = [...part(size - before, size), x, ...part(0, after)];
    x = draft.add('Concat', parts, { axis: { int: axis } });
  });
  return draft.replaceBy(x);
};

/** The target with every size that is known, zeros and −1 filled in. */
const reshape: Form = (draft) => {
  const { node, fact } = draft;
  const shape = fact(node.outputs[0]!).shape;
  if (!shape?.every((size) => size !== null)) {
    const attributes = node.attributes === undefined ? {} : { attributes: node.attributes };
    return draft.finish('Reshape', node.inputs, attributes.attributes);
  }
  const zero = shape.includes(0) ? { allowzero: { int: 1 } } : undefined;
  return draft.finish('Reshape', [node.inputs[0]!, draft.ints(shape as readonly number[])], zero);
};

const axisAttribute =
  (fallback: number): Form =>
  (draft) => {
    const axis = axisFrom(draft, fallback);
    return draft.finish(draft.node.op, draft.node.inputs, { axis: { int: axis } });
  };

/** Before opset 13 these worked on all axes from `axis` on as if they were one. */
const softmax: Form = (draft) => {
  const { node, opset } = draft;
  const rank = draft.rank(0);
  const axis = axisFrom(draft, opset < 13 ? 1 : -1);
  const [x] = node.inputs;
  if (opset >= 13 || axis === rank - 1) {
    return draft.finish(node.op, [x!], { axis: { int: axis } });
  }
  const sizes = draft.sizes(0);
  const count = sizes.slice(axis).reduce((product, size) => product * size, 1);
  const flat = draft.add('Reshape', [x!, draft.ints([...sizes.slice(0, axis), count])]);
  const y = draft.add(node.op, [flat], { axis: { int: axis } });
  return draft.finish('Reshape', [y, draft.ints(sizes)]);
};

const topK: Form = (draft) => {
  const { node } = draft;
  const old = intAttribute(node, 'k', 0);
  return draft.finish('TopK', [node.inputs[0]!, old > 0 ? draft.ints([old]) : node.inputs[1]!], {
    axis: { int: axisFrom(draft, -1) },
    largest: { int: intAttribute(node, 'largest', 1) },
    sorted: { int: intAttribute(node, 'sorted', 1) },
  });
};

const scatter: Form = (draft) =>
  draft.finish('ScatterElements', draft.node.inputs, {
    axis: { int: axisFrom(draft, 0) },
  });

const INTERPOLATION = 'coordinate_transformation_mode';

/**
 * Resize with every attribute written out and scales or sizes of all axes. Upsample, and Resize of opset 10, take a
 * pixel for its left upper corner and round down.
 */
const resize: Form = (draft) => {
  const { node, opset } = draft;
  const old = opset < 11;
  const rank = draft.rank(0);
  const axes = positive(draft, intsAttribute(node, 'axes') ?? upTo(rank), rank);
  const text = (name: string, fallback: string): string => textAttribute(node, name) ?? fallback;
  const mode = text('mode', 'nearest').replace(/^(bi|tri)linear$/, 'linear');
  const coordinates = old ? 'asymmetric' : text(INTERPOLATION, 'half_pixel');
  if (coordinates === 'half_pixel_symmetric' || coordinates === 'tf_half_pixel_for_nn') {
    throw draft.refuse('coordinates of half_pixel, align_corners or asymmetric', coordinates);
  }
  if (text('keep_aspect_ratio_policy', 'stretch') !== 'stretch') {
    throw draft.refuse('sizes that are taken as they are', text('keep_aspect_ratio_policy', ''));
  }
  const own = (values: readonly number[] | null, rest: readonly number[]) =>
    values === null || values.length === 0
      ? null
      : rest.map((each, axis) => values[axes.indexOf(axis)] ?? each);
  const given = old ? (floatsAttribute(node, 'scales') ?? draft.values(1)) : draft.values(2);
  const scales = own(
    given,
    upTo(rank).map(() => 1),
  );
  const sizes = scales === null ? own(draft.values(3), draft.sizes(0)) : null;
  if (scales === null && sizes === null) throw draft.refuse('scales or sizes', 'neither');
  const inputs =
    scales === null
      ? [node.inputs[0]!, '', '', draft.ints(sizes!)]
      : [node.inputs[0]!, '', draft.floats32(scales)];
  return draft.finish('Resize', inputs, {
    mode: { string: mode },
    [INTERPOLATION]: { string: coordinates },
    ...(mode === 'nearest'
      ? { nearest_mode: { string: old ? 'floor' : text('nearest_mode', 'round_prefer_floor') } }
      : {}),
    ...pick(node.attributes, [
      'antialias',
      'cubic_coeff_a',
      'exclude_outside',
      'extrapolation_value',
    ]),
  });
};

const pick = (attributes: Draft['node']['attributes'], names: readonly string[]) =>
  Object.fromEntries(Object.entries(attributes ?? {}).filter(([name]) => names.includes(name)));

/** Sizes of an image whose axes come out even in blocks. */
const blocks = (draft: Draft) => {
  const sizes = draft.sizes(0);
  if (sizes.length !== 4) throw draft.refuse('an image (4 axes)', `${sizes.length} axes`);
  return sizes as readonly [batch: number, channels: number, height: number, width: number];
};

/** Space in blocks ↔ channels: a Reshape, a Transpose and a Reshape. */
const depthToSpace: Form = (draft) => {
  const { node } = draft;
  const [batch, channels, height, width] = blocks(draft);
  const block = intAttribute(node, 'blocksize', 1);
  const inner = channels / block ** 2;
  const columnsFirst = textAttribute(node, 'mode') === 'CRD';
  const split = columnsFirst
    ? [batch, inner, block, block, height, width]
    : [batch, block, block, inner, height, width];
  const perm = columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  const parts = draft.add('Reshape', [node.inputs[0]!, draft.ints(split)]);
  const moved = draft.add('Transpose', [parts], { perm: { ints: perm } });
  return draft.finish('Reshape', [
    moved,
    draft.ints([batch, inner, height * block, width * block]),
  ]);
};

const spaceToDepth: Form = (draft) => {
  const { node } = draft;
  const [batch, channels, height, width] = blocks(draft);
  const block = intAttribute(node, 'blocksize', 1);
  const split = [batch, channels, height / block, block, width / block, block];
  const parts = draft.add('Reshape', [node.inputs[0]!, draft.ints(split)]);
  const moved = draft.add('Transpose', [parts], { perm: { ints: [0, 3, 5, 1, 2, 4] } });
  const target = [batch, channels * block ** 2, height / block, width / block];
  return draft.finish('Reshape', [moved, draft.ints(target)]);
};

const REDUCTIONS =
  'ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp';

export const shapeForms: Forms = {
  ...Object.fromEntries(REDUCTIONS.split(' ').map((name) => [name, reduce])),
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Split: split,
  Slice: slice,
  Pad: pad,
  Reshape: reshape,
  Concat: axisAttribute(1),
  Gather: axisAttribute(0),
  Flatten: axisAttribute(1),
  Softmax: softmax,
  LogSoftmax: softmax,
  Hardmax: softmax,
  TopK: topK,
  Scatter: scatter,
  Resize: resize,
  Upsample: resize,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
