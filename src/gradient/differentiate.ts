import { type OnnxGraph, operationOf } from '../graph/graph.ts';
import { inputError } from '../records/errors.ts';
import { sameShape } from '../sketch/simplify.ts';
import { type Sketch, sketchOf } from '../sketch/sketch.ts';
import { zeros } from '../sketch/terms.ts';
import { accumulated } from './accumulate.ts';
import { independence, isReal, type Path, pathOf } from './path.ts';
import { RULES } from './rules.ts';

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

/** The rules are written in this opset's operations, which those up to the second understand. */
const OPSETS = [18, 21] as const;

const checkOpset = ({ name, opset }: OnnxGraph): void => {
  if (opset >= OPSETS[0] && opset <= OPSETS[1]) return;
  throw inputError({
    where: `graph ${name}`,
    expected: `operations of opset ${OPSETS[0]} to ${OPSETS[1]}`,
    got: `opset ${opset}`,
    mend: 'bring it into the canonical form first',
  });
};

const checkTensor = (sketch: Sketch, tensor: string): void => {
  const problem = { where: `tensor ${tensor}`, mend: 'name another tensor' };
  if (!sketch.has(tensor)) {
    throw inputError({ ...problem, expected: 'a tensor of the graph', got: 'none of this name' });
  }
  const { type } = sketch.fact(tensor);
  if (!isReal(type)) {
    throw inputError({ ...problem, expected: 'a tensor of float32 or float64', got: type });
  }
};

const namesOf = (
  graph: OnnxGraph,
  sketch: Sketch,
  defaults: readonly string[],
  names: readonly string[] = defaults,
): readonly string[] => {
  const taken = [...new Set(names)].filter((name) => sketch.has(name));
  if (taken.length === 0 && new Set(names).size === defaults.length) return names;
  throw inputError({
    where: `graph ${graph.name}`,
    expected: `${defaults.length} new names for the gradients`,
    got: taken.length > 0 ? `${taken[0]}, which is there` : names.join(', '),
    mend: 'give other names',
  });
};

/** The cotangent of `of` itself: 1, or the tensor that weighs its elements. */
const seed = (sketch: Sketch, of: string, cotangent: string | undefined): string => {
  const { type, shape } = sketch.fact(of);
  const size = `[${shape.join(', ')}]`;
  if (cotangent !== undefined) {
    if (!sketch.has(cotangent)) return sketch.input(cotangent, { type, shape });
    const given = sketch.fact(cotangent);
    if (given.type === type && sameShape(given.shape, shape)) return cotangent;
    throw inputError({
      where: `tensor ${cotangent}`,
      expected: `a cotangent of ${of}, ${type} ${size}`,
      got: `${given.type} [${given.shape.join(', ')}]`,
      mend: 'give one of the same shape',
    });
  }
  if (shape.every((each) => each === 1)) {
    return sketch.apply('Expand', [sketch.scalar(1, of), sketch.ints(shape)]);
  }
  throw inputError({
    where: `tensor ${of}`,
    expected: 'a single number to differentiate',
    got: `a tensor of shape ${size}`,
    mend: 'choose one element or sum over them, or give a cotangent',
  });
};

/** The cotangents of `roots`, from those of `of` through the path's nodes, the last first; null where none flows. */
const propagated = (
  sketch: Sketch,
  { nodes, flows }: Path,
  [of, ofItself]: readonly [string, string],
  roots: readonly string[],
): (string | null)[] => {
  const found = new Map([[of, [ofItself]]]);
  const sumOf = (tensor: string): string | null => {
    const parts = found.get(tensor);
    return parts === undefined ? null : accumulated(sketch, parts);
  };
  for (const node of nodes.toReversed()) {
    const given = node.outputs.map(sumOf);
    if (given.every((each) => each === null)) continue;
    const wanted = node.inputs.map((name) => flows.has(name));
    const flowing = RULES[operationOf(node)]!(node, given, wanted, sketch);
    node.inputs.forEach((name, index) => {
      const own = flowing[index] ?? null;
      if (own !== null && wanted[index]) found.set(name, [...(found.get(name) ?? []), own]);
    });
  }
  return roots.map(sumOf);
};

/**
 * The graph with the gradient of `of` (one number, or weighted by a cotangent) with respect to each tensor of
 * `withRespectTo` as further outputs, in reverse mode; what no output needs is dropped. The result is a graph like the first: differentiated again it
 * gives second derivatives. A tensor may be an input, an initialiser, or one computed on the way. (An exponent that is an
 * initialiser counts as fixed until it is differentiated with respect to itself.)
 *
 * The graph must have static shapes, its nodes in topological order, and the canonical operations (`fixInputs`,
 * `canonical`). The result may hold operations of the domain `ventral`, which `lower` turns into ONNX's own.
 *
 * Throws an input error, before anything runs, that names node, operation and layer where an operation on the way has
 * no rule; also where `of` does not depend on a tensor, or only through integers or jumps.
 */
export const differentiate = (
  graph: OnnxGraph,
  of: string,
  withRespectTo: readonly string[],
  { names, cotangent, independent = 'error' }: DifferentiateOptions = {},
): OnnxGraph => {
  checkOpset(graph);
  const sketch = sketchOf(graph);
  for (const tensor of [of, ...withRespectTo]) checkTensor(sketch, tensor);
  const defaults = withRespectTo.map((tensor) => `d(${of})/d(${tensor})`);
  const publicNames = namesOf(graph, sketch, defaults, names);
  const path = pathOf(sketch, graph.nodes, of, withRespectTo);
  const ofItself = seed(sketch, of, cotangent);
  const found = propagated(sketch, path, [of, ofItself], withRespectTo);
  const gradients = withRespectTo.map((tensor, index) => {
    const own = found[index] ?? null;
    if (own === null && independent === 'error') {
      throw independence(sketch, graph.nodes, of, tensor);
    }
    const { shape } = sketch.fact(tensor);
    return [publicNames[index]!, own ?? zeros(sketch, shape, tensor)] as const;
  });
  const outputs = graph.outputs.map(({ name }) => [name, name] as const);
  return sketch.finish(Object.fromEntries([...outputs, ...gradients]));
};
