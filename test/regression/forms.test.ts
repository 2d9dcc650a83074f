import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { addRows } from '../../src/numeric/vectors.ts';
import type { Engine } from '../../src/records/ports.ts';
import { kFold } from '../../src/regression/folds.ts';
import type { PlsForm } from '../../src/regression/forms.ts';
import { predictHeldOut, predictHeldOutSplitsPls } from '../../src/regression/pls.ts';
import { expected, loadProblems, quiet, sourceOf, worstDifference } from './problems.ts';

// Every form, forced on problems that the rule would send another way.

let engine: Engine;
const problems = await loadProblems();
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 2 });
});
afterAll(() => engine.close());

describe('agrees with scikit-learn', () => {
  // The guard gives up where the covariances have too few digits, and the same tasks are fitted on the features.
  const arithmeticOf = { covariance: 'covariance', fused: 'features' } as const;
  const tripped = [
    'ill-conditioned',
    'rank-deficient but for float32 rounding',
    'rank-deficient but for float32 rounding, narrow',
  ];
  it.each(
    [...problems.values()].flatMap((problem) =>
      (['covariance', 'fused'] as const).map((form) => ({ ...problem, form })),
    ),
  )('from covariances: $name, $form', async ({ form, ...problem }) => {
    const [tolerance] = expected[problem.name]!;
    const { x, y, settings, folds } = problem;
    const result = await predictHeldOut(
      { engine, source: sourceOf(x), targets: [y, y], settings, watch: quiet },
      folds,
      form,
    );
    for (const predictions of result.predictions)
      expect(worstDifference(predictions, problem.heldOut, y)).toBeLessThan(tolerance);
    expect(result.arithmetic).toBe(
      tripped.includes(problem.name) ? 'features' : arithmeticOf[form],
    );
    expect(result.warnings).not.toContainEqual(expect.stringContaining('Gram'));
  });

  it.each(
    [...problems.values()].filter(({ stopping }) => stopping === 'scikit-learn'),
  )('over rows: $name', async (problem) => {
    const [tolerance, arithmetic] = expected[problem.name]!;
    const { x, y, settings, folds } = problem;
    const result = await predictHeldOut(
      { engine, source: sourceOf(x), targets: [y, y], settings, watch: quiet },
      folds,
      'rows',
    );
    for (const predictions of result.predictions)
      expect(worstDifference(predictions, problem.heldOut, y)).toBeLessThan(tolerance);
    const deflated = arithmetic === 'deflated' || problem.name.startsWith('rank-deficient');
    expect(result.arithmetic).toBe(deflated ? 'deflated' : 'float64 gram');
  });

  it.each([
    'scikit-learn',
    'converged',
  ] as const)('from covariances with more targets than features, and splits of several folds: %s', async (stopping) => {
    const [rows, columns, sites] = [80, 12, 30] as const;
    const random = createRandom('targets');
    const normal = (length: number) => Float64Array.from({ length }, random.normal);
    const x = { data: Float32Array.from(normal(rows * columns)), shape: [rows, columns] };
    const y = { data: normal(rows * sites), shape: [rows, sites] };
    // A target that is constant, one that a fold's training rows do not vary in.
    for (let i = 0; i < rows; i++) y.data[i * sites] = 3;
    for (let i = 0; i < rows; i++) y.data[i * sites + 1] = i < 20 ? random.normal() : 1;
    const folds = kFold({ rows, count: 4, shuffle: false, strata: null, seed: 0 });
    const splits = [[0], [1, 3], [3, 2]].map((heldOut) => ({
      name: heldOut.join(' '),
      heldOut,
      sets: heldOut[0] === 1 ? [0] : [0, 1],
    }));
    const { settings: like } = problems.get('full rank')!;
    const settings = { ...like, components: 6, stopping };
    const run = (form: PlsForm) =>
      predictHeldOutSplitsPls(
        { engine, source: sourceOf(x), targets: [y, y], settings, watch: quiet },
        folds.slice(0, 4),
        splits,
        form,
      );
    const [fromCovariances, fromFeatures] = [await run('covariance'), await run('features')];
    expect(fromCovariances.arithmetic).toBe('covariance');
    fromFeatures.predictions.forEach((sets, split) => {
      expect(fromCovariances.predictions[split]).toHaveLength(sets.length);
      sets.forEach((expectedSet, set) => {
        const difference = worstDifference(
          fromCovariances.predictions[split]![set]!,
          expectedSet,
          y,
        );
        expect(difference).toBeLessThan(1e-11);
      });
    });
  });
});

describe('where digits run out', () => {
  const forms = ['covariance', 'fused', 'rows'] as const;
  it.each(forms)('because the rank is spent, %s gives way to the features', async (form) => {
    const { x, y, settings, folds } = problems.get('rank spent')!;
    const run = (chosen: PlsForm) =>
      predictHeldOut(
        {
          engine,
          source: sourceOf(x),
          targets: [y],
          settings: { ...settings, components: 9 },
          watch: quiet,
        },
        folds,
        chosen,
      );
    const [given, onFeatures] = [await run(form), await run('features')];
    expect(given.arithmetic).toBe(form === 'rows' ? 'deflated' : 'features');
    expect(given.warnings).toContainEqual(expect.stringMatching(/fewer than 9 directions/));
    const [first, second] = [given.predictions[0]!, onFeatures.predictions[0]!];
    expect(worstDifference(first, second, y)).toBeLessThan(1e-11);
  });

  it.each([
    ['covariance', 2],
    ['covariance', 30],
    ['fused', 2],
    ['fused', 30],
    ['rows', 30],
  ] as const)('because %s leaves nothing of %i targets, these are fitted', async (form, sites) => {
    const [rows, columns] = [90, 12];
    const random = createRandom('fitted');
    // Two strong features, which are all that the targets know of.
    const strength = (column: number) => (column < 2 ? 300 : 1);
    const x = Float64Array.from(
      { length: rows * columns },
      (_, k) => strength(k % columns) * random.normal(),
    );
    const mixing = Float64Array.from({ length: columns * sites }, random.normal);
    const y = { data: new Float64Array(rows * sites), shape: [rows, sites] };
    for (let i = 0; i < rows; i++)
      addRows(
        y.data.subarray(i * sites, (i + 1) * sites),
        mixing,
        2,
        x.subarray(i * columns, (i + 1) * columns),
      );
    const { settings } = problems.get('full rank')!;
    const { predictions, arithmetic } = await predictHeldOut(
      {
        engine,
        source: sourceOf({ data: x, shape: [rows, columns] }),
        targets: [y],
        settings: { ...settings, components: 8 },
        watch: quiet,
      },
      kFold({ rows, count: 5, shuffle: true, strata: null, seed: 1 }),
      form,
    );
    expect(worstDifference(predictions[0]!, y, y)).toBeLessThan(1e-6);
    expect(arithmetic).toBe(form === 'rows' ? 'deflated' : 'features');
  });
});
