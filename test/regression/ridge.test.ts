import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isStrings } from '../../src/formats/npy.ts';
import { openNpz } from '../../src/formats/npz.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { takeRows } from '../../src/numeric/array.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float32Nd, Float64Nd, NdArray } from '../../src/records/array.ts';
import type { Engine } from '../../src/records/ports.ts';
import { type RidgeSettings, ridgeSchema } from '../../src/records/protocol.ts';
import { invertDefinite } from '../../src/regression/factor.ts';
import { kFold } from '../../src/regression/folds.ts';
import { openProducts } from '../../src/regression/products.ts';
import {
  fitRidgeReadout,
  predictHeldOutRidge,
  predictSplitsRidge,
} from '../../src/regression/ridge.ts';
import { shuffleSplits } from '../../src/regression/sklearn-splits.ts';
import { foldsFrom, quiet, sourceOf, worstDifference } from './problems.ts';

interface Case {
  readonly name: string;
  readonly data: string;
  readonly alphas: number[];
  readonly choose: RidgeSettings['choose'];
  readonly perTarget: boolean;
}

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 2 });
});
afterAll(() => engine.close());

const golden = (name: string): Promise<Buffer> =>
  readFile(new URL(`../golden/${name}`, import.meta.url));
const { cases } = JSON.parse((await golden('ridge.json')).toString()) as { cases: Case[] };
const npz = await openNpz(bytesSource(await golden('ridge.npz')), 'ridge.npz');
const read = async <T extends NdArray>(name: string): Promise<T> => {
  const array = await npz.read(name);
  if (isStrings(array)) throw new Error(`${name} holds text`);
  return array as T;
};
const problemOf = async ({ data }: Case) => ({
  x: await read<Float32Nd>(`${data}__x`),
  y: await read<Float64Nd>(`${data}__y`),
  folds: foldsFrom((await read<NdArray<Int32Array>>(`${data}__fold`)).data),
});
const settingsOf = ({ alphas, choose, perTarget }: Case): RidgeSettings => ({
  kind: 'ridge',
  unit: 'absolute',
  alphas,
  choose,
  perTarget,
});
const settings: RidgeSettings = {
  kind: 'ridge',
  unit: 'absolute',
  alphas: [0.1, 1, 10, 100],
  choose: 'leave-one-out',
  perTarget: true,
};

const predict = (weights: Float64Nd, offset: Float64Array, x: Float32Nd): Float64Nd => {
  const [rows = 0, columns = 0] = x.shape;
  const sites = offset.length;
  const data = new Float64Array(rows * sites);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < sites; j++) {
      let sum = offset[j]!;
      for (let k = 0; k < columns; k++)
        sum += x.data[i * columns + k]! * weights.data[k * sites + j]!;
      data[i * sites + j] = sum;
    }
  return { data, shape: [rows, sites] };
};

const normals = (seed: string, rows: number, columns: number) => {
  const random = createRandom(seed);
  return Float64Array.from({ length: rows * columns }, () => random.normal());
};
const noisyProblem = (rows: number, columns: number, sites: number) => {
  const x: Float32Nd = {
    data: Float32Array.from(normals(`x ${rows} ${columns}`, rows, columns)),
    shape: [rows, columns],
  };
  const noise = normals('y', rows, sites);
  const data = noise.map((value, k) => {
    const i = Math.floor(k / sites);
    let sum = value;
    for (let c = 0; c < Math.min(5, columns); c++)
      sum += x.data[i * columns + c]! * ((k % sites) + 1);
    return sum;
  });
  const y: Float64Nd = { data, shape: [rows, sites] };
  return { x, y, folds: kFold({ rows, count: 4, shuffle: true, strata: null, seed: 1 }) };
};

it('gives the same in any unit of the responses', async () => {
  const { x, y, folds } = noisyProblem(40, 60, 3);
  const run = (scale: number) => {
    const set = { ...y, data: y.data.map((value) => value * scale) };
    return predictHeldOutRidge(engine, sourceOf(x), [set], folds, settings, quiet);
  };
  const plain = await run(1);
  const fitted = await fitRidgeReadout(engine, sourceOf(x), y, settings);
  for (const scale of [2 ** -100, 2 ** 500]) {
    const found = await run(scale);
    const again = found.predictions[0]!.data.map((value) => value / scale);
    expect(worstDifference({ ...y, data: again }, plain.predictions[0]!, y)).toBeLessThan(1e-12);
    expect(found.alphas).toEqual(plain.alphas);
    const set = { ...y, data: y.data.map((value) => value * scale) };
    const { weights } = await fitRidgeReadout(engine, sourceOf(x), set, settings);
    weights.data.forEach((weight, k) => {
      expect(weight / scale).toBeCloseTo(fitted.weights.data[k]!, 10);
    });
  }
});

describe('agrees with scikit-learn', () => {
  it.each(cases)('$name', async (each) => {
    const { x, y, folds } = await problemOf(each);
    const found = await predictHeldOutRidge(
      engine,
      sourceOf(x),
      [y],
      folds,
      settingsOf(each),
      quiet,
    );
    expect(found.arithmetic).toBe('float64 gram');
    const heldOut = await read<Float64Nd>(`${each.name}__heldOut`);
    expect(worstDifference(found.predictions[0]!, heldOut, y)).toBeLessThan(1e-8);
    const alphas = await read<Float64Nd>(`${each.name}__alphas`);
    expect(found.alphas[0]!.shape).toEqual(alphas.shape);
    expect([...found.alphas[0]!.data]).toEqual([...alphas.data]);
    const errors = await read<Float64Nd>(`${each.name}__errors`);
    found.errors[0]!.data.forEach((error, k) => {
      expect(error / errors.data[k]!).toBeCloseTo(1, 7);
    });
    const readout = await fitRidgeReadout(engine, sourceOf(x), y, settingsOf(each));
    const fitted = predict(readout.weights, readout.offset, x);
    expect(worstDifference(fitted, await read<Float64Nd>(`${each.name}__fitted`), y)).toBeLessThan(
      1e-8,
    );
  });

  it('on grids whose chosen alphas differ between folds or targets', async () => {
    const all = await Promise.all(
      cases.map(async ({ name }) => new Set((await read<Float64Nd>(`${name}__alphas`)).data)),
    );
    expect(all.filter(({ size }) => size > 1).length).toBeGreaterThan(3);
  });
});

describe('ridge regression under cross-validation', () => {
  it('gives several target sets what each gets alone, and blocks of columns what one block gets', async () => {
    const { x, y, folds } = noisyProblem(70, 90, 3);
    const second: Float64Nd = { data: normals('second', 70, 2), shape: [70, 2] };
    const run = (targets: Float64Nd[], width?: number) =>
      predictHeldOutRidge(engine, sourceOf(x, width), targets, folds, settings, quiet);
    const both = await run([y, second], 40);
    for (const [index, set] of [y, second].entries()) {
      const alone = await run([set]);
      expect(worstDifference(both.predictions[index]!, alone.predictions[0]!, set)).toBeLessThan(
        1e-10,
      );
      expect(both.alphas[index]).toEqual(alone.alphas[0]);
    }
  });

  it('never lets held-out responses into a choice or a prediction', async () => {
    const { x, y, folds } = noisyProblem(70, 90, 3);
    const run = (targets: Float64Nd) =>
      predictHeldOutRidge(engine, sourceOf(x), [targets], folds, settings, quiet);
    const before = await run(y);
    const test = new Set(folds[2]!.test);
    const spoiled = y.data.map((value, k) => (test.has(Math.floor(k / 3)) ? 50 - value : value));
    const after = await run({ data: spoiled, shape: y.shape });
    for (const row of test)
      for (let j = 0; j < 3; j++)
        expect(after.predictions[0]!.data[row * 3 + j]).toBeCloseTo(
          before.predictions[0]!.data[row * 3 + j]!,
          8,
        );
    expect([...after.alphas[0]!.data.subarray(6, 9)]).toEqual([
      ...before.alphas[0]!.data.subarray(6, 9),
    ]);
  });

  it('fits splits whose held-out rows overlap, each as it would be alone', async () => {
    const { x, y } = noisyProblem(70, 90, 3);
    const splits = shuffleSplits(70, 3, { test: 0.4 }, 1).map(({ test }, k) => ({
      name: `split ${k + 1}`,
      test,
    }));
    const shared = splits[0]!.test.filter((row) => splits[1]!.test.includes(row));
    expect(shared.length).toBeGreaterThan(3);
    const found = await predictSplitsRidge(engine, sourceOf(x), [y], splits, settings, quiet);
    for (const [index, split] of splits.entries()) {
      const alone = await predictHeldOutRidge(engine, sourceOf(x), [y], [split], settings, quiet);
      const expected = takeRows(alone.predictions[0]!, split.test);
      const scale = takeRows(y, split.test);
      expect(worstDifference(found.predictions[index]![0]!, expected, scale)).toBeLessThan(1e-10);
      expect([...found.alphas[0]!.data.subarray(3 * index, 3 * index + 3)]).toEqual([
        ...alone.alphas[0]!.data,
      ]);
    }
    await expect(
      predictHeldOutRidge(engine, sourceOf(x), [y], splits, settings, quiet),
    ).rejects.toThrow('in one fold at most');
  });

  it('measures alphas by the features where it is asked to, so that their scale does not matter', async () => {
    const { x, y, folds } = noisyProblem(70, 90, 3);
    const scaled: Float32Nd = { data: x.data.map((value) => value * 1024), shape: x.shape };
    const relative: RidgeSettings = { ...settings, unit: 'mean-square', alphas: [0.01, 0.1, 1] };
    const run = (features: Float32Nd) =>
      predictHeldOutRidge(engine, sourceOf(features), [y], folds, relative, quiet);
    const [small, large] = [await run(x), await run(scaled)];
    expect(worstDifference(large.predictions[0]!, small.predictions[0]!, y)).toBeLessThan(1e-10);
    expect(large.alphas).toEqual(small.alphas);
  });

  it('predicts a constant for constant targets, and the training mean from dead features', async () => {
    const { x, y, folds } = noisyProblem(70, 90, 3);
    const flat = y.data.map((value, k) => (k % 3 === 1 ? 4.25 : value));
    const heldOutOnly = folds[0]!.test[0]!;
    flat[heldOutOnly * 3 + 1] = 9;
    const targets: Float64Nd = { data: flat, shape: y.shape };
    const found = await predictHeldOutRidge(engine, sourceOf(x), [targets], folds, settings, quiet);
    const ofFirstFold = Array.from(
      folds[0]!.test,
      (row) => found.predictions[0]!.data[row * 3 + 1]!,
    );
    expect(new Set(ofFirstFold).size).toBe(1);
    expect(ofFirstFold[0]).toBeCloseTo(4.25, 12);
    const dead: Float32Nd = { data: new Float32Array(70 * 90).fill(0.3), shape: [70, 90] };
    const none = await predictHeldOutRidge(engine, sourceOf(dead), [y], folds, settings, quiet);
    for (const { test } of folds) {
      expect(new Set(Array.from(test, (row) => none.predictions[0]!.data[row * 3])).size).toBe(1);
    }
    expect(none.warnings).toContain('90 of 90 features are constant over all rows');
  });

  it('says where the best alpha is the last of the grid, and which are lost in rounding', async () => {
    const { x, y, folds } = noisyProblem(60, 20, 2);
    const pure: Float64Nd = { data: normals('pure noise', 60, 2), shape: [60, 2] };
    const run = (targets: Float64Nd, alphas: number[]) =>
      predictHeldOutRidge(
        engine,
        sourceOf(x),
        [targets],
        folds,
        { ...settings, perTarget: false, alphas },
        quiet,
      );
    expect((await run(pure, [1e-3, 1])).warnings).toEqual([
      'in 4 of 4 choices the highest alpha of the grid was the best (1, absolute)',
    ]);
    const lost = await run(y, [1e-15, 1, 1e3]);
    expect(lost.warnings[0]).toContain('alphas 1e-15 are lost in the rounding');
    expect([...lost.alphas[0]!.data]).not.toContain(1e-15);
    await expect(run(y, [1e-16, 1e-15])).rejects.toThrow(
      'regression on layer: alphas: expected at least one alpha above the rounding of the Gram matrix, ' +
        'got 1e-16, 1e-15 (absolute); give larger alphas',
    );
  });

  it('refuses folds that leave too few rows to train on, and grids that do not ascend', async () => {
    const { x, y } = noisyProblem(60, 90, 2);
    const test = Int32Array.from({ length: 58 }, (_, row) => row);
    await expect(
      predictHeldOutRidge(engine, sourceOf(x), [y], [{ name: 'most', test }], settings, quiet),
    ).rejects.toThrow('regression: most: expected at least 3 training rows, got 2');
    for (const alphas of [[], [1, 1], [2, 1], [0, 1], [1, Number.POSITIVE_INFINITY]])
      expect(ridgeSchema.safeParse({ ...settings, alphas }).success).toBe(false);
    expect(ridgeSchema.safeParse(settings).success).toBe(true);
  });
});

describe('invertDefinite', () => {
  it.each([1, 127, 128, 129, 300, 601])('inverts %d rows', async (n) => {
    const products = openProducts(engine);
    const factor = normals('factor', n, n);
    const square = await products.multiply(
      'a·bᵀ',
      { data: factor, shape: [n, n] },
      { data: factor, shape: [n, n] },
    );
    for (let i = 0; i < n; i++) square[i * n + i]! += 1;
    const inverse = (await invertDefinite(engine, products, square.slice(), n))!;
    const unit = await products.multiply(
      'a·b',
      { data: square, shape: [n, n] },
      { data: inverse, shape: [n, n] },
    );
    const worst = unit.reduce(
      (most, value, k) => Math.max(most, Math.abs(value - (k % (n + 1) === 0 ? 1 : 0))),
      0,
    );
    expect(worst).toBeLessThan(1e-10);
    const spoiled = square.slice();
    spoiled[n * n - 1] = -1;
    expect(await invertDefinite(engine, products, spoiled, n)).toBeNull();
    await products.release();
  });
});
