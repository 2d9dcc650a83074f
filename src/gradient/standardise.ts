import { floatAttribute, intsAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/graph.ts';
import type { Sketch } from '../sketch/sketch.ts';
import {
  averaged,
  minus,
  over,
  plus,
  scaled,
  shapeOf,
  shifted,
  squared,
  times,
} from '../sketch/terms.ts';
import type { Cotangent, Rule, Rules } from './rule.ts';

// What all normalisations with statistics of their own share: x̂ = (x − mean) / σ with σ² = variance + ε over some axes.
// `ventral.Standardise` makes x̂ and 1/σ, so that every order of derivative is written in these two; `lower` writes it out.

/** x̂ (shape of x) and 1/σ (size 1 along the axes). */
export interface Standardised {
  readonly normal: string;
  readonly inverse: string;
  readonly axes: readonly number[];
}

/** Standardises over axes (non-negative), with the biased variance. */
export const standardised = (
  sketch: Sketch,
  x: string,
  axes: readonly number[],
  epsilon: number,
): Standardised => {
  const shape = shapeOf(sketch, x);
  const [normal = '', inverse = ''] = sketch.add(
    'ventral.Standardise',
    [x],
    {
      axes: { ints: axes },
      epsilon: { float: epsilon },
      shape: { ints: shape },
      shape1: { ints: shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) },
    },
    2,
  );
  return { normal, inverse, axes };
};

/**
 * dx = 1/σ · (dx̂ − mean(dx̂) − x̂ · mean(dx̂ · x̂)) − d(1/σ) · x̂ / (σ² M), M the number of elements averaged
 * (Ioffe & Szegedy 2015, section 3, in terms of x̂).
 */
export const standardisedCotangent = (
  sketch: Sketch,
  { normal, inverse, axes }: Standardised,
  ofNormal: Cotangent,
  ofInverse: Cotangent,
): Cotangent => {
  let total: Cotangent = null;
  if (ofNormal !== null) {
    const meanPart = averaged(sketch, ofNormal, axes);
    const slope = averaged(sketch, times(sketch, ofNormal, normal), axes);
    const rest = minus(sketch, minus(sketch, ofNormal, meanPart), times(sketch, normal, slope));
    total = times(sketch, rest, inverse);
  }
  if (ofInverse !== null) {
    const shape = shapeOf(sketch, normal);
    const count = axes.reduce((product, axis) => product * shape[axis]!, 1);
    const factor = scaled(sketch, -1 / count, times(sketch, ofInverse, squared(sketch, inverse)));
    const own = times(sketch, normal, factor);
    total = total === null ? own : plus(sketch, total, own);
  }
  return total;
};

const rule: Rule = (node, [ofNormal, ofInverse], _, sketch) => {
  const [normal = '', inverse = ''] = node.outputs;
  const axes = intsAttribute(node, 'axes')!;
  return [
    standardisedCotangent(sketch, { normal, inverse, axes }, ofNormal ?? null, ofInverse ?? null),
  ];
};

/** The node in ONNX's own operations: its two outputs. */
export const standardisedInFull = (node: OnnxNode, sketch: Sketch): readonly [string, string] => {
  const x = node.inputs[0]!;
  const axes = intsAttribute(node, 'axes')!;
  const centred = minus(sketch, x, averaged(sketch, x, axes));
  const variance = averaged(sketch, squared(sketch, centred), axes);
  const deviation = sketch.apply('Sqrt', [
    shifted(sketch, variance, floatAttribute(node, 'epsilon')!),
  ]);
  const inverse = over(sketch, sketch.scalar(1, x), deviation);
  return [times(sketch, centred, inverse), inverse];
};

/** The operation behind all normalisations. */
export const standardise: Rules = { 'ventral.Standardise': rule };
