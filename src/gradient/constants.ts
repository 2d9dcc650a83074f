import type { OnnxNode } from '../graph/encode.ts';
import { inputError } from '../records/errors.ts';
import { operationOf, type Sketch } from './sketch.ts';

/** A node for messages: `node /layer1/conv1/Conv (Conv, layer layer1.conv1)`. */
export const described = (node: OnnxNode): string => {
  const name = node.name || node.outputs[0] || '';
  const layer = layerOf(node);
  const inside = layer === '' ? operationOf(node) : `${operationOf(node)}, layer ${layer}`;
  return `node ${name} (${inside})`;
};

/** The module of a node as its path names it, `/layer1/layer1.0/conv1/Conv` → `layer1.0.conv1`; empty without a path. */
export const layerOf = ({ name = '' }: OnnxNode): string => {
  const parts: string[] = [];
  for (const scope of name.split('/').slice(0, -1)) {
    if (scope === '') continue;
    // Torch repeats a container in the names of its children.
    if (parts.length > 0 && scope.startsWith(`${parts.at(-1)}.`)) parts.pop();
    parts.push(scope);
  }
  return parts.join('.');
};

/** The numbers of a constant integer input. Throws an input error where a run alone could tell them. */
export const integersOf = (node: OnnxNode, index: number, sketch: Sketch): readonly number[] => {
  const tensor = node.inputs[index]!;
  const value = sketch.value(tensor);
  if (value !== null) return Array.from(value.data as Float64Array, Number);
  throw inputError({
    where: described(node),
    expected: `a constant as input ${index}`,
    got: `the computed tensor ${tensor}`,
    mend: 'export the model with a fixed input size, or fold its constants first',
  });
};
