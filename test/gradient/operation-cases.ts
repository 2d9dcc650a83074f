import { readFileSync } from 'node:fs';
import { openNpz } from '../../src/formats/npz.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { differentiate } from '../../src/gradient/differentiate.ts';
import type { Attributes, Initialiser, OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import type { ElementType } from '../../src/graph/schema.ts';
import type { Float64Nd, NdArray } from '../../src/records/array.ts';
import { float32 } from './run.ts';

/** A constant input, written out. */
interface Written {
  readonly type: 'int64' | 'float32' | 'bool';
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** A node of gradient-operations.json. */
export interface OperationCase {
  readonly name: string;
  readonly op: string;
  readonly attributes: Attributes;
  readonly inputs: readonly (string | Written)[];
  readonly outputs: readonly string[];
  /** Further outputs of the node, without a gradient. */
  readonly unused: readonly string[];
}

const file = (name: string): Uint8Array =>
  readFileSync(new URL(`../golden/${name}`, import.meta.url));

export const operationCases = (
  JSON.parse(new TextDecoder().decode(file('gradient-operations.json'))) as {
    cases: OperationCase[];
  }
).cases;

const npz = await openNpz(bytesSource(file('gradient-operations.npz')), 'gradient-operations.npz');

/** An array of a case: `x0`, `c0`, `first0`, … */
export const goldenOf = ({ name }: OperationCase, what: string): Promise<Float64Nd> =>
  npz.readFloat64(`${name}__${what}`);

/** Names of the differentiated inputs. */
export const variablesOf = ({ inputs }: OperationCase): string[] =>
  inputs.filter((input) => typeof input === 'string' && input !== '') as string[];

const indexed = (label: string, names: readonly string[]): string[] =>
  names.map((_, index) => `${label}${index}`);

/** The values that go into a case's graph, in float32. */
export const feedsOf = async (each: OperationCase): Promise<Record<string, NdArray>> => {
  const variables = variablesOf(each);
  const names = [...variables, ...indexed('v', variables), ...indexed('c', each.outputs)];
  const read = async (name: string): Promise<[string, NdArray]> => {
    const { data, shape } = await goldenOf(each, name);
    return [name, float32(data, shape)];
  };
  return Object.fromEntries(await Promise.all(names.map(read)));
};

const arrayOf = ({ type, shape, values }: Written): NdArray => {
  if (type === 'int64') return { data: BigInt64Array.from(values, BigInt), shape };
  return { data: type === 'bool' ? Uint8Array.from(values) : Float32Array.from(values), shape };
};

/** Σ a · b as the tensor `to`. */
const dot = (a: string, b: string, to: string): OnnxNode[] => [
  { op: 'Mul', inputs: [a, b], outputs: [`${to}/product`] },
  {
    op: 'ReduceSum',
    inputs: [`${to}/product`],
    outputs: [to],
    attributes: { keepdims: { int: 0 } },
  },
];

/** Σ c · (y² + y): neither its gradient nor its curvature vanishes where y does. */
const term = (y: string, c: string, to: string): OnnxNode[] => [
  { op: 'Mul', inputs: [y, y], outputs: [`${to}/square`] },
  { op: 'Add', inputs: [`${to}/square`, y], outputs: [`${to}/value`] },
  ...dot(`${to}/value`, c, to),
];

const constantsOf = ({ inputs }: OperationCase): Initialiser[] =>
  inputs.flatMap((input, at) =>
    typeof input === 'string'
      ? []
      : [{ name: `constant${at}`, array: arrayOf(input), type: input.type as ElementType }],
  );

/** The node and its loss Σ c · (y² + y). Outputs: `y<k>`, `loss`. */
export const lossGraph = (
  each: OperationCase,
  feeds: Readonly<Record<string, NdArray>>,
): OnnxGraph => {
  const terms = indexed('term', each.outputs);
  return {
    name: each.name,
    opset: 18,
    inputs: Object.entries(feeds).map(([name, { shape }]) => ({ name, type: 'float32', shape })),
    outputs: [...each.outputs, 'loss'].map((name) => ({ name, type: 'float32', shape: null })),
    initialisers: constantsOf(each),
    nodes: [
      {
        op: each.op,
        name: each.name,
        inputs: each.inputs.map((input, at) =>
          typeof input === 'string' ? input : `constant${at}`,
        ),
        outputs: [...each.outputs, ...each.unused],
        attributes: each.attributes,
      },
      ...each.outputs.flatMap((y, index) => term(y, `c${index}`, terms[index]!)),
      { op: 'Sum', inputs: terms, outputs: ['loss'] },
    ],
  };
};

/** The loss, its gradients `first<i>`, and the gradients `second<i>` of Σ ⟨v, first⟩, which is an output `along`. */
export const secondOrder = (graph: OnnxGraph, variables: readonly string[]): OnnxGraph => {
  const firsts = indexed('first', variables);
  const first = differentiate(graph, 'loss', variables, { names: firsts });
  const parts = indexed('part', variables);
  const joined: OnnxGraph = {
    ...first,
    nodes: [
      ...first.nodes,
      ...firsts.flatMap((name, index) => dot(name, `v${index}`, parts[index]!)),
      { op: 'Sum', inputs: parts, outputs: ['along'] },
    ],
    outputs: [...first.outputs, { name: 'along', type: 'float32', shape: [] }],
  };
  return differentiate(joined, 'along', variables, {
    names: indexed('second', variables),
    independent: 'zeros',
  });
};
