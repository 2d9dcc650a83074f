import type { NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import { inferGraphFacts } from './facts.ts';
import type { Initialiser, OnnxGraph, OnnxNode, ValueInfo } from './graph.ts';
import { readsOf, renamed, tensorNames } from './names.ts';
import { arrayFacts } from './operation.ts';
import { elementTypeOf } from './storage.ts';

// Graph in, graph out: nothing is changed in place, and what stays the same is shared, weights above all.

const noTensor = (graph: OnnxGraph, what: string, name: string) =>
  inputError({
    where: `${graph.name}: "${name}"`,
    expected: what,
    got: 'none of this name',
    mend: 'check the name',
  });

/**
 * The graph with inputs of the given sizes, where it had symbols or other sizes; what it declared of its outputs'
 * shapes goes. Input errors: a name that is no input, a rank that differs. Whether the network itself takes those
 * sizes (a batch may be fixed inside it) is for `staticShapes` to say.
 */
export const fixInputs = (
  graph: OnnxGraph,
  shapes: Readonly<Record<string, readonly number[]>>,
): OnnxGraph => {
  const inputs = new Map(graph.inputs.map((input) => [input.name, input]));
  for (const [name, shape] of Object.entries(shapes)) {
    const input = inputs.get(name);
    if (input === undefined) throw noTensor(graph, 'an input', name);
    if (input.shape !== null && input.shape.length !== shape.length) {
      throw inputError({
        where: `${graph.name}: input "${name}"`,
        expected: `${input.shape.length} sizes, as in [${input.shape.join(', ')}]`,
        got: `[${shape.join(', ')}]`,
        mend: 'give a size for every dimension',
      });
    }
    inputs.set(name, { ...input, shape });
  }
  return {
    ...graph,
    inputs: [...inputs.values()],
    outputs: graph.outputs.map((output) => ({ ...output, shape: null })),
  };
};

/**
 * The nodes in topological order, otherwise in the order that they had. Input errors: a cycle, a tensor that nothing
 * makes, a tensor that two nodes make.
 */
export const sorted = (graph: OnnxGraph): OnnxGraph => {
  const makers = new Map<string, number>();
  graph.nodes.forEach(({ outputs }, index) => {
    for (const name of outputs) {
      if (name === '') continue;
      if (makers.has(name)) throw broken(graph, name, 'a tensor that two nodes make');
      makers.set(name, index);
    }
  });
  const given = new Set([...graph.inputs, ...graph.initialisers].map(({ name }) => name));
  const nodes: OnnxNode[] = [];
  const state = new Uint8Array(graph.nodes.length);
  const open: number[] = [];
  const need = (name: string): void => {
    const maker = makers.get(name);
    if (maker === undefined && !given.has(name)) throw broken(graph, name, 'a tensor of no origin');
    if (maker === undefined || state[maker] === DONE) return;
    if (state[maker] === OPEN) throw broken(graph, name, 'a tensor that needs itself');
    open.push(maker);
  };
  for (let first = 0; first < graph.nodes.length; first++) {
    if (state[first] === NEW) open.push(first);
    for (let at = open.at(-1); at !== undefined; at = open.at(-1)) {
      if (state[at] === NEW) {
        state[at] = OPEN;
        // The last that is put there comes first.
        for (const name of readsOf(graph.nodes[at]!).reverse()) need(name);
        continue;
      }
      open.pop();
      if (state[at] === DONE) continue;
      state[at] = DONE;
      nodes.push(graph.nodes[at]!);
    }
  }
  for (const { name } of graph.outputs) {
    if (!makers.has(name) && !given.has(name)) throw broken(graph, name, 'an output of no origin');
  }
  return { ...graph, nodes };
};

const [NEW, OPEN, DONE] = [0, 1, 2];

const broken = (graph: OnnxGraph, tensor: string, got: string) =>
  inputError({
    where: `${graph.name}: tensor "${tensor}"`,
    expected: 'a graph in which every tensor is made once, before it is used',
    got,
    mend: 'export the network again',
  });

/** Without the nodes and initialisers that no output needs. Inputs stay. The nodes are in topological order. */
export const withoutDeadCode = (graph: OnnxGraph): OnnxGraph => {
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      const live = node.outputs.some((name) => needed.has(name));
      if (live) for (const name of readsOf(node)) needed.add(name);
      return live;
    })
    .reverse();
  return {
    ...graph,
    nodes,
    initialisers: graph.initialisers.filter(({ name }) => needed.has(name)),
  };
};

/** Tensors of the graph as inputs or outputs of a part of it; sizes that are not known get symbols. */
const valuesOf = (graph: OnnxGraph, names: readonly string[]): ValueInfo[] => {
  const facts = inferGraphFacts(graph);
  const there = tensorNames(graph);
  return names.map((name) => {
    if (!there.has(name)) throw noTensor(graph, 'a tensor of the graph', name);
    const { type, shape } = facts.get(name)!;
    return { name, type, shape: shape?.map((size, axis) => size ?? `${name}.${axis}`) ?? null };
  });
};

/**
 * The part of a graph that leads to the tensors `to`: from its inputs, or from the tensors `from`, which become its
 * inputs in place of what made them. Inputs that the part doesn't need are dropped. Input errors: a name that is no
 * tensor of the graph.
 */
export const cut = (
  graph: OnnxGraph,
  { from = [], to }: { readonly from?: readonly string[]; readonly to: readonly string[] },
): OnnxGraph => {
  const begun = new Set(from);
  const part = withoutDeadCode({
    ...graph,
    outputs: valuesOf(graph, to),
    nodes: graph.nodes
      .map((node) => ({
        ...node,
        // A node may make other tensors beside the one at which the part begins.
        outputs: node.outputs.map((name) => (begun.has(name) ? '' : name)),
      }))
      .filter(({ outputs }) => outputs.some((name) => name !== '')),
    initialisers: graph.initialisers.filter(({ name }) => !begun.has(name)),
  });
  const used = new Set([...part.nodes.flatMap(readsOf), ...to]);
  const kept = graph.inputs.filter(({ name }) => used.has(name) && !begun.has(name));
  return { ...part, inputs: [...kept, ...valuesOf(graph, from)] };
};

/**
 * A graph with another behind it, both of one opset and without common names (see `renamed`). Outputs are those of
 * both; what is not wanted can be cut.
 *
 * @param joints tensors of `graph` by the inputs of `other` that they become; its remaining inputs become inputs of
 * the whole.
 */
export const append = (
  graph: OnnxGraph,
  other: OnnxGraph,
  joints: Readonly<Record<string, string>>,
): OnnxGraph => {
  if (graph.opset !== other.opset) {
    throw new Error(`opsets ${graph.opset} and ${other.opset} cannot be one graph`);
  }
  const own = tensorNames(graph);
  for (const [input, tensor] of Object.entries(joints)) {
    if (!own.has(tensor)) throw noTensor(graph, 'a tensor of the graph', tensor);
    if (!other.inputs.some(({ name }) => name === input)) throw noTensor(other, 'an input', input);
  }
  const joined = renamed(other, joints);
  const added = tensorNames(joined);
  for (const tensor of Object.values(joints)) added.delete(tensor);
  const clash = [...added].find((name) => own.has(name));
  if (clash !== undefined) throw new Error(`both graphs have a tensor "${clash}"`);
  return {
    ...graph,
    inputs: [...graph.inputs, ...other.inputs.filter(({ name }) => !Object.hasOwn(joints, name))],
    outputs: [...graph.outputs, ...joined.outputs],
    initialisers: [...graph.initialisers, ...joined.initialisers],
    nodes: [...graph.nodes, ...joined.nodes],
    ...(graph.opsets === undefined && other.opsets === undefined
      ? {}
      : { opsets: { ...other.opsets, ...graph.opsets } }),
  };
};

/** Initialisers as inputs that a run must feed, and what they held. Input errors: a name that is no initialiser. */
export const initialisersToInputs = (
  graph: OnnxGraph,
  names: readonly string[],
): { readonly graph: OnnxGraph; readonly values: Readonly<Record<string, NdArray>> } => {
  const there = new Map(graph.initialisers.map((each) => [each.name, each]));
  const chosen = names.map((name) => {
    const found = there.get(name);
    if (found === undefined) throw noTensor(graph, 'an initialiser', name);
    return found;
  });
  const taken = new Set(names);
  const inputs = chosen.map(({ name, array, type }): ValueInfo => {
    const facts = arrayFacts(array, type);
    return { name, type: facts.type, shape: array.shape };
  });
  return {
    graph: {
      ...graph,
      inputs: [...graph.inputs, ...inputs],
      initialisers: graph.initialisers.filter(({ name }) => !taken.has(name)),
    },
    values: Object.fromEntries(chosen.map(({ name, array }) => [name, array])),
  };
};

/** Inputs filled for good. Input errors: a name that is no input, an array of another type or shape. */
export const inputsToInitialisers = (
  graph: OnnxGraph,
  values: Readonly<Record<string, NdArray>>,
): OnnxGraph => {
  const inputs = new Map(graph.inputs.map((input) => [input.name, input]));
  const added = Object.entries(values).map(([name, array]): Initialiser => {
    const input = inputs.get(name);
    if (input === undefined) throw noTensor(graph, 'an input', name);
    checkValue(graph, input, array);
    inputs.delete(name);
    return elementTypeOf(array.data) === input.type
      ? { name, array }
      : { name, array, type: input.type };
  });
  return {
    ...graph,
    inputs: [...inputs.values()],
    initialisers: [...graph.initialisers, ...added],
  };
};

const checkValue = (graph: OnnxGraph, input: ValueInfo, { data, shape }: NdArray): void => {
  const own = elementTypeOf(data);
  const bits = own === 'uint16' && /float16/.test(input.type);
  const fits =
    input.shape === null ||
    (input.shape.length === shape.length &&
      input.shape.every((size, axis) => typeof size === 'string' || size === shape[axis]));
  if (fits && (own === input.type || bits || (own === 'uint8' && input.type === 'bool'))) return;
  throw inputError({
    where: `${graph.name}: input "${input.name}"`,
    expected: `${input.type} [${input.shape?.join(', ') ?? '…'}]`,
    got: `${own} [${shape.join(', ')}]`,
    mend: 'give an array of that type and shape',
  });
};
