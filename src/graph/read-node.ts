import type { AttributeOf } from './attributes.ts';
import { type ReadTensor, readTensor } from './read-tensor.ts';
import { ATTRIBUTE, ATTRIBUTE_TYPE, ENTRY, GRAPH, NODE, TENSOR, VALUE } from './schema.ts';
import {
  type ByteRange,
  damaged,
  type Field,
  fieldsOf,
  floatOf,
  type Source,
  textOf,
  varintsOf,
} from './wire.ts';

/** An attribute of a node; of a subgraph it says where it lies, since only `decodeModel` enters it. */
export type ReadAttribute = AttributeOf<
  { readonly tensor: ReadTensor } | { readonly graph: ByteRange }
>;

/** An operation of the graph. */
export interface ReadNode {
  readonly op: string;
  /** Empty for ONNX's own operations. */
  readonly domain: string;
  readonly name: string;
  /** Tensors; an empty string is an optional input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Tensors of this graph that its subgraphs (If, Loop, Scan) use without naming them as inputs. */
  readonly captured: readonly string[];
  readonly attributes: Readonly<Record<string, ReadAttribute>>;
  /** metadata_props, in which dynamo exports say whence a node comes. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Deeper nesting is no network but a damaged file, which must not exhaust the stack. */
const DEEPEST = 32;

const floatsOf = (source: Source, field: Field): number[] => {
  if (field.wire !== 2) return [floatOf(source, field)];
  const values: number[] = [];
  for (let from = field.from; from + 4 <= field.to; from += 4) {
    values.push(floatOf(source, { ...field, from }));
  }
  return values;
};

/** Names used and names defined in the subgraph `[from, to)`, outer names being the difference. */
const outerNames = (source: Source, from: number, to: number, depth: number): Set<string> => {
  if (depth > DEEPEST) throw damaged(source.name, `subgraphs nested more than ${DEEPEST} deep`);
  const used = new Set<string>();
  const defined = new Set<string>();
  for (const field of fieldsOf(source, from, to)) {
    if (field.number === GRAPH.node) {
      const node = readNode(source, field.from, field.to, depth);
      for (const name of [...node.inputs, ...node.captured]) used.add(name);
      for (const name of node.outputs) defined.add(name);
    } else if (field.number === GRAPH.initialiser) {
      defined.add(nameIn(source, field, TENSOR.name));
    } else if (field.number === GRAPH.input) {
      defined.add(nameIn(source, field, VALUE.name));
    } else if (field.number === GRAPH.output) {
      used.add(nameIn(source, field, VALUE.name));
    }
  }
  return new Set([...used].filter((name) => name !== '' && !defined.has(name)));
};

const nameIn = (source: Source, message: Field, number: number): string => {
  let name = '';
  for (const field of fieldsOf(source, message.from, message.to)) {
    if (field.number === number) name = textOf(source, field);
  }
  return name;
};

/** What an attribute is of which the file gives the type alone: writers may leave zeros and empty lists out. */
const EMPTY: Readonly<Record<number, ReadAttribute>> = {
  [ATTRIBUTE_TYPE.int]: { int: 0 },
  [ATTRIBUTE_TYPE.ints]: { ints: [] },
  [ATTRIBUTE_TYPE.float]: { float: 0 },
  [ATTRIBUTE_TYPE.floats]: { floats: [] },
  [ATTRIBUTE_TYPE.string]: { string: '' },
  [ATTRIBUTE_TYPE.strings]: { strings: [] },
};

const attributeOf = (
  source: Source,
  attribute: Field,
  depth: number,
): { name: string; value: ReadAttribute; captured: Set<string> } => {
  let name = '';
  let value: ReadAttribute | null = null;
  let type = 0;
  const ints: number[] = [];
  const floats: number[] = [];
  const strings: string[] = [];
  const captured = new Set<string>();
  for (const field of fieldsOf(source, attribute.from, attribute.to)) {
    if (field.number === ATTRIBUTE.name) name = textOf(source, field);
    else if (field.number === ATTRIBUTE.type) type = field.value;
    else if (field.number === ATTRIBUTE.i) value = { int: field.value };
    else if (field.number === ATTRIBUTE.f) value = { float: floatOf(source, field) };
    else if (field.number === ATTRIBUTE.s) value = { string: textOf(source, field) };
    else if (field.number === ATTRIBUTE.t) {
      value = { tensor: readTensor(source, field.from, field.to) };
    } else if (field.number === ATTRIBUTE.ints) {
      for (const each of varintsOf(source, field)) ints.push(each);
      value = { ints };
    } else if (field.number === ATTRIBUTE.floats) {
      for (const each of floatsOf(source, field)) floats.push(each);
      value = { floats };
    } else if (field.number === ATTRIBUTE.strings) {
      strings.push(textOf(source, field));
      value = { strings };
    } else if (field.number === ATTRIBUTE.g || field.number === ATTRIBUTE.graphs) {
      for (const each of outerNames(source, field.from, field.to, depth + 1)) captured.add(each);
      value =
        field.number === ATTRIBUTE.g
          ? { graph: { from: field.from, to: field.to } }
          : { other: true };
    }
  }
  return { name, value: value ?? EMPTY[type] ?? { other: true }, captured };
};

const entryOf = (source: Source, field: Field): [string, string] => [
  nameIn(source, field, ENTRY.key),
  nameIn(source, field, ENTRY.value),
];

/** Reads the NodeProto in `[from, to)`; `depth` counts the subgraphs around it. */
export const readNode = (source: Source, from: number, to: number, depth = 0): ReadNode => {
  let op = '';
  let domain = '';
  let name = '';
  const inputs: string[] = [];
  const outputs: string[] = [];
  const captured = new Set<string>();
  // Keys may be `__proto__`, to which an object cannot be set.
  const attributes = new Map<string, ReadAttribute>();
  const metadata = new Map<string, string>();
  for (const field of fieldsOf(source, from, to)) {
    if (field.number === NODE.input) inputs.push(textOf(source, field));
    else if (field.number === NODE.output) outputs.push(textOf(source, field));
    else if (field.number === NODE.name) name = textOf(source, field);
    else if (field.number === NODE.opType) op = textOf(source, field);
    else if (field.number === NODE.domain) domain = textOf(source, field);
    else if (field.number === NODE.metadata) {
      metadata.set(...entryOf(source, field));
    } else if (field.number === NODE.attribute) {
      const attribute = attributeOf(source, field, depth);
      attributes.set(attribute.name, attribute.value);
      for (const each of attribute.captured) captured.add(each);
    }
  }
  return {
    op,
    domain: domain === 'ai.onnx' ? '' : domain,
    name,
    inputs,
    outputs,
    captured: [...captured],
    attributes: Object.fromEntries(attributes),
    metadata: Object.fromEntries(metadata),
  };
};
