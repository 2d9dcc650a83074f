import { type OnnxNode, operationOf } from '../graph/graph.ts';
import { readsOf } from '../graph/names.ts';
import type { ElementType } from '../graph/schema.ts';
import { inputError } from '../records/errors.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { described, layerOf } from './constants.ts';
import { flat } from './rule.ts';
import { RULES } from './rules.ts';

/** Types in which gradients are computed. */
export const isReal = (type: ElementType): boolean => type === 'float32' || type === 'float64';

/** What reverse mode goes through. */
export interface Path {
  /** The nodes that a cotangent reaches, in the graph's order. */
  readonly nodes: readonly OnnxNode[];
  /** The tensors that change smoothly with one of the roots. */
  readonly flows: ReadonlySet<string>;
}

const noRule = (node: OnnxNode): Error => {
  const layer = layerOf(node);
  return inputError({
    where: described(node),
    expected: 'an operation that can be differentiated',
    got: `${operationOf(node)}${layer === '' ? '' : ` in layer ${layer}`}, which has no rule`,
    mend: 'differentiate with respect to a tensor behind it, or export the model without it',
  });
};

const ruleOf = (node: OnnxNode) =>
  Object.hasOwn(RULES, operationOf(node)) ? RULES[operationOf(node)]! : null;

/** Nodes on which `of` depends. */
const ancestors = (nodes: readonly OnnxNode[], of: string): OnnxNode[] => {
  const needed = new Set([of]);
  return nodes
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((name) => needed.has(name))) return false;
      for (const name of readsOf(node)) needed.add(name);
      return true;
    })
    .reverse();
};

/**
 * The way of the cotangents from `of` back to `roots`. Throws an input error that names node, operation and layer where
 * an operation on it has no rule.
 */
export const pathOf = (
  sketch: Sketch,
  nodes: readonly OnnxNode[],
  of: string,
  roots: readonly string[],
): Path => {
  const flows = new Set(roots);
  for (const node of nodes) {
    if (ruleOf(node) === flat || !readsOf(node).some((name) => flows.has(name))) continue;
    for (const name of node.outputs) {
      if (name !== '' && isReal(sketch.fact(name).type)) flows.add(name);
    }
  }
  const reached = new Set(flows.has(of) ? [of] : []);
  const path = nodes.toReversed().filter((node) => {
    const used = readsOf(node).filter((name) => flows.has(name));
    if (used.length === 0 || !node.outputs.some((name) => reached.has(name))) return false;
    if (ruleOf(node) === flat) return false;
    for (const name of used) reached.add(name);
    return true;
  });
  path.reverse();
  for (const node of path) if (ruleOf(node) === null) throw noRule(node);
  return { nodes: path, flows };
};

/** Why no gradient reaches `tensor`, as an input error. */
export const independence = (
  sketch: Sketch,
  nodes: readonly OnnxNode[],
  of: string,
  tensor: string,
): Error => {
  const depends = new Set([tensor]);
  const between: OnnxNode[] = [];
  for (const node of ancestors(nodes, of)) {
    if (!readsOf(node).some((name) => depends.has(name))) continue;
    for (const name of node.outputs) if (name !== '') depends.add(name);
    between.push(node);
  }
  const where = `d(${of})/d(${tensor})`;
  const integer = between.find(({ op }) => /Quant|Integer|QLinear/.test(op));
  if (integer !== undefined) {
    return inputError({
      where,
      expected: 'a network that computes with real numbers',
      got: `an integer-only (quantised) one: ${described(integer)}`,
      mend: 'export the model without quantisation',
    });
  }
  const half = between.find(({ outputs }) =>
    outputs.some((name) => name !== '' && /float16$/.test(sketch.fact(name).type)),
  );
  if (half !== undefined) {
    return inputError({
      where,
      expected: 'a network in single precision',
      got: `half precision: ${described(half)}`,
      mend: 'export the model in float32',
    });
  }
  if (depends.has(of)) {
    return inputError({
      where,
      expected: `a path of operations with a slope from ${tensor} to ${of}`,
      got: 'only operations that are constant but for jumps',
      mend: 'differentiate with respect to another tensor',
    });
  }
  return inputError({
    where,
    expected: `an output that depends on ${tensor}`,
    got: `${of}, which does not`,
    mend: 'check the names of input and output',
  });
};
