import { intAttribute, intsAttribute } from './attributes.ts';
import { type Operation, tensorAttribute } from './operation.ts';
import type { ElementType } from './schema.ts';
import { axisOf, countOf, type Facts, MOST_VALUES, type Sizes, sliceBounds } from './sizes.ts';

// Constant folding of the little integer tensors with which exports compute shapes, pads and slices.

type Value = number | null;

const strides = (shape: readonly number[]): number[] => {
  const steps: number[] = [];
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    steps[axis] = step;
    step *= shape[axis]!;
  }
  return steps;
};

/** All index tuples of a shape, row-major. */
const indices = (shape: readonly number[]): number[][] => {
  let tuples: number[][] = [[]];
  for (const size of shape) {
    tuples = tuples.flatMap((tuple) =>
      Array.from({ length: size }, (_, index) => [...tuple, index]),
    );
  }
  return tuples;
};

/** A shape of few elements, all sizes known; damaged files may hold any number. */
const known = (shape: Sizes | null): readonly number[] | null => {
  if (!shape?.every((size) => size !== null && size >= 0 && size <= MOST_VALUES)) return null;
  return countOf(shape)! <= MOST_VALUES ? (shape as number[]) : null;
};

/** The element that broadcasting puts at an index of the result. */
const broadcastAt = ({ shape, values }: Facts, index: readonly number[]): Value => {
  const own = known(shape);
  if (own === null || values === null) return null;
  const steps = strides(own);
  const skip = index.length - own.length;
  const at = own.reduce(
    (sum, size, axis) => sum + (size === 1 ? 0 : index[axis + skip]! * steps[axis]!),
    0,
  );
  return values[at] ?? null;
};

type Arithmetic = (a: number, b: number, whole: boolean) => number;

const BINARY: Readonly<Record<string, Arithmetic>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b, whole) => (whole ? Math.trunc(a / b) : a / b),
  Mod: (a, b) => a - b * Math.floor(a / b),
  Pow: (a, b) => a ** b,
  Min: (a, b) => Math.min(a, b),
  Max: (a, b) => Math.max(a, b),
  Equal: (a, b) => Number(a === b),
  Greater: (a, b) => Number(a > b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  Less: (a, b) => Number(a < b),
  LessOrEqual: (a, b) => Number(a <= b),
  And: (a, b) => a && b,
  Or: (a, b) => a || b,
};

const UNARY: Readonly<Record<string, (a: number) => number>> = {
  Neg: (a) => -a,
  Abs: Math.abs,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Sqrt: Math.sqrt,
  Not: (a) => Number(!a),
};

const isWhole = (type: ElementType): boolean => /int/.test(type);

const castOne = (value: number, type: ElementType): number => {
  if (type === 'bool') return Number(value !== 0);
  return isWhole(type) ? Math.trunc(value) : value;
};

const cast = (values: Sizes, type: ElementType): Value[] =>
  values.map((value) => (value === null ? null : castOne(value, type)));

/**
 * As the type holds it: floats are rounded at every step, and a whole number that is none (x / 0) is not known, nor (in
 * `foldData`) a new one above 2^53, which a double would round and int64 might wrap.
 */
const held = (values: Sizes | null, type: ElementType): Sizes | null => {
  if (type === 'float32')
    return values?.map((each) => (each === null ? null : Math.fround(each))) ?? null;
  if (!isWhole(type)) return values;
  return values?.map((each) => (each === null || !Number.isInteger(each) ? null : each)) ?? null;
};

const concat = (node: Operation, inputs: readonly Facts[]): Value[] | null => {
  // Shapes are vectors: other concatenations are data.
  if (inputs.some(({ shape }) => shape?.length !== 1) || intAttribute(node, 'axis', 0) > 0)
    return null;
  const sizes = inputs.map(({ shape }) => shape![0] ?? MOST_VALUES + 1);
  if (!(sizes.reduce((sum, size) => sum + Math.abs(size), 0) <= MOST_VALUES)) return null;
  return inputs.flatMap(
    ({ values }, index) => values ?? Array.from({ length: sizes[index]! }, () => null),
  );
};

/** Elements of `input` picked by an index of the result. */
const pick = (
  input: Facts,
  shape: readonly number[],
  sourceOf: (index: readonly number[]) => readonly number[],
): Value[] | null => {
  const own = known(input.shape);
  if (own === null || input.values === null) return null;
  const steps = strides(own);
  return indices(shape).map((index) => {
    const at = sourceOf(index).reduce((sum, each, axis) => sum + each * steps[axis]!, 0);
    return input.values![at] ?? null;
  });
};

const gather = (
  node: Operation,
  inputs: readonly Facts[],
  shape: readonly number[],
): Value[] | null => {
  const [x, chosen] = inputs;
  if (x?.shape == null || chosen?.values == null || chosen.values.includes(null)) return null;
  const axis = axisOf(intAttribute(node, 'axis', 0), x.shape.length);
  const rank = chosen.shape?.length ?? 0;
  const chosenSteps = strides(known(chosen.shape) ?? []);
  return pick(x, shape, (index) => {
    const place = index
      .slice(axis, axis + rank)
      .reduce((sum, each, own) => sum + each * chosenSteps[own]!, 0);
    return [
      ...index.slice(0, axis),
      axisOf(chosen.values![place]!, x.shape![axis]!),
      ...index.slice(axis + rank),
    ];
  });
};

const slice = (
  node: Operation,
  inputs: readonly Facts[],
  shape: readonly number[],
): Value[] | null => {
  const x = inputs[0];
  const list = (name: string, index: number): Sizes | null =>
    intsAttribute(node, name) ?? inputs[index]?.values ?? null;
  const [starts, ends] = [list('starts', 1), list('ends', 2)];
  if (x?.shape == null || starts === null || ends === null) return null;
  const rank = x.shape.length;
  const axes = list('axes', 3) ?? starts.map((_, axis) => axis);
  const steps = list('steps', 4) ?? starts.map(() => 1);
  if ([...axes, ...steps, ...starts, ...ends, ...x.shape].includes(null)) return null;
  const from = x.shape.map(() => 0);
  const by = x.shape.map(() => 1);
  axes.forEach((each, place) => {
    const axis = axisOf(each!, rank);
    by[axis] = steps[place]!;
    from[axis] = sliceBounds(starts[place]!, ends[place]!, steps[place]!, x.shape![axis]!).from;
  });
  return pick(x, shape, (index) => index.map((each, axis) => from[axis]! + each * by[axis]!));
};

const transpose = (node: Operation, x: Facts, shape: readonly number[]): Value[] | null => {
  const order = intsAttribute(node, 'perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  return pick(x, shape, (index) => {
    const source: number[] = [];
    order.forEach((axis, own) => {
      source[axis] = index[own]!;
    });
    return source;
  });
};

const shapeValues = (node: Operation, x: Facts): Sizes | null => {
  if (x.shape === null) return null;
  const rank = x.shape.length;
  const from = axisOf(intAttribute(node, 'start', 0), rank);
  return x.shape.slice(from, axisOf(intAttribute(node, 'end', rank), rank));
};

/** Operations that only rename axes keep the elements in order. */
const KEEPS_ORDER: ReadonlySet<string> = new Set([
  'Identity',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
]);

/**
 * The elements of a node's first output where it is a small tensor and enough is known of the inputs; elements that
 * are not known are `null`, and the whole is `null` where nothing is.
 */
export const fold = (
  node: Operation,
  inputs: readonly Facts[],
  result: { readonly type: ElementType; readonly shape: Sizes | null },
): Sizes | null => held(elements(node, inputs, result), result.type);

const elements = (
  node: Operation,
  inputs: readonly Facts[],
  result: { readonly type: ElementType; readonly shape: Sizes | null },
): Sizes | null => {
  const first = inputs[0];
  if (first === undefined) return null;
  if (node.op === 'Shape') return shapeValues(node, first);
  if (KEEPS_ORDER.has(node.op)) return first.values;
  if (node.op === 'Cast') return first.values === null ? null : cast(first.values, result.type);
  if (node.op === 'Size') return first.shape === null ? null : [countOf(first.shape)];
  if (node.op === 'Concat') return concat(node, inputs);
  const shape = known(result.shape);
  if (shape === null) return null;
  if (node.op === 'ConstantOfShape') {
    const value = tensorAttribute(node, 'value');
    const fill = value === null ? 0 : (value.values?.[0] ?? null);
    return Array.from({ length: countOf(shape)! }, () => fill);
  }
  if (node.op === 'Range') {
    const [start, , delta] = inputs.map(({ values }) => values?.[0] ?? null);
    return start == null || delta == null
      ? null
      : Array.from({ length: shape[0]! }, (_, i) => start + i * delta);
  }
  if (inputs.every(({ values }) => values === null)) return null;
  return foldData(node, inputs, { type: result.type, shape });
};

const foldData = (
  node: Operation,
  inputs: readonly Facts[],
  { type, shape }: { readonly type: ElementType; readonly shape: readonly number[] },
): Sizes | null => {
  const first = inputs[0]!;
  const binary = Object.hasOwn(BINARY, node.op) ? BINARY[node.op]! : null;
  if (binary !== null && inputs.length === 2) {
    const whole = isWhole(type);
    return indices(shape).map((index) => {
      const [a, b] = inputs.map((input) => broadcastAt(input, index));
      if (a == null || b == null) return null;
      const value = binary(a, b, whole);
      return whole && value !== a && value !== b && !Number.isSafeInteger(value) ? null : value;
    });
  }
  const unary = Object.hasOwn(UNARY, node.op) ? UNARY[node.op]! : null;
  if (unary !== null) {
    return first.values?.map((value) => (value === null ? null : unary(value))) ?? null;
  }
  switch (node.op) {
    case 'Gather':
      return gather(node, inputs, shape);
    case 'Slice':
      return slice(node, inputs, shape);
    case 'Transpose':
      return transpose(node, first, shape);
    case 'Expand':
      return indices(shape).map((index) => broadcastAt(first, index));
    case 'Where':
      return indices(shape).map((index) => {
        const [condition, a, b] = inputs.map((input) => broadcastAt(input, index));
        return condition == null ? null : ((condition ? a : b) ?? null);
      });
    case 'ReduceProd':
      return countOf(shape) === 1 && first.values !== null ? [countOf(first.values)] : null;
    default:
      return null;
  }
};
