import { floatAttribute, intAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/graph.ts';
import type { Sketch } from '../sketch/sketch.ts';
import {
  averaged,
  minus,
  over,
  plus,
  reshaped,
  scaled,
  shapeOf,
  squared,
  times,
} from '../sketch/terms.ts';
import { frozenBatchNorm, overChannels } from './norms.ts';
import type { Cotangent, Rule, Rules } from './rule.ts';
import {
  type Standardised,
  standardised,
  standardisedCotangent,
  standardisedInFull,
} from './standardise.ts';

// Batch norm in training mode: y = x̂ · scale + shift with x̂ = (x − mean)/σ, mean and σ² = variance + ε of the batch, over
// everything but the channels (Ioffe & Szegedy 2015). The running statistics that it also puts out are
//   running' = momentum · running + (1 − momentum) · batch,
// with the biased variance, as ONNX has it.

const isTraining = (node: OnnxNode): boolean => intAttribute(node, 'training_mode', 0) === 1;

const allButChannels = (shape: readonly number[]): number[] =>
  shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));

const epsilonOf = (node: OnnxNode): number => floatAttribute(node, 'epsilon') ?? 1e-5;
const momentumOf = (node: OnnxNode): number => floatAttribute(node, 'momentum') ?? 0.9;

const standardisedBatch = (node: OnnxNode, x: string, sketch: Sketch): Standardised =>
  standardised(sketch, x, allButChannels(shapeOf(sketch, x)), epsilonOf(node));

const total = (sketch: Sketch, parts: readonly Cotangent[]): Cotangent =>
  parts
    .filter((part) => part !== null)
    .reduce<Cotangent>((sum, part) => (sum === null ? part : plus(sketch, sum, part)), null);

const countOf = (sketch: Sketch, { normal, axes }: Standardised): number =>
  axes.reduce((product, axis) => product * shapeOf(sketch, normal)[axis]!, 1);

/** What reaches x through the running statistics: d mean/dx = 1/M, d variance/dx = 2 (x − mean)/M. */
const throughStatistics = (
  node: OnnxNode,
  [ofMean, ofVariance]: readonly Cotangent[],
  sketch: Sketch,
  own: Standardised,
): Cotangent => {
  const { normal, inverse } = own;
  const [x = ''] = node.inputs;
  const shape = shapeOf(sketch, x);
  const share = (1 - momentumOf(node)) / countOf(sketch, own);
  const vector = (cotangent: string, factor: number): string =>
    overChannels(sketch, scaled(sketch, factor, cotangent), x);
  return total(sketch, [
    ofMean === null ? null : sketch.apply('Expand', [vector(ofMean!, share), sketch.ints(shape)]),
    ofVariance === null
      ? null
      : times(sketch, normal, over(sketch, vector(ofVariance!, 2 * share), inverse)),
  ]);
};

/**
 * dx = scale/σ · (dy − mean(dy) − x̂ · mean(dy · x̂)): the scale, which is the same for a channel, joins 1/σ, so that no
 * further tensor of x's size is made. The sums for scale and shift are those means.
 */
const trainingBatchNorm: Rule = (node, cotangents, wanted, sketch) => {
  const [cotangent = null, ofMean = null, ofVariance = null] = cotangents;
  const [x = '', scale = ''] = node.inputs;
  const own = standardisedBatch(node, x, sketch);
  const gain = times(sketch, own.inverse, overChannels(sketch, scale, x));
  const summedOf = (tensor: string): string => {
    const sum = scaled(sketch, countOf(sketch, own), averaged(sketch, tensor, own.axes));
    return reshaped(sketch, sum, shapeOf(sketch, scale));
  };
  const kept = (of: Cotangent): Cotangent =>
    of === null ? null : scaled(sketch, momentumOf(node), of);
  return [
    wanted[0]
      ? total(sketch, [
          standardisedCotangent(sketch, { ...own, inverse: gain }, cotangent, null),
          throughStatistics(node, [ofMean, ofVariance], sketch, own),
        ])
      : null,
    wanted[1] && cotangent !== null ? summedOf(times(sketch, cotangent, own.normal)) : null,
    wanted[2] && cotangent !== null ? summedOf(cotangent) : null,
    wanted[3] ? kept(ofMean) : null,
    wanted[4] ? kept(ofVariance) : null,
  ];
};

/** onnxruntime has no batch norm in training mode: y and the running statistics in ONNX's other operations. */
export const trainingBatchNormInFull = (
  node: OnnxNode,
  sketch: Sketch,
): readonly string[] | null => {
  if (!isTraining(node)) return null;
  const [x = '', scale = '', shift = '', mean = '', variance = ''] = node.inputs;
  const axes = allButChannels(shapeOf(sketch, x));
  const own = standardisedInFull(
    { ...node, attributes: { axes: { ints: axes }, epsilon: { float: epsilonOf(node) } } },
    sketch,
  );
  const vector = (tensor: string): string => overChannels(sketch, tensor, x);
  const y = plus(sketch, times(sketch, own[0], vector(scale)), vector(shift));
  const momentum = momentumOf(node);
  const updated = (running: string, batch: string): string => {
    const share = scaled(sketch, 1 - momentum, reshaped(sketch, batch, shapeOf(sketch, running)));
    return plus(sketch, scaled(sketch, momentum, running), share);
  };
  const batchMean = averaged(sketch, x, axes);
  const batchVariance = averaged(sketch, squared(sketch, minus(sketch, x, batchMean)), axes);
  return [y, updated(mean, batchMean), updated(variance, batchVariance)];
};

/** Batch norm, frozen and in training mode. */
export const batchNorms: Rules = {
  BatchNormalization: (node, ...rest) =>
    (isTraining(node) ? trainingBatchNorm : frozenBatchNorm)(node, ...rest),
};
