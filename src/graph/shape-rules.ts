import { intAttribute, intsAttribute, textAttribute } from './attributes.ts';
import { equationOf } from './einsum.ts';
import type { Operation } from './operation.ts';
import { productShapes } from './shape-products.ts';
import {
  allKnown,
  type Inputs,
  listOf,
  ruleFor,
  type ShapeRule,
  type ShapeRules,
  shapeAt,
} from './shape-rule.ts';
import { windowShapes } from './shape-windows.ts';
import { axisOf, broadcast, countOf, type Sizes, sliceBounds } from './sizes.ts';

const same: ShapeRule = (node, inputs) => node.outputs.map(() => shapeAt(inputs, 0));

const broadcastAll: ShapeRule = (_, inputs) => {
  let shape: Sizes | null = [];
  for (const input of inputs) {
    shape = shape === null || input.shape === null ? null : broadcast(shape, input.shape);
  }
  return [shape];
};

const einsum: ShapeRule = (node, inputs) => {
  const shapes = inputs.map(({ shape }) => shape);
  const text = textAttribute(node, 'equation') ?? '';
  if (text.includes('.') && shapes.includes(null)) return [null];
  const { terms, result } = equationOf(
    text,
    shapes.map((shape) => shape?.length ?? 0),
  );
  const sizes = new Map<string, number | null>();
  terms.forEach((term, index) => {
    [...term].forEach((letter, axis) => {
      const size = shapes[index]?.[axis] ?? null;
      const before = sizes.get(letter) ?? null;
      // An axis of size 1 under an ellipsis is repeated.
      sizes.set(letter, before === null || before === 1 ? (size ?? before) : before);
    });
  });
  return [[...result].map((letter) => sizes.get(letter) ?? null)];
};

const reshape: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  const target = intsAttribute(node, 'shape') ?? inputs[1]?.values ?? null;
  if (target === null) {
    const rank = inputs[1]?.shape?.[0] ?? null;
    return [rank === null || rank > 16 ? null : Array.from({ length: rank }, () => null)];
  }
  const zeroIsZero = intAttribute(node, 'allowzero', 0) === 1;
  const sizes = target.map((size, axis) =>
    size === 0 && !zeroIsZero ? (x?.[axis] ?? null) : size === -1 ? null : size,
  );
  const open = sizes.filter((size) => size === null).length;
  const total = x === null ? null : countOf(x);
  const rest = countOf(sizes.map((size) => size ?? 1))!;
  if (total === null || open > 1) return [sizes];
  // A size that the network fixes does not go with every input: nothing is known of what cannot be.
  if (open === 0) return [rest === total ? sizes : null];
  if (rest === 0 || total % rest !== 0) return [sizes];
  return [sizes.map((size) => size ?? total / rest)];
};

const flatten: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  if (x === null) return [[null, null]];
  const axis = axisOf(intAttribute(node, 'axis', 1), x.length);
  return [[countOf(x.slice(0, axis)), countOf(x.slice(axis))]];
};

const transpose: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  const perm = intsAttribute(node, 'perm');
  if (x === null) return [perm === null ? null : perm.map(() => null)];
  return [perm === null ? [...x].reverse() : perm.map((axis) => x[axis] ?? null)];
};

const squeeze: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  const axes = listOf(node, inputs, 1, 'axes')?.map((axis) => axisOf(axis, x?.length ?? 0));
  if (x === null || (axes === undefined && (inputs.length > 1 || x.includes(null)))) return [null];
  return [x.filter((size, axis) => (axes === undefined ? size !== 1 : !axes.includes(axis)))];
};

const unsqueeze: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  const axes = listOf(node, inputs, 1, 'axes');
  if (x === null || axes === null) return [null];
  const rank = x.length + axes.length;
  const added = new Set(axes.map((axis) => axisOf(axis, rank)));
  const rest = [...x];
  return [
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() ?? null))),
  ];
};

const concat: ShapeRule = (node, inputs) => {
  const shapes = inputs.map(({ shape }) => shape);
  const first = shapes.find((shape) => shape !== null);
  if (first == null) return [null];
  const joined = axisOf(intAttribute(node, 'axis', 1), first.length);
  const sizes = first.map((_, axis) => {
    const each = shapes.map((shape) => shape?.[axis] ?? null);
    if (axis !== joined) return each.find((size) => size !== null) ?? null;
    return each.reduce((sum, size) => (sum === null || size === null ? null : sum + size), 0);
  });
  return [sizes];
};

const split: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  if (x === null) return node.outputs.map(() => null);
  const axis = axisOf(intAttribute(node, 'axis', 0), x.length);
  const parts = listOf(node, inputs, 1, 'split');
  const size = x[axis] ?? null;
  const count = node.outputs.length;
  const even = size === null ? null : Math.ceil(size / count);
  return node.outputs.map((_, index) => {
    const last = size === null || even === null ? null : size - even * (count - 1);
    const part = parts?.[index] ?? (inputs.length > 1 ? null : index === count - 1 ? last : even);
    return x.map((each, own) => (own === axis ? part : each));
  });
};

const slice: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  if (x === null) return [null];
  const starts = listOf(node, inputs, 1, 'starts');
  const ends = listOf(node, inputs, 2, 'ends');
  const given = inputs.length > 3 ? inputs[3]?.values : undefined;
  const axes = intsAttribute(node, 'axes') ?? allKnown(given) ?? null;
  if (inputs.length > 3 && axes === null && inputs[3]?.shape !== null) return [x.map(() => null)];
  const count = starts?.length ?? inputs[1]?.shape?.[0] ?? axes?.length ?? x.length;
  const cut = (axes ?? Array.from({ length: count }, (_, axis) => axis)).map((axis) =>
    axisOf(axis, x.length),
  );
  const steps = inputs.length > 4 ? allKnown(inputs[4]?.values) : cut.map(() => 1);
  return [
    x.map((size, axis) => {
      const place = cut.indexOf(axis);
      if (place < 0) return size;
      const [start, end, step] = [starts?.[place], ends?.[place], steps?.[place]];
      if (size === null || start === undefined || end === undefined || !step) return null;
      return sliceBounds(start, end, step, size).count;
    }),
  ];
};

const gather: ShapeRule = (node, inputs) => {
  const [x, indices] = [shapeAt(inputs, 0), shapeAt(inputs, 1)];
  if (x === null || indices === null) return [null];
  const axis = axisOf(intAttribute(node, 'axis', 0), x.length);
  return [[...x.slice(0, axis), ...indices, ...x.slice(axis + 1)]];
};

const gatherNd: ShapeRule = (node, inputs) => {
  const [x, indices] = [shapeAt(inputs, 0), shapeAt(inputs, 1)];
  const depth = indices?.at(-1) ?? null;
  if (x === null || indices === null || depth === null) return [null];
  return [[...indices.slice(0, -1), ...x.slice(intAttribute(node, 'batch_dims', 0) + depth)]];
};

const topK: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  if (x === null) return [null, null];
  const axis = axisOf(intAttribute(node, 'axis', -1), x.length);
  const count = inputs[1]?.values?.[0] ?? intAttribute(node, 'k', -1);
  const shape = x.map((size, own) => (own === axis ? (count < 0 ? null : count) : size));
  return [shape, shape];
};

const layerNorm: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  const from = axisOf(intAttribute(node, 'axis', -1), x?.length ?? 0);
  const statistics = x?.map((size, axis) => (axis < from ? size : 1)) ?? null;
  return [x, statistics, statistics];
};

const expand: ShapeRule = (_, inputs) => {
  const x = shapeAt(inputs, 0);
  const target = inputs[1]?.values ?? null;
  return [x === null || target === null ? null : broadcast(x, target)];
};

const tile: ShapeRule = (_, inputs) => {
  const repeats = inputs[1]?.values;
  const times = (size: number | null, by: number | null | undefined): number | null =>
    size === null || by == null ? null : size * by;
  return [shapeAt(inputs, 0)?.map((size, axis) => times(size, repeats?.[axis])) ?? null];
};

const pad: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  if (x === null) return [null];
  const pads = intsAttribute(node, 'pads') ?? inputs[1]?.values ?? null;
  const axes = (inputs.length > 3 ? allKnown(inputs[3]?.values) : null) ?? x.map((_, axis) => axis);
  const padded = axes.map((axis) => axisOf(axis, x.length));
  return [
    x.map((size, axis) => {
      const place = padded.indexOf(axis);
      if (place < 0) return size;
      const before = pads?.[place] ?? null;
      const after = pads?.[place + axes.length] ?? null;
      return size === null || before === null || after === null ? null : size + before + after;
    }),
  ];
};

/** Resize has `x, roi, scales, sizes`; Resize of opset 10 and Upsample have `x, scales`. */
const resize: ShapeRule = (_, inputs, opset) => {
  const x = shapeAt(inputs, 0);
  const sizes = inputs[3]?.values ?? null;
  if (x === null || sizes !== null) return [x === null ? null : sizes];
  const scales = inputs[opset < 11 ? 1 : 2]?.values ?? null;
  return [
    x.map((size, axis) => {
      const scale = scales?.[axis] ?? null;
      return size === null || scale === null ? null : Math.floor(size * scale);
    }),
  ];
};

const reduce: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  if (x === null) return [null];
  const listed = listOf(node, inputs, 1, 'axes');
  if (listed === null && inputs.length > 1) return [null];
  const none = listed === null || listed.length === 0;
  if (none && intAttribute(node, 'noop_with_empty_axes', 0)) return [x];
  const axes = none ? x.map((_, axis) => axis) : listed.map((axis) => axisOf(axis, x.length));
  if (intAttribute(node, 'keepdims', 1)) {
    return [x.map((size, axis) => (axes.includes(axis) ? 1 : size))];
  }
  return [x.filter((_, axis) => !axes.includes(axis))];
};

const argument: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  if (x === null) return [null];
  const found = axisOf(intAttribute(node, 'axis', 0), x.length);
  return intAttribute(node, 'keepdims', 1)
    ? [x.map((size, axis) => (axis === found ? 1 : size))]
    : [x.filter((_, axis) => axis !== found)];
};

const range: ShapeRule = (_, inputs) => {
  const [start, limit, delta] = inputs.map(({ values }) => values?.[0] ?? null);
  if (start == null || limit == null || !delta) return [[null]];
  return [[Math.max(0, Math.ceil((limit - start) / delta))]];
};

const depthToSpace: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  const block = intAttribute(node, 'blocksize', 1);
  const by = node.op === 'DepthToSpace' ? block : 1 / block;
  return [
    x?.map((size, axis) =>
      size === null || axis === 0 ? size : axis === 1 ? size / by ** 2 : size * by,
    ) ?? null,
  ];
};

/** The axis of the classes is new; their number is the second input. */
const oneHot: ShapeRule = (node, inputs) => {
  const x = shapeAt(inputs, 0);
  if (x === null) return [null];
  const axis = axisOf(intAttribute(node, 'axis', -1), x.length + 1);
  return [[...x.slice(0, axis), inputs[1]?.values?.[0] ?? null, ...x.slice(axis)]];
};

const gridSample: ShapeRule = (_, inputs) => {
  const [x, grid] = [shapeAt(inputs, 0), shapeAt(inputs, 1)];
  return [x === null || grid === null ? null : [...x.slice(0, 2), ...grid.slice(1, -1)]];
};

const ELEMENTWISE =
  'Add Sub Mul Div Pow Mod Min Max Sum Mean And Or Xor Equal Greater GreaterOrEqual Less LessOrEqual Where ' +
  'BitShift BitwiseAnd BitwiseOr BitwiseXor';
const SAME =
  'Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Erf Exp Log Sqrt Abs ' +
  'Neg Reciprocal Clip Gelu Mish ThresholdedRelu Cast Identity Dropout Softmax LogSoftmax Hardmax Floor Ceil Round ' +
  'Sign Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Not IsNaN IsInf LRN LpNormalization ' +
  'MeanVarianceNormalization InstanceNormalization CumSum RandomUniformLike Bernoulli ReverseSequence BitwiseNot ' +
  'GroupNormalization ScatterND ScatterElements Scatter QuantizeLinear DequantizeLinear Trilu CastLike FastGelu ' +
  'QuickGelu BiasGelu Swish Shrink RMSNormalization SimplifiedLayerNormalization EyeLike RandomNormalLike Softcap';
const REDUCTIONS =
  'ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp';

/** The first output has the shape of the first input; the others (statistics) are left open. */
const firstSame: ShapeRule = (_, inputs) => [shapeAt(inputs, 0)];

const RULES: ShapeRules = {
  ...ruleFor(ELEMENTWISE, broadcastAll),
  ...ruleFor(SAME, same),
  ...ruleFor(REDUCTIONS, reduce),
  LayerNormalization: layerNorm,
  SkipLayerNormalization: firstSame,
  // In training mode the running statistics are outputs, too.
  BatchNormalization: (_, inputs) => [0, 3, 4].map((index) => shapeAt(inputs, index)),
  ...windowShapes,
  ...productShapes,
  Einsum: einsum,
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  GatherND: gatherNd,
  TopK: topK,
  GatherElements: (_, inputs) => [shapeAt(inputs, 1)],
  Expand: expand,
  Tile: tile,
  Pad: pad,
  ...ruleFor('Resize Upsample', resize),
  ...ruleFor('ArgMax ArgMin', argument),
  Range: range,
  ...ruleFor('DepthToSpace SpaceToDepth', depthToSpace),
  Shape: (node, inputs) => {
    const rank = shapeAt(inputs, 0)?.length;
    if (rank === undefined) return [[null]];
    const from = axisOf(intAttribute(node, 'start', 0), rank);
    const to = axisOf(intAttribute(node, 'end', rank), rank);
    return [[Math.max(0, Math.min(to, rank) - Math.max(from, 0))]];
  },
  OneHot: oneHot,
  GridSample: gridSample,
  ...ruleFor('RandomNormal RandomUniform', (node) => [intsAttribute(node, 'shape')]),
  Size: () => [[]],
  ConstantOfShape: (_, inputs) => [inputs[0]?.values ?? null],
};

/** No network has more axes; a damaged file could double them at each node. */
const MOST_AXES = 16;

/** Operations that may name the place behind the last axis. */
const BEHIND: ReadonlySet<string> = new Set(['Flatten', 'OneHot']);

/** Whether the attribute `axis`, where a node has one, is an axis of its first input, as far as that is known. */
export const hasItsAxis = (node: Operation, inputs: Inputs): boolean => {
  const rank = shapeAt(inputs, 0)?.length;
  const axis = intAttribute(node, 'axis', 0);
  // A scale that is one number has no axis: what is said of it is not looked at.
  if (rank === undefined || axis === 0 || /^(Quantize|Dequantize)Linear$/.test(node.op))
    return true;
  const most = BEHIND.has(node.op) ? rank : rank - 1;
  return axis <= most && axis >= -1 - most;
};

/** Our own operations, which exist only while a graph is being differentiated, say the shape of each output. */
const ownShapes = (node: Operation): (Sizes | null)[] =>
  node.outputs.map((_, index) => intsAttribute(node, index === 0 ? 'shape' : `shape${index}`));

/**
 * Shapes of a node's outputs from what is known of its inputs; an empty list for an unknown operation, and nothing of one
 * whose axis its input does not have.
 */
export const shapesOf = (node: Operation, inputs: Inputs, opset: number): (Sizes | null)[] => {
  if (node.domain === 'ventral') return ownShapes(node);
  if (!Object.hasOwn(RULES, node.op) || !hasItsAxis(node, inputs)) return [];
  return RULES[node.op]!(node, inputs, opset).map((shape) =>
    shape === null || shape.length > MOST_AXES ? null : shape,
  );
};
