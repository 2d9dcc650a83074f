import { type OnnxNode, operationOf } from '../graph/graph.ts';
import { placeOf } from '../graph/place.ts';
import { inputError } from '../records/errors.ts';
import type { Sketch } from '../sketch/sketch.ts';

/** A node for messages: `node /layer1/conv1/Conv (Conv, layer layer1.conv1)`. */
export const described = (node: OnnxNode): string => {
  const name = node.name || node.outputs[0] || '';
  const layer = layerOf(node);
  const inside = layer === '' ? operationOf(node) : `${operationOf(node)}, layer ${layer}`;
  return `node ${name} (${inside})`;
};

/** The module that a node belongs to, as its exporter names it: `layer1.0.conv1`; empty where it does not. */
export const layerOf = (node: OnnxNode): string => placeOf(node).module;

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
