import { type ReadTensor, readTensor } from './read-tensor.ts';
import { ATTRIBUTE, GRAPH, MODEL, NODE } from './schema.ts';
import { type ByteRange, damaged, fieldsOf, type Source } from './wire.ts';

type Message =
  | 'model'
  | 'training'
  | 'graph'
  | 'function'
  | 'node'
  | 'attribute'
  | 'sparse'
  | 'tensor';

/** Which fields of which messages lead to tensors, and what they hold. */
const inside: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { [MODEL.graph]: 'graph', [MODEL.training]: 'training', [MODEL.functions]: 'function' },
  // TrainingInfoProto: initialization and algorithm.
  training: { 1: 'graph', 2: 'graph' },
  graph: {
    [GRAPH.node]: 'node',
    [GRAPH.initialiser]: 'tensor',
    [GRAPH.sparseInitialiser]: 'sparse',
  },
  // FunctionProto: node and attribute_proto.
  function: { 7: 'node', 11: 'attribute' },
  node: { [NODE.attribute]: 'attribute' },
  attribute: {
    [ATTRIBUTE.t]: 'tensor',
    [ATTRIBUTE.g]: 'graph',
    [ATTRIBUTE.tensors]: 'tensor',
    [ATTRIBUTE.graphs]: 'graph',
    [ATTRIBUTE.sparse]: 'sparse',
    [ATTRIBUTE.sparses]: 'sparse',
  },
  // SparseTensorProto: values and indices.
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
};

/** Graph, node and attribute for each of the 32 levels that `readNode` allows. */
const DEEPEST = 3 * 32 + 4;

const collect = (
  source: Source,
  message: Message,
  { from, to }: ByteRange,
  found: ReadTensor[],
  depth: number,
): void => {
  if (depth > DEEPEST) throw damaged(source.name, 'messages nested too deep');
  if (message === 'tensor') {
    const tensor = readTensor(source, from, to);
    if (tensor.external !== null) found.push(tensor);
    return;
  }
  for (const field of fieldsOf(source, from, to)) {
    const next = field.wire === 2 ? inside[message][field.number] : undefined;
    if (next !== undefined) collect(source, next, field, found, depth + 1);
  }
};

/**
 * Every tensor of a model whose numbers lie in another file, wherever it stands: initialisers, also sparse ones, attributes
 * of nodes (Constant), bodies of If, Loop and Scan, the model's own functions, and its training part. Input error: a
 * damaged file.
 */
export const externalTensors = (source: Source): ReadTensor[] => {
  const found: ReadTensor[] = [];
  collect(source, 'model', { from: 0, to: source.bytes.length }, found, 0);
  return found;
};
