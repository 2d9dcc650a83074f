import { intsAttribute, textAttribute } from '../graph/attributes.ts';
import type { Attributes, OnnxNode } from '../graph/graph.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { reshaped, shapeOf, summed } from '../sketch/terms.ts';
import type { Rule, Rules } from './rule.ts';
import { groupOf, reachOf, type Window, windowAttributes, windowOf } from './window.ts';

// Convolution is bilinear in image x and weights w. With its two adjoints, of the image and of the weights, it is a
// closed triple: for every u, v
//   ⟨y, conv(x, w)⟩ = ⟨convInput(y, w), x⟩ = ⟨convWeight(x, y), w⟩,
// so that every derivative of one of the three is one of the three. `ventral.ConvInput` and `ventral.ConvWeight` exist
// only while a graph is being differentiated; `lower` writes them in ONNX's operations. All three carry the attributes of
// the convolution, with pads written out.

/** conv(x, w): [N, C, …], [M, C/group, …] → [N, M, …]. */
const conv = (sketch: Sketch, x: string, w: string, attributes: Attributes): string =>
  sketch.apply('Conv', [x, w], attributes);

/** The adjoint of x ↦ conv(x, w), for an image of `shape`. */
export const convInput = (
  sketch: Sketch,
  y: string,
  w: string,
  attributes: Attributes,
  shape: readonly number[],
): string => sketch.apply('ventral.ConvInput', [y, w], { ...attributes, shape: { ints: shape } });

/** The adjoint of w ↦ conv(x, w), for weights of `shape`. */
const convWeight = (
  sketch: Sketch,
  x: string,
  y: string,
  attributes: Attributes,
  shape: readonly number[],
): string => sketch.apply('ventral.ConvWeight', [x, y], { ...attributes, shape: { ints: shape } });

/** The cotangent of a bias, which every position of its channel shares. */
const biasOf = (sketch: Sketch, cotangent: string): string => {
  const [, channels = 0, ...space] = shapeOf(sketch, cotangent);
  const perChannel = summed(sketch, cotangent, [0, ...space.map((_, axis) => axis + 2)]);
  return reshaped(sketch, perChannel, [channels]);
};

const ofConv: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return [null, null, null];
  const [x = '', w = ''] = node.inputs;
  const [from, weights, to] = [x, w, cotangent].map((each) => shapeOf(sketch, each));
  const window = windowOf(node, weights!.slice(2), from!.slice(2), to!.slice(2));
  const attributes = windowAttributes(window, groupOf(node));
  return [
    wanted[0] ? convInput(sketch, cotangent, w, attributes, from!) : null,
    wanted[1] ? convWeight(sketch, x, cotangent, attributes, weights!) : null,
    wanted[2] ? biasOf(sketch, cotangent) : null,
  ];
};

const withoutShape = ({ shape: _, ...attributes }: Attributes): Attributes => attributes;

const ofConvInput: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return [null, null];
  const [y = '', w = ''] = node.inputs;
  const attributes = withoutShape(node.attributes!);
  return [
    wanted[0] ? conv(sketch, cotangent, w, attributes) : null,
    wanted[1] ? convWeight(sketch, cotangent, y, attributes, shapeOf(sketch, w)) : null,
  ];
};

const ofConvWeight: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return [null, null];
  const [x = '', y = ''] = node.inputs;
  const attributes = withoutShape(node.attributes!);
  return [
    wanted[0] ? convInput(sketch, y, cotangent, attributes, shapeOf(sketch, x)) : null,
    wanted[1] ? conv(sketch, x, cotangent, attributes) : null,
  ];
};

/**
 * The window of the convolution whose adjoint a ConvTranspose is. Where its padding follows from a wanted size
 * (`auto_pad`, `output_shape`), what the node makes tells it.
 */
const transposedWindow = (
  node: OnnxNode,
  kernel: readonly number[],
  from: readonly number[],
  to: readonly number[],
): Window => {
  const stated = windowOf(node, kernel, to, from);
  const added = intsAttribute(node, 'output_padding') ?? kernel.map(() => 0);
  const total = kernel.map(
    (_, axis) =>
      (from[axis]! - 1) * stated.strides[axis]! + reachOf(stated, axis) + added[axis]! - to[axis]!,
  );
  if (total.every((each, axis) => each === stated.before[axis]! + stated.after[axis]!)) {
    return stated;
  }
  const isUpper = textAttribute(node, 'auto_pad') === 'SAME_UPPER';
  const before = total.map((each) => (isUpper ? Math.floor(each / 2) : Math.ceil(each / 2)));
  return { ...stated, before, after: total.map((each, axis) => each - before[axis]!) };
};

/** convTranspose(y, w) is convInput(y, w): its cotangents are those of the triple. */
const ofConvTranspose: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return [null, null, null];
  const [y = '', w = ''] = node.inputs;
  const [from, weights, to] = [y, w, cotangent].map((each) => shapeOf(sketch, each));
  const window = transposedWindow(node, weights!.slice(2), from!.slice(2), to!.slice(2));
  const attributes = windowAttributes(window, groupOf(node));
  return [
    wanted[0] ? conv(sketch, cotangent, w, attributes) : null,
    wanted[1] ? convWeight(sketch, cotangent, y, attributes, weights!) : null,
    wanted[2] ? biasOf(sketch, cotangent) : null,
  ];
};

/** Convolutions: the closed triple, and ConvTranspose, which is one of it. */
export const convolutions: Rules = {
  Conv: ofConv,
  ConvTranspose: ofConvTranspose,
  'ventral.ConvInput': ofConvInput,
  'ventral.ConvWeight': ofConvWeight,
};
