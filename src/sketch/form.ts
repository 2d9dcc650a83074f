import { inferGraphFacts } from '../graph/facts.ts';
import { type Attributes, type OnnxGraph, type OnnxNode, operationOf } from '../graph/graph.ts';
import { readsOf, tensorNames } from '../graph/names.ts';
import { type Facts, NOTHING } from '../graph/sizes.ts';
import { inputError } from '../records/errors.ts';
import { builderOf, type GraphBuilder, newNames } from './builder.ts';

/** The tensors that an operation makes: every form ends with the node's own. */
export type Made = readonly string[];

/** A node being written in other operations. */
export interface Draft {
  readonly node: OnnxNode;
  /** Version of ONNX's operations that the node is of. */
  readonly opset: number;
  /** Type, shape and few values of a tensor of the graph. */
  fact(tensor: string): Facts;
  /** Sizes of the node's input, which must all be known; otherwise an input error. */
  sizes(index: number): readonly number[];
  rank(index: number): number;
  /** Whether a node, or the graph's outputs, read a tensor. */
  isUsed(tensor: string): boolean;
  /** Numbers of a small constant input; `null` where it is left out. Input error where a run alone could tell them. */
  values(index: number): readonly number[] | null;
  /** Adds an operation and returns the tensor that it makes. */
  add(op: string, inputs: readonly string[], attributes?: Attributes): string;
  /** Adds the operation that makes the node's own outputs, or the first `count` of them. */
  finish(op: string, inputs: readonly string[], attributes?: Attributes, count?: number): Made;
  /** Lets one of the graph's tensors stand for the node's output. */
  replaceBy(tensor: string): Made;
  /** A vector of int64. */
  ints(values: readonly number[]): string;
  /** A vector, or a number of rank 0, of the type of the node's first input. */
  floats(values: readonly number[] | number): string;
  /** A vector of float32, whatever the network computes with. */
  floats32(values: readonly number[]): string;
  refuse(expected: string, got: string, mend?: string): Error;
}

/** How one operation is written in the canonical opset. What needs no other form is copied. */
export type Form = (draft: Draft) => Made;

/** Operation by name, `domain.op` for other domains than ONNX's own. */
export type Forms = Readonly<Record<string, Form>>;

/** What all nodes of a graph are written with. */
interface Rewriting {
  readonly graph: OnnxGraph;
  readonly facts: ReadonlyMap<string, Facts>;
  /** Tensors that a node or the graph's outputs read. */
  readonly used: ReadonlySet<string>;
  readonly builder: GraphBuilder;
  /** Names of nodes, each once. */
  readonly labels: Set<string>;
  newLabel(like: string): string;
}

const beginRewriting = (graph: OnnxGraph, opset: number): Rewriting => {
  const labels = new Set<string>();
  return {
    graph,
    facts: inferGraphFacts(graph),
    used: new Set([...graph.nodes.flatMap(readsOf), ...graph.outputs.map(({ name }) => name)]),
    builder: builderOf({ ...graph, opset, nodes: [] }, { taken: tensorNames(graph) }),
    labels,
    newLabel: newNames(labels),
  };
};

/** `/layer1/act/Gelu` → `/layer1/act/Erf`: what a node is written in stays in its layer. */
const nameLike = (
  node: OnnxNode,
  op: string,
  { labels, newLabel }: Rewriting,
): { readonly name?: string } => {
  if (node.name === undefined) return {};
  if (op === node.op && !labels.has(node.name)) {
    labels.add(node.name);
    return { name: node.name };
  }
  const slash = node.name.lastIndexOf('/');
  const label = slash < 0 ? `${node.name}/${op}` : `${node.name.slice(0, slash + 1)}${op}`;
  return { name: newLabel(label) };
};

const isKnown = (values: Facts['shape']): values is readonly number[] =>
  values?.every((value) => value !== null) ?? false;

/** What a form may ask of the node that it writes. */
const reading = (
  node: OnnxNode,
  { graph, facts, used }: Rewriting,
): Pick<Draft, 'fact' | 'refuse' | 'sizes' | 'rank' | 'isUsed' | 'values'> => {
  const label = node.name ?? node.outputs[0] ?? '';
  const fact = (tensor: string): Facts => facts.get(tensor) ?? NOTHING;
  const refuse: Draft['refuse'] = (expected, got, mend = 'export the network in another way') =>
    inputError({ where: `${graph.name}: node "${label}" (${node.op})`, expected, got, mend });
  return {
    fact,
    refuse,
    sizes: (index) => {
      const name = node.inputs[index] ?? '';
      const { shape } = fact(name);
      if (isKnown(shape)) return shape;
      throw refuse(
        `known sizes of tensor "${name}"`,
        shape === null ? 'none' : `[${shape.map((size) => size ?? '?').join(', ')}]`,
        'fix the sizes of the input (batch, height and width)',
      );
    },
    rank: (index) => {
      const name = node.inputs[index] ?? '';
      const { shape } = fact(name);
      if (shape !== null) return shape.length;
      throw refuse(`a known rank of tensor "${name}"`, 'none');
    },
    isUsed: (tensor) => used.has(tensor),
    values: (index) => {
      const name = node.inputs[index] ?? '';
      if (name === '') return null;
      const { values } = fact(name);
      if (isKnown(values)) return values;
      throw refuse(
        `a constant tensor "${name}"`,
        'one that is computed',
        'fix the sizes of the input (batch, height and width), or fold the constants first',
      );
    },
  };
};

/** How operations are put in a node's place: in its layer, with the names of its outputs. */
const writing = (
  node: OnnxNode,
  rewriting: Rewriting,
): Pick<Draft, 'add' | 'finish' | 'replaceBy'> => {
  const { builder } = rewriting;
  const write = (
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes?: Attributes,
  ): Made => {
    // The inputs left out at the end are not written.
    const last = inputs.findLastIndex((name) => name !== '');
    builder.write({
      op,
      inputs: inputs.slice(0, last + 1),
      outputs,
      ...nameLike(node, op, rewriting),
      ...(attributes === undefined ? {} : { attributes }),
      ...(node.metadata === undefined ? {} : { metadata: node.metadata }),
    });
    return outputs;
  };
  return {
    add: (op, inputs, attributes) =>
      write(op, inputs, [builder.newName(node.outputs[0] ?? op)], attributes)[0]!,
    finish: (op, inputs, attributes, count) =>
      write(op, inputs, node.outputs.slice(0, count), attributes),
    replaceBy: (tensor) => write('Identity', [tensor], [node.outputs[0]!]),
  };
};

const draftFor = (node: OnnxNode, rewriting: Rewriting): Draft => {
  const { builder, graph } = rewriting;
  const read = reading(node, rewriting);
  return {
    node,
    opset: graph.opset,
    ...read,
    ...writing(node, rewriting),
    ints: (values) => {
      if (values.every(Number.isSafeInteger)) return builder.ints(values);
      throw read.refuse('whole numbers', `[${values.join(', ')}]`);
    },
    floats32: (values) =>
      builder.constant({ data: Float32Array.from(values), shape: [values.length] }),
    floats: (given) => {
      const { type } = read.fact(node.inputs[0] ?? '');
      const values = typeof given === 'number' ? [given] : given;
      const shape = typeof given === 'number' ? [] : [given.length];
      if (type !== 'float32' && type !== 'float64') {
        const got = type === 'undefined' ? 'an unknown type' : type;
        throw read.refuse('numbers of 32 or 64 bits', got);
      }
      const data = type === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
      return builder.constant({ data, shape });
    },
  };
};

/**
 * Every node in the form that the table has for its operation; the others as they are. The nodes are in topological
 * order.
 */
export const inForms = (graph: OnnxGraph, forms: Forms, opset: number): OnnxGraph => {
  const rewriting = beginRewriting(graph, opset);
  for (const node of graph.nodes) {
    const operation = operationOf(node);
    if (Object.hasOwn(forms, operation)) {
      const draft = draftFor(node, rewriting);
      if ((node.inputs[0] ?? '') === '' || (node.outputs[0] ?? '') === '') {
        throw draft.refuse('an input and an output', 'none');
      }
      forms[operation]!(draft);
    } else {
      rewriting.builder.write(node);
      if (node.name !== undefined) rewriting.labels.add(node.name);
    }
  }
  return rewriting.builder.graph();
};
