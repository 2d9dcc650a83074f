import type { Attributes, OnnxGraph, OnnxNode, ValueInfo } from '../graph/graph.ts';
import { renamedNode, tensorNames } from '../graph/names.ts';
import { arrayKey } from '../graph/repeats.ts';
import { withoutDeadCode } from '../graph/rewrite.ts';
import { wholeNumbers } from '../graph/storage.ts';
import type { NdArray } from '../records/array.ts';

/** What operations are written with, whether sizes are known (`Sketch`) or not (`GraphBuilder`). */
export interface Builder {
  readonly opset: number;
  /** Adds an operation and returns the tensors that it makes. `op` is `domain.op` for another domain than ONNX's own. */
  add(
    op: string,
    inputs: readonly string[],
    attributes?: Attributes,
    outputs?: number,
  ): readonly string[];
  /** Adds an operation with one output. */
  apply(op: string, inputs: readonly string[], attributes?: Attributes): string;
  /** A constant tensor; small ones that are equal are one. */
  constant(array: NdArray): string;
  /** A constant vector of int64, as shapes and axes are. */
  ints(values: readonly number[]): string;
}

/** A graph under construction. Nodes stay as they are written; nothing is inferred and nothing is left out. */
export interface GraphBuilder extends Builder {
  /** A name that no tensor has: `like~1`, `like~2`, … */
  newName(like: string): string;
  /** Adds a node under the names that it has. */
  write(node: OnnxNode): void;
  /** A constant under a name of its own, as weights have. */
  weight(name: string, array: NdArray): string;
  /** The numbers of a constant; null for every other tensor. */
  value(tensor: string): NdArray | null;
  /** Declares a new input of the graph. */
  input(value: ValueInfo): string;
  /** All that there is, with the outputs that the graph had in the beginning. */
  graph(): OnnxGraph;
  /**
   * The graph with these outputs, public name → tensor, without what none of them needs. A tensor gets its public name;
   * one that is itself an input, a constant or another output is copied. `fact` says what the outputs declare: by
   * default nothing. Throws where the name of an output is that of another tensor.
   */
  finish(
    outputs: Readonly<Record<string, string>>,
    fact?: (tensor: string) => Omit<ValueInfo, 'name'>,
  ): OnnxGraph;
}

export interface BuilderOptions {
  /** Names that no new tensor may get, besides those in the graph. */
  readonly taken?: Iterable<string>;
  /** How the names begin that are made up; default: with the operation. */
  readonly prefix?: string;
}

const CONSTANT = 'constant';
/** Whether a builder made a constant. Those of the model may be parameters: they are never taken for equal or folded away. */
export const isOwn = (tensor: string): boolean => tensor.startsWith(`${CONSTANT}~`);

/** Constants up to this many elements are one where they are equal. */
const SMALL = 16384;

/** Gives new names, `like~1`, `like~2`, …, that are not among those taken, and takes them. */
export const newNames = (taken: Set<string>): ((like: string) => string) => {
  const counts = new Map<string, number>();
  return (like) => {
    for (let count = (counts.get(like) ?? 0) + 1; ; count++) {
      const name = `${like}~${count}`;
      if (taken.has(name)) continue;
      taken.add(name);
      counts.set(like, count);
      return name;
    }
  };
};

/** `Conv`, or `domain.op`, as a node has it. */
export const splitOperation = (operation: string): { op: string; domain?: string } => {
  const dot = operation.lastIndexOf('.');
  return dot < 0
    ? { op: operation }
    : { op: operation.slice(dot + 1), domain: operation.slice(0, dot) };
};

/** A builder that begins with a graph, which may be empty. */
export const builderOf = (
  graph: OnnxGraph,
  { taken: others = [], prefix = '' }: BuilderOptions = {},
): GraphBuilder => {
  const nodes = [...graph.nodes];
  const inputs = [...graph.inputs];
  const initialisers = new Map(graph.initialisers.map((each) => [each.name, each]));
  const outputNames = graph.outputs.map(({ name }) => name);
  const taken = new Set([...tensorNames(graph), ...outputNames, ...others]);
  const newName = newNames(taken);
  const constants = new Map<string, string>();
  for (const { name, array } of graph.initialisers) {
    if (isOwn(name) && array.data.length <= SMALL) constants.set(arrayKey({ array }), name);
  }

  const weight = (name: string, array: NdArray): string => {
    initialisers.set(name, { name, array });
    taken.add(name);
    return name;
  };
  const constant = (array: NdArray): string => {
    const key = array.data.length > SMALL ? null : arrayKey({ array });
    const there = key === null ? undefined : constants.get(key);
    if (there !== undefined) return there;
    const name = weight(newName(`${prefix}${CONSTANT}`), array);
    if (key !== null) constants.set(key, name);
    return name;
  };
  const add: Builder['add'] = (operation, given, attributes = {}, outputs = 1) => {
    const split = splitOperation(operation);
    const names = Array.from({ length: outputs }, () => newName(`${prefix}${split.op}`));
    nodes.push({ ...split, inputs: given, outputs: names, attributes });
    return names;
  };
  const whole = (): OnnxGraph => ({
    ...graph,
    inputs,
    nodes,
    initialisers: [...initialisers.values()],
  });

  return {
    opset: graph.opset,
    newName,
    write: (node) => {
      nodes.push(node);
      for (const name of node.outputs) taken.add(name);
    },
    add,
    apply: (op, given, attributes) => add(op, given, attributes)[0]!,
    weight,
    constant,
    ints: (values) => constant({ data: wholeNumbers(values), shape: [values.length] }),
    value: (tensor) => initialisers.get(tensor)?.array ?? null,
    input: (value) => {
      inputs.push(value);
      taken.add(value.name);
      return value.name;
    },
    graph: whole,
    finish: (outputs, fact = () => ({ type: 'undefined', shape: null })) =>
      published(whole(), outputs, fact),
  };
};

/** Gives tensors their public names: by renaming where nothing stands against it, by a copy otherwise. */
const published = (
  graph: OnnxGraph,
  outputs: Readonly<Record<string, string>>,
  fact: (tensor: string) => Omit<ValueInfo, 'name'>,
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
  return withoutDeadCode({
    ...graph,
    nodes: [...graph.nodes, ...copies].map((node) => renamedNode(node, named)),
    outputs: Object.entries(outputs).map(([name, tensor]) => ({ name, ...fact(tensor) })),
  });
};
