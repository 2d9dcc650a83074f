import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float32Nd, Float64Nd } from '../../src/records/array.ts';
import { stoppedError } from '../../src/records/errors.ts';
import type { Engine, Progress } from '../../src/records/ports.ts';
import type { PlsSettings } from '../../src/records/protocol.ts';
import { kFold } from '../../src/regression/folds.ts';
import { fitReadout, predictHeldOut, type Readout } from '../../src/regression/pls.ts';
import {
  expected,
  loadProblems,
  type Problem,
  quiet,
  sourceOf,
  worstDifference,
} from './problems.ts';

let engine: Engine;
const problems = await loadProblems();
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 2 });
});
afterAll(() => engine.close());

const heldOut = (problem: Problem, settings: Partial<PlsSettings> = {}, width?: number) =>
  predictHeldOut(
    {
      engine,
      source: sourceOf(problem.x, width),
      targets: [problem.y],
      settings: { ...problem.settings, ...settings },
      watch: quiet,
    },
    problem.folds,
  );

const predict = ({ weights, offset }: Readout, x: Float32Nd): Float64Nd => {
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

describe('agrees with scikit-learn', () => {
  it('on every golden case', () => {
    expect([...problems.keys()].sort()).toEqual(Object.keys(expected).sort());
  });

  it.each([...problems.values()])('held out: $name', async (problem) => {
    const [tolerance, arithmetic] = expected[problem.name]!;
    const result = await heldOut(problem);
    const difference = worstDifference(result.predictions[0]!, problem.heldOut, problem.y);
    expect(difference).toBeLessThan(tolerance);
    expect(result.arithmetic).toBe(arithmetic);
  });

  it.each([
    ...problems.values(),
  ])('held out, a thousand beside float64 features: $name', async (problem) => {
    const [tolerance, arithmetic] = expected[problem.name]!;
    // All but exact: float32 would keep 13 of the 24 digits.
    const x = { ...problem.x, data: Float64Array.from(problem.x.data, (value) => value + 2 ** 10) };
    const { predictions, ...result } = await predictHeldOut(
      {
        engine,
        source: sourceOf(x),
        targets: [problem.y],
        settings: problem.settings,
        watch: quiet,
      },
      problem.folds,
    );
    const difference = worstDifference(predictions[0]!, problem.heldOut, problem.y);
    expect(difference).toBeLessThan(Math.max(1e-9, tolerance));
    expect(result.arithmetic).toBe(arithmetic);
  });

  it.each([
    'float32',
    'float64',
  ] as const)('in any unit of features and responses, %s', async (gram) => {
    for (const name of ['full rank', 'fewer features than half the rows', '25 components']) {
      const problem = problems.get(name)!;
      const settings = { ...problem.settings, gram };
      const run = (scaleX: number, scaleY: number) =>
        predictHeldOut(
          {
            engine,
            source: sourceOf({ ...problem.x, data: problem.x.data.map((value) => value * scaleX) }),
            targets: [{ ...problem.y, data: problem.y.data.map((value) => value * scaleY) }],
            settings,
            watch: quiet,
          },
          problem.folds,
        );
      const plain = await run(1, 1);
      // Powers of two, so that nothing is rounded: about 1e-15, 1e-30, 1e150, and float32's ends for features.
      for (const [x, y] of [
        [0, -50],
        [0, -100],
        [0, 500],
        [-100, 0],
        [100, 0],
      ] as const) {
        const { predictions, warnings } = await run(2 ** x, 2 ** y);
        const again = predictions[0]!.data.map((value) => value / 2 ** y);
        const difference = worstDifference(
          { ...predictions[0]!, data: again },
          plain.predictions[0]!,
          problem.y,
        );
        expect([name, x, y, difference < 1e-9]).toEqual([name, x, y, true]);
        expect(warnings).toEqual(plain.warnings);
      }
    }
  });

  it.each([...problems.values()])('readout on all rows: $name', async (problem) => {
    const [tolerance] = expected[problem.name]!;
    const readout = await fitReadout(
      { engine, source: sourceOf(problem.x), settings: problem.settings, watch: quiet },
      problem.y,
    );
    const predicted = predict(readout, problem.x);
    expect(worstDifference(predicted, problem.fitted, problem.y)).toBeLessThan(tolerance);
  });
});

describe('warnings', () => {
  it('count constant features and say when the fit left the Gram matrix', async () => {
    const constant = await heldOut(problems.get('constant features and targets')!);
    expect(constant.warnings).toEqual(['2 of 60 features are constant over all rows']);
    const deficient = await heldOut(problems.get('rank-deficient but for float32 rounding')!);
    expect(deficient.warnings).toEqual([expect.stringContaining('nearly rank-deficient')]);
    expect((await heldOut(problems.get('full rank')!)).warnings).toEqual([]);
  });

  it('say where the iteration ran out of steps', async () => {
    const { warnings } = await heldOut(problems.get('hardly any iterations')!);
    expect(warnings).toEqual(['the power iteration reached its 4 steps in 60 of 60 components']);
  });

  it('say where the rank is spent, and predictions stay with the components that there are', async () => {
    const spent = problems.get('rank spent')!;
    const { predictions, warnings } = await heldOut(spent, { components: 9 });
    expect(warnings).toContainEqual(
      expect.stringMatching(/fewer than 9 directions .* \(4 at least\); scikit-learn/),
    );
    expect(worstDifference(predictions[0]!, spent.heldOut, spent.y)).toBeLessThan(1e-9);
  });

  it.each([
    ['narrow', 1, 'features'],
    ['wide', 5, 'deflated'],
  ])('say where nothing of the features varies with the targets any more: %s', async (_, copies, arithmetic) => {
    // Every fold shows the same images, whose features are orthogonal: a component or two give the least squares.
    const [images, waves, repeats] = [40, 24, 3];
    const [rows, columns] = [images * repeats, waves * copies];
    const wave = (image: number, k: number) =>
      Math.sqrt(2 / images) * Math.cos((Math.PI * (image + 0.5) * (k + 1)) / images);
    const x = { data: new Float32Array(rows * columns), shape: [rows, columns] };
    for (let i = 0; i < rows; i++)
      for (let k = 0; k < columns; k++) x.data[i * columns + k] = wave(i % images, k % waves);
    const random = createRandom('orthogonal');
    const y = { data: Float64Array.from({ length: rows }, random.normal), shape: [rows, 1] };
    const folds = kFold({ rows, count: repeats, shuffle: false, strata: null, seed: 1 });
    const squares = { data: new Float64Array(rows), shape: [rows, 1] };
    for (const { test } of folds) {
      const training = y.data.filter((_, i) => !test.includes(i));
      for (const row of test)
        training.forEach((value, i) => {
          let weight = 1 / images;
          for (let k = 0; k < waves; k++) weight += wave(row % images, k) * wave(i % images, k);
          squares.data[row]! += (weight * value) / (repeats - 1);
        });
    }
    const settings = { ...problems.get('one target')!.settings, components: 12 };
    const fitted = await predictHeldOut(
      { engine, source: sourceOf(x), targets: [y], settings, watch: quiet },
      folds,
    );
    expect(worstDifference(fitted.predictions[0]!, squares, y)).toBeLessThan(1e-6);
    expect(fitted.arithmetic).toBe(arithmetic);
    expect(fitted.warnings).toContainEqual(expect.stringMatching(/fewer than 12 directions/));
  });

  it('say where a layer in several blocks could not be fitted on its features', async () => {
    const deficient = problems.get('rank-deficient but for float32 rounding')!;
    const result = await heldOut(deficient, {}, 25);
    expect(result.arithmetic).toBe('float64 gram');
    expect(result.warnings).toEqual([expect.stringMatching(/had digits for fewer than 9/)]);
    expect(result.predictions[0]!.data.every(Number.isFinite)).toBe(true);
  });
});

describe('constant targets', () => {
  it('are predicted as they are', async () => {
    for (const name of ['constant features and targets', 'constant features and targets, narrow']) {
      const { predictions } = await heldOut(problems.get(name)!);
      const { data, shape } = predictions[0]!;
      for (let i = 0; i < shape[0]!; i++) expect(data[i * shape[1]!]).toBe(2.5);
    }
  });

  it('alone, or with constant features alone, give means', async () => {
    const problem = problems.get('more features than rows')!;
    const flat = { data: new Float64Array(100).fill(0.1), shape: [50, 2] };
    const run = (x: Float32Nd, y: Float64Nd) =>
      predictHeldOut(
        { engine, source: sourceOf(x), targets: [y], settings: problem.settings, watch: quiet },
        problem.folds,
      );
    const ofTargets = await run(problem.x, flat);
    expect(worstDifference(ofTargets.predictions[0]!, flat, flat)).toBeLessThan(1e-15);
    const still = {
      data: new Float32Array(problem.x.data.length).fill(0.7),
      shape: problem.x.shape,
    };
    const ofFeatures = await run(still, problem.y);
    const [first] = problem.folds[0]!.test;
    const others = problem.folds.slice(1).flatMap(({ test }) => [...test]);
    const mean = others.reduce((sum, row) => sum + problem.y.data[row * 6]!, 0) / others.length;
    expect(ofFeatures.predictions[0]!.data[first! * 6]).toBeCloseTo(mean, 12);
    expect(ofFeatures.warnings).toContainEqual('200 of 200 features are constant over all rows');
  });
});

describe('properties', () => {
  const rearranged = ({ data, shape }: Float32Nd | Float64Nd, order: Int32Array) => {
    const width = shape[1]!;
    const copy = data.slice();
    order.forEach((row, i) => {
      copy.set(data.subarray(row * width, (row + 1) * width), i * width);
    });
    return { data: copy, shape };
  };

  it.each([
    'full rank',
    'fewer features than half the rows',
    '25 components',
  ])('the order of rows and folds changes nothing: %s', async (name) => {
    const problem = problems.get(name)!;
    const straight = await heldOut(problem);
    const order = createRandom(5).permutation(problem.x.shape[0]!);
    const placeOf = new Int32Array(order.length);
    order.forEach((row, i) => {
      placeOf[row] = i;
    });
    const folds = problem.folds
      .map(({ name: fold, test }) => ({ name: fold, test: test.map((row) => placeOf[row]!) }))
      .reverse();
    const turned = await predictHeldOut(
      {
        engine,
        source: sourceOf(rearranged(problem.x, order) as Float32Nd),
        targets: [rearranged(problem.y, order) as Float64Nd],
        settings: problem.settings,
        watch: quiet,
      },
      folds,
    );
    const back = rearranged(turned.predictions[0]!, placeOf) as Float64Nd;
    expect(worstDifference(back, straight.predictions[0]!, problem.y)).toBeLessThan(1e-11);
  });

  it.each([
    ['narrow', 90, 12],
    ['wide', 60, 40],
  ])('a site that is an exact linear function of the features is predicted: %s', async (_, rows, columns) => {
    const random = createRandom('linear');
    const x = Float32Array.from({ length: rows * columns }, random.normal);
    const weights = Float64Array.from({ length: columns * 2 }, random.normal);
    const y = new Float64Array(rows * 2);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < 2; j++)
        for (let k = 0; k < columns; k++)
          y[i * 2 + j] = y[i * 2 + j]! + x[i * columns + k]! * weights[k * 2 + j]!;
    const targets = { data: y, shape: [rows, 2] };
    const settings: PlsSettings = {
      kind: 'pls',
      components: columns,
      tolerance: 1e-6,
      maxIterations: 500,
      stopping: 'scikit-learn',
      gram: 'auto',
    };
    const folds = kFold({ rows, count: 5, shuffle: true, strata: null, seed: 1 });
    const source = sourceOf({ data: x, shape: [rows, columns] });
    const { predictions } = await predictHeldOut(
      { engine, source, targets: [targets], settings, watch: quiet },
      folds,
    );
    expect(worstDifference(predictions[0]!, targets, targets)).toBeLessThan(1e-7);
  });

  it('several target sets come out as each alone does, also in several blocks', async () => {
    const problem = problems.get('more features than rows')!;
    const [rows = 0, sites = 0] = problem.y.shape;
    const first = { data: new Float64Array(rows * 2), shape: [rows, 2] };
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < 2; j++) first.data[i * 2 + j] = problem.y.data[i * sites + j]!;
    const { x, y, folds, settings } = problem;
    const together = await predictHeldOut(
      { engine, source: sourceOf(x, 64), targets: [first, y], settings, watch: quiet },
      folds,
    );
    const alone = await predictHeldOut(
      { engine, source: sourceOf(x), targets: [first], settings, watch: quiet },
      folds,
    );
    expect(worstDifference(together.predictions[0]!, alone.predictions[0]!, first)).toBeLessThan(
      1e-11,
    );
    expect(worstDifference(together.predictions[1]!, problem.heldOut, y)).toBeLessThan(1e-11);
  });

  it('rows in no fold get no prediction', async () => {
    const { x, y, folds, settings } = problems.get('full rank')!;
    const result = await predictHeldOut(
      { engine, source: sourceOf(x), targets: [y], settings, watch: quiet },
      folds.slice(1),
    );
    const missing = new Set(folds[0]!.test);
    for (let i = 0; i < x.shape[0]!; i++)
      expect(Number.isNaN(result.predictions[0]!.data[i * 3]!)).toBe(missing.has(i));
  });
});

describe('a float32 Gram matrix', () => {
  it('is kept where the guard allows, and agrees to what float32 gives', async () => {
    const problem = problems.get('more features than rows')!;
    const result = await heldOut(problem, { gram: 'float32' });
    expect(result.arithmetic).toBe('float32 gram');
    expect(worstDifference(result.predictions[0]!, problem.heldOut, problem.y)).toBeLessThan(1e-4);
  });

  it('is given up for float64 where the guard does not', async () => {
    const problem = problems.get('ill-conditioned')!;
    const result = await heldOut(problem, { gram: 'float32', components: 8 });
    expect(result.arithmetic).toBe('float64 gram');
  });
});

describe('bad input', () => {
  const problem = problems.get('full rank')!;
  const withValue = (row: number, column: number, value: number): Float32Nd => {
    const data = problem.x.data.slice();
    data[row * 50 + column] = value;
    return { data, shape: problem.x.shape };
  };
  const run = (x: Float32Nd, settings: Partial<PlsSettings> = {}, folds = problem.folds) =>
    predictHeldOut(
      {
        engine,
        source: sourceOf(x, 32),
        targets: [problem.y],
        settings: { ...problem.settings, ...settings },
        watch: quiet,
      },
      folds,
    );

  it.each([Number.NaN, Infinity])('%s in the features is named', async (value) => {
    await expect(run(withValue(17, 41, value))).rejects.toMatchObject({
      kind: 'input',
      problem: { where: 'features of layer: [17, 41]', got: String(value) },
    });
  });

  it('too few features or training rows for the components', async () => {
    const narrow = problems.get('fewer features than half the rows')!;
    await expect(heldOut(narrow, { components: 31 })).rejects.toThrow(
      /at least 31 features for 31 components, got 30/,
    );
    const half = kFold({ rows: 60, count: 2, shuffle: false, strata: null, seed: 0 });
    await expect(run(problem.x, { components: 30 }, half)).rejects.toThrow(
      /at least 31 training rows for 30 components, got 30/,
    );
  });

  it('overlapping folds, targets for other rows, targets that are not finite', async () => {
    const twice = [...problem.folds, problem.folds[0]!];
    await expect(run(problem.x, {}, twice)).rejects.toThrow(/a second time/);
    const call = (y: Float64Nd) =>
      predictHeldOut(
        {
          engine,
          source: sourceOf(problem.x),
          targets: [y],
          settings: problem.settings,
          watch: quiet,
        },
        problem.folds,
      );
    await expect(call({ data: new Float64Array(20), shape: [20, 1] })).rejects.toThrow(/60 rows/);
    const holed = problem.y.data.slice();
    holed[7] = Number.NaN;
    await expect(call({ data: holed, shape: problem.y.shape })).rejects.toThrow(/\[2, 1\]/);
  });
});

describe('a watch', () => {
  it('is told of every step up to the total, and stops between steps', async () => {
    const { x, y, folds, settings } = problems.get('25 components')!;
    const seen: [number, number][] = [];
    const progress: Progress = ({ done, total }) => void seen.push([done, total!]);
    await predictHeldOut(
      {
        engine,
        source: sourceOf(x),
        targets: [y],
        settings,
        watch: {
          progress,
          checkStop: () => {},
        },
      },
      folds,
    );
    expect(seen.map(([done]) => done)).toEqual(seen.map((_, k) => k + 1));
    expect(seen.at(-1)![0]).toBe(seen.at(-1)![1]);
    let steps = 0;
    const checkStop = () => {
      if (++steps === 5) throw stoppedError();
    };
    const stopped = predictHeldOut(
      {
        engine,
        source: sourceOf(x),
        targets: [y],
        settings,
        watch: {
          progress: () => {},
          checkStop,
        },
      },
      folds,
    );
    await expect(stopped).rejects.toMatchObject({ kind: 'stopped' });
  });
});
