import { intAttribute, textAttribute } from '../graph/attributes.ts';
import type { ReadNode } from '../graph/read-node.ts';
import type { ReadTensor } from '../graph/read-tensor.ts';
import type { ElementType } from '../graph/schema.ts';
import { ownValue } from '../records/own-value.ts';
import { isWeighted } from './operations.ts';
import type { View } from './view.ts';

/**
 * What a network begins with in the place of a constant before it is trained:
 * - `weight`: normal, of standard deviation 1 / √fan-in;
 * - `table`: the same where it is learned (position embeddings, class tokens), but masks are of that form too: a table
 *   of no more than two different numbers stays as it is;
 * - `constant`: 1 in scales and variances, 0 in biases and means.
 */
export type Role =
  | { readonly kind: 'weight' | 'table'; readonly deviation: number }
  | { readonly kind: 'constant'; readonly value: number };

export interface Roles {
  /** Of the initialisers and Constant nodes that are trained; all others keep their numbers. */
  readonly roles: ReadonlyMap<string, Role>;
  /** Products with weights, and those of them whose weights have a role. */
  readonly products: number;
  readonly drawn: number;
}

/** Where a constant, or what is made of constants alone, meets the image. */
interface Use {
  readonly node: ReadNode;
  readonly index: number;
  readonly place: number;
  /** Shape in which it arrives. */
  readonly shape: readonly number[];
}

const FLOATS: ReadonlySet<ElementType> = new Set(['float32', 'float64', 'float16', 'bfloat16']);

/** Values of the inputs from the second on, in an untrained network. */
const NORMS: Readonly<Record<string, readonly (number | null)[]>> = {
  BatchNormalization: [1, 0, 0, 1],
  InstanceNormalization: [1, 0],
  GroupNormalization: [1, 0],
  LayerNormalization: [1, 0],
  RMSNormalization: [1],
  SimplifiedLayerNormalization: [1],
  SkipLayerNormalization: [null, 1, 0, 0],
  SkipSimplifiedLayerNormalization: [null, 1, 0],
  // The slope that PReLU is commonly begun with.
  PRelu: [0.25],
};

/** Which input is a bias. */
const BIASES: Readonly<Record<string, number>> = {
  Conv: 2,
  FusedConv: 2,
  ConvTranspose: 2,
  Gemm: 2,
  FusedGemm: 2,
  Attention: 2,
  MultiHeadAttention: 3,
  BiasGelu: 1,
  FastGelu: 1,
};

/** Their scales belong to integers that stay. */
const QUANTISED: ReadonlySet<string> = new Set([
  'QuantizeLinear',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
]);

const productOf = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** At most one dimension is longer than 1: a value per channel. */
const isVector = (shape: readonly number[]): boolean =>
  shape.filter((size) => size > 1).length <= 1;

const lastOf = (shape: readonly number[]): number => shape[shape.length - 1] ?? 1;

/** Sizes of the labels of an Einsum's operand that the result no longer has. */
const summedSizes = (node: ReadNode, place: number, shape: readonly number[]): number[] => {
  const equation = (textAttribute(node, 'equation') ?? '').replaceAll(/[\s.]/g, '');
  const [operands = '', result = ''] = equation.split('->');
  const labels = operands.split(',')[place] ?? '';
  return [...labels].flatMap((label, k) =>
    result.includes(label) ? [] : [shape[shape.length - labels.length + k] ?? 1],
  );
};

/** How many inputs go into one output of a product with the weights `shape` as its operand `place`. */
const fanIn = ({ node, place, shape }: Use): number => {
  switch (node.op) {
    case 'Conv':
    case 'FusedConv':
      return productOf(shape.slice(1));
    case 'ConvTranspose':
      return (shape[0]! * productOf(shape.slice(2))) / intAttribute(node, 'group', 1);
    case 'Einsum':
      return productOf(summedSizes(node, place, shape));
    case 'Attention':
      return shape[0]!;
    default: {
      const transposed = intAttribute(node, place === 0 ? 'transA' : 'transB', 0) !== 0;
      const fromEnd = (place === 0) === transposed ? 2 : 1;
      return shape[Math.max(0, shape.length - fromEnd)]!;
    }
  }
};

/** Attention fused with the projection of its query, key and value. */
const isFusedAttention = ({ op }: ReadNode): boolean => op === 'Attention';

const isProduct = (view: View, node: ReadNode): boolean =>
  isFusedAttention(node) || isWeighted(view, node);

const isWeightOf = (view: View, { node, place }: Use): boolean =>
  isFusedAttention(node) ? place === 1 : place < 2 && isWeighted(view, node);

/** What a constant of the shape `own` is for at one of its uses; null where it is not trained. */
const roleAt = (
  view: View,
  learned: ReadonlySet<string>,
  use: Use,
  own: readonly number[],
): Role | null => {
  const { node, place, shape } = use;
  const norm = ownValue(NORMS, node.op)?.[place - 1] ?? null;
  if (norm !== null) return { kind: 'constant', value: norm };
  if (ownValue(BIASES, node.op) === place) return { kind: 'constant', value: 0 };
  if (productOf(own) <= 1) return null;
  if (isWeightOf(view, use)) {
    // The gain of a weight normalisation is no weight itself.
    if (isVector(own) && !isVector(shape)) return { kind: 'constant', value: 1 };
    return { kind: 'weight', deviation: 1 / Math.sqrt(fanIn(use)) };
  }
  const table = { kind: 'table', deviation: 1 / Math.sqrt(lastOf(shape)) } as const;
  // Before the first product a constant is part of the preprocessing.
  if (!node.outputs.some((name) => learned.has(name))) return null;
  switch (node.op) {
    case 'Mul':
    case 'Div':
      return isVector(own) ? { kind: 'constant', value: 1 } : null;
    case 'Add':
    case 'Sub':
    case 'Sum':
      return isVector(own) ? { kind: 'constant', value: 0 } : table;
    case 'Concat':
      return table;
    default:
      return null;
  }
};

/** Of several uses the one that says most: a weight, a scale, a table, a bias. */
const rank = (role: Role): number => {
  if (role.kind === 'constant') return role.value > 0 ? 2 : 0;
  return role.kind === 'weight' ? 3 : 1;
};

/** Tensors behind a product with weights. */
const learnedOf = (view: View): Set<string> => {
  const learned = new Set<string>();
  for (const node of view.structure.nodes)
    if (isProduct(view, node) || node.inputs.some((name) => learned.has(name)))
      for (const name of node.outputs) learned.add(name);
  return learned;
};

/** Follows a constant through arithmetic of constants (casts, transposes, decomposed norms) to where it is used. */
const usesOf = ({ structure, wiring, dependent, facts }: View, constant: ReadTensor): Use[] => {
  const uses: Use[] = [];
  const seen = new Set([constant.name]);
  const open = [constant.name];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const known = name === constant.name ? constant.dims : (facts.get(name)?.shape ?? null);
    const shape = known?.every((size) => size !== null) ? (known as number[]) : constant.dims;
    for (const index of wiring.consumers.get(name) ?? []) {
      const node = structure.nodes[index]!;
      if (QUANTISED.has(node.op)) continue;
      if (node.outputs.some((output) => dependent.has(output))) {
        node.inputs.forEach((input, place) => {
          if (input === name) uses.push({ node, index, place, shape });
        });
        continue;
      }
      for (const output of node.outputs) {
        if (output === '' || seen.has(output)) continue;
        seen.add(output);
        open.push(output);
      }
    }
  }
  return uses;
};

/** The float constants of a model: its initialisers, and those that are nodes, under the names of their outputs. */
export const floatConstants = ({ initialisers, nodes }: View['structure']): ReadTensor[] => {
  const ofNodes = nodes.flatMap(({ op, outputs, attributes }) => {
    const { value } = attributes;
    if (op !== 'Constant' || value === undefined || !('tensor' in value)) return [];
    return [{ ...value.tensor, name: outputs[0]! }];
  });
  return [...initialisers, ...ofNodes].filter(({ type }) => FLOATS.has(type));
};

/**
 * Which constants of a model are trained, and what they begin with, by what they are used for: never by their names.
 * Scalars, shape constants, masks, and what acts on the image before the first product (preprocessing inside the graph)
 * have no role. Subgraphs (If, Loop) and the model's own functions are not looked into.
 */
export const rolesOf = (view: View): Roles => {
  const learned = learnedOf(view);
  const roles = new Map<string, Role>();
  const drawn = new Set<number>();
  for (const constant of floatConstants(view.structure)) {
    for (const use of usesOf(view, constant)) {
      const role = roleAt(view, learned, use, constant.dims);
      if (role === null) continue;
      if (role.kind === 'weight') drawn.add(use.index);
      const other = roles.get(constant.name);
      if (other === undefined || rank(role) > rank(other)) roles.set(constant.name, role);
    }
  }
  const products = view.structure.nodes.filter((node) => isProduct(view, node)).length;
  return { roles, products, drawn: drawn.size };
};
