import type { Attribute, Initialiser, OnnxGraph, OnnxNode } from './graph.ts';
import { renamedNode } from './names.ts';

/** Two of these with the same inputs are not the same. */
const RANDOM = /^(Random|Bernoulli|Multinomial|Dropout)/;

/** Larger constants are not worth the comparison. */
const MOST = 64;

/** Weights that begin equal need not stay so: only whole numbers (shapes, axes) are taken for constants for good. */
const isConstant = ({ array: { data } }: Initialiser): boolean =>
  data.length <= MOST && !(data instanceof Float32Array) && !(data instanceof Float64Array);

/** Equal for equal arrays. */
export const arrayKey = ({ array, type }: Omit<Initialiser, 'name'>): string => {
  const { data, shape } = array;
  // -0 and NaN are told apart by their bits.
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return `${data.constructor.name} ${type ?? ''} ${shape.join()}: ${bytes.join()}`;
};

const attributeKey = (attribute: Attribute): string | null => {
  if ('graph' in attribute) return null;
  if (!('tensor' in attribute)) return JSON.stringify(attribute);
  const { tensor: array } = attribute;
  return array.data.length > MOST ? null : arrayKey({ array, ...attribute });
};

/** Equal for nodes that make the same; `null` for those that are never taken for the same. */
export const nodeKey = ({
  op,
  domain = '',
  inputs,
  outputs,
  attributes = {},
}: OnnxNode): string | null => {
  if (RANDOM.test(op)) return null;
  const entries = Object.entries(attributes).map(
    ([name, attribute]) => [name, attributeKey(attribute)] as const,
  );
  if (entries.some(([, key]) => key === null)) return null;
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([domain, op, inputs, outputs.map((name) => name !== ''), entries]);
};

/**
 * Common-subexpression elimination: nodes of one operation on the same inputs become one, small equal constants of whole numbers
 * too.
 * Names of outputs stay. The nodes are in topological order.
 */
export const withoutRepeats = (graph: OnnxGraph): OnnxGraph => {
  const names = new Map<string, string>();
  const first = new Map<string, string>();
  const published = new Set(graph.outputs.map(({ name }) => name));
  const initialisers = graph.initialisers.filter((initialiser) => {
    const { name } = initialiser;
    if (!isConstant(initialiser) || published.has(name)) return true;
    const key = arrayKey(initialiser);
    const there = first.get(key);
    if (there === undefined) first.set(key, name);
    else names.set(name, there);
    return there === undefined;
  });
  const made = new Map<string, OnnxNode>();
  const nodes: OnnxNode[] = [];
  for (const each of graph.nodes) {
    const node = renamedNode(each, (name) => names.get(name) ?? name);
    const key = nodeKey(node);
    const there = key === null ? undefined : made.get(key);
    if (there !== undefined && !node.outputs.some((name) => published.has(name))) {
      node.outputs.forEach((name, index) => {
        if (name !== '') names.set(name, there.outputs[index]!);
      });
      continue;
    }
    if (key !== null && there === undefined) made.set(key, node);
    nodes.push(node);
  }
  return { ...graph, nodes, initialisers };
};
