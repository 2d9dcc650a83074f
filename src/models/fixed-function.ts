import { floatAttribute, intAttribute } from '../graph/attributes.ts';
import { innerNodes, type PlacedNode, type Scope } from '../graph/inner-nodes.ts';
import type { ModelStructure } from '../graph/read.ts';
import type { ReadNode } from '../graph/read-node.ts';
import { inputsOf, wire } from '../graph/walk.ts';
import { inputError } from '../records/errors.ts';
import type { Network } from './network.ts';

// What is measured must be a function of the image alone: the same in every run, whichever images stand beside it.

const RANDOM: ReadonlySet<string> = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
]);

/** Of these the sizes of what comes in matter, not the values. */
const SIZE_ONLY: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** The value of a constant of one element; null for what only a run can tell. */
const constantOf = (name: string | undefined, scopes: readonly Scope[]): number | null => {
  if (name === undefined || name === '') return null;
  for (const { initialisers, nodes } of scopes) {
    const stored = initialisers.find((each) => each.name === name);
    if (stored !== undefined) return stored.values?.[0] ?? null;
    const maker = nodes.find(({ outputs }) => outputs.includes(name));
    if (maker !== undefined) return madeBy(maker, scopes);
  }
  return null;
};

const madeBy = ({ op, attributes, inputs }: ReadNode, scopes: readonly Scope[]): number | null => {
  if (op === 'Identity' || op === 'Cast') return constantOf(inputs[0], scopes);
  if (op === 'Not') {
    const value = constantOf(inputs[0], scopes);
    return value === null ? null : Number(value === 0);
  }
  if (op !== 'Constant') return null;
  const [value] = Object.values(attributes);
  if (value === undefined) return null;
  if ('tensor' in value) return value.tensor.values?.[0] ?? null;
  if ('int' in value) return value.int;
  return 'float' in value ? value.float : null;
};

const dropsOut = ({ node, scopes }: PlacedNode, opset: number): boolean => {
  if (opset < 7) return intAttribute(node, 'is_test', 0) === 0;
  const mode = node.inputs[2];
  if (mode === undefined || mode === '' || constantOf(mode, scopes) === 0) return false;
  const given = node.inputs[1];
  const ratio =
    given === undefined || given === '' ? floatAttribute(node, 'ratio') : constantOf(given, scopes);
  return ratio !== 0;
};

/** Before opset 14 a BatchNormalization trains where it has further outputs. */
const usesBatch = (node: ReadNode, opset: number): boolean => {
  if (opset < 7) return intAttribute(node, 'is_test', 0) === 0;
  if (opset >= 14) return intAttribute(node, 'training_mode', 0) !== 0;
  return node.outputs.slice(1).some((output) => output !== '');
};

/** Why a node's result is not a fixed function of what it is given, or null. */
const reasonOf = (placed: PlacedNode, opset: number): string | null => {
  const { op } = placed.node;
  if (RANDOM.has(op)) return 'random numbers, others in every run';
  if (op === 'Dropout' && dropsOut(placed, opset))
    return 'dropout in training mode, which drops others in every run';
  if (op === 'BatchNormalization' && usesBatch(placed.node, opset))
    return 'batch normalisation in training mode, which depends on the other images of the batch';
  return null;
};

/** Nodes whose values reach `tensors`. */
const nodesBehind = (structure: ModelStructure, tensors: readonly string[]): Set<ReadNode> => {
  const { producer } = wire(structure);
  const found = new Set<ReadNode>();
  const open = [...tensors];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const index = producer.get(name);
    const node = index === undefined ? undefined : structure.nodes[index];
    if (node === undefined || found.has(node)) continue;
    found.add(node);
    if (!SIZE_ONLY.has(node.op)) open.push(...inputsOf(node));
  }
  return found;
};

/**
 * Makes sure that tensors of a network are fixed functions of one image. Input error, naming the node: random operations
 * (RandomNormal, RandomUniform, their -Like forms, Multinomial, Bernoulli), dropout or batch normalisation in training mode
 * on the way to one of them, also inside branches, loops and the model's own functions.
 */
export const checkFixedFunction = (
  { bytes, structure, name }: Pick<Network, 'bytes' | 'structure' | 'name'>,
  tensors: readonly string[],
): void => {
  const inner = innerNodes(bytes, structure);
  for (const node of nodesBehind(structure, tensors))
    for (const placed of inner(node)) {
      const reason = reasonOf(placed, structure.opset);
      if (reason === null) continue;
      const label = placed.node.name || placed.node.outputs[0] || node.name;
      throw inputError({
        code: 'not-a-fixed-function',
        where: `${name}: node "${label}" (${placed.node.op})`,
        expected: 'a network that is a fixed function of one image',
        got: reason,
        mend: 'export it in evaluation mode (model.eval()) and without noise, or choose layers before this node',
      });
    }
};
