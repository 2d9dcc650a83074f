import type { OnnxGraph, OnnxNode } from '../graph/graph.ts';
import { staticShapes, type TensorFact } from '../graph/static-shapes.ts';
import { sizeOf, stridesOf } from '../numeric/array.ts';
import { inputError } from '../records/errors.ts';

/** Where a network says how much it believes in each class. */
export interface ClassLogits {
  /** Output of the network that holds a number for each class. */
  readonly output: string;
  /** Classes, numbered as in the output. */
  readonly classes: number;
  /** The tensor that is differentiated: before a final softmax, else the output itself. */
  readonly tensor: string;
  readonly shape: readonly number[];
  /** Where a class is in that tensor, in the first image of a batch, counted along its elements. */
  placeOf(classIndex: number): number;
}

/** Place of an element of a node's output among the elements of its first input. */
type Back = (place: number) => number;

const integersOf = (graph: OnnxGraph, tensor: string | undefined): number[] | null => {
  const found = graph.initialisers.find(({ name }) => name === tensor);
  return found === undefined ? null : Array.from(found.array.data as BigInt64Array, Number);
};

/** Place of an element that is read with other strides, from an offset on: slices and transpositions. */
const strided =
  (shape: readonly number[], strides: readonly number[], offset: number): Back =>
  (place) => {
    const own = stridesOf(shape);
    return shape.reduce(
      (sum, size, axis) => sum + (Math.floor(place / own[axis]!) % size) * strides[axis]!,
      offset,
    );
  };

/** A slice of the canonical opset: starts, ends, axes and steps are constants. */
const sliced = (
  graph: OnnxGraph,
  node: OnnxNode,
  from: TensorFact,
  to: TensorFact,
): Back | null => {
  const [starts, axes, steps] = [1, 3, 4].map((index) => integersOf(graph, node.inputs[index]));
  if (starts == null) return null;
  const strides = stridesOf(from.shape);
  let offset = 0;
  starts.forEach((start, index) => {
    const axis = ((axes?.[index] ?? index) + from.shape.length) % from.shape.length;
    const [size, step] = [from.shape[axis]!, steps?.[index] ?? 1];
    const begin = Math.max(
      0,
      Math.min(start < 0 ? start + size : start, step < 0 ? size - 1 : size),
    );
    offset += begin * strides[axis]!;
    strides[axis]! *= step;
  });
  return strided(to.shape, strides, offset);
};

const transposed = (node: OnnxNode, from: TensorFact, to: TensorFact): Back | null => {
  const perm = node.attributes?.perm;
  if (perm === undefined || !('ints' in perm)) return null;
  const strides = stridesOf(from.shape);
  return strided(
    to.shape,
    perm.ints.map((axis) => strides[axis]!),
    0,
  );
};

const sameOrder: ReadonlySet<string> = new Set([
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Identity',
  'Cast',
  'Dropout',
]);

/** How the elements of a node's output lie in its input; null for what does more than move them. */
const backOf = (
  graph: OnnxGraph,
  node: OnnxNode,
  facts: ReadonlyMap<string, TensorFact>,
): Back | null => {
  if (sameOrder.has(node.op)) return (place) => place;
  const [from, to] = [facts.get(node.inputs[0]!)!, facts.get(node.outputs[0]!)!];
  if (node.op === 'Slice') return sliced(graph, node, from, to);
  return node.op === 'Transpose' ? transposed(node, from, to) : null;
};

/** Over all the classes: along the one axis (but for the batch) that is longer than 1. */
const isOverClasses = (node: OnnxNode, { shape }: TensorFact): boolean => {
  if (node.op !== 'Softmax' && node.op !== 'LogSoftmax') return false;
  const attribute = node.attributes?.axis;
  const axis = attribute !== undefined && 'int' in attribute ? attribute.int : -1;
  return shape[(axis + shape.length) % shape.length] === perImage(shape);
};

const perImage = (shape: readonly number[]): number => sizeOf(shape.slice(1));

/** `[batch, classes]`, with further axes of size 1 at most. */
const isClasses = ({ type, shape }: TensorFact): boolean =>
  /^float/.test(type) && perImage(shape) > 1 && shape.slice(1).includes(perImage(shape));

/** One number for each image, `[batch]` or `[batch, 1]`: of a regression, or the logit of yes or no. */
const isOneNumber = ({ type, shape }: TensorFact, batch: number | undefined): boolean =>
  /^float/.test(type) && shape[0] === batch && perImage(shape) === 1;

const classOutput = (graph: OnnxGraph, facts: ReadonlyMap<string, TensorFact>): string => {
  const batch = graph.inputs.find(({ shape }) => shape?.length === 4)?.shape?.[0];
  const found =
    graph.outputs.find(({ name }) => isClasses(facts.get(name)!)) ??
    graph.outputs.find(({ name }) => isOneNumber(facts.get(name)!, Number(batch)));
  if (found !== undefined) return found.name;
  const shown = graph.outputs.map(({ name }) => `${name} [${facts.get(name)!.shape.join(', ')}]`);
  throw inputError({
    where: `${graph.name}: output`,
    expected: 'a number for each class, [1, classes], or one alone',
    got: shown.join('; '),
    mend: 'give an image classifier with its head, or a network with one number for each image',
  });
};

/**
 * The logits of a classifier, or the one number of a network with a single output, which is class 0: the tensor before a final softmax that only operations on the shape follow (a slice among
 * them shifts the index, as that of a background class), else the output itself. The first output with one number per
 * class counts, else the first with one. The graph is canonical, with static shapes. Input error: no such output.
 */
export const classLogits = (graph: OnnxGraph): ClassLogits => {
  const facts = staticShapes(graph);
  const output = classOutput(graph, facts);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const plain: ClassLogits = {
    output,
    classes: perImage(facts.get(output)!.shape),
    tensor: output,
    shape: facts.get(output)!.shape,
    placeOf: (classIndex) => classIndex,
  };
  const steps: Back[] = [];
  for (let node = makers.get(output); node !== undefined; node = makers.get(node.inputs[0]!)) {
    const tensor = node.inputs[0]!;
    if (isOverClasses(node, facts.get(node.outputs[0]!)!)) {
      const { shape } = facts.get(tensor)!;
      const placeOf = (classIndex: number): number =>
        steps.reduce((place, back) => back(place), classIndex);
      return { ...plain, tensor, shape, placeOf };
    }
    const back = backOf(graph, node, facts);
    if (back === null) return plain;
    steps.push(back);
  }
  return plain;
};
