import type { OnnxGraph, OnnxNode } from '../graph/graph.ts';
import { arrayFacts } from '../graph/operation.ts';
import { nodeKey } from '../graph/repeats.ts';
import type { ElementType } from '../graph/schema.ts';
import { nodeFacts, staticShapes, type TensorFact } from '../graph/static-shapes.ts';
import { wholeNumbers } from '../graph/storage.ts';
import type { ArrayData, NdArray } from '../records/array.ts';
import { type Builder, builderOf, splitOperation } from './builder.ts';
import {
  beforeExpand,
  broadcastShape,
  existingEqual,
  folded,
  type Known,
  type Movement,
  rewritten,
  withoutExpands,
} from './simplify.ts';

/**
 * A graph under construction, of static shapes. Every tensor's type and shape are known as soon as it is there; the same
 * node added twice is one node, and trivial ones (x + 0, x · 1, a Reshape to the shape that is there) none. Operations of
 * the domain `ventral` say the shape of each output in attributes `shape`, `shape1`, … (ints).
 */
export interface Sketch extends Builder, Known {
  /** Whether a tensor of this name is there. */
  has(tensor: string): boolean;
  /** A constant of rank 0 that has the type of `like`. */
  scalar(value: number, like: string): string;
  /** Declares a new input of the graph. */
  input(name: string, fact: TensorFact): string;
  /**
   * The graph with these outputs, public name → tensor, without what none of them needs. An output that is itself an
   * input, a constant or another output under a second name becomes a copy.
   */
  finish(outputs: Readonly<Record<string, string>>): OnnxGraph;
}

const arrayOf = (type: ElementType, values: readonly number[]): ArrayData => {
  if (type === 'float64') return Float64Array.from(values);
  if (type === 'int64') return wholeNumbers(values);
  if (type === 'int32') return Int32Array.from(values);
  return Float32Array.from(values);
};

/** A sketch that begins with a graph of static shapes. */
export const sketchOf = (graph: OnnxGraph): Sketch => {
  const facts = new Map<string, TensorFact>(staticShapes(graph));
  const builder = builderOf(graph);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const known = new Map<string, readonly string[]>();
  for (const node of graph.nodes) {
    const key = nodeKey({ ...node, outputs: [] });
    if (key !== null && !known.has(key)) known.set(key, node.outputs);
  }

  const fact = (tensor: string): TensorFact => {
    const found = facts.get(tensor);
    if (found === undefined) throw new Error(`no tensor ${JSON.stringify(tensor)} in the sketch`);
    return found;
  };
  const { value } = builder;
  const knowledge: Known = { fact, value, maker: (tensor) => makers.get(tensor) ?? null };

  const constant = (array: NdArray): string => {
    const name = builder.constant(array);
    if (!facts.has(name)) facts.set(name, { type: arrayFacts(array).type, shape: array.shape });
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
    constant({ data: wholeNumbers(values), shape: [values.length] });
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
    const names = Array.from({ length: outputs }, () => builder.newName(split.op));
    const node: OnnxNode = { ...split, inputs: used, outputs: names, attributes };
    const found = factsOf(node);
    const equal = existingEqual(node, found[0]!, knowledge);
    if (equal !== null) return [equal];
    const simpler = rewritten(node, found[0]!, knowledge);
    if (simpler !== null) return [move(simpler)];
    const array = folded(node, found[0]!, knowledge);
    if (array !== null) return [constant(array)];
    names.forEach((name, index) => {
      facts.set(name, found[index]!);
      makers.set(name, node);
    });
    builder.write(node);
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
      return builder.input({ name, ...given });
    },
    finish: (outputs) => builder.finish(outputs, fact),
  };
};
