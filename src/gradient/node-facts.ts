import type { Attribute, OnnxGraph, OnnxNode } from '../graph/encode.ts';
import { inferFacts } from '../graph/facts.ts';
import type { ModelStructure } from '../graph/read.ts';
import type { ReadAttribute, ReadNode } from '../graph/read-node.ts';
import type { ElementType } from '../graph/schema.ts';
import type { NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';

// An adapter: the shapes of a graph that is a record, from the inference that reads files.

export interface TensorFact {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

const TYPES: readonly (readonly [new (...args: never[]) => unknown, ElementType])[] = [
  [Float32Array, 'float32'],
  [Float64Array, 'float64'],
  [BigInt64Array, 'int64'],
  [Int32Array, 'int32'],
  [Int8Array, 'int8'],
  [Uint8Array, 'uint8'],
];
export const typeOf = ({ data }: NdArray): ElementType =>
  TYPES.find(([type]) => data instanceof type)?.[1] ?? 'undefined';

const valuesOf = (array: NdArray): number[] | null =>
  array.data.length > 64 ? null : Array.from(array.data as Float64Array, Number);

const range = { from: 0, to: 0 };

const readAttribute = (attribute: Attribute): ReadAttribute => {
  const [kind, value] = Object.entries(attribute)[0]!;
  if (kind !== 'tensor') return { kind, value, [kind]: value } as unknown as ReadAttribute;
  const array = value as NdArray;
  const { shape: dims } = array;
  const tensor = { name: '', type: typeOf(array), dims, external: null, values: valuesOf(array) };
  return { kind, value: tensor, tensor } as unknown as ReadAttribute;
};

const readNode = (node: OnnxNode): ReadNode => ({
  op: node.op,
  domain: node.domain ?? '',
  name: node.name ?? '',
  inputs: node.inputs,
  outputs: node.outputs,
  captured: [],
  attributes: Object.fromEntries(
    Object.entries(node.attributes ?? {}).map(([name, value]) => [name, readAttribute(value)]),
  ),
  metadata: {},
});

const structureOf = (graph: OnnxGraph): ModelStructure =>
  ({
    name: graph.name,
    irVersion: 8,
    producer: 'ventral',
    opset: graph.opset,
    opsets: { '': graph.opset },
    nodes: graph.nodes.map((node) => ({ ...readNode(node), range })),
    inputs: graph.inputs.map((value) => ({ ...value, range })),
    outputs: [],
    values: [],
    initialisers: graph.initialisers.map(({ name, array }) => ({
      name,
      type: typeOf(array),
      dims: array.shape,
      external: null,
      values: valuesOf(array),
      range,
    })),
    sparse: [],
    functions: [],
    rest: [],
    around: [],
  }) as unknown as ModelStructure;

const unknown = (node: OnnxNode | null, tensor: string): Error =>
  inputError({
    where: node === null ? `tensor ${tensor}` : `node ${node.name ?? tensor} (${node.op})`,
    expected: 'a shape that is known without running the model',
    got: `no static shape for tensor ${tensor}`,
    mend: 'fix the sizes of the input (batch, height, width)',
  });

/** Type and shape of every tensor. */
export const staticShapes = (graph: OnnxGraph): Map<string, TensorFact> => {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const facts = new Map<string, TensorFact>();
  for (const [name, { type, shape }] of inferFacts(structureOf(graph), {})) {
    if (name === '') continue;
    if (shape === null || shape.includes(null)) throw unknown(makers.get(name) ?? null, name);
    facts.set(name, { type, shape: shape as readonly number[] });
  }
  return facts;
};

/** One node's outputs from its inputs' facts and constant values. */
export const nodeFacts = (
  node: OnnxNode,
  inputs: readonly (TensorFact & { readonly values?: NdArray | null })[],
  opset: number,
): TensorFact[] => {
  const facts = staticShapes({
    name: '',
    opset,
    inputs: inputs.flatMap(({ type, shape, values }, index) =>
      values || node.inputs[index] === '' ? [] : [{ name: node.inputs[index]!, type, shape }],
    ),
    outputs: [],
    initialisers: inputs.flatMap(({ values }, index) =>
      values ? [{ name: node.inputs[index]!, array: values }] : [],
    ),
    nodes: [node],
  });
  return node.outputs.map((name) => facts.get(name)!);
};
