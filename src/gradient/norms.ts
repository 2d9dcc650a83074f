import { floatAttribute, intAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/graph.ts';
import type { Sketch } from '../sketch/sketch.ts';
import {
  axesFrom,
  expanded,
  minus,
  over,
  plus,
  reshaped,
  scaled,
  shapeOf,
  shifted,
  sign,
  summed,
  summedTo,
  times,
} from '../sketch/terms.ts';
import type { Cotangent, Rule, Rules } from './rule.ts';
import { type Standardised, standardised, standardisedCotangent } from './standardise.ts';

const epsilonOf = (node: OnnxNode): number => floatAttribute(node, 'epsilon') ?? 1e-5;

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);

/** A vector over the channels, in the rank of `x` [N, C, …]. */
export const overChannels = (sketch: Sketch, vector: string, x: string): string => {
  const rest = shapeOf(sketch, x).slice(2);
  return reshaped(sketch, vector, [-1, ...rest.map(() => 1)]);
};

/**
 * y = x̂ · scale + shift, inputs in the order x, scale, shift: the cotangent of x̂ and those of scale and shift.
 *
 * @param placed a scale or shift in a shape that repeats to that of x.
 */
const ofAffine = (
  node: OnnxNode,
  cotangent: string,
  wanted: readonly boolean[],
  sketch: Sketch,
  { normal }: Standardised,
  placed: (vector: string) => string,
): { readonly ofNormal: string; readonly ofVectors: readonly Cotangent[] } => {
  const [, scale = '', shift = ''] = node.inputs;
  const towards = (flowing: string, vector: string): string => {
    const sum = summedTo(sketch, flowing, shapeOf(sketch, placed(vector)));
    return reshaped(sketch, sum, shapeOf(sketch, vector));
  };
  return {
    ofNormal: times(sketch, cotangent, placed(scale)),
    ofVectors: [
      wanted[1] ? towards(times(sketch, cotangent, normal), scale) : null,
      wanted[2] ? towards(cotangent, shift) : null,
    ],
  };
};

/** x over the axes from `axis` on; the outputs are y, and, rarely used, mean and 1/σ. */
const layerNorm: Rule = (
  node,
  [cotangent = null, ofMean = null, ofInverse = null],
  wanted,
  sketch,
) => {
  const [x = ''] = node.inputs;
  const shape = shapeOf(sketch, x);
  const [first = 0] = axesFrom([intAttribute(node, 'axis', -1)], shape.length);
  const axes = range(first, shape.length);
  const own = standardised(sketch, x, axes, epsilonOf(node));
  const { ofNormal, ofVectors } =
    cotangent === null
      ? { ofNormal: null, ofVectors: [null, null] }
      : ofAffine(node, cotangent, wanted, sketch, own, (vector) => vector);
  const ofX = standardisedCotangent(sketch, own, ofNormal, ofInverse);
  if (ofMean === null) return [ofX, ...ofVectors];
  const count = axes.reduce((product, axis) => product * shape[axis]!, 1);
  const meanPart = expanded(sketch, scaled(sketch, 1 / count, ofMean), shape);
  return [ofX === null ? meanPart : plus(sketch, ofX, meanPart), ...ofVectors];
};

/** Each channel of each image by itself. */
const instanceNorm: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return [null, null, null];
  const [x = ''] = node.inputs;
  const own = standardised(sketch, x, range(2, shapeOf(sketch, x).length), epsilonOf(node));
  const placed = (vector: string): string => overChannels(sketch, vector, x);
  const { ofNormal, ofVectors } = ofAffine(node, cotangent, wanted, sketch, own, placed);
  return [standardisedCotangent(sketch, own, ofNormal, null), ...ofVectors];
};

/** Fixed statistics: y = (x − mean) / √(variance + ε) · scale + shift, inputs in the order x, scale, shift, mean, variance. */
export const frozenBatchNorm: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return node.inputs.map(() => null);
  const [x = '', scale = '', , mean = '', variance = ''] = node.inputs;
  const vector = (tensor: string): string => overChannels(sketch, tensor, x);
  const deviation = sketch.apply('Sqrt', [shifted(sketch, variance, epsilonOf(node))]);
  const gain = over(sketch, scale, deviation);
  const toVector = (tensor: string): string =>
    reshaped(
      sketch,
      summedTo(sketch, tensor, shapeOf(sketch, vector(scale))),
      shapeOf(sketch, scale),
    );
  const ofShift = (): string => toVector(cotangent);
  const ofNormal = (): string => {
    const centred = minus(sketch, x, vector(mean));
    return over(sketch, toVector(times(sketch, cotangent, centred)), deviation);
  };
  const ofVariance = (): string =>
    scaled(
      sketch,
      -0.5,
      over(sketch, times(sketch, ofNormal(), scale), times(sketch, deviation, deviation)),
    );
  return [
    wanted[0] ? times(sketch, cotangent, vector(gain)) : null,
    wanted[1] ? ofNormal() : null,
    wanted[2] ? ofShift() : null,
    wanted[3] ? scaled(sketch, -1, times(sketch, ofShift(), gain)) : null,
    wanted[4] ? ofVariance() : null,
  ];
};

/** y = x / ‖x‖ along one axis: dx = (dy − ∂‖x‖/∂x · Σ(dy · y)) / ‖x‖. */
const lpNorm: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null || !wanted[0]) return [null];
  const [x = ''] = node.inputs;
  const [y = ''] = node.outputs;
  const axes = axesFrom([intAttribute(node, 'axis', -1)], shapeOf(sketch, x).length);
  const isFirst = intAttribute(node, 'p', 2) === 1;
  const norm = sketch.apply(isFirst ? 'ReduceL1' : 'ReduceL2', [x, sketch.ints(axes)]);
  const along = summed(sketch, times(sketch, cotangent, y), axes);
  const slope = isFirst ? sign(sketch, x) : y;
  return [over(sketch, minus(sketch, cotangent, times(sketch, slope, along)), norm)];
};

/** The channels that the response normalisation of ONNX sums for each channel, as a matrix [C, C] of 0 and 1. */
const neighbourhood = (channels: number, size: number): Float64Array => {
  const matrix = new Float64Array(channels * channels);
  for (let row = 0; row < channels; row++) {
    const from = Math.max(0, row - Math.floor((size - 1) / 2));
    const to = Math.min(channels - 1, row + Math.ceil((size - 1) / 2));
    matrix.fill(1, row * channels + from, row * channels + to + 1);
  }
  return matrix;
};

/** y = x · s^−β with s = bias + α/size · W x², W summing neighbouring channels (Krizhevsky et al. 2012, section 3.3). */
const localResponseNorm: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null || !wanted[0]) return [null];
  const [x = ''] = node.inputs;
  const shape = shapeOf(sketch, x);
  const channels = shape[1]!;
  const size = intAttribute(node, 'size', 1);
  const beta = floatAttribute(node, 'beta') ?? 0.75;
  const factor = (floatAttribute(node, 'alpha') ?? 1e-4) / size;
  const band = neighbourhood(channels, size);
  const matrix = (isTransposed: boolean): string => {
    const values = Float64Array.from(band, (_, at) =>
      isTransposed ? band[(at % channels) * channels + Math.floor(at / channels)]! : band[at]!,
    );
    const data = sketch.fact(x).type === 'float64' ? values : Float32Array.from(values);
    return sketch.constant({ data, shape: [channels, channels] });
  };
  const windowed = (tensor: string, isTransposed: boolean): string => {
    const flat = reshaped(sketch, tensor, [shape[0]!, channels, -1]);
    return reshaped(sketch, sketch.apply('MatMul', [matrix(isTransposed), flat]), shape);
  };
  const power = (exponent: number): string =>
    sketch.apply('Pow', [sums, sketch.scalar(exponent, x)]);
  const sums = shifted(
    sketch,
    scaled(sketch, factor, windowed(times(sketch, x, x), false)),
    floatAttribute(node, 'bias') ?? 1,
  );
  const back = windowed(times(sketch, times(sketch, cotangent, x), power(-beta - 1)), true);
  const through = scaled(sketch, 2 * factor * beta, times(sketch, x, back));
  return [minus(sketch, times(sketch, cotangent, power(-beta)), through)];
};

/** Normalisations. */
export const norms: Rules = {
  LayerNormalization: layerNorm,
  InstanceNormalization: instanceNorm,
  BatchNormalization: frozenBatchNorm,
  LpNormalization: lpNorm,
  LRN: localResponseNorm,
};
