import { fold } from './fold.ts';
import type { ModelStructure, ReadValue } from './read.ts';
import type { ReadNode } from './read-node.ts';
import type { ReadTensor } from './read-tensor.ts';
import { type ElementType, elementTypeOfCode } from './schema.ts';
import { shapesOf } from './shape-rules.ts';
import { type Facts, NOTHING, type Sizes } from './sizes.ts';

const ofTensor = ({ type, dims, values }: ReadTensor): Facts => ({ type, shape: dims, values });

const numeric = (shape: ReadValue['shape']): Sizes | null =>
  shape?.map((size) => (typeof size === 'number' && size > 0 ? size : null)) ?? null;

/** What inference left open is taken from what the exporter declared. */
const completed = (inferred: Sizes | null, declared: Sizes | null): Sizes | null => {
  if (inferred === null || declared === null) return inferred ?? declared;
  if (inferred.length !== declared.length) return inferred;
  return inferred.map((size, axis) => size ?? declared[axis]!);
};

const BOOLEAN: ReadonlySet<string> = new Set(
  'Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor IsNaN IsInf'.split(' '),
);

const typeOf = (node: ReadNode, inputs: readonly Facts[]): ElementType => {
  const { to, value, dtype } = node.attributes;
  if (node.op === 'Cast') return elementTypeOfCode(to?.kind === 'int' ? to.value : 0);
  if (BOOLEAN.has(node.op)) return 'bool';
  if (node.op === 'ConstantOfShape') return value?.kind === 'tensor' ? value.value.type : 'float32';
  if (dtype?.kind === 'int') return elementTypeOfCode(dtype.value);
  if (/^(Shape|Size|NonZero|ArgMax|ArgMin)$/.test(node.op)) return 'int64';
  if (node.op === 'Where') return inputs[1]?.type ?? 'undefined';
  if (node.op === 'QuantizeLinear') return inputs[2]?.type ?? 'uint8';
  if (node.op === 'DequantizeLinear') return inputs[1]?.type ?? 'undefined';
  if (node.op === 'CastLike') return inputs[1]?.type ?? 'undefined';
  return inputs[0]?.type ?? 'undefined';
};

const ofConstant = ({ attributes }: ReadNode): Facts => {
  const { value, value_int, value_ints, value_float, value_floats } = attributes;
  if (value?.kind === 'tensor') return ofTensor(value.value);
  if (value_int?.kind === 'int') return { type: 'int64', shape: [], values: [value_int.value] };
  if (value_float?.kind === 'float') {
    return { type: 'float32', shape: [], values: [value_float.value] };
  }
  if (value_ints?.kind === 'ints') {
    return { type: 'int64', shape: [value_ints.value.length], values: value_ints.value };
  }
  if (value_floats?.kind === 'floats') {
    return { type: 'float32', shape: [value_floats.value.length], values: value_floats.value };
  }
  return NOTHING;
};

const ofNode = (node: ReadNode, inputs: readonly Facts[], opset: number): Facts[] => {
  if (node.op === 'Constant') return [ofConstant(node)];
  if (node.domain !== '' && node.domain !== 'com.microsoft') return [];
  const type = typeOf(node, inputs);
  return shapesOf(node, inputs, opset).map((shape, index) => ({
    type,
    shape,
    values: index === 0 ? fold(node, inputs, { type, shape }) : null,
  }));
};

/**
 * Type, shape and, for the small tensors that compute shapes, the values of every tensor that can be known without
 * running the model. Operations that are not known leave `null`, as do sizes that depend on values.
 *
 * @param fed shapes of inputs that the model leaves free, by name.
 */
export const inferFacts = (
  structure: ModelStructure,
  fed: Readonly<Record<string, Sizes>>,
): Map<string, Facts> => {
  const facts = new Map<string, Facts>();
  for (const { name, type, shape } of structure.inputs) {
    facts.set(name, { type, shape: completed(fed[name] ?? null, numeric(shape)), values: null });
  }
  for (const initialiser of structure.initialisers) {
    facts.set(initialiser.name, ofTensor(initialiser));
  }
  const declared = new Map(
    [...structure.values, ...structure.outputs].map((value) => [value.name, value]),
  );
  for (const node of structure.nodes) {
    const inputs = node.inputs.map((name) => facts.get(name) ?? NOTHING);
    const found = ofNode(node, inputs, structure.opset);
    node.outputs.forEach((name, index) => {
      const known = found[index] ?? NOTHING;
      const said = declared.get(name);
      facts.set(name, {
        type: known.type === 'undefined' ? (said?.type ?? 'undefined') : known.type,
        shape: completed(known.shape, numeric(said?.shape ?? null)),
        values: known.values,
      });
    });
  }
  return facts;
};
