import { readFileSync } from 'node:fs';
import { openNpz } from '../../src/formats/npz.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { differentiate } from '../../src/gradient/differentiate.ts';
import { lower } from '../../src/gradient/lower.ts';
import type { Attribute, OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import type { NdArray } from '../../src/records/array.ts';
import { float32, graphOf, int64 } from './run.ts';

/** A node of gradient-space.json: `count` differentiated inputs in front, `fixed` ones at their places. */
export interface SpaceCase {
  readonly name: string;
  readonly op: string;
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
  readonly count: number;
  readonly fixed: readonly {
    readonly at: number;
    readonly values: readonly number[] | null;
    readonly type: string | null;
  }[];
}

const file = (name: string): Uint8Array =>
  readFileSync(new URL(`../golden/${name}`, import.meta.url));
const { cases } = JSON.parse(new TextDecoder().decode(file('gradient-space.json'))) as {
  cases: SpaceCase[];
};
export const spaceCases = cases;
const npz = await openNpz(bytesSource(file('gradient-space.npz')), 'gradient-space.npz');

/** An array of a case: `in0`, `c`, `first0`, … */
export const arrayOf = async ({ name }: SpaceCase, what: string): Promise<NdArray> => {
  const array = await npz.read(`${name}__${what}`);
  if (!('data' in array)) throw new Error(`${name}: ${what} is text`);
  return float32(array.data as Float32Array, array.shape);
};

/** Attributes that are floats in ONNX even where their value is whole. */
const FLOATS: ReadonlySet<string> = new Set(['epsilon', 'momentum', 'cubic_coeff_a']);

export const attributeOf = (
  name: string,
  value: number | string | readonly number[],
): Attribute => {
  if (typeof value === 'string') return { string: value };
  if (typeof value === 'number') return FLOATS.has(name) ? { float: value } : { int: value };
  return { ints: value };
};

const attributesOf = (each: SpaceCase): Record<string, Attribute> =>
  Object.fromEntries(
    Object.entries(each.attributes).map(([name, value]) => [name, attributeOf(name, value)]),
  );

export const nodeOf = (each: SpaceCase): OnnxNode => {
  const places = Math.max(each.count, ...each.fixed.map(({ at }) => at + 1));
  const inputs = Array.from({ length: places }, (_, at) => {
    if (at < each.count) return `in${at}`;
    return each.fixed.find((one) => one.at === at)?.values == null ? '' : `fixed${at}`;
  });
  return {
    op: each.op,
    name: each.name,
    inputs,
    // Batch norm in training mode must have all three.
    outputs: each.op === 'BatchNormalization' ? ['y', 'mean', 'variance'] : ['y'],
    attributes: attributesOf(each),
  };
};

export const fixedOf = (each: SpaceCase): Record<string, NdArray> =>
  Object.fromEntries(
    each.fixed.flatMap(({ at, values, type }) => {
      if (values === null) return [];
      const array = type === 'int64' ? int64(values) : float32(values, [values.length]);
      return [[`fixed${at}`, array]];
    }),
  );

const inputNames = ({ count }: SpaceCase): string[] =>
  Array.from({ length: count }, (_, index) => `in${index}`);

/** L = Σ c·y², with its gradients as outputs `first<i>`, and those of Σ ⟨v, first⟩ as `second<i>`. */
export const gradientGraph = (
  each: SpaceCase,
  feeds: Readonly<Record<string, NdArray>>,
): OnnxGraph => {
  const names = inputNames(each);
  const loss: OnnxNode[] = [
    nodeOf(each),
    { op: 'Mul', inputs: ['y', 'y'], outputs: ['square'] },
    { op: 'Mul', inputs: ['square', 'c'], outputs: ['weighted'] },
    {
      op: 'ReduceSum',
      inputs: ['weighted'],
      outputs: ['loss'],
      attributes: { keepdims: { int: 0 } },
    },
  ];
  const scalar = { type: 'float32', shape: [] } as const;
  const plain = graphOf(loss, feeds, fixedOf(each), [{ name: 'loss', ...scalar }]);
  const firsts = names.map((_, index) => `first${index}`);
  const first = differentiate(plain, 'loss', names, { names: firsts });
  const along: OnnxNode[] = names.flatMap((_, index): OnnxNode[] => [
    { op: 'Mul', inputs: [`first${index}`, `v${index}`], outputs: [`along${index}`] },
    {
      op: 'ReduceSum',
      inputs: [`along${index}`],
      outputs: [`sum${index}`],
      attributes: { keepdims: { int: 0 } },
    },
  ]);
  const sums = names.map((_, index) => `sum${index}`);
  const joined: OnnxGraph = {
    ...first,
    nodes: [...first.nodes, ...along, { op: 'Sum', inputs: sums, outputs: ['total'] }],
    outputs: [...first.outputs, { name: 'total', ...scalar }],
  };
  return differentiate(joined, 'total', names, {
    names: names.map((_, index) => `second${index}`),
  });
};

export const feedsOf = async (each: SpaceCase): Promise<Record<string, NdArray>> => {
  const names = [
    ...inputNames(each),
    ...inputNames(each).map((name) => name.replace('in', 'v')),
    'c',
  ];
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await arrayOf(each, name)] as const)),
  );
};

export const loweredGradients = (
  each: SpaceCase,
  feeds: Readonly<Record<string, NdArray>>,
): OnnxGraph => lower(gradientGraph(each, feeds));
