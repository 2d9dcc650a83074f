import type { NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import { intAttribute } from './attributes.ts';
import { inferGraphFacts, outputFacts } from './facts.ts';
import type { OnnxGraph, OnnxNode } from './graph.ts';
import { arrayFacts } from './operation.ts';
import { placeOf } from './place.ts';
import type { ElementType } from './schema.ts';
import { hasItsAxis } from './shape-rules.ts';
import { type Facts, NOTHING } from './sizes.ts';

/** Type and shape of a tensor, every size of it known. */
export interface TensorFact {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** A node's input; `values` where it is a constant. */
export type InputFact = TensorFact & { readonly values?: NdArray | null };

const isStatic = (shape: Facts['shape']): shape is readonly number[] =>
  shape?.every((size) => size !== null && Number.isInteger(size) && size >= 0) ?? false;

const nameOf = (node: OnnxNode): string => node.name ?? node.outputs[0] ?? '';

const fact = (
  node: OnnxNode,
  tensor: string,
  { type, shape }: Facts,
  inputsAreStatic: boolean,
): TensorFact => {
  if (isStatic(shape) && type !== 'undefined') return { type, shape };
  if (inputsAreStatic) throw undecided(node, tensor);
  const sizes =
    shape === null
      ? 'of a shape that is not known'
      : `[${shape.map((size) => size ?? '?').join(', ')}]`;
  throw inputError({
    where: `node "${nameOf(node)}" (${node.op}), tensor "${tensor}"`,
    expected: 'sizes that are known without running the network',
    got: sizes,
    mend: 'fix the sizes of the input (batch, height and width), or export the network with static shapes',
  });
};

/** An operation that nobody here knows, or one such as NonZero: fixed sizes of the input would not help. */
const undecided = (node: OnnxNode, tensor: string) => {
  const { module } = placeOf(node);
  return inputError({
    where: `node "${nameOf(node)}" (${node.op}${module === '' ? '' : `, layer ${module}`}), tensor "${tensor}"`,
    expected: 'an operation that is known, and sizes that are known without running the network',
    got: `${node.op}, whose output may have any`,
    mend: 'export the network without this operation, or give it the sizes (batch, height and width) that it was exported for',
  });
};

const axisOutside = (node: OnnxNode, rank: number | undefined) =>
  inputError({
    where: `node "${nameOf(node)}" (${node.op})`,
    expected: `an axis of a tensor of rank ${rank}`,
    got: `${intAttribute(node, 'axis', 0)}`,
    mend: 'export the network again',
  });

/**
 * Type and shape of every tensor of a graph whose nodes are in topological order. Throws an input error that names
 * node, operation and tensor where a size is not static: a free input, a size that depends on values, an operation
 * that is not known; or an axis that a tensor does not have.
 */
export const staticShapes = (graph: OnnxGraph): Map<string, TensorFact> => {
  const facts = inferGraphFacts(graph);
  const shapes = new Map<string, TensorFact>();
  for (const { name } of graph.inputs) {
    const { type, shape } = facts.get(name)!;
    if (!isStatic(shape)) {
      throw inputError({
        where: `input "${name}"`,
        expected: 'a shape of which every size is fixed',
        got: shape === null ? 'none' : `[${shape.map((size) => size ?? '?').join(', ')}]`,
        mend: 'give its sizes (batch, height and width)',
      });
    }
    shapes.set(name, { type, shape });
  }
  for (const { name, array, type } of graph.initialisers) {
    const { type: own } = arrayFacts(array, type);
    shapes.set(name, { type: own, shape: array.shape });
  }
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => facts.get(name) ?? NOTHING);
    if (!hasItsAxis(node, inputs)) throw axisOutside(node, inputs[0]?.shape?.length);
    const inputsAreStatic = node.inputs.every((name) => name === '' || shapes.has(name));
    for (const name of node.outputs) {
      if (name !== '')
        shapes.set(name, fact(node, name, facts.get(name) ?? NOTHING, inputsAreStatic));
    }
  }
  return shapes;
};

/**
 * One node's outputs from its inputs, which for Reshape, Slice, … must bring their constant values. An input that is
 * left out has the type `undefined`. Throws as `staticShapes` does.
 */
export const nodeFacts = (
  node: OnnxNode,
  inputs: readonly InputFact[],
  opset: number,
): TensorFact[] => {
  const known = inputs.map(({ type, shape, values }): Facts => {
    if (type === 'undefined') return NOTHING;
    return { type, shape, values: values == null ? null : arrayFacts(values, type).values };
  });
  const found = outputFacts(node, known, opset);
  return node.outputs.map((name, index) => fact(node, name, found[index] ?? NOTHING, true));
};
