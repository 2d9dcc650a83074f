import { floatAttribute, intAttribute, intsAttribute, textAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/graph.ts';
import { inputError } from '../records/errors.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { axesFrom, shapeOf } from '../sketch/terms.ts';
import { described } from './constants.ts';
import { type AxisMap, adjointAlong, picking } from './linear-maps.ts';
import { type Rules, unary } from './rule.ts';

/** Sizes of an axis before and after, and the factor between them as onnxruntime computes with it (float32). */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

const { fround } = Math;

/** Where a place of the result lies in the input (ONNX, Resize: `coordinate_transformation_mode`). */
const COORDINATES: Readonly<Record<string, (place: number, axis: Axis) => number>> = {
  asymmetric: (place, { scale }) => fround(place / scale),
  half_pixel: (place, { scale }) => fround(fround((place + 0.5) / scale) - 0.5),
  pytorch_half_pixel: (place, { to, scale }) =>
    to > 1 ? fround(fround((place + 0.5) / scale) - 0.5) : 0,
  align_corners: (place, { from, to }) =>
    to === 1 ? 0 : fround(fround(place * (from - 1)) / (to - 1)),
  half_pixel_symmetric: (place, { from, to, scale }) => {
    const centre = (from / 2) * (1 - to / (from * scale));
    return fround(centre + fround(fround((place + 0.5) / scale) - 0.5));
  },
};

const ROUNDINGS: Readonly<Record<string, (at: number) => number>> = {
  round_prefer_floor: (at) => Math.ceil(at - 0.5),
  round_prefer_ceil: (at) => Math.floor(at + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

const clamped = (at: number, size: number): number => Math.min(Math.max(at, 0), size - 1);

/** Keys' kernel (1981, equation 4 with its free parameter a), at distances 1 + t, t, 1 − t, 2 − t. */
const cubicWeights = (t: number, a: number): number[] => {
  const near = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
};

type Row = (at: number, size: number) => (readonly [number, number])[];

const linearRow: Row = (at, size) => {
  const inside = clamped(at, size);
  const low = Math.floor(inside);
  const high = Math.min(low + 1, size - 1);
  return [
    [low, 1 - (inside - low)],
    [high, inside - low],
  ];
};

const cubicRow =
  (a: number, isOutsideLeftOut: boolean): Row =>
  (at, size) => {
    const first = Math.floor(at) - 1;
    const weights = cubicWeights(at - Math.floor(at), a).map((weight, index) => {
      const isOutside = first + index < 0 || first + index >= size;
      return isOutsideLeftOut && isOutside ? 0 : weight;
    });
    const sum = isOutsideLeftOut ? weights.reduce((total, each) => total + each, 0) : 1;
    return weights.map((weight, index) => [clamped(first + index, size), weight / sum] as const);
  };

const chosen = <Value>(
  node: OnnxNode,
  attribute: string,
  fallback: string,
  table: Readonly<Record<string, Value>>,
): Value => {
  const name = textAttribute(node, attribute) ?? fallback;
  if (Object.hasOwn(table, name)) return table[name]!;
  throw inputError({
    where: described(node),
    expected: `${attribute} one of ${Object.keys(table).join(', ')}`,
    got: name,
    mend: 'export the model with another kind of resampling',
  });
};

const axisMapOf = (node: OnnxNode): ((axis: Axis) => AxisMap) => {
  const position = chosen(node, 'coordinate_transformation_mode', 'half_pixel', COORDINATES);
  const a = floatAttribute(node, 'cubic_coeff_a') ?? -0.75;
  const rows: Readonly<Record<string, Row | null>> = {
    nearest: null,
    linear: linearRow,
    cubic: cubicRow(a, intAttribute(node, 'exclude_outside', 0) === 1),
  };
  const row = chosen(node, 'mode', 'nearest', rows);
  const round = chosen(node, 'nearest_mode', 'round_prefer_floor', ROUNDINGS);
  return (axis) => {
    const places = Array.from({ length: axis.to }, (_, place) => position(place, axis));
    return row === null
      ? picking(
          places.map((at) => clamped(round(at), axis.from)),
          axis.from,
        )
      : { columns: axis.from, rows: places.map((at) => row(at, axis.from)) };
  };
};

const scalesOf = (node: OnnxNode, sketch: Sketch): readonly number[] | null => {
  const tensor = node.inputs[2] ?? '';
  if (tensor === '') return null;
  const value = sketch.value(tensor);
  return value === null || value.data.length === 0
    ? null
    : Array.from(value.data as Float32Array, Number);
};

const axesOf = (node: OnnxNode, from: readonly number[], to: readonly number[], sketch: Sketch) => {
  const scales = scalesOf(node, sketch);
  const named = intsAttribute(node, 'axes') ?? from.map((_, axis) => axis);
  const places = axesFrom(named, from.length);
  return from.map((size, axis): Axis => {
    const ratio = fround(to[axis]! / size);
    const place = places.indexOf(axis);
    return { from: size, to: to[axis]!, scale: scales?.[place] ?? ratio };
  });
};

/** Resampling is linear and separable: along each axis the product with a matrix, backwards with its transpose. */
const resize = unary((cotangent, x, y, sketch, node) => {
  if (intAttribute(node, 'antialias', 0) === 1) {
    throw inputError({
      where: described(node),
      expected: 'resampling without antialiasing',
      got: 'antialias = 1',
      mend: 'export the model without it, or differentiate with respect to a tensor behind it',
    });
  }
  const [from, to] = [shapeOf(sketch, x), shapeOf(sketch, y)];
  const mapOf = axisMapOf(node);
  return axesOf(node, from, to, sketch).reduce(
    (flows, axis, index) =>
      axis.from === axis.to && axis.scale === 1
        ? flows
        : adjointAlong(sketch, flows, index, mapOf(axis)),
    cotangent,
  );
});

/** Resampling of maps. */
export const resamplings: Rules = { Resize: resize };
