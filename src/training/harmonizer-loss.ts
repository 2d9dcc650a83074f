import { detached } from '../gradient/detach.ts';
import { differentiate } from '../gradient/differentiate.ts';
import type { OnnxGraph } from '../graph/graph.ts';
import { type Sketch, sketchOf } from '../sketch/sketch.ts';
import {
  averaged,
  minus,
  over,
  plus,
  reshaped,
  scaled,
  shapeOf,
  shifted,
  squared,
  summed,
  times,
} from '../sketch/terms.ts';

/** What the loss needs to know of a network, and its two constants. */
export interface HarmonizerOptions {
  /** Input of the network: images [N, channels, H, W]. */
  readonly image: string;
  /** The tensor before a final softmax: [N, classes]. */
  readonly logits: string;
  /** λ₁: how much alignment weighs beside classification. */
  readonly lambda: number;
  /** Label smoothing of the cross-entropy; as released: 0.1. */
  readonly smoothing: number;
}

/** Names of the inputs that the loss adds to the network's. */
export const HARMONIZER_INPUTS = {
  /** Weights of the classes [N, classes]: one-hot, or mixed. */
  labels: 'labels',
  /** Human importance maps [N, H, W]; of images without one, anything finite. */
  maps: 'maps',
  /** 1 for images that have a human map, 0 for the others [N]. */
  mapped: 'mapped',
} as const;

/** Names of the outputs that the loss adds: single numbers, and the network's importance maps. */
export const HARMONIZER_OUTPUTS = {
  loss: 'loss',
  crossEntropy: 'crossEntropy',
  alignment: 'alignment',
  /** Gradient of Σ label · logit with respect to the image, averaged over its channels [N, H, W]. */
  saliency: 'saliency',
} as const;

const SCALES = 5;
const BINOMIAL = [1, 4, 6, 4, 1].map((each) => each / 16);

const allAxes = (sketch: Sketch, x: string): number[] => shapeOf(sketch, x).map((_, axis) => axis);
const number = (sketch: Sketch, x: string): string => reshaped(sketch, x, []);

/** −mean over images of Σ t · log softmax(logits), t the smoothed labels. */
const crossEntropy = (
  sketch: Sketch,
  labels: string,
  logits: string,
  smoothing: number,
): string => {
  const [images = 1, classes = 1] = shapeOf(sketch, logits);
  const smooth = shifted(sketch, scaled(sketch, 1 - smoothing, labels), smoothing / classes);
  const logs = sketch.apply('LogSoftmax', [logits], { axis: { int: 1 } });
  const sum = summed(sketch, times(sketch, smooth, logs), [0, 1]);
  return number(sketch, scaled(sketch, -1 / images, sum));
};

/** (φ − mean)/(std + 1e-5) per map [N, H, W], population standard deviation; then its positive part. */
const standardisedPart = (sketch: Sketch, maps: string): string => {
  const centred = minus(sketch, maps, averaged(sketch, maps, [1, 2]));
  const deviation = sketch.apply('Sqrt', [averaged(sketch, squared(sketch, centred), [1, 2])]);
  return sketch.apply('Relu', [over(sketch, centred, shifted(sketch, deviation, 1e-5))]);
};

/** Largest value of each map, + 1e-6: [N, 1, 1]. */
const peaks = (sketch: Sketch, maps: string): string =>
  shifted(sketch, sketch.apply('ReduceMax', [maps, sketch.ints([1, 2])]), 1e-6);

/** Zeros before and after that TensorFlow's SAME padding puts around an axis, for a kernel of 5 at stride 2. */
const samePads = (size: number): readonly [number, number] => {
  const total = Math.max(0, (Math.ceil(size / 2) - 1) * 2 + BINOMIAL.length - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
};

/** Half the size: binomial blur in both directions, stride 2: [N, 1, H, W] → [N, 1, ⌈H/2⌉, ⌈W/2⌉]. */
const reduced = (sketch: Sketch, maps: string): string => {
  const [, , height = 1, width = 1] = shapeOf(sketch, maps);
  const kernel = BINOMIAL.flatMap((row) => BINOMIAL.map((column) => row * column));
  const weights = sketch.constant({ data: Float32Array.from(kernel), shape: [1, 1, 5, 5] });
  const [[top, bottom], [left, right]] = [samePads(height), samePads(width)];
  return sketch.apply('Conv', [maps, weights], {
    kernel_shape: { ints: [5, 5] },
    strides: { ints: [2, 2] },
    pads: { ints: [top, left, bottom, right] },
  });
};

/**
 * Mean over the levels of the pyramid of the mean squared difference over the batch. The pyramid is linear: that of the
 * difference is the difference of the pyramids.
 */
const pyramidDifference = (sketch: Sketch, difference: string, mapped: string): string => {
  const [images = 1, height = 1, width = 1] = shapeOf(sketch, difference);
  const share = reshaped(sketch, mapped, [images, 1, 1, 1]);
  let scale = reshaped(sketch, difference, [images, 1, height, width]);
  let total: string | null = null;
  for (let index = 0; index < SCALES; index++) {
    if (index > 0) scale = reduced(sketch, scale);
    const perImage = averaged(sketch, squared(sketch, scale), [2, 3]);
    const mean = averaged(sketch, times(sketch, perImage, share), [0, 1]);
    total = total === null ? mean : plus(sketch, total, mean);
  }
  return number(sketch, scaled(sketch, 1 / SCALES, total!));
};

/** The network's importance of each pixel, as a graph with one more output: [N, channels, H, W]. */
const withImportance = (graph: OnnxGraph, { image, logits }: HarmonizerOptions): OnnxGraph => {
  const sketch = sketchOf(graph);
  const labels = sketch.input(HARMONIZER_INPUTS.labels, sketch.fact(logits));
  const products = times(sketch, labels, logits);
  const chosen = number(sketch, summed(sketch, products, allAxes(sketch, products)));
  const outputs = graph.outputs.map(({ name }) => [name, name] as const);
  const scored = sketch.finish({ ...Object.fromEntries(outputs), chosen, [logits]: logits });
  return differentiate(scored, 'chosen', [image], { names: ['importance'] });
};

/**
 * A network with the loss of the released harmonizer (Fel, Rodriguez, Linsley & Serre, NeurIPS 2022) as a graph, ready to
 * be differentiated with respect to its parameters:
 *
 *   loss = cross-entropy(smoothed labels) + λ₁ · alignment.
 *
 * The gradient of Σ label · logit with respect to the image, averaged over channels, and the human map are standardised
 * and their positive parts taken; the human map is brought to the maximum of the network's (a factor that is not
 * differentiated); alignment is the mean over five levels of a binomial pyramid (TensorFlow's SAME padding) of the mean
 * squared difference over the whole batch, in which images without a human map count 0. Weight decay is not part of it:
 * it belongs into the update.
 *
 * @param graph of static shapes and the canonical opset. Its outputs stay; `HARMONIZER_INPUTS` and `HARMONIZER_OUTPUTS`
 * are added, names that it must not have itself.
 * @throws an input error where an operation between image and logits has no derivative.
 */
export const harmonizerCodeLoss = (graph: OnnxGraph, options: HarmonizerOptions): OnnxGraph => {
  const sketch = sketchOf(withImportance(graph, options));
  const { labels, maps, mapped } = HARMONIZER_INPUTS;
  const { type, shape } = sketch.fact('importance');
  const [images = 1, , height = 1, width = 1] = shape;
  sketch.input(maps, { type, shape: [images, height, width] });
  sketch.input(mapped, { type, shape: [images] });
  const saliency = reshaped(sketch, averaged(sketch, 'importance', [1]), [images, height, width]);
  const own = standardisedPart(sketch, saliency);
  const human = standardisedPart(sketch, maps);
  const factor = over(sketch, detached(sketch, peaks(sketch, own)), peaks(sketch, human));
  const difference = minus(sketch, own, times(sketch, human, factor));
  const alignment = pyramidDifference(sketch, difference, mapped);
  const classification = crossEntropy(sketch, labels, options.logits, options.smoothing);
  return sketch.finish({
    ...Object.fromEntries(graph.outputs.map(({ name }) => [name, name])),
    [HARMONIZER_OUTPUTS.loss]: plus(
      sketch,
      classification,
      scaled(sketch, options.lambda, alignment),
    ),
    [HARMONIZER_OUTPUTS.crossEntropy]: classification,
    [HARMONIZER_OUTPUTS.alignment]: alignment,
    [HARMONIZER_OUTPUTS.saliency]: saliency,
  });
};
