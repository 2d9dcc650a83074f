import type { OnnxGraph, OnnxNode } from '../graph/encode.ts';
import type { ElementType } from '../graph/schema.ts';
import { inputError } from '../records/errors.ts';
import { described, layerOf } from './constants.ts';
import type { Cotangent } from './rule.ts';
import { RULES } from './rules.ts';
import { operationOf, type Sketch, sketchOf } from './sketch.ts';
import { plus, zeros } from './terms.ts';

export interface DifferentiateOptions {
  /** Output names of the gradients, one for each of `withRespectTo`; default `d(<of>)/d(<tensor>)`. */
  readonly names?: readonly string[];
  /**
   * A tensor of the shape of `of` that the gradients are weighted by (a vector-Jacobian product); where the graph has no
   * tensor of this name it becomes a new input. Without it `of` must have one element.
   */
  readonly cotangent?: string;
  /** What becomes of a tensor on which `of` does not depend: an error (default), or a gradient of zeros. */
  readonly independent?: 'error' | 'zeros';
}

const isFloat = (type: ElementType): boolean => type === 'float32' || type === 'float64';

/** Tensors that change with one of `roots`, as far as the graph's nodes say. */
const dependents = (nodes: readonly OnnxNode[], roots: readonly string[]): Set<string> => {
  const found = new Set(roots);
  for (const { inputs, outputs } of nodes) {
    if (!inputs.some((name) => found.has(name))) continue;
    for (const name of outputs) if (name !== '') found.add(name);
  }
  return found;
};

/** Nodes on which `of` depends. */
const ancestors = (nodes: readonly OnnxNode[], of: string): OnnxNode[] => {
  const needed = new Set([of]);
  return nodes
    .toReversed()
    .filter(({ inputs, outputs }) => {
      if (!outputs.some((name) => needed.has(name))) return false;
      for (const name of inputs) needed.add(name);
      return true;
    })
    .reverse();
};

const noRule = (node: OnnxNode): Error =>
  inputError({
    where: described(node),
    expected: 'an operation that can be differentiated',
    got: `${operationOf(node)}${layerOf(node) === '' ? '' : ` in layer ${layerOf(node)}`}, which has no rule`,
    mend: 'differentiate with respect to a tensor behind it, or export the model without it',
  });

/** The nodes, in order, through which real numbers flow from `roots` to `of`. */
const pathNodes = (
  sketch: Sketch,
  nodes: readonly OnnxNode[],
  of: string,
  roots: readonly string[],
) => {
  const flows = new Set(roots);
  const path: OnnxNode[] = [];
  for (const node of ancestors(nodes, of)) {
    if (!node.inputs.some((name) => flows.has(name))) continue;
    const real = node.outputs.filter((name) => name !== '' && isFloat(sketch.fact(name).type));
    if (real.length === 0) continue;
    for (const name of real) flows.add(name);
    path.push(node);
  }
  return { path, flows };
};

const checkTensors = (
  graph: OnnxGraph,
  sketch: Sketch,
  of: string,
  roots: readonly string[],
): void => {
  const known = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initialisers.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  for (const tensor of [of, ...roots]) {
    const problem = { where: `tensor ${tensor}`, mend: 'name another tensor' };
    if (!known.has(tensor)) {
      throw inputError({ ...problem, expected: 'a tensor of the graph', got: 'none of this name' });
    }
    const { type } = sketch.fact(tensor);
    if (!isFloat(type)) {
      throw inputError({ ...problem, expected: 'a tensor of real numbers', got: `one of ${type}` });
    }
  }
};

/** The cotangent of `of` itself: 1, or the tensor that weighs its elements. */
const seed = (sketch: Sketch, of: string, cotangent: string | undefined): string => {
  const { type, shape } = sketch.fact(of);
  if (cotangent !== undefined) {
    return sketch.has(cotangent) ? cotangent : sketch.input(cotangent, { type, shape });
  }
  if (shape.every((size) => size === 1)) {
    return sketch.apply('Expand', [sketch.scalar(1, of), sketch.ints(shape)]);
  }
  throw inputError({
    where: `tensor ${of}`,
    expected: 'a single number to differentiate',
    got: `a tensor of shape [${shape.join(', ')}]`,
    mend: 'choose one element or sum over them, or give a cotangent',
  });
};

const independence = (graph: OnnxGraph, of: string, tensor: string): Error => {
  const depends = dependents(graph.nodes, [tensor]);
  const integer = ancestors(graph.nodes, of).find(
    ({ op, inputs }) =>
      /Quant|Integer|QLinear/.test(op) && inputs.some((name) => depends.has(name)),
  );
  const shared = { where: `d(${of})/d(${tensor})` };
  if (integer !== undefined) {
    return inputError({
      ...shared,
      expected: 'a network that computes with real numbers',
      got: `an integer-only (quantised) one: ${described(integer)}`,
      mend: 'export the model without quantisation',
    });
  }
  return depends.has(of)
    ? inputError({
        ...shared,
        expected: `a path of operations with a slope from ${tensor} to ${of}`,
        got: 'only operations that are constant but for jumps',
        mend: 'differentiate with respect to another tensor',
      })
    : inputError({
        ...shared,
        expected: `an output that depends on ${tensor}`,
        got: `${of}, which does not`,
        mend: 'check the names of input and output',
      });
};

/** Reverse mode: the cotangent of every tensor that one flows to, from the last node to the first. */
const cotangents = (
  sketch: Sketch,
  path: readonly OnnxNode[],
  flows: ReadonlySet<string>,
  found: Map<string, string>,
): void => {
  for (const node of path.toReversed()) {
    const given: Cotangent[] = node.outputs.map((name) => found.get(name) ?? null);
    if (given.every((each) => each === null)) continue;
    const wanted = node.inputs.map((name) => flows.has(name));
    const flowing = RULES[operationOf(node)]!(node, given, wanted, sketch);
    node.inputs.forEach((name, index) => {
      const own = flowing[index] ?? null;
      if (own === null || !wanted[index]) return;
      const before = found.get(name);
      found.set(name, before === undefined ? own : plus(sketch, before, own));
    });
  }
};

/**
 * The graph with the gradient of `of` (one number, or weighted by a cotangent) with respect to each tensor of
 * `withRespectTo` as further outputs, in reverse mode. The result is a graph like the first: differentiated again it
 * gives second derivatives. A tensor may be an input, an initialiser, or one computed on the way.
 *
 * The graph must have static shapes and the canonical opset (`fixInputs`, `canonical`); the result may hold operations
 * of the domain `ventral`, which `lower` turns into ONNX's own.
 *
 * Throws an input error, before anything runs, that names node, operation and layer where an operation on the way has
 * no rule; also where `of` does not depend on a tensor, or only through integers.
 */
export const differentiate = (
  graph: OnnxGraph,
  of: string,
  withRespectTo: readonly string[],
  { names, cotangent, independent = 'error' }: DifferentiateOptions = {},
): OnnxGraph => {
  const sketch = sketchOf(graph);
  checkTensors(graph, sketch, of, withRespectTo);
  const { path, flows } = pathNodes(sketch, graph.nodes, of, withRespectTo);
  for (const node of path) if (!Object.hasOwn(RULES, operationOf(node))) throw noRule(node);
  const found = new Map([[of, seed(sketch, of, cotangent)]]);
  cotangents(sketch, path, flows, found);
  const gradients = withRespectTo.map((tensor, index) => {
    const own = found.get(tensor);
    const name = names?.[index] ?? `d(${of})/d(${tensor})`;
    if (own !== undefined) return [name, own] as const;
    if (independent === 'error') throw independence(graph, of, tensor);
    return [name, zeros(sketch, sketch.fact(tensor).shape, tensor)] as const;
  });
  const outputs = graph.outputs.map(({ name }) => [name, name] as const);
  return sketch.finish(Object.fromEntries([...outputs, ...gradients]));
};
