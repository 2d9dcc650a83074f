import { ownValue } from '../records/own-value.ts';
import { floatAttribute, floatsAttribute, intAttribute, intsAttribute } from './attributes.ts';
import { fold } from './fold.ts';
import type { OnnxGraph } from './graph.ts';
import { arrayFacts, type Operation, tensorAttribute, tensorFacts } from './operation.ts';
import type { ModelStructure, ReadValue } from './read.ts';
import { type ElementType, elementTypeOfCode } from './schema.ts';
import { shapesOf } from './shape-rules.ts';
import { type Facts, NOTHING, type Sizes } from './sizes.ts';

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

/** Types of outputs that are not that of the first, by operation and output. */
const SECOND: Readonly<Record<string, readonly ElementType[]>> = {
  MaxPool: ['undefined', 'int64'],
  TopK: ['undefined', 'int64'],
  Dropout: ['undefined', 'bool'],
  DynamicQuantizeLinear: ['uint8', 'float32', 'uint8'],
};

const typeOf = (node: Operation, inputs: readonly Facts[]): ElementType => {
  if (node.op === 'Cast') return elementTypeOfCode(intAttribute(node, 'to', 0));
  if (BOOLEAN.has(node.op)) return 'bool';
  if (node.op === 'ConstantOfShape') return tensorAttribute(node, 'value')?.type ?? 'float32';
  const dtype = intAttribute(node, 'dtype', 0);
  if (dtype > 0) return elementTypeOfCode(dtype);
  if (/^(Shape|Size|NonZero|ArgMax|ArgMin)$/.test(node.op)) return 'int64';
  if (/^(Where|DequantizeLinear|CastLike)$/.test(node.op)) return inputs[1]?.type ?? 'undefined';
  if (/^(QuantizeLinear|OneHot)$/.test(node.op)) {
    return inputs[2]?.type ?? (node.op === 'OneHot' ? 'undefined' : 'uint8');
  }
  if (/^(MatMulInteger|ConvInteger)$/.test(node.op)) return 'int32';
  if (/^(MatMulIntegerToFloat|RandomNormal|RandomUniform)$/.test(node.op)) return 'float32';
  return inputs[0]?.type ?? 'undefined';
};

const ofConstant = (node: Operation): Facts => {
  const tensor = tensorAttribute(node, 'value');
  if (tensor !== null) return tensor;
  const ints = intsAttribute(node, 'value_ints');
  if (ints !== null) return { type: 'int64', shape: [ints.length], values: ints };
  const floats = floatsAttribute(node, 'value_floats');
  if (floats !== null) return { type: 'float32', shape: [floats.length], values: floats };
  const float = floatAttribute(node, 'value_float');
  if (float !== null) return { type: 'float32', shape: [], values: [float] };
  const int = intAttribute(node, 'value_int', Number.NaN);
  return Number.isNaN(int) ? NOTHING : { type: 'int64', shape: [], values: [int] };
};

const DOMAINS: ReadonlySet<string> = new Set(['', 'com.microsoft', 'ventral']);

/** What is known of a node's outputs, in order, from what is known of its inputs; empty for an unknown operation. */
export const outputFacts = (node: Operation, inputs: readonly Facts[], opset: number): Facts[] => {
  if (node.op === 'Constant') return [ofConstant(node)];
  if (!DOMAINS.has(node.domain ?? '')) return [];
  const type = typeOf(node, inputs);
  return shapesOf(node, inputs, opset).map((shape, index) => {
    if (index > 0) return { type: ownValue(SECOND, node.op)?.[index] ?? type, shape, values: null };
    const own = ownValue(SECOND, node.op)?.[0] ?? 'undefined';
    const first = own === 'undefined' ? type : own;
    return { type: first, shape, values: fold(node, inputs, { type: first, shape }) };
  });
};

/** A tensor as the model declares it; sizes may be symbols or open. */
interface Declared {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: ReadValue['shape'];
}

/** What inference asks of a graph, whether it was read or decoded. */
interface Inferable {
  readonly opset: number;
  readonly inputs: readonly Declared[];
  readonly constants: readonly (readonly [name: string, facts: Facts])[];
  /** In topological order. */
  readonly nodes: readonly Operation[];
  /** What an exporter declared of inner tensors and outputs. */
  readonly declared: readonly Declared[];
}

const infer = (graph: Inferable, fed: Readonly<Record<string, Sizes>>): Map<string, Facts> => {
  const facts = new Map<string, Facts>();
  for (const { name, type, shape } of graph.inputs) {
    const given = ownValue(fed, name) ?? null;
    facts.set(name, { type, shape: completed(given, numeric(shape)), values: null });
  }
  for (const [name, constant] of graph.constants) facts.set(name, constant);
  const declared = new Map(graph.declared.map((value) => [value.name, value]));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => facts.get(name) ?? NOTHING);
    const found = outputFacts(node, inputs, graph.opset);
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

/**
 * Type, shape and, for the small tensors that compute shapes, the values of every tensor that can be known without
 * running the model. Operations that are not known leave `null`, as do sizes that depend on values.
 *
 * @param fed shapes of inputs that the model leaves free, by name.
 */
export const inferFacts = (
  structure: ModelStructure,
  fed: Readonly<Record<string, Sizes>>,
): Map<string, Facts> =>
  infer(
    {
      opset: structure.opset,
      inputs: structure.inputs,
      constants: structure.initialisers.map((tensor) => [tensor.name, tensorFacts(tensor)]),
      nodes: structure.nodes,
      declared: [...structure.values, ...structure.outputs],
    },
    fed,
  );

/** Shapes, types and small values of a decoded graph, whose nodes are in topological order. Declared outputs fill what stays open. */
export const inferGraphFacts = (graph: OnnxGraph): Map<string, Facts> =>
  infer(
    {
      opset: graph.opset,
      inputs: graph.inputs,
      constants: graph.initialisers.map(({ name, array, type }) => [name, arrayFacts(array, type)]),
      nodes: graph.nodes,
      declared: graph.outputs,
    },
    {},
  );
