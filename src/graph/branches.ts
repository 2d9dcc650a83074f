import { inferGraphFacts } from './facts.ts';
import type { GraphBody, Initialiser, OnnxGraph, OnnxNode } from './graph.ts';
import { renamedNode } from './names.ts';
import type { Facts } from './sizes.ts';

/** The branch of an If whose condition is known; `null` for other nodes. */
const branchOf = (node: OnnxNode, facts: ReadonlyMap<string, Facts>): GraphBody | null => {
  if (node.op !== 'If' || (node.domain ?? '') !== '') return null;
  const condition = facts.get(node.inputs[0] ?? '')?.values?.[0] ?? null;
  if (condition === null) return null;
  const branch = node.attributes?.[condition === 0 ? 'else_branch' : 'then_branch'];
  return branch !== undefined && 'graph' in branch ? branch.graph : null;
};

interface Inlined {
  readonly nodes: readonly OnnxNode[];
  readonly initialisers: readonly Initialiser[];
}

/** The nodes of a branch under names of their own, and its outputs under those of the node. */
const inlined = (node: OnnxNode, branch: GraphBody): Inlined => {
  const inner = new Set([
    ...branch.initialisers.map(({ name }) => name),
    ...branch.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const named = (name: string): string =>
    inner.has(name) ? `${node.outputs.find((each) => each !== '') ?? ''}/${name}` : name;
  const copies = branch.outputs.flatMap(({ name }, index): OnnxNode[] => {
    const output = node.outputs[index] ?? '';
    return output === '' ? [] : [{ op: 'Identity', inputs: [named(name)], outputs: [output] }];
  });
  return {
    nodes: [...branch.nodes.map((each) => renamedNode(each, named)), ...copies],
    initialisers: branch.initialisers.map((each) => ({ ...each, name: named(each.name) })),
  };
};

/**
 * The graph with every If of a known condition replaced by the branch that is taken; the same record where there is
 * none. What a branch holds may in turn be such an If. The nodes are in topological order.
 */
export const withoutBranches = (graph: OnnxGraph): OnnxGraph => {
  if (!graph.nodes.some(({ op }) => op === 'If')) return graph;
  const facts = inferGraphFacts(graph);
  const initialisers: Initialiser[] = [];
  let found = false;
  const nodes = graph.nodes.flatMap((node) => {
    const branch = branchOf(node, facts);
    if (branch === null) return [node];
    found = true;
    const own = inlined(node, branch);
    initialisers.push(...own.initialisers);
    return own.nodes;
  });
  return found
    ? { ...graph, nodes, initialisers: [...graph.initialisers, ...initialisers] }
    : graph;
};
