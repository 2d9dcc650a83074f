import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeEngine } from '../../src/node/engine.ts';
import { takeRows } from '../../src/numeric/array.ts';
import type { FeatureSource } from '../../src/records/activations.ts';
import type { Engine } from '../../src/records/ports.ts';
import type { RegressionSettings } from '../../src/records/protocol.ts';
import { predictFolds } from '../../src/regression/regress.ts';
import { shuffleSplits } from '../../src/regression/sklearn-splits.ts';
import { predictSplits } from '../../src/regression/splits.ts';
import { loadProblems, quiet, sourceOf, worstDifference } from './problems.ts';

let engine: Engine;
const problems = await loadProblems();
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 2 });
});
afterAll(() => engine.close());

const ridge: RegressionSettings = {
  kind: 'ridge',
  alphas: [0.1, 1, 10],
  unit: 'absolute',
  choose: 'leave-one-out',
  perTarget: true,
};

describe('predictSplits gives every split what it gets alone', () => {
  it.each([
    ['wide', 'more features than rows', null, ['float64 gram']],
    ['narrow', 'fewer features than half the rows', null, ['covariance']],
    ['nearly rank-deficient', 'rank-deficient but for float32 rounding', null, ['deflated']],
    ['wide, by ridge', 'more features than rows', ridge, ['float64 gram']],
  ] as const)('%s', async (_, name, other, arithmetics) => {
    const { x, y, settings: pls } = problems.get(name)!;
    const settings = other ?? pls;
    const rows = x.shape[0]!;
    const splits = shuffleSplits(rows, 4, { test: 0.3 }, 1).map(({ test }, k) => ({
      name: `split ${k + 1}`,
      test,
    }));
    expect(new Set(splits.flatMap(({ test }) => [...test])).size).toBeLessThan(
      splits.reduce((sum, { test }) => sum + test.length, 0),
    );
    // As of a layer in memory, whose single block is given once.
    let given = 0;
    const source = sourceOf(x);
    const once: FeatureSource = {
      ...source,
      async *blocks() {
        given++;
        yield* source.blocks();
      },
    };
    const both = splits.map((split) => ({ ...split, sets: [0, 1] }));
    const found = await predictSplits(
      { engine, source: once, targets: [y, y], settings, watch: quiet },
      both,
    );
    expect(given).toBe(1);
    expect(new Set(found.arithmetics)).toEqual(new Set(arithmetics));
    expect(found.alphas === null).toBe(other === null);
    for (const [index, split] of splits.entries()) {
      const alone = await predictFolds(
        { engine, source: sourceOf(x), targets: [y], settings, watch: quiet },
        [split],
      );
      const expected = takeRows(alone.predictions[0]!, split.test);
      const scale = takeRows(y, split.test);
      const [first, second] = found.predictions[index]!;
      expect(first!.shape).toEqual(expected.shape);
      expect(worstDifference(first!, expected, scale)).toBeLessThan(1e-9);
      expect(worstDifference(second!, first!, scale)).toBeLessThan(1e-9);
    }
  });
});
