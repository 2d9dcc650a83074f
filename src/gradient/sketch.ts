import type { Attribute, OnnxGraph, OnnxNode } from '../graph/encode.ts';
import { arrayFacts } from '../graph/operation.ts';
import { arrayKey, nodeKey } from '../graph/repeats.ts';
import { withoutDeadCode } from '../graph/rewrite.ts';
import type { ElementType } from '../graph/schema.ts';
import { nodeFacts, staticShapes, type TensorFact } from '../graph/static-shapes.ts';
import type { ArrayData, NdArray } from '../records/array.ts';
import {
  beforeExpand,
  broadcastShape,
  CONSTANT,
  folded,
  isOwn,
  type Known,
  type Movement,
  rewritten,
  simplified,
  withoutExpands,
} from './simplify.ts';

export type Attributes = Readonly<Record<string, Attribute>>;

/**
 * A graph under construction. Every tensor's type and shape are known as soon as it is there; the same node added twice
 * is one node, and trivial ones (x + 0, x · 1, a Reshape to the shape that is there) none.
 */
export interface Sketch extends Known {
  readonly opset: number;
  /**
   * Adds an operation and returns the tensors that it makes. `op` is `domain.op` for another domain than ONNX's own.
   * Operations of the domain `ventral` say the shape of each output in attributes `shape`, `shape1`, … (ints).
   */
  add(
    op: string,
    inputs: readonly string[],
    attributes?: Attributes,
    outputs?: number,
  ): readonly string[];
  /** The same for an operation with one output. */
  apply(op: string, inputs: readonly string[], attributes?: Attributes): string;
  /** Whether a tensor of this name is there. */
  has(tensor: string): boolean;
  /** A constant tensor. */
  constant(array: NdArray): string;
  /** A constant of rank 0 that has the type of `like`. */
  scalar(value: number, like: string): string;
  /** A constant vector of int64, as shapes and axes are. */
  ints(values: readonly number[]): string;
  /** Declares a new input of the graph. */
  input(name: string, fact: TensorFact): string;
  /**
   * The graph with these outputs, public name → tensor, without what none of them needs. An output that is itself an
   * input, a constant or another output under a second name becomes a copy.
   */
  finish(outputs: Readonly<Record<string, string>>): OnnxGraph;
}

/** `Conv`, or `domain.op` for another domain than ONNX's own. */
export const operationOf = ({ op, domain }: OnnxNode): string =>
  domain === undefined || domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`;

const splitOperation = (operation: string): { op: string; domain?: string } => {
  const dot = operation.lastIndexOf('.');
  return dot < 0
    ? { op: operation }
    : { op: operation.slice(dot + 1), domain: operation.slice(0, dot) };
};

const arrayOf = (type: ElementType, values: readonly number[]): ArrayData => {
  if (type === 'float64') return Float64Array.from(values);
  if (type === 'int64') return BigInt64Array.from(values, BigInt);
  if (type === 'int32') return Int32Array.from(values);
  return Float32Array.from(values);
};

/** Constants up to this many elements are one where they are equal. */
const SMALL = 16384;

/** A sketch that begins with a graph of static shapes. */
export const sketchOf = (graph: OnnxGraph): Sketch => {
  const facts = new Map<string, TensorFact>(staticShapes(graph));
  const nodes: OnnxNode[] = [...graph.nodes];
  const inputs = [...graph.inputs];
  const initialisers = new Map(graph.initialisers.map((each) => [each.name, each]));
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const known = new Map<string, readonly string[]>();
  const constants = new Map<string, string>();
  let count = 0;

  for (const node of nodes) {
    const key = nodeKey({ ...node, outputs: [] });
    if (key !== null && !known.has(key)) known.set(key, node.outputs);
  }

  for (const { name, array } of graph.initialisers) {
    if (isOwn(name) && array.data.length <= SMALL) constants.set(arrayKey({ array }), name);
  }

  const fresh = (label: string): string => {
    for (;;) {
      const name = `${label}~${++count}`;
      if (!facts.has(name)) return name;
    }
  };
  const fact = (tensor: string): TensorFact => {
    const found = facts.get(tensor);
    if (found === undefined) throw new Error(`no tensor ${JSON.stringify(tensor)} in the sketch`);
    return found;
  };
  const value = (tensor: string): NdArray | null => initialisers.get(tensor)?.array ?? null;
  const knowledge: Known = { fact, value, maker: (tensor) => makers.get(tensor) ?? null };

  const constant = (array: NdArray): string => {
    const key = array.data.length > SMALL ? null : arrayKey({ array });
    const there = key === null ? undefined : constants.get(key);
    if (there !== undefined) return there;
    const name = fresh(CONSTANT);
    initialisers.set(name, { name, array });
    facts.set(name, { type: arrayFacts(array).type, shape: array.shape });
    if (key !== null) constants.set(key, name);
    return name;
  };

  const factsOf = (node: OnnxNode): TensorFact[] => {
    const given = node.inputs.map((name) =>
      name === ''
        ? { type: 'undefined' as const, shape: [] }
        : { ...fact(name), values: value(name) },
    );
    return nodeFacts(node, given, graph.opset);
  };

  const ints: Sketch['ints'] = (values) =>
    constant({ data: arrayOf('int64', values), shape: [values.length] });
  const move = (movement: Movement): string =>
    'perm' in movement
      ? add(movement.op, [movement.x], { perm: { ints: movement.perm } })[0]!
      : add(movement.op, [movement.x, ints(movement.shape)])[0]!;

  const add: Sketch['add'] = (operation, given, attributes = {}, outputs = 1) => {
    const used = withoutExpands(operation, given, knowledge);
    const sources = beforeExpand(operation, used, knowledge);
    if (sources !== null) {
      const shape = used.map((input) => fact(input).shape).reduce(broadcastShape);
      return [move({ op: 'Expand', x: add(operation, sources, attributes)[0]!, shape })];
    }
    const split = splitOperation(operation);
    const key = nodeKey({ ...split, inputs: used, outputs: [], attributes });
    const there = key === null ? undefined : known.get(key);
    if (there !== undefined && there.length >= outputs && there.every((name) => name !== ''))
      return there;
    const names = Array.from({ length: outputs }, () => fresh(split.op));
    const node: OnnxNode = { ...split, inputs: used, outputs: names, attributes };
    const found = factsOf(node);
    const equal = simplified(node, found[0]!, knowledge);
    if (equal !== null) return [equal];
    const simpler = rewritten(node, found[0]!, knowledge);
    if (simpler !== null) return [move(simpler)];
    const array = folded(node, found[0]!, knowledge);
    if (array !== null) return [constant(array)];
    names.forEach((name, index) => {
      facts.set(name, found[index]!);
      makers.set(name, node);
    });
    nodes.push(node);
    if (key !== null) known.set(key, names);
    return names;
  };

  return {
    ...knowledge,
    opset: graph.opset,
    add,
    has: (tensor) => facts.has(tensor),
    apply: (op, given, attributes) => add(op, given, attributes)[0]!,
    constant,
    scalar: (number, like) => constant({ data: arrayOf(fact(like).type, [number]), shape: [] }),
    ints,
    input: (name, given) => {
      if (facts.has(name)) throw new Error(`a tensor ${JSON.stringify(name)} is there already`);
      facts.set(name, given);
      inputs.push({ name, ...given });
      return name;
    },
    finish: (outputs) => {
      const drawn: OnnxGraph = {
        ...graph,
        inputs,
        nodes,
        initialisers: [...initialisers.values()],
        outputs: [],
      };
      return published(drawn, outputs, fact);
    },
  };
};

/** Gives tensors their public names: by renaming where nothing stands against it, by a copy otherwise. */
const published = (
  graph: OnnxGraph,
  outputs: Readonly<Record<string, string>>,
  fact: (tensor: string) => TensorFact,
): OnnxGraph => {
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  const taken = new Set([...made, ...graph.inputs.map(({ name }) => name)]);
  const kept = new Set(
    Object.entries(outputs).flatMap(([name, tensor]) => (name === tensor ? [name] : [])),
  );
  const renames = new Map<string, string>();
  const copies: OnnxNode[] = [];
  for (const [name, tensor] of Object.entries(outputs)) {
    if (name === tensor) continue;
    if (taken.has(name)) throw new Error(`an output would hide the tensor ${JSON.stringify(name)}`);
    const free = made.has(tensor) && !kept.has(tensor) && !renames.has(tensor);
    if (free) renames.set(tensor, name);
    else copies.push({ op: 'Identity', inputs: [tensor], outputs: [name] });
  }
  const named = (tensor: string): string => renames.get(tensor) ?? tensor;
  const nodes = [...graph.nodes, ...copies].map((node) => ({
    ...node,
    inputs: node.inputs.map(named),
    outputs: node.outputs.map(named),
  }));
  return withoutDeadCode({
    ...graph,
    nodes,
    outputs: Object.entries(outputs).map(([name, tensor]) => ({ name, ...fact(tensor) })),
  });
};
