import { inputError } from '../records/errors.ts';
import { externalTensors } from './external-tensors.ts';
import { looksLike } from './looks-like.ts';
import { type ReadNode, readNode } from './read-node.ts';
import { type ReadTensor, readTensor } from './read-tensor.ts';
import { type ElementType, elementTypeOfCode, GRAPH, MODEL, TYPE, VALUE } from './schema.ts';
import {
  type ByteRange,
  damaged,
  type Field,
  fieldsOf,
  type Source,
  textOf,
  truncated,
} from './wire.ts';

/** An input, output or inner tensor as declared. A dimension without a size is `null`. */
export interface ReadValue {
  readonly name: string;
  /** `undefined` for sequences, maps and undeclared types. */
  readonly type: ElementType;
  /** Sizes, symbols, or `null` where undeclared; the whole is `null` where no shape is declared. */
  readonly shape: readonly (number | string | null)[] | null;
}

/** A part of the graph with the bytes of its field, key included: splicing copies these. */
export type Placed<T> = T & { readonly range: ByteRange };

/** A graph, or the body of an If or a Loop. */
export interface GraphParts {
  readonly nodes: readonly Placed<ReadNode>[];
  /** Graph inputs; models of IR version 3 and less repeat every initialiser here: see `fedInputs`. */
  readonly inputs: readonly Placed<ReadValue>[];
  readonly outputs: readonly Placed<ReadValue>[];
  /** Declared inner tensors. */
  readonly values: readonly Placed<ReadValue>[];
  readonly initialisers: readonly Placed<ReadTensor>[];
  /** Sparse initialisers, by name. */
  readonly sparse: readonly Placed<{ readonly name: string }>[];
  /** The other fields of the graph (name, documentation, annotations). */
  readonly rest: readonly ByteRange[];
}

/** Everything about an ONNX model but its weights. */
export interface ModelStructure extends GraphParts {
  /** File name, for messages. */
  readonly name: string;
  readonly irVersion: number;
  readonly producer: string;
  /** Version of ONNX's own operations. */
  readonly opset: number;
  readonly opsets: Readonly<Record<string, number>>;
  /** Names of the model's own functions (`domain:name`), which are kept whole. */
  readonly functions: readonly string[];
  /** Every tensor whose numbers lie in another file, also in attributes, subgraphs and functions. */
  readonly external: readonly ReadTensor[];
  /** The fields of the model around its graph. */
  readonly around: readonly ByteRange[];
}

/** The inputs that a run must feed: those that no initialiser fills. */
export const fedInputs = ({
  inputs,
  initialisers,
  sparse,
}: Pick<GraphParts, 'inputs' | 'initialisers' | 'sparse'>): Placed<ReadValue>[] => {
  const filled = new Set([...initialisers, ...sparse].map(({ name }) => name));
  return inputs.filter(({ name }) => !filled.has(name));
};

const rangeOf = ({ start, to }: Field): ByteRange => ({ from: start, to });

const readShape = (source: Source, shape: Field): (number | string | null)[] => {
  const sizes: (number | string | null)[] = [];
  for (const dim of fieldsOf(source, shape.from, shape.to)) {
    if (dim.number !== TYPE.dim) continue;
    let size: number | string | null = null;
    for (const field of fieldsOf(source, dim.from, dim.to)) {
      if (field.number === TYPE.dimValue) size = field.value;
      if (field.number === TYPE.dimParam) size = textOf(source, field);
    }
    sizes.push(size === '' || (typeof size === 'number' && size < 0) ? null : size);
  }
  return sizes;
};

const readValue = (source: Source, value: Field): Placed<ReadValue> => {
  let name = '';
  let type: ElementType = 'undefined';
  let shape: ReadValue['shape'] = null;
  for (const field of fieldsOf(source, value.from, value.to)) {
    if (field.number === VALUE.name) name = textOf(source, field);
    if (field.number !== VALUE.type) continue;
    for (const kind of fieldsOf(source, field.from, field.to)) {
      if (kind.number !== TYPE.tensor) continue;
      for (const part of fieldsOf(source, kind.from, kind.to)) {
        if (part.number === TYPE.elementType) type = elementTypeOfCode(part.value);
        if (part.number === TYPE.shape) shape = readShape(source, part);
      }
    }
  }
  return { name, type, shape, range: rangeOf(value) };
};

/** Field 1 (`values`) of a SparseTensorProto is a TensorProto that carries the name. */
const readSparse = (source: Source, field: Field): Placed<{ name: string }> => {
  for (const part of fieldsOf(source, field.from, field.to)) {
    if (part.number === 1) {
      return { name: readTensor(source, part.from, part.to).name, range: rangeOf(field) };
    }
  }
  throw damaged(source.name, `a sparse initialiser without values at byte ${field.start}`);
};

/** The parts being collected: a model's graph may come in several fields. */
type Collected = { readonly [Part in keyof GraphParts]: GraphParts[Part][number][] };

const noParts = (): Collected => ({
  nodes: [],
  inputs: [],
  outputs: [],
  values: [],
  initialisers: [],
  sparse: [],
  rest: [],
});

const isMessage: ReadonlySet<number> = new Set([
  GRAPH.node,
  GRAPH.initialiser,
  GRAPH.input,
  GRAPH.output,
  GRAPH.valueInfo,
  GRAPH.sparseInitialiser,
]);

const readGraph = (source: Source, graph: ByteRange, parts: Collected): void => {
  for (const field of fieldsOf(source, graph.from, graph.to)) {
    if (isMessage.has(field.number) && field.wire !== 2) {
      throw damaged(source.name, `a graph field of the wrong kind at byte ${field.start}`);
    }
    if (field.number === GRAPH.node) {
      parts.nodes.push({ ...readNode(source, field.from, field.to), range: rangeOf(field) });
    } else if (field.number === GRAPH.initialiser) {
      parts.initialisers.push({
        ...readTensor(source, field.from, field.to),
        range: rangeOf(field),
      });
    } else if (field.number === GRAPH.input) parts.inputs.push(readValue(source, field));
    else if (field.number === GRAPH.output) parts.outputs.push(readValue(source, field));
    else if (field.number === GRAPH.valueInfo) parts.values.push(readValue(source, field));
    else if (field.number === GRAPH.sparseInitialiser) parts.sparse.push(readSparse(source, field));
    else parts.rest.push(rangeOf(field));
  }
};

/** The subgraph in `[from, to)`; the ranges of its parts are those of the file. */
export const readBody = (source: Source, range: ByteRange): GraphParts => {
  const parts = noParts();
  readGraph(source, range, parts);
  return parts;
};

const readOpset = (source: Source, field: Field): [domain: string, version: number] => {
  let domain = '';
  let version = 0;
  for (const part of fieldsOf(source, field.from, field.to)) {
    if (part.number === 1) domain = textOf(source, part);
    if (part.number === 2) version = part.value;
  }
  return [domain === 'ai.onnx' ? '' : domain, version];
};

/** FunctionProto: name 1, domain 10. */
const functionName = (source: Source, field: Field): string => {
  let name = '';
  let domain = '';
  for (const part of fieldsOf(source, field.from, field.to)) {
    if (part.number === 1) name = textOf(source, part);
    if (part.number === 10) domain = textOf(source, part);
  }
  return `${domain}:${name}`;
};

const VARINT_FIELDS: ReadonlySet<number> = new Set([MODEL.irVersion, MODEL.modelVersion]);
const KNOWN_FIELDS: ReadonlySet<number> = new Set(Object.values(MODEL));

const notOnnx = (name: string, got: string) =>
  inputError({
    where: name,
    expected: 'an ONNX model',
    got,
    mend: 'give the .onnx file of the network (torch.onnx.export or tf2onnx makes one)',
  });

/** Other formats are told from a damaged ONNX file by their first field, which no ModelProto has. */
const checkFirstField = (source: Source): void => {
  const { bytes, name } = source;
  if (bytes.length === 0) throw notOnnx(name, 'an empty file (0 bytes)');
  const other = looksLike(bytes);
  if (other !== null) throw notOnnx(name, other);
  const tag = bytes[0]!;
  const number = tag >> 3;
  const wire = VARINT_FIELDS.has(number) ? 0 : 2;
  if (tag > 127 || !KNOWN_FIELDS.has(number) || (tag & 7) !== wire) {
    throw notOnnx(name, 'a file of another kind');
  }
};

/**
 * Reads everything but the weights, which are neither decoded nor copied: 553 MB take some milliseconds.
 * Throws an input error for a file that is empty, of another kind, damaged, or shorter than it should be.
 *
 * @param bytes the ONNX file.
 * @param name the file as the user knows it, for messages.
 */
export const readModel = (bytes: Uint8Array, name: string): ModelStructure => {
  const source: Source = { bytes, name };
  checkFirstField(source);
  const parts = noParts();
  const around: ByteRange[] = [];
  const functions: string[] = [];
  const opsets = new Map<string, number>();
  let graphs = 0;
  let irVersion = 0;
  let producer = '';
  for (const field of fieldsOf(source, 0, bytes.length)) {
    if (
      KNOWN_FIELDS.has(field.number) &&
      field.wire !== (VARINT_FIELDS.has(field.number) ? 0 : 2)
    ) {
      throw damaged(name, `a model field of the wrong kind at byte ${field.start}`);
    }
    if (field.number === MODEL.graph) {
      graphs++;
      readGraph(source, field, parts);
      continue;
    }
    around.push(rangeOf(field));
    if (field.number === MODEL.irVersion) irVersion = field.value;
    if (field.number === MODEL.producerName) producer = textOf(source, field);
    if (field.number === MODEL.functions) functions.push(functionName(source, field));
    if (field.number === MODEL.opsetImport) {
      const [domain, version] = readOpset(source, field);
      opsets.set(domain, version);
    }
  }
  if (irVersion < 1) throw notOnnx(name, 'a file without an ONNX version');
  if (graphs === 0) throw truncated(name, 'it holds no graph');
  // Before IR version 3 there were no imports, and operations were of version 1.
  const opset = opsets.get('') ?? (irVersion < 3 ? 1 : undefined);
  if (opset === undefined && opsets.size === 0) {
    throw truncated(name, 'the versions of its operations are missing');
  }
  const external = externalTensors(source);
  const read = { name, irVersion, producer, opset: opset ?? 1, functions };
  return { ...read, opsets: Object.fromEntries(opsets), external, around, ...parts };
};
