import { readFile } from 'node:fs/promises';
import { isStrings } from '../../src/formats/npy.ts';
import { openNpz } from '../../src/formats/npz.ts';
import { bytesSource } from '../../src/formats/source.ts';
import type { FeatureSource } from '../../src/records/activations.ts';
import type { Float32Nd, Float64Nd, FloatNd, NdArray } from '../../src/records/array.ts';
import type { PlsSettings } from '../../src/records/protocol.ts';
import { unwatched } from '../../src/records/watch.ts';
import type { Fold } from '../../src/regression/folds.ts';

export interface Case {
  readonly name: string;
  readonly data: string;
  readonly components: number;
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly stopping: PlsSettings['stopping'];
}

export interface Problem extends Case {
  readonly x: Float32Nd;
  readonly y: Float64Nd;
  readonly folds: Fold[];
  readonly heldOut: Float64Nd;
  readonly fitted: Float64Nd;
  readonly settings: PlsSettings;
}

export const quiet = unwatched;

/** A source of a copy of `x`, in one block or in blocks of `width` columns. */
export const sourceOf = (x: FloatNd, width = x.shape[1]!): FeatureSource => {
  const [rows = 0, columns = 0] = x.shape;
  return {
    name: 'layer',
    rows,
    columns,
    blockCount: Math.ceil(columns / width),
    async *blocks() {
      for (let from = 0; from < columns; from += width) {
        const size = Math.min(width, columns - from);
        const data =
          x.data instanceof Float32Array
            ? new Float32Array(rows * size)
            : new Float64Array(rows * size);
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < size; j++) data[i * size + j] = x.data[i * columns + from + j]!;
        yield { data, shape: [rows, size] };
      }
    },
  };
};

export const foldsFrom = (fold: ArrayLike<number>): Fold[] => {
  const rows = Array.from(fold, (_, row) => row);
  return [...new Set(Array.from(fold))]
    .sort((a, b) => a - b)
    .map((k) => ({
      name: `fold ${k}`,
      test: Int32Array.from(rows.filter((row) => fold[row] === k)),
    }));
};

/** Largest difference, in standard deviations of each column of `expected`; constant columns count as they are. */
export const worstDifference = (
  actual: Float64Nd,
  expected: Float64Nd,
  scale: Float64Nd,
): number => {
  const [rows = 0, sites = 0] = expected.shape;
  let worst = 0;
  for (let j = 0; j < sites; j++) {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < rows; i++) sum += scale.data[i * sites + j]!;
    for (let i = 0; i < rows; i++) squares += (scale.data[i * sites + j]! - sum / rows) ** 2;
    const deviation = Math.sqrt(squares / rows);
    for (let i = 0; i < rows; i++) {
      const difference = Math.abs(actual.data[i * sites + j]! - expected.data[i * sites + j]!);
      const relative = difference / (deviation > 1e-12 ? deviation : 1);
      // NaN must not pass as small.
      if (!(relative <= worst)) worst = relative;
    }
  }
  return worst;
};

const golden = (name: string): Promise<Buffer> =>
  readFile(new URL(`../golden/${name}`, import.meta.url));

export const loadProblems = async (): Promise<Map<string, Problem>> => {
  const { cases } = JSON.parse((await golden('pls.json')).toString()) as { cases: Case[] };
  const npz = await openNpz(bytesSource(await golden('pls.npz')), 'pls.npz');
  const read = async <T extends NdArray>(name: string): Promise<T> => {
    const array = await npz.read(name);
    if (isStrings(array)) throw new Error(`${name} holds text`);
    return array as T;
  };
  const problems = new Map<string, Problem>();
  for (const each of cases) {
    problems.set(each.name, {
      ...each,
      x: await read(`${each.data}__x`),
      y: await read(`${each.data}__y`),
      folds: foldsFrom((await read<NdArray<Int32Array>>(`${each.data}__fold`)).data),
      heldOut: await read(`${each.name}__heldOut`),
      fitted: await read(`${each.name}__fitted`),
      settings: {
        kind: 'pls',
        components: each.components,
        tolerance: each.tolerance,
        maxIterations: each.maxIterations,
        stopping: each.stopping,
        gram: 'float64',
      },
    });
  }
  return problems;
};

/** Agreement in standard deviations of a target, and the arithmetic that the case should end in. */
export const expected: Readonly<Record<string, readonly [tolerance: number, arithmetic: string]>> =
  {
    'full rank': [1e-11, 'float64 gram'],
    'fewer features than half the rows': [1e-11, 'covariance'],
    'more features than rows': [1e-11, 'float64 gram'],
    'loose tolerance': [1e-11, 'float64 gram'],
    'hardly any iterations': [1e-11, 'float64 gram'],
    converged: [1e-10, 'float64 gram'],
    'one target': [1e-11, 'float64 gram'],
    'more targets than rows': [1e-11, 'float64 gram'],
    'ill-conditioned': [1e-9, 'deflated'],
    'constant features and targets': [1e-11, 'float64 gram'],
    'constant features and targets, narrow': [1e-11, 'covariance'],
    // Both fit float32's rounding of the features, at 1e-7 of their size, with the nine digits left to float64.
    'rank-deficient but for float32 rounding': [1e-6, 'deflated'],
    'rank-deficient but for float32 rounding, narrow': [1e-6, 'features'],
    'rank spent': [1e-11, 'float64 gram'],
    '25 components': [1e-11, 'float64 gram'],
  };
