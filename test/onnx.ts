import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as ort from 'onnxruntime-node';
import { type ModelStructure, readModel } from '../src/graph/read.ts';
import type { Float32Nd, NdArray } from '../src/records/array.ts';

/** A model file of `test/golden`, unpacked where it ends in `.gz`. */
export const goldenModel = (path: string): { bytes: Uint8Array; structure: ModelStructure } => {
  const file = readFileSync(new URL(`golden/${path}`, import.meta.url));
  const bytes = path.endsWith('.gz') ? gunzipSync(file) : file;
  return { bytes, structure: readModel(bytes, path) };
};

const typeOf = ({ data }: NdArray): 'int64' | 'float64' | 'float32' =>
  data instanceof BigInt64Array ? 'int64' : data instanceof Float64Array ? 'float64' : 'float32';

/** Runs a model once, straight in onnxruntime, with bit-equal optimisation off by default. */
export const runOnnx = async (
  bytes: Uint8Array,
  feeds: Readonly<Record<string, NdArray>>,
  options: ort.InferenceSession.SessionOptions = { graphOptimizationLevel: 'basic' },
): Promise<Record<string, Float32Nd>> => {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3, ...options });
  try {
    const tensors = Object.entries(feeds).map(([name, array]) => [
      name,
      new ort.Tensor(typeOf(array), array.data as Float32Array, array.shape),
    ]);
    const outputs = await session.run(Object.fromEntries(tensors));
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data, dims }]) => [
        name,
        { data: data as Float32Array, shape: dims },
      ]),
    );
  } finally {
    await session.release();
  }
};

/** The input of the activation goldens: ((37·i) mod 101)/50 − 1 at position i. */
export const patterned = (shape: readonly number[]): Float32Nd => {
  const size = shape.reduce((product, each) => product * each, 1);
  return { data: Float32Array.from({ length: size }, (_, i) => ((i * 37) % 101) / 50 - 1), shape };
};

/** Largest difference, as a part of the largest expected value. */
export const relativeError = (got: ArrayLike<number>, expected: ArrayLike<number>): number => {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(got[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return got.length === expected.length ? difference / largest : Number.NaN;
};
