import type { Attribute, GraphBody, OnnxGraph, OnnxNode } from './graph.ts';

/** Tensors of the surrounding graph that a node's subgraphs (If, Loop, Scan) read without naming them as inputs. */
const capturedBy = (node: OnnxNode): string[] =>
  Object.values(node.attributes ?? {}).flatMap((attribute) =>
    'graph' in attribute ? outerNames(attribute.graph) : [],
  );

const outerNames = (body: GraphBody): string[] => {
  const own = new Set([
    ...[...body.inputs, ...body.initialisers].map(({ name }) => name),
    ...body.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const used = [...body.nodes.flatMap(readsOf), ...body.outputs.map(({ name }) => name)];
  return used.filter((name) => !own.has(name));
};

/** Tensors that a node reads: its inputs without those left out, and what its subgraphs capture. */
export const readsOf = (node: OnnxNode): string[] => [
  ...node.inputs.filter((name) => name !== ''),
  ...capturedBy(node),
];

/** Names of all tensors of a graph. */
export const tensorNames = (graph: OnnxGraph): Set<string> =>
  new Set([
    ...[...graph.inputs, ...graph.initialisers].map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs.filter((name) => name !== '')),
  ]);

type NewName = (name: string) => string;

const renamedBody = (body: GraphBody, named: NewName): GraphBody => {
  const own = new Set(
    [...body.inputs, ...body.initialisers]
      .map(({ name }) => name)
      .concat(body.nodes.flatMap(({ outputs }) => outputs)),
  );
  const outer: NewName = (name) => (own.has(name) ? name : named(name));
  return {
    ...body,
    nodes: body.nodes.map((node) => renamedNode(node, outer)),
    outputs: body.outputs.map((output) => ({ ...output, name: outer(output.name) })),
  };
};

const renamedAttribute = (attribute: Attribute, named: NewName): Attribute =>
  'graph' in attribute ? { graph: renamedBody(attribute.graph, named) } : attribute;

/** A node with other names for its tensors, those that its subgraphs capture among them. */
export const renamedNode = (node: OnnxNode, named: NewName): OnnxNode => ({
  ...node,
  inputs: node.inputs.map((name) => (name === '' ? '' : named(name))),
  outputs: node.outputs.map((name) => (name === '' ? '' : named(name))),
  ...(node.attributes === undefined
    ? {}
    : {
        attributes: Object.fromEntries(
          Object.entries(node.attributes).map(([key, value]) => [
            key,
            renamedAttribute(value, named),
          ]),
        ),
      }),
});

/**
 * A copy of the graph with other names for its tensors, inputs and outputs included.
 *
 * @param names a prefix for all, or new names by old ones; tensors that it doesn't name keep theirs.
 */
export const renamed = (
  graph: OnnxGraph,
  names: string | Readonly<Record<string, string>>,
): OnnxGraph => {
  const named: NewName =
    typeof names === 'string'
      ? (name) => `${names}${name}`
      : (name) => (Object.hasOwn(names, name) ? names[name]! : name);
  const each = <T extends { readonly name: string }>(values: readonly T[]): T[] =>
    values.map((value) => ({ ...value, name: named(value.name) }));
  return {
    ...graph,
    inputs: each(graph.inputs),
    outputs: each(graph.outputs),
    initialisers: each(graph.initialisers),
    nodes: graph.nodes.map((node) => renamedNode(node, named)),
  };
};
