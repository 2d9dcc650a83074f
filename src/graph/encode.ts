import type { NdArray } from '../records/array.ts';
import { ownValue } from '../records/own-value.ts';
import type { Attribute, GraphBody, Initialiser, OnnxGraph, OnnxNode, ValueInfo } from './graph.ts';
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  codeOf,
  type ElementType,
  ENTRY,
  GRAPH,
  MODEL,
  NODE,
  TENSOR,
  TYPE,
  VALUE,
} from './schema.ts';
import { elementTypeOf } from './storage.ts';
import {
  floatField,
  join,
  messageField,
  type Pieces,
  packedVarints,
  textField,
  varintField,
} from './wire.ts';

const tensor = (name: string, { data, shape }: NdArray, type?: ElementType): Pieces => [
  ...packedVarints(TENSOR.dims, shape),
  ...varintField(TENSOR.dataType, codeOf(type ?? elementTypeOf(data))),
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
  if ('strings' in attribute) {
    const strings = attribute.strings.flatMap((value) => textField(ATTRIBUTE.strings, value));
    return [...strings, ...type(ATTRIBUTE_TYPE.strings)];
  }
  if ('graph' in attribute) {
    return [
      ...messageField(ATTRIBUTE.g, graphFields(attribute.graph)),
      ...type(ATTRIBUTE_TYPE.graph),
    ];
  }
  return [
    ...messageField(ATTRIBUTE.t, tensor('', attribute.tensor, attribute.type)),
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
    ...Object.entries(node.metadata ?? {}).flatMap(([key, value]) =>
      messageField(NODE.metadata, [...textField(ENTRY.key, key), ...textField(ENTRY.value, value)]),
    ),
  ]);

/** A TensorProto field of a GraphProto. */
export const initialiserField = ({ name, array, type }: Initialiser): Pieces =>
  messageField(GRAPH.initialiser, tensor(name, array, type));

const dimension = (size: number | string): Pieces =>
  messageField(
    TYPE.dim,
    typeof size === 'number' ? varintField(TYPE.dimValue, size) : textField(TYPE.dimParam, size),
  );

const tensorType = (type: ElementType, shape: ValueInfo['shape']): Pieces =>
  messageField(TYPE.tensor, [
    ...varintField(TYPE.elementType, codeOf(type)),
    ...(shape === null ? [] : messageField(TYPE.shape, shape.flatMap(dimension))),
  ]);

/**
 * A ValueInfoProto field of a GraphProto: an input (`GRAPH.input`) or output (`GRAPH.output`). An output of type
 * `undefined` is written by its name alone: onnxruntime infers the rest.
 */
export const valueField = (field: number, { name, type, shape }: ValueInfo): Pieces =>
  messageField(field, [
    ...textField(VALUE.name, name),
    ...(type === 'undefined' ? [] : messageField(VALUE.type, tensorType(type, shape))),
  ]);

/** An OperatorSetIdProto field of a ModelProto. */
export const opsetField = (domain: string, version: number): Pieces =>
  messageField(MODEL.opsetImport, [...textField(1, domain), ...varintField(2, version)]);

const graphFields = (graph: GraphBody): Pieces => [
  ...graph.nodes.flatMap(nodeField),
  ...textField(GRAPH.name, graph.name),
  ...graph.initialisers.flatMap(initialiserField),
  ...graph.inputs.flatMap((value) => valueField(GRAPH.input, value)),
  ...graph.outputs.flatMap((value) => valueField(GRAPH.output, value)),
];

/** Domains of the nodes and of those in their subgraphs, but ONNX's own. */
const domainsOf = ({ nodes }: GraphBody): string[] =>
  nodes.flatMap(({ domain, attributes }) => [
    ...(domain === undefined || domain === '' ? [] : [domain]),
    ...Object.values(attributes ?? {}).flatMap((each) =>
      'graph' in each ? domainsOf(each.graph) : [],
    ),
  ]);

/** The version of the file format that the operations of an opset need. */
const irVersionOf = (opset: number): number => (opset >= 21 ? 10 : opset >= 19 ? 9 : 8);

/**
 * A whole ONNX model (IR version 8; 9 from opset 19 on, 10 from 21) from a graph. Weights are copied once, as raw
 * data. Nodes of a domain other than ONNX's own (`com.microsoft`) import version 1 of it unless `opsets` says
 * otherwise. The graph is not checked: onnxruntime does that.
 */
export const encodeModel = (graph: OnnxGraph): Uint8Array =>
  join([
    ...varintField(MODEL.irVersion, irVersionOf(graph.opset)),
    ...textField(MODEL.producerName, 'ventral'),
    ...messageField(MODEL.graph, graphFields(graph)),
    ...opsetField('', graph.opset),
    ...[...new Set(domainsOf(graph))].flatMap((domain) =>
      opsetField(domain, ownValue(graph.opsets ?? {}, domain) ?? 1),
    ),
  ]);
