import { inputError } from '../records/errors.ts';
import { ownValue } from '../records/own-value.ts';
import { decodeTensor, type ExternalFiles } from './decode-tensor.ts';
import type { Attribute, GraphBody, Initialiser, OnnxGraph, OnnxNode, ValueInfo } from './graph.ts';
import { fedInputs, type GraphParts, type ReadValue, readBody, readModel } from './read.ts';
import type { ReadAttribute, ReadNode } from './read-node.ts';
import type { ReadTensor } from './read-tensor.ts';
import { type ElementType, GRAPH } from './schema.ts';
import { elementTypeOf, wholeNumbers } from './storage.ts';
import { damaged, fieldsOf, type Source, textOf, truncated } from './wire.ts';

/** What decoding needs beside the record at hand. */
interface Decoding {
  readonly source: Source;
  readonly external: ExternalFiles;
}

const typeOf = (
  type: ElementType,
  { data }: Initialiser['array'],
): { readonly type?: ElementType } => (elementTypeOf(data) === type ? {} : { type });

const decodeInitialiser = ({ source, external }: Decoding, tensor: ReadTensor): Initialiser => {
  const array = decodeTensor(source, tensor, external);
  return { name: tensor.name, array, ...typeOf(tensor.type, array) };
};

const labelOf = ({ name, op, outputs }: ReadNode): string =>
  `node "${name === '' ? (outputs[0] ?? '') : name}" (${op})`;

const decodeAttribute = (
  decoding: Decoding,
  node: ReadNode,
  name: string,
  attribute: ReadAttribute,
): Attribute => {
  if ('tensor' in attribute) {
    const array = decodeTensor(decoding.source, attribute.tensor, decoding.external);
    return { tensor: array, ...typeOf(attribute.tensor.type, array) };
  }
  if ('graph' in attribute) {
    return { graph: decodeBody(decoding, readBody(decoding.source, attribute.graph)) };
  }
  if ('other' in attribute) {
    throw inputError({
      where: `${decoding.source.name}: ${labelOf(node)}`,
      expected: `a number, a text or a tensor as attribute "${name}"`,
      got: 'something else',
      mend: 'export the network again with plain ONNX operations',
    });
  }
  return attribute;
};

const decodeNode = (decoding: Decoding, node: ReadNode): OnnxNode => {
  const attributes = Object.entries(node.attributes).map(
    ([name, attribute]) => [name, decodeAttribute(decoding, node, name, attribute)] as const,
  );
  return {
    op: node.op,
    inputs: node.inputs,
    outputs: node.outputs,
    ...(node.name === '' ? {} : { name: node.name }),
    ...(node.domain === '' ? {} : { domain: node.domain }),
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
    ...(Object.keys(node.metadata).length === 0 ? {} : { metadata: node.metadata }),
  };
};

/** Sizes that are not declared get a symbol of their own. */
const decodeValue = ({ name, type, shape }: ReadValue): ValueInfo => ({
  name,
  type,
  shape: shape?.map((size, axis) => size ?? `${name}.${axis}`) ?? null,
});

/** What a Constant node holds; `null` for another node, and for kinds that networks don't compute with. */
const constantOf = (decoding: Decoding, node: ReadNode): Initialiser | null => {
  if (node.op !== 'Constant' || node.domain !== '') return null;
  const [[kind, attribute] = ['', null]] = Object.entries(node.attributes);
  if (attribute === null) return null;
  const name = node.outputs[0] ?? '';
  if ('tensor' in attribute) return { ...decodeInitialiser(decoding, attribute.tensor), name };
  const whole = 'int' in attribute ? [attribute.int] : 'ints' in attribute ? attribute.ints : null;
  const real =
    'float' in attribute ? [attribute.float] : 'floats' in attribute ? attribute.floats : null;
  const shape = kind.endsWith('s') ? [(whole ?? real)?.length ?? 0] : [];
  if (whole !== null) return { name, array: { data: wholeNumbers(whole), shape } };
  return real === null ? null : { name, array: { data: Float32Array.from(real), shape } };
};

const graphName = (source: Source, { rest }: GraphParts): string => {
  for (const { from, to } of rest) {
    for (const field of fieldsOf(source, from, to)) {
      if (field.number === GRAPH.name) return textOf(source, field);
    }
  }
  return '';
};

const decodeBody = (decoding: Decoding, parts: GraphParts): GraphBody => {
  if (parts.sparse.length > 0) {
    throw inputError({
      where: `${decoding.source.name}: tensor "${parts.sparse[0]!.name}"`,
      expected: 'dense weights',
      got: 'sparse ones',
      mend: 'export the network with dense weights',
    });
  }
  const initialisers = parts.initialisers.map((tensor) => decodeInitialiser(decoding, tensor));
  const nodes: OnnxNode[] = [];
  for (const node of parts.nodes) {
    if (node.op === '') throw damaged(decoding.source.name, 'a node without an operation');
    const constant = constantOf(decoding, node);
    if (constant === null) nodes.push(decodeNode(decoding, node));
    else initialisers.push(constant);
  }
  return {
    name: graphName(decoding.source, parts),
    inputs: fedInputs(parts).map(decodeValue),
    outputs: parts.outputs.map(decodeValue),
    initialisers,
    nodes,
  };
};

/**
 * A whole model as plain records, its weights included, each in memory of its own (the bytes may be let go). Constant
 * nodes become initialisers. Inputs that an initialiser fills are left out; so is what has no bearing on the function
 * (documentation, declared inner shapes, the producer). The nodes stay in the order of the file.
 *
 * Weights take as much memory as in the file (int64 that is packed as varints up to 8 times as much).
 *
 * Input errors: what `readModel` refuses; damaged or foreign tensors (see `decodeTensor`); the model's own functions,
 * sparse weights, attributes that are lists of tensors or graphs.
 *
 * @param bytes the ONNX file.
 * @param name the file as the user knows it, for messages.
 * @param external the files of its external data, by the path that the model gives (`models/external.ts` lists them).
 */
export const decodeModel = (
  bytes: Uint8Array,
  name: string,
  external: ExternalFiles = {},
): OnnxGraph => {
  const structure = readModel(bytes, name);
  const own = new Set(structure.functions);
  const called = structure.nodes.find((node) => own.has(`${node.domain}:${node.op}`));
  if (called !== undefined) {
    throw inputError({
      where: `${name}: ${labelOf(called)}`,
      expected: 'an operation of ONNX',
      got: 'a function that the model itself defines',
      mend: 'export the network again with its functions written out (onnx.inliner does it)',
    });
  }
  const foreign = structure.nodes.find(
    ({ domain }) => domain !== '' && ownValue(structure.opsets, domain) === undefined,
  );
  if (foreign !== undefined) {
    throw truncated(name, `the version of the operations of ${foreign.domain} is missing`);
  }
  const body = decodeBody({ source: { bytes, name }, external }, structure);
  const { '': _, ...opsets } = structure.opsets;
  return {
    ...body,
    opset: structure.opset,
    ...(Object.keys(opsets).length === 0 ? {} : { opsets }),
  };
};
