import { intAttribute, intsAttribute, textAttribute } from './attributes.ts';
import { decodeTensor } from './decode-tensor.ts';
import { inferFacts, inferGraphFacts } from './facts.ts';
import type { Attribute, Attributes, Initialiser, OnnxGraph, OnnxNode } from './graph.ts';
import type { Operation } from './operation.ts';
import type { ModelStructure } from './read.ts';
import type { ReadTensor } from './read-tensor.ts';
import type { ElementType } from './schema.ts';

// onnxruntime (1.18 to 1.30, from optimisation level "basic" on) merges a Pad with zeros into the MaxPool, AveragePool or
// Conv behind it. For Conv that is the same function. MaxPool pads with minus infinity: where values at the border are
// negative, others come out. Sums of padding as wide as the kernel are then refused, for either pool. It does so too
// where only operations lie between that it removes or moves first.

/** What stands in for nodes of a model, by their index, so that onnxruntime leaves them as they are. */
export interface Disarmed {
  readonly nodes: ReadonlyMap<number, OnnxNode>;
  readonly initialisers: readonly Initialiser[];
}

/** What is asked of a graph, read or decoded. */
interface Armed {
  readonly opset: number;
  readonly nodes: readonly (Operation & {
    readonly name?: string;
    readonly metadata?: Readonly<Record<string, string>>;
  })[];
  /** Element type of a tensor. */
  readonly typeOf: (tensor: string) => ElementType;
  /** Whether a tensor is a constant 0 that is not −0. */
  readonly isZero: (tensor: string) => boolean;
}

/** Operations that onnxruntime may remove, or move to the other side of a Pad or a pool. */
const PASSED: ReadonlySet<string> = new Set(
  'Identity Dropout Cast Transpose Reshape Flatten Squeeze Unsqueeze Expand Slice Concat Add Sub Mul Div Sum Max Min Relu Clip'.split(
    ' ',
  ),
);

const isPool = ({ op, domain = '' }: Operation): boolean =>
  domain === '' && (op === 'MaxPool' || op === 'AveragePool');

/** Pads of zeros, by index, that a pool reads, each with the pools (by index) that read it. */
const armedPads = ({ opset, nodes, isZero }: Armed): Map<number, number[]> => {
  const makers = new Map(
    nodes.flatMap(({ outputs }, index) => outputs.map((name) => [name, index])),
  );
  const isArmed = (node: Operation): boolean => {
    if (node.op !== 'Pad' || (textAttribute(node, 'mode') ?? 'constant') !== 'constant')
      return false;
    const value = node.inputs[2] ?? '';
    return opset < 11 || value === '' || isZero(value);
  };
  const found = new Map<number, number[]>();
  nodes.forEach((pool, index) => {
    if (!isPool(pool)) return;
    const open = [pool.inputs[0] ?? ''];
    const seen = new Set<number>();
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const at = makers.get(name);
      if (at === undefined || seen.has(at)) continue;
      seen.add(at);
      const node = nodes[at]!;
      if (isArmed(node)) found.set(at, [...(found.get(at) ?? []), index]);
      if (PASSED.has(node.op)) open.push(...node.inputs);
    }
  });
  return found;
};

/** The sign bit alone: −0 as 16, 32 or 64 bits. */
const NEGATIVE_ZERO: Partial<Readonly<Record<ElementType, Initialiser['array']['data']>>> = {
  float16: Uint16Array.of(0x8000),
  bfloat16: Uint16Array.of(0x8000),
  float32: Float32Array.of(-0),
  float64: Float64Array.of(-0),
};

type Rewritable = Armed['nodes'][number];

const isPlain = (value: object): value is Attribute =>
  ['int', 'ints', 'float', 'floats', 'string', 'strings'].some((kind) => kind in value);

const rewritten = (
  node: Rewritable,
  inputs: readonly string[],
  more: Attributes = {},
): OnnxNode => {
  const { op, outputs, name, metadata, attributes = {} } = node;
  const own = Object.entries(attributes).filter((entry): entry is [string, Attribute] =>
    isPlain(entry[1]),
  );
  return {
    ...{ op, inputs, outputs, attributes: { ...Object.fromEntries(own), ...more } },
    ...(name === undefined ? {} : { name }),
    ...(metadata === undefined ? {} : { metadata }),
  };
};

/** Without padding of its own: `VALID` says the same, and onnxruntime leaves it alone. */
const isUnpadded = (pool: Operation): boolean =>
  (intsAttribute(pool, 'pads') ?? []).every((pad) => pad === 0) &&
  intAttribute(pool, 'ceil_mode', 0) === 0 &&
  (textAttribute(pool, 'auto_pad') ?? 'NOTSET') === 'NOTSET';

const asValid = (pool: Rewritable): OnnxNode => {
  const { pads, ...attributes } = pool.attributes ?? {};
  return rewritten({ ...pool, attributes }, pool.inputs, { auto_pad: { string: 'VALID' } });
};

/**
 * Nodes that keep onnxruntime from merging a Pad with zeros into the pool behind it: a Pad with −0, whose bits are not
 * those that it looks for, and where a Pad cannot say that (before opset 11, integers), a pool with `auto_pad` VALID in
 * place of pads of 0. A pool with padding of its own behind such a Pad stays as it is: the comparison with the
 * unoptimised session (`models/engine-check.ts`) answers for it.
 */
const disarmed = (graph: Armed): Disarmed => {
  const nodes = new Map<number, OnnxNode>();
  const initialisers = new Map<ElementType, Initialiser>();
  for (const [at, pools] of armedPads(graph)) {
    const pad = graph.nodes[at]!;
    const type = graph.typeOf(pad.inputs[0] ?? '');
    const data = NEGATIVE_ZERO[type];
    if (graph.opset >= 11 && data !== undefined) {
      const zero = { name: `ventral.zero.${type}`, type, array: { data, shape: [] } };
      initialisers.set(type, zero);
      nodes.set(at, rewritten(pad, [...pad.inputs.slice(0, 2), zero.name, ...pad.inputs.slice(3)]));
      continue;
    }
    for (const index of pools) {
      const pool = graph.nodes[index]!;
      if (isUnpadded(pool)) nodes.set(index, asValid(pool));
    }
  }
  return { nodes, initialisers: [...initialisers.values()] };
};

/** Float16 lies there as its bits, of which −0 has one. */
const isPositiveZero = (value: number | bigint): boolean => Object.is(Number(value), 0);

const canBeArmed = (nodes: readonly Operation[]): boolean =>
  nodes.some(({ op }) => op === 'Pad') && nodes.some(isPool);

/** The small constants of a model, by name: initialisers and Constant nodes. */
const constantNamed = (
  { initialisers, nodes }: ModelStructure,
  name: string,
): ReadTensor | null => {
  const initialiser = initialisers.find((each) => each.name === name);
  if (initialiser !== undefined) return initialiser;
  const node = nodes.find(({ op, outputs }) => op === 'Constant' && outputs[0] === name);
  const value = node?.attributes.value;
  return value !== undefined && 'tensor' in value ? value.tensor : null;
};

/** What stands in for nodes of a read model, by their index in its structure (`disarmed`). */
export const disarmedNodes = (bytes: Uint8Array, structure: ModelStructure): Disarmed => {
  const { opset, nodes, name } = structure;
  if (!canBeArmed(nodes)) return { nodes: new Map(), initialisers: [] };
  const facts = inferFacts(structure, {});
  const isZero = (tensor: string): boolean => {
    const values = facts.get(tensor)?.values;
    if (values != null) return values.length === 1 && isPositiveZero(values[0]!);
    const constant = constantNamed(structure, tensor);
    // A padding value has rank 0, or one element.
    if (constant === null || constant.external !== null || constant.dims.some((dim) => dim !== 1))
      return false;
    return isPositiveZero(decodeTensor({ bytes, name }, constant, {}).data[0]!);
  };
  return disarmed({ opset, nodes, isZero, typeOf: (each) => facts.get(each)?.type ?? 'undefined' });
};

/** A decoded graph that onnxruntime computes as it stands (`disarmed`). */
export const disarmedGraph = (graph: OnnxGraph): OnnxGraph => {
  if (!canBeArmed(graph.nodes)) return graph;
  const facts = inferGraphFacts(graph);
  const constants = new Map(graph.initialisers.map(({ name, array }) => [name, array.data]));
  const { nodes, initialisers } = disarmed({
    opset: graph.opset,
    nodes: graph.nodes,
    typeOf: (tensor) => facts.get(tensor)?.type ?? 'undefined',
    isZero: (tensor) => {
      const values = constants.get(tensor) ?? facts.get(tensor)?.values ?? [];
      return values.length === 1 && isPositiveZero(values[0]!);
    },
  });
  return {
    ...graph,
    nodes: graph.nodes.map((node, index) => nodes.get(index) ?? node),
    initialisers: [...graph.initialisers, ...initialisers],
  };
};
