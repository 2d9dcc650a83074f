import { decodeModel } from '../src/graph/decode.ts';
import { encodeModel } from '../src/graph/encode.ts';
import type {
  Attribute,
  GraphBody,
  Initialiser,
  OnnxGraph,
  OnnxNode,
  ValueInfo,
} from '../src/graph/graph.ts';
import { renamed } from '../src/graph/names.ts';
import type { ElementType } from '../src/graph/schema.ts';
import type { Random } from '../src/numeric/random.ts';
import { pick, strangeName } from './changed-names.ts';

// Graphs that decode and mean nothing: their names, wires, shapes and attributes are others.

type Change<T> = (value: T, random: Random, graph: OnnxGraph) => T;

const at = <T>(list: readonly T[], index: number, value: T): T[] =>
  list.map((each, place) => (place === index ? value : each));

/** One of a list changed; an empty list stays. */
const one = <T>(list: readonly T[], random: Random, change: (value: T) => T): T[] => {
  const index = list.length === 0 ? 0 : random.int(list.length);
  return list.length === 0 ? [] : at(list, index, change(list[index]!));
};

const tensorsOf = ({ inputs, outputs, initialisers, nodes }: GraphBody): string[] => [
  ...[...inputs, ...outputs, ...initialisers].map(({ name }) => name),
  ...nodes.flatMap((node) => [...node.inputs, ...node.outputs]),
];

const sizes = [0, 1, 2, 3, 7, 64, 65, -1, 2 ** 31, 2 ** 40, 2 ** 53, -(2 ** 31)];
const types: readonly ElementType[] = ['float32', 'float64', 'float16', 'int64', 'bool', 'string'];

const withAttribute = (node: OnnxNode, name: string, value: Attribute): OnnxNode => ({
  ...node,
  attributes: Object.fromEntries([...Object.entries(node.attributes ?? {}), [name, value]]),
});

const numbers: Change<Attribute> = (attribute, random) => {
  if ('int' in attribute) return { int: pick(sizes, random) };
  if ('float' in attribute) return { float: pick([0, -1, Number.NaN, Infinity, 1e38], random) };
  if ('ints' in attribute) {
    const { ints } = attribute;
    if (random.int(3) === 0) return { ints: [...ints, pick(sizes, random)] };
    if (random.int(3) === 0) return { ints: ints.slice(1) };
    return { ints: one(ints, random, () => pick(sizes, random)) };
  }
  if ('tensor' in attribute) return { tensor: reshaped(attribute.tensor, random) };
  return { string: strangeName(random) };
};

const kinds: readonly Attribute[] = [
  ...[{ int: 1 }, { ints: [] }, { ints: [1] }, { float: 0.5 }, { floats: [1] }, { string: 'x' }],
  ...[{ strings: [] }, { tensor: { data: new Float32Array(0), shape: [0] } }],
];

const attributes: Change<OnnxNode> = (node, random, graph) => {
  const own = Object.entries(node.attributes ?? {});
  if (own.length === 0)
    return withAttribute(node, pick(['axis', 'axes', 'perm'], random), kinds[2]!);
  const index = random.int(own.length);
  const [name, value] = own[index]!;
  const changed = (): [string, Attribute] => {
    if ('graph' in value) return [name, { graph: rewiredBody(value.graph, random, graph) }];
    return [name, random.int(4) === 0 ? pick(kinds, random) : numbers(value, random, graph)];
  };
  const entries =
    random.int(6) === 0 ? own.filter((_, place) => place !== index) : at(own, index, changed());
  return { ...node, attributes: Object.fromEntries(entries) };
};

const reshaped = (array: Initialiser['array'], random: Random): Initialiser['array'] => {
  const { data, shape } = array;
  switch (random.int(6)) {
    case 0:
      return { data, shape: [1, ...shape] };
    case 1:
      return { data, shape: shape.toReversed() };
    case 2:
      return { data, shape: [data.length] };
    case 3:
      return { data: Float32Array.from({ length: 6 }, (_, i) => i), shape: [2, 3] };
    case 4: {
      const values = Array.from({ length: 1 + random.int(5) }, () => pick(sizes, random));
      return { data: BigInt64Array.from(values, BigInt), shape: [values.length] };
    }
    default: {
      const whole = data instanceof BigInt64Array ? data.slice() : null;
      if (whole === null || whole.length === 0) return { data: data.slice(0, 0), shape: [0] };
      whole[random.int(whole.length)] = BigInt(pick(sizes, random));
      return { data: whole, shape };
    }
  }
};

const initialiser: Change<Initialiser> = ({ name, array, type }, random) => {
  const changed = reshaped(array, random);
  const isSame = changed.data.constructor === array.data.constructor;
  return { name, array: changed, ...(isSame && type !== undefined ? { type } : {}) };
};

const value: Change<ValueInfo> = (info, random) => {
  const { shape } = info;
  switch (random.int(5)) {
    case 0:
      return { ...info, type: pick(types, random) };
    case 1:
      return { ...info, shape: null };
    case 2:
      return { ...info, shape: [...(shape ?? []), pick(sizes, random)] };
    case 3:
      return { ...info, shape: (shape ?? []).slice(1) };
    default:
      return {
        ...info,
        shape: one(shape ?? [], random, () =>
          random.int(2) === 0 ? pick(sizes, random) : strangeName(random),
        ),
      };
  }
};

/** An input that is another tensor (of before, of after, of itself, of nowhere), left out, or one more. */
const inputs = (node: OnnxNode, random: Random, tensors: readonly string[]): OnnxNode => {
  const other = (): string => pick([...tensors, 'nowhere', ''], random);
  const way = random.int(4);
  if (way === 0) return { ...node, inputs: [...node.inputs, other()] };
  if (way === 1) return { ...node, inputs: node.inputs.slice(0, -1) };
  if (way === 2) return { ...node, inputs: node.inputs.toReversed() };
  return { ...node, inputs: one(node.inputs, random, other) };
};

const outputs = (node: OnnxNode, random: Random, tensors: readonly string[]): OnnxNode => {
  const way = random.int(4);
  if (way === 0) return { ...node, outputs: [...node.outputs, ...node.outputs] };
  if (way === 1) return { ...node, outputs: random.int(2) === 0 ? [] : [''] };
  return { ...node, outputs: one(node.outputs, random, () => pick(tensors, random)) };
};

const exchanged = (nodes: readonly OnnxNode[], random: Random): OnnxNode[] => {
  if (nodes.length === 0) return [];
  const [a, b] = [random.int(nodes.length), random.int(nodes.length)];
  const [first, second] = [nodes[a]!, nodes[b]!];
  switch (random.int(4)) {
    case 0:
      return at(at(nodes, a, second), b, first);
    case 1:
      return nodes.filter((_, index) => index !== a);
    case 2:
      return [...nodes, first];
    default: {
      const once = at(nodes, a, { ...first, inputs: second.inputs });
      return at(once, b, { ...second, inputs: first.inputs });
    }
  }
};

const operations =
  'Reshape Transpose Concat Slice Gather Flatten Unsqueeze Squeeze Expand Range ConstantOfShape Shape Split Pad Resize Tile Einsum If Loop Scan MatMul Gemm Conv ConvTranspose MaxPool AveragePool BatchNormalization LayerNormalization TopK Where Cast CastLike Identity Dropout ReduceMean DepthToSpace SpaceToDepth GatherND ScatterND OneHot NonZero QLinearConv DequantizeLinear Softmax Clip LRN GlobalAveragePool'.split(
    ' ',
  );

const node: Change<OnnxNode> = (given, random, graph) => {
  const tensors = tensorsOf(graph);
  switch (random.int(6)) {
    case 0:
    case 1:
      return inputs(given, random, tensors);
    case 2:
      return outputs(given, random, tensors);
    case 3:
      return { ...given, op: pick([...operations, ...graph.nodes.map(({ op }) => op)], random) };
    default:
      return attributes(given, random, graph);
  }
};

const rewiredBody = <G extends GraphBody>(body: G, random: Random, graph: OnnxGraph): G => {
  const again = <T>(list: readonly T[]): T[] => {
    if (list.length === 0) return [];
    return random.int(2) === 0 ? [...list, pick(list, random)] : list.slice(1);
  };
  switch (random.int(12)) {
    case 0:
      return { ...body, nodes: exchanged(body.nodes, random) };
    case 1:
    case 2:
    case 3:
      return {
        ...body,
        initialisers: one(body.initialisers, random, (each) => initialiser(each, random, graph)),
      };
    case 4:
      return { ...body, inputs: one(body.inputs, random, (each) => value(each, random, graph)) };
    case 5:
      return { ...body, outputs: one(body.outputs, random, (each) => value(each, random, graph)) };
    case 6:
      switch (random.int(3)) {
        case 0:
          return { ...body, inputs: again(body.inputs) };
        case 1:
          return { ...body, outputs: again(body.outputs) };
        default:
          return { ...body, initialisers: again(body.initialisers) };
      }
    default:
      return { ...body, nodes: one(body.nodes, random, (each) => node(each, random, graph)) };
  }
};

const named = <T extends { readonly name?: string }>(
  list: readonly T[],
  random: Random,
  name: string,
): T[] => one(list, random, (each) => ({ ...each, name }));

/** One thing of a graph under another name: a tensor everywhere or at one place, a node, an operation, a domain, a key. */
const renamedGraph: Change<OnnxGraph> = (graph, random) => {
  const tensors = tensorsOf(graph);
  const name = strangeName(random, tensors);
  const text = (each: string): string => (random.int(2) === 0 ? name : `${each}${name}`);
  switch (random.int(11)) {
    case 0:
    case 1:
    case 2:
      return renamed(graph, Object.fromEntries([[pick(tensors, random), name]]));
    case 3:
      return { ...graph, inputs: named(graph.inputs, random, name) };
    case 4:
      return { ...graph, outputs: named(graph.outputs, random, name) };
    case 5:
      return { ...graph, initialisers: named(graph.initialisers, random, name) };
    case 6:
      return {
        ...graph,
        nodes: one(graph.nodes, random, (each) => ({ ...each, name: text(each.name ?? '') })),
      };
    case 7:
      return { ...graph, nodes: one(graph.nodes, random, (each) => ({ ...each, op: name })) };
    case 8:
      return {
        ...graph,
        nodes: one(graph.nodes, random, (each) => withAttribute(each, name, pick(kinds, random))),
      };
    case 9: {
      const metadata = Object.fromEntries([
        [pick([name, 'namespace', 'pkg.torch.onnx.name_scopes'], random), strangeName(random)],
      ]);
      return { ...graph, nodes: one(graph.nodes, random, (each) => ({ ...each, metadata })) };
    }
    default:
      return {
        ...graph,
        nodes: one(graph.nodes, random, (each) => ({ ...each, domain: name })),
        opsets: Object.fromEntries([[name, 1]]),
      };
  }
};

const rewired: Change<OnnxGraph> = (graph, random) =>
  random.int(12) === 0
    ? { ...graph, opset: 6 + random.int(18) }
    : rewiredBody(graph, random, graph);

const decoded = new WeakMap<Uint8Array, OnnxGraph>();

const graphOf = (bytes: Uint8Array): OnnxGraph => {
  const there = decoded.get(bytes);
  if (there !== undefined) return there;
  const graph = decodeModel(bytes, 'seed.onnx');
  decoded.set(bytes, graph);
  return graph;
};

const changedBy =
  (change: Change<OnnxGraph>) =>
  (bytes: Uint8Array, random: Random): Uint8Array => {
    let graph = graphOf(bytes);
    for (let edit = 1 + random.int(3); edit > 0; edit--) graph = change(graph, random, graph);
    return encodeModel(graph);
  };

/** A model with one to three names changed; now and then the bytes of one are no UTF-8. */
export const renamedModel = (bytes: Uint8Array, random: Random): Uint8Array => {
  const changed = changedBy(renamedGraph)(bytes, random);
  if (random.int(6) > 0) return changed;
  const name = pick(graphOf(bytes).nodes, random).outputs[0]!;
  const place = Buffer.from(changed).indexOf(name);
  if (place >= 0) changed[place] = 0xff;
  return changed;
};

/** A model with one to three changes of its graph: inputs exchanged, cycles, tensors of nowhere, shapes, attributes. */
export const rewiredModel = changedBy(rewired);
