import { type OnnxGraph, type OnnxNode, operationOf } from '../graph/graph.ts';
import { ownValue } from '../records/own-value.ts';
import { sketchOf } from '../sketch/sketch.ts';
import { trainingBatchNormInFull } from './batch-norm.ts';
import { loweredDetach } from './detach.ts';
import { loweredConvolutions } from './lower-convolution.ts';
import { loweredReductions } from './lower-reduction.ts';
import type { Lowerings } from './lowering.ts';
import { standardisedInFull } from './standardise.ts';

const LOWERINGS: Lowerings = {
  ...loweredConvolutions,
  ...loweredDetach,
  ...loweredReductions,
  'ventral.Standardise': standardisedInFull,
  BatchNormalization: trainingBatchNormInFull,
};

/** Tensors that no input changes: onnxruntime works them out once, when it opens the model. */
const constantTensors = (graph: OnnxGraph): Set<string> => {
  const constant = new Set(['', ...graph.initialisers.map(({ name }) => name)]);
  for (const { inputs, outputs } of graph.nodes) {
    if (!inputs.every((name) => constant.has(name))) continue;
    for (const name of outputs) constant.add(name);
  }
  return constant;
};

/**
 * The graph in operations that onnxruntime has: those of the domain `ventral`, which only exist while a graph is being
 * differentiated, are written out in the cheapest way for their shapes, and what no output needs is dropped. What it
 * computes stays the same. The result is for `encodeModel`; differentiate before, not after.
 */
export const lower = (graph: OnnxGraph): OnnxGraph => {
  const sketch = sketchOf({ ...graph, nodes: [] });
  const constant = constantTensors(graph);
  const current = new Map<string, string>();
  const named = (tensor: string): string => current.get(tensor) ?? tensor;
  const written = (node: OnnxNode, inputs: readonly string[]): readonly string[] => {
    const lowering = ownValue(LOWERINGS, operationOf(node));
    const isFixed = (index: number): boolean => constant.has(node.inputs[index]!);
    return (
      lowering?.({ ...node, inputs }, sketch, isFixed) ??
      sketch.add(operationOf(node), inputs, node.attributes, node.outputs.length)
    );
  };
  for (const node of graph.nodes) {
    const made = written(node, node.inputs.map(named));
    node.outputs.forEach((name, index) => {
      if (name !== '') current.set(name, made[index]!);
    });
  }
  return sketch.finish(Object.fromEntries(graph.outputs.map(({ name }) => [name, named(name)])));
};
