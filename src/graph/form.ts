import { inputError } from '../records/errors.ts';
import type { Attribute, Initialiser, OnnxGraph, OnnxNode } from './encode.ts';
import { inferGraphFacts } from './facts.ts';
import { readsOf, tensorNames } from './names.ts';
import type { Facts } from './sizes.ts';
import { wholeNumbers } from './storage.ts';

export type Attributes = Readonly<Record<string, Attribute>>;

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

const operationOf = ({ op, domain }: OnnxNode): string =>
  domain === undefined || domain === '' ? op : `${domain}.${op}`;

/** `/layer1/act/Gelu` → `/layer1/act/Erf`: what a node is written in stays in its layer. */
const nameLike = (node: OnnxNode, op: string, taken: Set<string>): { readonly name?: string } => {
  if (node.name === undefined) return {};
  if (op === node.op && !taken.has(node.name)) {
    taken.add(node.name);
    return { name: node.name };
  }
  const slash = node.name.lastIndexOf('/');
  const label = slash < 0 ? `${node.name}/${op}` : `${node.name.slice(0, slash + 1)}${op}`;
  return { name: fresh(label, taken) };
};

/** A name that is not taken yet. */
const fresh = (like: string, taken: Set<string>): string => {
  for (let count = 1; ; count++) {
    const name = `${like}~${count}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
};

interface Written {
  readonly nodes: OnnxNode[];
  readonly initialisers: Initialiser[];
  readonly constants: Map<string, string>;
  readonly taken: Set<string>;
  /** Names of nodes, each once. */
  readonly labels: Set<string>;
  readonly used: ReadonlySet<string>;
}

const isKnown = (values: Facts['shape']): values is readonly number[] =>
  values?.every((value) => value !== null) ?? false;

const draftOf = (
  graph: OnnxGraph,
  node: OnnxNode,
  facts: ReadonlyMap<string, Facts>,
  { nodes, initialisers, constants, taken, labels, used }: Written,
): Draft => {
  const label = node.name ?? node.outputs[0] ?? '';
  const fact = (tensor: string): Facts =>
    facts.get(tensor) ?? { type: 'undefined', shape: null, values: null };
  const refuse: Draft['refuse'] = (expected, got, mend = 'export the network in another way') =>
    inputError({ where: `${graph.name}: node "${label}" (${node.op})`, expected, got, mend });
  const constant = (key: string, initialiser: () => Omit<Initialiser, 'name'>): string => {
    const there = constants.get(key);
    if (there !== undefined) return there;
    const name = fresh('constant', taken);
    constants.set(key, name);
    initialisers.push({ ...initialiser(), name });
    return name;
  };
  const write = (
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes?: Attributes,
  ): Made => {
    // The inputs left out at the end are not written.
    const last = inputs.findLastIndex((name) => name !== '');
    nodes.push({
      op,
      inputs: inputs.slice(0, last + 1),
      outputs,
      ...nameLike(node, op, labels),
      ...(attributes === undefined ? {} : { attributes }),
      ...(node.metadata === undefined ? {} : { metadata: node.metadata }),
    });
    return outputs;
  };
  return {
    node,
    opset: graph.opset,
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
    add: (op, inputs, attributes) => {
      const name = fresh(node.outputs[0] ?? op, taken);
      write(op, inputs, [name], attributes);
      return name;
    },
    finish: (op, inputs, attributes, count) =>
      write(op, inputs, node.outputs.slice(0, count), attributes),
    replaceBy: (tensor) => write('Identity', [tensor], [node.outputs[0]!]),
    ints: (values) => {
      if (!values.every(Number.isSafeInteger))
        throw refuse('whole numbers', `[${values.join(', ')}]`);
      return constant(`ints ${values.join()}`, () => ({
        array: { data: wholeNumbers(values), shape: [values.length] },
      }));
    },
    floats32: (values) =>
      constant(`float32 ${values.length}: ${values.join()}`, () => ({
        array: { data: Float32Array.from(values), shape: [values.length] },
      })),
    floats: (given) => {
      const type = fact(node.inputs[0] ?? '').type;
      const values = typeof given === 'number' ? [given] : given;
      const shape = typeof given === 'number' ? [] : [given.length];
      if (type !== 'float32' && type !== 'float64') {
        throw refuse('numbers of 32 or 64 bits', type === 'undefined' ? 'an unknown type' : type);
      }
      const data = type === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
      return constant(`${type} ${shape.join()}: ${values.join()}`, () => ({
        array: { data, shape },
      }));
    },
  };
};

/**
 * Every node in the form that the table has for its operation; the others as they are. The nodes are in topological
 * order.
 */
export const rewritten = (graph: OnnxGraph, forms: Forms, opset: number): OnnxGraph => {
  const facts = inferGraphFacts(graph);
  const written: Written = {
    nodes: [],
    initialisers: [...graph.initialisers],
    constants: new Map(),
    taken: tensorNames(graph),
    labels: new Set(),
    used: new Set([...graph.nodes.flatMap(readsOf), ...graph.outputs.map(({ name }) => name)]),
  };
  for (const node of graph.nodes) {
    const operation = operationOf(node);
    if (Object.hasOwn(forms, operation)) {
      const draft = draftOf(graph, node, facts, written);
      if ((node.inputs[0] ?? '') === '' || (node.outputs[0] ?? '') === '') {
        throw draft.refuse('an input and an output', 'none');
      }
      forms[operation]!(draft);
    } else {
      written.nodes.push(node);
      if (node.name !== undefined) written.labels.add(node.name);
    }
  }
  return { ...graph, opset, nodes: written.nodes, initialisers: written.initialisers };
};
