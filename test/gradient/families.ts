import { readFileSync } from 'node:fs';
import { openNpz } from '../../src/formats/npz.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { differentiate } from '../../src/gradient/differentiate.ts';
import { decodeModel } from '../../src/graph/decode.ts';
import type { OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { fixInputs, initialisersToInputs } from '../../src/graph/rewrite.ts';
import type { Float64Nd, NdArray } from '../../src/records/array.ts';
import { canonical } from '../../src/sketch/canonical.ts';
import { goldenModel } from '../onnx.ts';

const folder = new URL('../golden/families/', import.meta.url);

/** The exports of one network that have the same derivatives. */
export interface Family {
  readonly golden: string;
  readonly seed: number;
  readonly exports: readonly {
    readonly model: string;
    readonly opset: number;
    readonly mode: string;
  }[];
}

interface Table {
  readonly classes: number;
  readonly logit: number;
  readonly networks: Readonly<Record<string, readonly Family[]>>;
}

export const table: Table = JSON.parse(readFileSync(new URL('families.json', folder), 'utf8'));

/** The arrays that `make-families.py` describes, by name; `mixed__<parameter>` for `mixed/<parameter>`. */
export const goldenArrays = async (file: string): Promise<Record<string, Float64Nd>> => {
  const npz = await openNpz(bytesSource(readFileSync(new URL(file, folder))), file);
  const arrays: Record<string, Float64Nd> = {};
  for (const name of npz.names) arrays[name] = await npz.readFloat64(name);
  return arrays;
};

/**
 * An export with its input fixed, in the canonical operations; `parameters` as inputs, whose values come beside it, since
 * constants are folded into one another.
 */
export const canonicalExport = (
  model: string,
  shape: readonly number[],
  parameters: readonly string[] = [],
): { readonly graph: OnnxGraph; readonly values: Readonly<Record<string, NdArray>> } => {
  const { bytes } = goldenModel(`families/${model}`);
  const fixed = fixInputs(decodeModel(bytes, model), { image: shape });
  const { graph, values } = initialisersToInputs(fixed, parameters);
  return { graph: canonical(graph), values };
};

const SUM = (input: string, output: string): OnnxNode => ({
  op: 'ReduceSum',
  inputs: [input],
  outputs: [output],
  attributes: { keepdims: { int: 0 } },
});

/**
 * Adds inputs `label` and `target` (of the logits' shape) and two numbers: `labelled` = Σ label · logits and `entropy`,
 * the cross-entropy with `target`.
 */
export const withScalars = (graph: OnnxGraph, shape: readonly number[]): OnnxGraph => ({
  ...graph,
  inputs: [
    ...graph.inputs,
    { name: 'label', type: 'float32', shape },
    { name: 'target', type: 'float32', shape },
  ],
  nodes: [
    ...graph.nodes,
    { op: 'Mul', inputs: ['label', 'logits'], outputs: ['weighted'] },
    SUM('weighted', 'labelled'),
    {
      op: 'LogSoftmax',
      inputs: ['logits'],
      outputs: ['chances'],
      attributes: { axis: { int: 1 } },
    },
    { op: 'Mul', inputs: ['target', 'chances'], outputs: ['likelihoods'] },
    SUM('likelihoods', 'likelihood'),
    { op: 'Neg', inputs: ['likelihood'], outputs: ['entropy'] },
  ],
  outputs: [...graph.outputs, { name: 'entropy', type: 'float32', shape: [] }],
});

/** Adds an input `vector` and the number `along` = ⟨slope, vector⟩. */
const withDirection = (graph: OnnxGraph, slope: string, shape: readonly number[]): OnnxGraph => ({
  ...graph,
  inputs: [...graph.inputs, { name: 'vector', type: 'float32', shape }],
  nodes: [
    ...graph.nodes,
    { op: 'Mul', inputs: [slope, 'vector'], outputs: ['components'] },
    SUM('components', 'along'),
  ],
});

/**
 * A graph with outputs `logits`, `gradient` (of Σ label · logits with respect to the image), `product` (the Hessian of
 * the cross-entropy with respect to the image, times `vector`) and `mixed__<parameter>` for each of `parameters`.
 */
export const differentiated = (
  graph: OnnxGraph,
  image: readonly number[],
  logits: readonly number[],
  parameters: readonly string[],
): OnnxGraph => {
  const first = differentiate(withScalars(graph, logits), 'labelled', ['image'], {
    names: ['gradient'],
  });
  const second = differentiate(first, 'entropy', ['image'], { names: ['slope'] });
  return differentiate(withDirection(second, 'slope', image), 'along', ['image', ...parameters], {
    names: ['product', ...parameters.map((name) => `mixed__${name}`)],
  });
};

export const softmax = ({ data, shape }: Float64Nd): NdArray => {
  const size = shape.at(-1)!;
  const out = Float32Array.from(data, Math.exp);
  for (let row = 0; row < out.length; row += size) {
    const part = out.subarray(row, row + size);
    const sum = part.reduce((total, value) => total + value, 0);
    for (let i = 0; i < size; i++) part[i]! /= sum;
  }
  return { data: out, shape };
};

/** ‖got − expected‖ / ‖expected‖. */
export const normError = (got: ArrayLike<number>, expected: ArrayLike<number>): number => {
  if (got.length !== expected.length) return Number.NaN;
  let [difference, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (got[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference / size);
};
