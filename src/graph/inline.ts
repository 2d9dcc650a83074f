// A model's own functions, written out where they are called. Done on the bytes: what a body holds is copied, under new
// names, and no weight is decoded.

import { inputError } from '../records/errors.ts';
import { opsetField } from './encode.ts';
import { ATTRIBUTE, FUNCTION, GRAPH, MODEL, NODE, OPSET, TENSOR, VALUE } from './schema.ts';
import {
  type ByteRange,
  damaged,
  type Field,
  fieldsOf,
  join,
  messageField,
  type Pieces,
  type Source,
  textField,
  textOf,
} from './wire.ts';

/** Bytes of a message, and the file that they lie in. */
interface Message extends ByteRange {
  readonly source: Source;
}

interface OwnFunction {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly Message[];
  /** What attributes are where a call leaves them out, by name. */
  readonly defaults: ReadonlyMap<string, Message>;
  readonly opsets: ReadonlyMap<string, number>;
}

/** How the parts of a body are called where it is written out. */
interface Naming {
  readonly tensor: (name: string) => string;
  readonly node: (name: string, op: string) => string;
  /** An attribute of the call, by the name that the function has for it; `null`: none. */
  readonly attribute: (name: string) => Message | null;
}

type Functions = ReadonlyMap<string, OwnFunction>;

interface Inlining {
  readonly functions: Functions;
  /** Names that calls have been written out under. */
  readonly used: Set<string>;
  /** Nodes written so far, and how many calls and subgraphs deep. */
  written: number;
  depth: number;
}

/** Deeper calls, and more nodes, are no network but a damaged file, which must not exhaust memory. */
const DEEPEST = 32;
const MOST_NODES = 500_000;

const fieldsIn = ({ source, from, to }: Message): Generator<Field> => fieldsOf(source, from, to);

const within = ({ source }: Message, { from, to }: ByteRange): Message => ({ source, from, to });

const copied = ({ source }: Message, { start, to }: Field): Pieces => [
  source.bytes.subarray(start, to),
];

const textsIn = (message: Message, number: number): string[] =>
  [...fieldsIn(message)].flatMap((field) =>
    field.number === number ? [textOf(message.source, field)] : [],
  );

const textIn = (message: Message, number: number): string => textsIn(message, number).at(-1) ?? '';

const domainIn = (message: Message, number: number): string => {
  const domain = textIn(message, number);
  return domain === 'ai.onnx' ? '' : domain;
};

const messagesIn = (message: Message, number: number): Message[] =>
  [...fieldsIn(message)].flatMap((field) =>
    field.number === number ? [within(message, field)] : [],
  );

const opsetsIn = (message: Message, number: number): Map<string, number> =>
  new Map(
    messagesIn(message, number).map((opset) => [
      domainIn(opset, OPSET.domain),
      [...fieldsIn(opset)].find((field) => field.number === OPSET.version)?.value ?? 0,
    ]),
  );

const named = (messages: readonly Message[], number: number): Map<string, Message> =>
  new Map(messages.map((message) => [textIn(message, number), message]));

const keyOf = (domain: string, name: string, overload: string): string =>
  `${domain}:${name}:${overload}`;

const readFunction = (message: Message): [string, OwnFunction] => [
  keyOf(
    domainIn(message, FUNCTION.domain),
    textIn(message, FUNCTION.name),
    textIn(message, FUNCTION.overload),
  ),
  {
    inputs: textsIn(message, FUNCTION.input),
    outputs: textsIn(message, FUNCTION.output),
    nodes: messagesIn(message, FUNCTION.node),
    defaults: named(messagesIn(message, FUNCTION.defaults), ATTRIBUTE.name),
    opsets: opsetsIn(message, FUNCTION.opsetImport),
  },
];

/** The message with one text in another's place. */
const withText = (message: Message, number: number, text: string): Pieces => [
  ...textField(number, text),
  ...[...fieldsIn(message)].flatMap((field) =>
    field.number === number ? [] : copied(message, field),
  ),
];

const renamedAttribute = (attribute: Message, naming: Naming, inlining: Inlining): Pieces => {
  const name = textIn(attribute, ATTRIBUTE.name);
  const reference = textIn(attribute, ATTRIBUTE.reference);
  if (reference !== '') {
    const given = naming.attribute(reference);
    return given === null
      ? []
      : messageField(NODE.attribute, withText(given, ATTRIBUTE.name, name));
  }
  const parts = [...fieldsIn(attribute)].flatMap((field) =>
    field.number === ATTRIBUTE.g || field.number === ATTRIBUTE.graphs
      ? messageField(field.number, renamedGraph(within(attribute, field), naming, inlining))
      : copied(attribute, field),
  );
  return messageField(NODE.attribute, parts);
};

const deeper = (inlining: Inlining, { source }: Message, write: () => Pieces): Pieces => {
  if (++inlining.depth > DEEPEST) {
    throw damaged(source.name, `functions and subgraphs more than ${DEEPEST} deep`);
  }
  const pieces = write();
  inlining.depth--;
  return pieces;
};

const renamedPart = (graph: Message, field: Field, naming: Naming, inlining: Inlining): Pieces => {
  const { number } = field;
  const part = within(graph, field);
  const renamed = (place: number): Pieces =>
    messageField(number, withText(part, place, naming.tensor(textIn(part, place))));
  if (number === GRAPH.node) {
    return expanded(joined(renamedNode(part, naming, inlining), part), inlining);
  }
  if (number === GRAPH.initialiser) return renamed(TENSOR.name);
  if (number === GRAPH.input || number === GRAPH.output || number === GRAPH.valueInfo) {
    return renamed(VALUE.name);
  }
  return copied(graph, field);
};

/** A subgraph under new names, the calls in it written out. */
const renamedGraph = (graph: Message, naming: Naming, inlining: Inlining): Pieces =>
  deeper(inlining, graph, () =>
    [...fieldsIn(graph)].flatMap((field) => renamedPart(graph, field, naming, inlining)),
  );

const renamedNode = (node: Message, naming: Naming, inlining: Inlining): Pieces => {
  const op = textIn(node, NODE.opType);
  const name = naming.node(textIn(node, NODE.name), op);
  return [
    ...textField(NODE.name, name),
    ...[...fieldsIn(node)].flatMap((field): Pieces => {
      const { number } = field;
      if (number === NODE.input || number === NODE.output) {
        const tensor = textOf(node.source, field);
        return textField(number, tensor === '' ? '' : naming.tensor(tensor));
      }
      if (number === NODE.name) return [];
      if (number === NODE.attribute) {
        return renamedAttribute(within(node, field), naming, inlining);
      }
      return copied(node, field);
    }),
  ];
};

const joined = (pieces: Pieces, { source }: Message): Message => {
  const bytes = join(pieces);
  return { source: { bytes, name: source.name }, from: 0, to: bytes.length };
};

const unused = (name: string, used: Set<string>): string => {
  let free = name;
  for (let count = 2; used.has(free); count++) free = `${name}_${count}`;
  used.add(free);
  return free;
};

const identity = (input: string, output: string): Pieces =>
  messageField(GRAPH.node, [
    ...textField(NODE.input, input),
    ...textField(NODE.output, output),
    ...textField(NODE.opType, 'Identity'),
  ]);

/** The nodes of a function in the place of its call. */
const body = (call: Message, own: OwnFunction, inlining: Inlining): Pieces => {
  const [inputs, outputs] = [textsIn(call, NODE.input), textsIn(call, NODE.output)];
  const label = textIn(call, NODE.name) || textIn(call, NODE.opType);
  const prefix = `${unused(label, inlining.used)}/`;
  const given = named(messagesIn(call, NODE.attribute), ATTRIBUTE.name);
  const tensors = new Map<string, string>();
  own.outputs.forEach((name, place) => {
    const outer = outputs[place] ?? '';
    if (outer !== '') tensors.set(name, outer);
  });
  // What comes in and goes out unchanged keeps the name that it came by.
  own.inputs.forEach((name, place) => void tensors.set(name, inputs[place] ?? ''));
  const naming: Naming = {
    tensor: (name) => tensors.get(name) ?? `${prefix}${name}`,
    node: (name, op) => `${prefix}${name === '' ? op : name}`,
    attribute: (name) => given.get(name) ?? own.defaults.get(name) ?? null,
  };
  const passed = own.outputs.flatMap((name, place) => {
    const at = own.inputs.indexOf(name);
    const [from, to] = [inputs[at] ?? '', outputs[place] ?? ''];
    return at < 0 || from === '' || to === '' ? [] : identity(from, to);
  });
  const nodes = own.nodes.flatMap((node) =>
    expanded(joined(renamedNode(node, naming, inlining), node), inlining),
  );
  return [...nodes, ...passed];
};

const plain: Naming = { tensor: (name) => name, node: (name) => name, attribute: () => null };

const callee = (node: Message, { functions }: Inlining): OwnFunction | undefined =>
  functions.get(
    keyOf(domainIn(node, NODE.domain), textIn(node, NODE.opType), textIn(node, NODE.overload)),
  );

const hasGraph = (attribute: Message): boolean =>
  [...fieldsIn(attribute)].some(
    ({ number }) => number === ATTRIBUTE.g || number === ATTRIBUTE.graphs,
  );

/** A node as it is, its subgraphs done, or the nodes of the function that it calls. */
const expanded = (node: Message, inlining: Inlining): Pieces => {
  if (++inlining.written > MOST_NODES) {
    throw damaged(node.source.name, `functions of more than ${MOST_NODES} nodes in all`);
  }
  const own = callee(node, inlining);
  return own === undefined
    ? messageField(GRAPH.node, [node.source.bytes.subarray(node.from, node.to)])
    : deeper(inlining, node, () => body(node, own, inlining));
};

/** A node of the outermost graph. */
const outermost = (node: Message, inlining: Inlining): Pieces =>
  messagesIn(node, NODE.attribute).some(hasGraph)
    ? expanded(joined(renamedNode(node, plain, inlining), node), inlining)
    : expanded(node, inlining);

const otherOpset = (name: string, domain: string, own: number, model: number) =>
  inputError({
    where: `${name}: functions of the model`,
    expected: `operations of ${domain === '' ? 'ONNX' : domain} in version ${model}, as in its graph`,
    got: `version ${own}`,
    mend: 'export the network again with its functions written out (onnx.inliner does it)',
  });

/** Versions that functions ask for and the model does not name; those that it names must agree. */
const missingOpsets = (
  name: string,
  functions: Functions,
  model: ReadonlyMap<string, number>,
  own: ReadonlySet<string>,
): Map<string, number> => {
  const missing = new Map<string, number>();
  for (const { opsets } of functions.values()) {
    for (const [domain, version] of opsets) {
      if (own.has(domain)) continue;
      const there = model.get(domain) ?? missing.get(domain);
      if (there === undefined) missing.set(domain, version);
      else if (there !== version) throw otherOpset(name, domain, version, there);
    }
  }
  return missing;
};

/**
 * The model with its own functions written out in its graph and in the bodies of If and Loop; the same bytes where it has
 * none. A node is named after its call and its name in the function: `block1/conv`. Input errors: functions in another
 * version of the operations than the graph, functions that call themselves, a damaged file.
 *
 * @param bytes the ONNX file.
 * @param name the file as the user knows it, for messages.
 */
export const withoutFunctions = (bytes: Uint8Array, name: string): Uint8Array => {
  const model: Message = { source: { bytes, name }, from: 0, to: bytes.length };
  const own = messagesIn(model, MODEL.functions);
  if (own.length === 0) return bytes;
  const inlining: Inlining = {
    functions: new Map(own.map(readFunction)),
    used: new Set(),
    written: 0,
    depth: 0,
  };
  const domains = new Set(own.map((message) => domainIn(message, FUNCTION.domain)));
  const missing = missingOpsets(
    name,
    inlining.functions,
    opsetsIn(model, MODEL.opsetImport),
    domains,
  );
  const pieces = [...fieldsIn(model)].flatMap((field): Pieces => {
    if (field.number === MODEL.functions) return [];
    if (field.number !== MODEL.graph) return copied(model, field);
    const graph = within(model, field);
    const parts = [...fieldsIn(graph)].flatMap((part) =>
      part.number === GRAPH.node ? outermost(within(graph, part), inlining) : copied(graph, part),
    );
    return messageField(MODEL.graph, parts);
  });
  return join([
    ...pieces,
    ...[...missing].flatMap(([domain, version]) => opsetField(domain, version)),
  ]);
};
