import { intsAttribute, textAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/graph.ts';
import { sizeOf } from '../numeric/array.ts';
import { plus, reshaped, shapeOf } from '../sketch/terms.ts';
import {
  batchedWeight,
  canTurn,
  dilatedWeight,
  isPointwise,
  joinedWeight,
  movedWeight,
  pointwiseInput,
  type Shape,
  seeingSize,
  shapeOfTriple,
  tinyConv,
  tinyInput,
  tinyWeight,
  transposedInput,
  turnedInput,
} from './conv-forms.ts';
import type { Lowering, Lowerings } from './lowering.ts';
import { reachOf, windowOf } from './window.ts';

// Which form is the cheapest was measured on shapes of ResNets, on one thread (ARCHITECTURE.md, "What derivatives cost"):
// what decides is how many places an image has. onnxruntime's own convolution multiplies image by image, and wastes its
// time on matrices with fewer columns than a register holds.

/** Images of so few places are multiplied as one batch. */
const FEW = 8;
/** Places of an image up to which 1×1 kernels, which need no columns, are multiplied as one batch. */
const FEW_POINTWISE = 64;
/** Elements of the matrix by which the taps see a tiny map: beyond, it costs more than it spares. */
const MOST_SEEN = 16384;
/** From here on moved rows are cheaper than columns. */
const SEVERAL = 64;
/** From here on a product per image is as good as one for the batch. */
const MANY = 400;
/** Images themselves: fewer channels than make a product worth its columns. */
const FEW_CHANNELS = 4;

/** onnxruntime lays out constant weights anew, which pays for 1×1 kernels. */
const isFew = (shape: Shape, isFixed: boolean): boolean =>
  shape.group === 1 &&
  shape.n > 1 &&
  sizeOf(shape.to) <= (isPointwise(shape) && !isFixed ? FEW_POINTWISE : FEW) &&
  (isPointwise(shape) || seeingSize(shape) <= MOST_SEEN);

/** Spatial sizes of what a convolution with stated pads makes. */
const resultOf = (node: OnnxNode, from: readonly number[], kernel: readonly number[]): number[] => {
  const window = windowOf(node, kernel, from, from);
  return from.map((size, axis) => {
    const free = size + window.before[axis]! + window.after[axis]! - reachOf(window, axis);
    return Math.floor(free / window.strides[axis]!) + 1;
  });
};

const lowerConv: Lowering = (node, sketch, isFixed) => {
  const [x = '', w = '', bias = ''] = node.inputs;
  if ((textAttribute(node, 'auto_pad') ?? 'NOTSET') !== 'NOTSET') return null;
  const [image, weights] = [shapeOf(sketch, x), shapeOf(sketch, w)];
  const places = resultOf(node, image.slice(2), weights.slice(2));
  const shape = shapeOfTriple(node, image, weights, [0, 0, ...places]);
  if (!isFew(shape, isFixed(1))) return null;
  const product = tinyConv(sketch, x, w, shape);
  if (bias === '') return [product];
  const shift = reshaped(sketch, bias, [-1, ...places.map(() => 1)]);
  return [plus(sketch, product, shift)];
};

const lowerInput: Lowering = (node, sketch, isFixed) => {
  const [y = '', w = ''] = node.inputs;
  const image = intsAttribute(node, 'shape')!;
  const shape = shapeOfTriple(node, image, shapeOf(sketch, w), shapeOf(sketch, y));
  if (isFew(shape, isFixed(1))) return [tinyInput(sketch, y, w, shape)];
  const isMoving = isPointwise(shape) && shape.group === 1 && !isFixed(1);
  if (isMoving && sizeOf(shape.to) < MANY) return [pointwiseInput(sketch, y, w, shape)];
  return [(canTurn(shape) ? turnedInput : transposedInput)(sketch, y, w, shape)];
};

const lowerWeight: Lowering = (node, sketch) => {
  const [x = '', y = ''] = node.inputs;
  const weights = intsAttribute(node, 'shape')!;
  const shape = shapeOfTriple(node, shapeOf(sketch, x), weights, shapeOf(sketch, y));
  if (shape.group > 1) return [batchedWeight(sketch, x, y, shape)];
  if (isFew(shape, false)) return [tinyWeight(sketch, x, y, shape)];
  if (shape.c <= FEW_CHANNELS) return [dilatedWeight(sketch, x, y, shape)];
  const places = sizeOf(shape.to);
  const isDense = shape.window.strides.every((stride) => stride === 1);
  if (isDense && !isPointwise(shape) && places >= SEVERAL)
    return [movedWeight(sketch, x, y, shape)];
  return [(places < MANY ? joinedWeight : batchedWeight)(sketch, x, y, shape)];
};

/** The convolution and its two adjoints in ONNX's own operations. */
export const loweredConvolutions: Lowerings = {
  Conv: lowerConv,
  'ventral.ConvInput': lowerInput,
  'ventral.ConvWeight': lowerWeight,
};
