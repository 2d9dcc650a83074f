import { intsAttribute, textAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/graph.ts';
import { inputError } from '../records/errors.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { axesFrom, minus, reshaped, shapeOf, summed } from '../sketch/terms.ts';
import { described, integersOf } from './constants.ts';
import { type AxisMap, adjointAlong, picking } from './linear-maps.ts';
import type { Rule, Rules } from './rule.ts';

const modulo = (at: number, period: number): number => ((at % period) + period) % period;

/** The element that a place outside shows, by the mode's rule, among `size`. */
const SOURCES: Readonly<Record<string, (at: number, size: number) => number>> = {
  edge: (at, size) => Math.min(Math.max(at, 0), size - 1),
  wrap: (at, size) => modulo(at, size),
  reflect: (at, size) => {
    if (size === 1) return 0;
    const place = modulo(at, 2 * (size - 1));
    return place < size ? place : 2 * (size - 1) - place;
  },
};

/** One axis; negative widths cut off first, and what is left is reflected or repeated. */
const axisMap = (
  size: number,
  [before, after]: readonly [number, number],
  source: (at: number, size: number) => number,
): AxisMap => {
  const cut = Math.max(0, -before);
  const left = size - cut - Math.max(0, -after);
  const length = size + before + after;
  const places = Array.from({ length }, (_, place) => source(place - Math.max(0, before), left));
  return picking(
    places.map((at) => at + cut),
    size,
  );
};

/** Widths before and after every axis. */
const widthsOf = (node: OnnxNode, rank: number, sketch: Sketch): [number, number][] => {
  const pads = intsAttribute(node, 'pads') ?? integersOf(node, 1, sketch);
  const named = node.inputs[3] ?? '';
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const axes = named === '' ? all : axesFrom(integersOf(node, 3, sketch), rank);
  const widths = all.map((): [number, number] => [0, 0]);
  axes.forEach((axis, index) => {
    widths[axis] = [pads[index]!, pads[index + axes.length]!];
  });
  return widths;
};

const byWidths = (sketch: Sketch, x: string, widths: readonly (readonly number[])[]): string => {
  const pads = [...widths.map(([before]) => before!), ...widths.map(([, after]) => after!)];
  return pads.every((each) => each === 0) ? x : sketch.apply('Pad', [x, sketch.ints(pads)]);
};

const sumOf = (sketch: Sketch, x: string): string =>
  summed(
    sketch,
    x,
    shapeOf(sketch, x).map((_, axis) => axis),
  );

/** What was added is cut off, and what was cut off gets zeros; the value outside gets all the rest. */
const ofConstant = (
  node: OnnxNode,
  cotangent: string,
  wanted: readonly boolean[],
  sketch: Sketch,
  widths: readonly (readonly [number, number])[],
) => {
  const inside = byWidths(
    sketch,
    cotangent,
    widths.map((pair) => pair.map((each) => -each)),
  );
  const value = (): string => {
    const outside = minus(sketch, sumOf(sketch, cotangent), sumOf(sketch, inside));
    return reshaped(sketch, outside, shapeOf(sketch, node.inputs[2]!));
  };
  return [wanted[0] ? inside : null, null, wanted[2] ? value() : null, null];
};

const pad: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return [null, null, null, null];
  const shape = shapeOf(sketch, node.inputs[0]!);
  const widths = widthsOf(node, shape.length, sketch);
  const mode = textAttribute(node, 'mode') ?? 'constant';
  if (mode === 'constant') return ofConstant(node, cotangent, wanted, sketch, widths);
  const source = Object.hasOwn(SOURCES, mode) ? SOURCES[mode]! : null;
  if (source === null) {
    throw inputError({
      where: described(node),
      expected: `padding by constant, ${Object.keys(SOURCES).join(', ')}`,
      got: mode,
      mend: 'export the model with another kind of padding',
    });
  }
  const inside = shape.reduce(
    (flows, size, axis) => adjointAlong(sketch, flows, axis, axisMap(size, widths[axis]!, source)),
    cotangent,
  );
  return [wanted[0] ? inside : null, null, null, null];
};

/** Padding: by a constant, by reflection, by the edge, around. */
export const paddings: Rules = { Pad: pad };
