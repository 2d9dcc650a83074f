import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Best } from './ridge-sweep.ts';
import { type CentredTargets, centreTargets } from './targets.ts';

/** All sets side by side: [rows, sum of sites]. */
const joined = (sets: readonly CentredTargets[], rows: number): Float64Array => {
  const q = sets.reduce((sum, { sites }) => sum + sites, 0);
  const result = new Float64Array(rows * q);
  let offset = 0;
  for (const { values, sites } of sets) {
    for (let j = 0; j < sites; j++)
      for (let i = 0; i < rows; i++) result[i * q + offset + j] = values[j * rows + i]!;
    offset += sites;
  }
  return result;
};

/** What ridge regressions of one layer are fitted to. */
export interface RidgeTable {
  readonly source: FeatureSource;
  readonly order: Int32Array;
  /** Rows that each regression leaves out. */
  readonly tests: readonly Int32Array[];
  readonly sets: readonly CentredTargets[];
  readonly targets: Float64Array;
  /** In which each of the targets is. */
  readonly units: Float64Array;
}

/** Throws as `centreTargets` does. */
export const tableOf = (
  source: FeatureSource,
  targets: readonly Float64Nd[],
  tests: readonly Int32Array[],
): RidgeTable => {
  const order = Int32Array.from({ length: source.rows }, (_, row) => row);
  const sets = targets.map((set) => centreTargets(set, order));
  const units = Float64Array.from(sets.flatMap(({ sites, unit }) => Array(sites).fill(unit)));
  return { source, order, tests, sets, targets: joined(sets, source.rows), units };
};

/** The value of every target that does not vary over the training rows, or where no feature varies; NaN for others. */
export const fixedValues = (
  { targets }: RidgeTable,
  { training, errors }: Best,
  dead: boolean,
): Float64Array => {
  const q = errors.length;
  const first = training.indexOf(1);
  const sums = new Float64Array(q);
  const varies = new Uint8Array(q);
  let rows = 0;
  training.forEach((trains, i) => {
    if (trains === 0) return;
    rows++;
    for (let j = 0; j < q; j++) {
      sums[j] = sums[j]! + targets[i * q + j]!;
      if (targets[i * q + j] !== targets[first * q + j]) varies[j] = 1;
    }
  });
  return sums.map((sum, j) => {
    if (varies[j] === 0) return targets[first * q + j]!;
    return dead ? sum / rows : Number.NaN;
  });
};

/** One array [rows, sites] for every set, from what `valueAt` says of row and target. */
export const split = (
  sets: readonly CentredTargets[],
  rows: number,
  valueAt: (row: number, target: number) => number,
): Float64Nd[] => {
  let offset = 0;
  return sets.map(({ sites }) => {
    const data = new Float64Array(rows * sites);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < sites; j++) data[i * sites + j] = valueAt(i, offset + j);
    offset += sites;
    return { data, shape: [rows, sites] };
  });
};
