import type { Sketch } from '../sketch/sketch.ts';
import { plus, shapeOf } from '../sketch/terms.ts';
import { integersOf } from './constants.ts';
import { paddedAxes } from './joins.ts';

/** A tensor that stands among zeros: at `[from, to)` of one axis of something larger. */
interface Part {
  readonly x: string;
  readonly axis: number;
  readonly from: number;
  readonly to: number;
}

/** What a Pad with zeros along one axis makes; null for all else. */
const partOf = (sketch: Sketch, tensor: string): Part | null => {
  const maker = sketch.maker(tensor);
  if (maker?.op !== 'Pad' || maker.inputs.length !== 2 || maker.attributes?.mode !== undefined) {
    return null;
  }
  if (sketch.value(maker.inputs[1]!) === null) return null;
  const pads = integersOf(maker, 1, sketch);
  const shape = shapeOf(sketch, tensor);
  const touched = shape.flatMap((_, axis) =>
    pads[axis] !== 0 || pads[axis + shape.length] !== 0 ? [axis] : [],
  );
  const [axis = 0] = touched;
  if (touched.length !== 1 || pads.some((each) => each < 0)) return null;
  return {
    x: maker.inputs[0]!,
    axis,
    from: pads[axis]!,
    to: shape[axis]! - pads[axis + shape.length]!,
  };
};

/** Parts that follow each other are one, and so are those that lie in the same place. */
const joined = (sketch: Sketch, parts: readonly Part[]): Part[] => {
  const runs: { axis: number; pieces: { x: string; from: number; to: number }[] }[] = [];
  for (const { x, axis, from, to } of parts.toSorted(
    (a, b) => a.axis - b.axis || a.from - b.from,
  )) {
    const run = runs.at(-1);
    const last = run?.axis === axis ? run.pieces.at(-1) : undefined;
    if (last?.from === from && last.to === to) last.x = plus(sketch, last.x, x);
    else if (last?.to === from) run!.pieces.push({ x, from, to });
    else runs.push({ axis, pieces: [{ x, from, to }] });
  }
  return runs.map(({ axis, pieces }) => {
    const names = pieces.map(({ x }) => x);
    const x = sketch.apply('Concat', names, { axis: { int: axis } });
    return { x, axis, from: pieces[0]!.from, to: pieces.at(-1)!.to };
  });
};

/**
 * The sum of the cotangents that reach one tensor on several ways. Those of its slices, which are zero elsewhere, are
 * joined instead of added: queries, keys and values of attention, or the two halves of a cyclic shift.
 */
export const accumulated = (sketch: Sketch, cotangents: readonly string[]): string => {
  const found = cotangents.map((tensor) => partOf(sketch, tensor));
  const parts = found.filter((part) => part !== null);
  const whole = cotangents.filter((_, index) => found[index] === null);
  const shape = shapeOf(sketch, cotangents[0]!);
  const placed = joined(sketch, parts).map(({ x, axis, from, to }) =>
    paddedAxes(
      sketch,
      x,
      shape.map((_, own) => (own === axis ? from : 0)),
      shape.map((size, own) => (own === axis ? size - to : 0)),
    ),
  );
  return [...whole, ...placed].reduce((a, b) => plus(sketch, a, b));
};
