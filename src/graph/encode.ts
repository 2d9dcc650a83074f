import type { ArrayData, NdArray } from '../records/array.ts';
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  codeOf,
  type ElementType,
  GRAPH,
  MODEL,
  NODE,
  TENSOR,
  TYPE,
  VALUE,
} from './schema.ts';
import {
  floatField,
  join,
  messageField,
  type Pieces,
  packedVarints,
  textField,
  varintField,
} from './wire.ts';

export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string }
  | { readonly tensor: NdArray };

export interface OnnxNode {
  readonly op: string;
  /** Tensors; an empty string leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  /** Strings are symbolic dimensions; `null` leaves the shape to onnxruntime. */
  readonly shape: readonly (number | string)[] | null;
}

export interface Initialiser {
  readonly name: string;
  readonly array: NdArray;
}

export interface OnnxGraph {
  readonly name: string;
  readonly opset: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initialisers: readonly Initialiser[];
  readonly nodes: readonly OnnxNode[];
}

const elementTypeOf = (data: ArrayData): ElementType => {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof BigInt64Array) return 'int64';
  if (data instanceof BigUint64Array) return 'uint64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint32Array) return 'uint32';
  if (data instanceof Int16Array) return 'int16';
  if (data instanceof Uint16Array) return 'uint16';
  return data instanceof Int8Array ? 'int8' : 'uint8';
};

const tensor = (name: string, { data, shape }: NdArray): Pieces => [
  ...packedVarints(TENSOR.dims, shape),
  ...varintField(TENSOR.dataType, codeOf(elementTypeOf(data))),
  ...textField(TENSOR.name, name),
  // raw_data is little-endian by definition, as is every machine that onnxruntime runs on.
  ...messageField(TENSOR.rawData, [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
];

const attributeValue = (attribute: Attribute): Pieces => {
  const type = (code: number): Pieces => varintField(ATTRIBUTE.type, code);
  if ('int' in attribute) {
    return [...varintField(ATTRIBUTE.i, attribute.int), ...type(ATTRIBUTE_TYPE.int)];
  }
  if ('ints' in attribute) {
    return [...packedVarints(ATTRIBUTE.ints, attribute.ints), ...type(ATTRIBUTE_TYPE.ints)];
  }
  if ('float' in attribute) {
    return [...floatField(ATTRIBUTE.f, attribute.float), ...type(ATTRIBUTE_TYPE.float)];
  }
  if ('floats' in attribute) {
    const floats = attribute.floats.flatMap((value) => floatField(ATTRIBUTE.floats, value));
    return [...floats, ...type(ATTRIBUTE_TYPE.floats)];
  }
  if ('string' in attribute) {
    return [...textField(ATTRIBUTE.s, attribute.string), ...type(ATTRIBUTE_TYPE.string)];
  }
  return [
    ...messageField(ATTRIBUTE.t, tensor('', attribute.tensor)),
    ...type(ATTRIBUTE_TYPE.tensor),
  ];
};

/** A NodeProto field of a GraphProto. */
export const nodeField = (node: OnnxNode): Pieces =>
  messageField(GRAPH.node, [
    ...node.inputs.flatMap((name) => textField(NODE.input, name)),
    ...node.outputs.flatMap((name) => textField(NODE.output, name)),
    ...(node.name === undefined ? [] : textField(NODE.name, node.name)),
    ...textField(NODE.opType, node.op),
    ...Object.entries(node.attributes ?? {}).flatMap(([name, attribute]) =>
      messageField(NODE.attribute, [
        ...textField(ATTRIBUTE.name, name),
        ...attributeValue(attribute),
      ]),
    ),
    ...(node.domain === undefined ? [] : textField(NODE.domain, node.domain)),
  ]);

/** A TensorProto field of a GraphProto. */
export const initialiserField = ({ name, array }: Initialiser): Pieces =>
  messageField(GRAPH.initialiser, tensor(name, array));

const dimension = (size: number | string): Pieces =>
  messageField(
    TYPE.dim,
    typeof size === 'number' ? varintField(TYPE.dimValue, size) : textField(TYPE.dimParam, size),
  );

/** A ValueInfoProto field of a GraphProto: an input (`GRAPH.input`) or output (`GRAPH.output`). */
export const valueField = (field: number, { name, type, shape }: ValueInfo): Pieces =>
  messageField(field, [
    ...textField(VALUE.name, name),
    ...messageField(
      VALUE.type,
      messageField(TYPE.tensor, [
        ...varintField(TYPE.elementType, codeOf(type)),
        ...(shape === null ? [] : messageField(TYPE.shape, shape.flatMap(dimension))),
      ]),
    ),
  ]);

/** An OperatorSetIdProto field of a ModelProto. */
export const opsetField = (domain: string, version: number): Pieces =>
  messageField(MODEL.opsetImport, [...textField(1, domain), ...varintField(2, version)]);

/**
 * A whole ONNX model (IR version 8) from a graph. Weights are copied once, as raw data. Nodes of a domain other
 * than ONNX's own (`com.microsoft`) import version 1 of it. The graph is not checked: onnxruntime does that.
 */
export const encodeModel = (graph: OnnxGraph): Uint8Array => {
  const domains = new Set(graph.nodes.map(({ domain }) => domain ?? ''));
  domains.delete('');
  return join([
    ...varintField(MODEL.irVersion, 8),
    ...textField(MODEL.producerName, 'ventral'),
    ...messageField(MODEL.graph, [
      ...graph.nodes.flatMap(nodeField),
      ...textField(GRAPH.name, graph.name),
      ...graph.initialisers.flatMap(initialiserField),
      ...graph.inputs.flatMap((value) => valueField(GRAPH.input, value)),
      ...graph.outputs.flatMap((value) => valueField(GRAPH.output, value)),
    ]),
    ...opsetField('', graph.opset),
    ...[...domains].flatMap((domain) => opsetField(domain, 1)),
  ]);
};
