// Leaving out two folds at once is what leaving out one is on data that never held the other.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { FeatureSource } from '../../src/records/activations.ts';
import type { Float64Nd } from '../../src/records/array.ts';
import type { Engine } from '../../src/records/ports.ts';
import type { RegressionSettings } from '../../src/records/protocol.ts';
import { kFold } from '../../src/regression/folds.ts';
import { predictFolds, predictOmitted } from '../../src/regression/regress.ts';

const rows = 60;
const sites = 4;

const pls: RegressionSettings = {
  kind: 'pls',
  components: 5,
  tolerance: 1e-6,
  maxIterations: 500,
  stopping: 'scikit-learn',
  gram: 'float64',
};
const ridge: RegressionSettings = {
  kind: 'ridge',
  alphas: [0.01, 0.1, 1],
  unit: 'absolute',
  choose: 'gcv',
  perTarget: true,
};

const normal = (count: number, seed: string): Float64Array => {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => random.normal());
};

const takeOf = (data: ArrayLike<number>, width: number, kept: readonly number[]): number[] =>
  kept.flatMap((row) => Array.from({ length: width }, (_, k) => data[row * width + k]!));

const sourceOf = (data: readonly number[], columns: number): FeatureSource => {
  const shape = [data.length / columns, columns];
  return {
    rows: shape[0]!,
    columns,
    name: 'layer',
    blockCount: 1,
    async *blocks() {
      yield { data: Float32Array.from(data), shape };
    },
  };
};

const hooks = { progress: () => {}, checkStop: () => {} };

describe('regressions that leave out two folds', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createNodeEngine({ threads: 1 });
  });
  afterAll(() => engine.close());

  const folds = kFold({ rows, count: 5, shuffle: true, strata: null, seed: 3 });
  const targets = normal(rows * sites, 'targets');
  const all: Float64Nd = { data: targets, shape: [rows, sites] };
  const everyRow = Array.from({ length: rows }, (_, row) => row);

  test.each([
    ['pls on a wide layer', pls, 150],
    ['pls on a narrow layer', pls, 12],
    ['ridge', ridge, 150],
  ] as const)('%s', async (_, settings, columns) => {
    const features = Float32Array.from(normal(rows * columns, `features ${columns}`));
    const { predictions } = await predictOmitted(
      engine,
      sourceOf([...features], columns),
      [all, all],
      folds,
      [
        { name: 'fold 3', heldOut: [2], sets: [0, 1] },
        { name: 'folds 1 and 4', heldOut: [0, 3], sets: [1] },
      ],
      settings,
      hooks,
    );
    expect(predictions.map((sets) => sets.map(({ shape }) => shape))).toEqual([
      [
        [12, sites],
        [12, sites],
      ],
      [[24, sites]],
    ]);
    const without = new Set(folds[3]!.test);
    const kept = everyRow.filter((row) => !without.has(row));
    const place = new Map(kept.map((row, k) => [row, k]));
    const alone = await predictFolds(
      engine,
      sourceOf(takeOf(features, columns, kept), columns),
      [{ data: Float64Array.from(takeOf(targets, sites, kept)), shape: [kept.length, sites] }],
      [{ name: 'fold 1', test: folds[0]!.test.map((row) => place.get(row)!) }],
      settings,
      hooks,
    );
    const ours = predictions[1]![0]!.data.subarray(0, 12 * sites);
    const theirs = takeOf(
      alone.predictions[0]!.data,
      sites,
      [...folds[0]!.test].map((row) => place.get(row)!),
    );
    ours.forEach((value, k) => {
      expect(Math.abs(value - theirs[k]!)).toBeLessThan(1e-9);
    });
  });

  test('blocks that overlap are refused', async () => {
    const twice = [folds[0]!, { name: 'again', test: folds[0]!.test }];
    const splits = [{ name: 'both', heldOut: [0, 1], sets: [0] }];
    await expect(
      predictOmitted(
        engine,
        sourceOf([...normal(rows * 9, 'x')], 9),
        [all],
        twice,
        splits,
        pls,
        hooks,
      ),
    ).rejects.toThrow('a second time');
  });
});
