import type { Attributes, OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { createRandom, type Random } from '../../src/numeric/random.ts';
import type { NdArray } from '../../src/records/array.ts';
import { build, type Dense } from './dense.ts';
import { OPERATIONS } from './reference.ts';

/**
 * A random graph as it grows: every node is evaluated by the reference interpreter when it is added, so that the shape
 * and size of every tensor are known to what comes next.
 */
export interface Draft {
  readonly random: Random;
  readonly opset: number;
  shape(tensor: string): readonly number[];
  value(tensor: string): Dense;
  add(op: string, inputs: readonly string[], attributes?: Attributes, outputs?: number): string[];
  /** The same for one output. */
  apply(op: string, inputs: readonly string[], attributes?: Attributes): string;
  /** Normal numbers, now and then an input with respect to which to differentiate, else a constant. */
  weight(shape: readonly number[], scale?: number): string;
  /** A constant of real numbers. */
  numbers(values: readonly number[], shape?: readonly number[]): string;
  /** A constant of int64. */
  ints(values: readonly number[], shape?: readonly number[]): string;
  /** Whole number in [from, to]. */
  between(from: number, to: number): number;
  choice<T>(options: readonly T[]): T;
  chance(probability: number): boolean;
  /** The tensors that no node uses. */
  leaves(): string[];
  finish(output: string): RandomGraph;
}

export interface RandomGraph {
  readonly graph: OnnxGraph;
  /** Values of the inputs; all are wanted. */
  readonly feeds: Readonly<Record<string, Dense>>;
}

/** Numbers that float32 holds, so that both computations have the same inputs. */
export const normals = (random: Random, shape: readonly number[], scale = 1): Dense =>
  build(shape, () => Math.fround(scale * random.normal()));

/** Graphs stay this small: elements of any one tensor. */
const LARGEST = 400;

/** Thrown where a random choice does not work out: the graph is drawn again. */
export class Unsuitable extends Error {}

const checked = (op: string, { data, shape }: Dense): void => {
  const fits = data.length > 0 && data.length <= LARGEST && shape.length <= 5;
  if (!fits || !data.every((value) => Math.abs(value) < 1e3)) throw new Unsuitable(op);
};

export const draftOf = (
  seed: string,
  opset: number,
  shapes: readonly (readonly number[])[],
): Draft => {
  const random = createRandom(seed);
  const values = new Map<string, Dense>();
  const inputs: Record<string, Dense> = {};
  const initialisers: { name: string; array: NdArray }[] = [];
  const nodes: OnnxNode[] = [];

  const input = (value: Dense): string => {
    const name = `x${Object.keys(inputs).length}`;
    inputs[name] = value;
    values.set(name, value);
    return name;
  };
  const constant = (array: NdArray): string => {
    const name = `c${initialisers.length}`;
    initialisers.push({ name, array });
    values.set(name, { data: Float64Array.from(array.data, Number), shape: array.shape });
    return name;
  };
  const numbers = (own: readonly number[], shape: readonly number[] = [own.length]): string =>
    constant({ data: Float32Array.from(own), shape });
  const chance = (probability: number): boolean => random.next() < probability;

  const add: Draft['add'] = (op, names, attributes = {}, outputs = 1) => {
    const made = Array.from({ length: outputs }, (_, index) => `t${nodes.length}_${index}`);
    const node: OnnxNode = { op, inputs: names, outputs: made, attributes };
    const given = names.map((name) => values.get(name));
    const found = OPERATIONS[op]!(given, node, { opset, near: () => {} });
    nodes.push(node);
    made.forEach((name, index) => {
      checked(op, found[index]!);
      values.set(name, found[index]!);
    });
    return made;
  };

  for (const shape of shapes) input(normals(random, shape));
  return {
    random,
    opset,
    shape: (tensor) => values.get(tensor)!.shape,
    value: (tensor) => values.get(tensor)!,
    add,
    apply: (op, names, attributes) => add(op, names, attributes)[0]!,
    weight: (shape, scale = 1) => {
      const own = normals(random, shape, scale);
      return chance(0.4) ? input(own) : numbers([...own.data], shape);
    },
    numbers,
    ints: (own, shape = [own.length]) => constant({ data: BigInt64Array.from(own, BigInt), shape }),
    between: (from, to) => from + random.int(to - from + 1),
    choice: (options) => options[random.int(options.length)]!,
    chance,
    leaves: () => {
      const used = new Set(nodes.flatMap((node) => node.inputs));
      // Running statistics and the places of the largest are no part of what is differentiated.
      const own = (node: OnnxNode) =>
        node.op === 'Split' ? node.outputs : node.outputs.slice(0, 1);
      return nodes.flatMap(own).filter((name) => !used.has(name));
    },
    finish: (output) => ({
      graph: {
        name: seed,
        opset,
        inputs: Object.entries(inputs).map(([name, { shape }]) => ({
          name,
          type: 'float32',
          shape,
        })),
        outputs: [{ name: output, type: 'float32', shape: values.get(output)!.shape }],
        initialisers,
        nodes,
      },
      feeds: inputs,
    }),
  };
};
