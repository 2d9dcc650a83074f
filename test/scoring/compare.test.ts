import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { type HeldOut, type Score, scoreSchema } from '../../src/records/score.ts';
import { compareScores, holm } from '../../src/scoring/compare.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { signFlipInterval, signFlipTest } from '../../src/scoring/sign-flips.ts';

const hash = 'a'.repeat(64);

/** A score file with the parts that a comparison reads. */
const scoreOf = (
  layout: 'image' | 'grid',
  value: number,
  folds: readonly number[],
  sites: readonly string[],
): Score =>
  scoreSchema.parse({
    kind: 'neural-predictivity',
    area: 'IT',
    value,
    raw: value,
    ceiling: 1,
    nullCeiling: null,
    interval: null,
    layer: 'best',
    timeBin: { start: 0, end: 100 },
    choice: null,
    splitError: null,
    protocol: protocolNamed(layout === 'image' ? 'image-cv' : 'linsley2023', layout),
    layers: [
      {
        layer: 'best',
        features: 30,
        value,
        raw: value,
        ceiling: 1,
        interval: null,
        sitesUsed: sites.length,
        folds: folds.map((each, i) => ({ fold: `image ${i}`, raw: each, value: each })),
        sites: sites.map((site) => ({ site, raw: value, ceiling: 1, value })),
        regression: 'float64 gram',
        strengths: [],
        warnings: [],
      },
    ],
    timeCourse: null,
    excludedSites: [],
    warnings: [],
    provenance: {
      model: { name: 'm.onnx', sha256: hash },
      activations: null,
      recording: { name: 'r', sha256: hash },
      stimuli: { count: 5, sha256: hash },
      preprocessing: null,
      engineCheck: null,
      protocol: { name: 'p', sha256: hash },
      seed: 1,
      versions: {},
      threads: 1,
      device: 'cpu',
      seconds: 1,
      startedAt: '2026-01-01T00:00:00Z',
    },
  });

describe('paired tests', () => {
  it('counts all sign patterns exactly', () => {
    // Of the 2³ sums of ±1 ±2 ±4, |sum| ≥ 7 holds for two.
    expect(signFlipTest([1, 2, 4], 1)).toBe(2 / 8);
    expect(signFlipTest([1, -1], 1)).toBe(1);
    expect(
      signFlipTest(
        Array.from({ length: 14 }, () => 0.1),
        1,
      ),
    ).toBe(2 / 2 ** 14);
  });

  it('draws signs beyond 20 images, close to the normal approximation', () => {
    const random = createRandom(4);
    const differences = Array.from({ length: 60 }, () => 0.3 + random.normal());
    const z =
      differences.reduce((a, b) => a + b) / Math.sqrt(differences.reduce((a, b) => a + b * b, 0));
    // Two-sided tail of the standard normal, Abramowitz & Stegun 26.2.17 (error below 1e-7).
    const t = 1 / (1 + 0.2316419 * Math.abs(z));
    const poly =
      t *
      (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    const tail = (2 * Math.exp((-z * z) / 2) * poly) / Math.sqrt(2 * Math.PI);
    expect(Math.abs(signFlipTest(differences, 1) - tail)).toBeLessThan(0.01);
    expect(signFlipTest(differences, 1)).toBe(signFlipTest(differences, 1));
  });

  it('gives the interval of the shifts that the test does not reject', () => {
    const random = createRandom(7);
    for (const n of [6, 9, 14]) {
      const differences = Array.from({ length: n }, () => 0.2 + random.normal());
      const { low, high } = signFlipInterval(differences, 0.95, 1)!;
      const p = (shift: number) =>
        signFlipTest(
          differences.map((each) => each - shift),
          1,
        );
      for (const end of [low, high]) {
        const inside = end === low ? 1e-6 : -1e-6;
        expect(p(end - inside)).toBeLessThanOrEqual(0.05);
        expect(p(end + inside)).toBeGreaterThan(0.05);
      }
    }
    expect(signFlipInterval([1, 2, 3, 4, 5], 0.95, 1)).toBeNull();
    // Beyond 20 pairs near the t interval: mean ± 2.001 · s / √60.
    const many = Array.from({ length: 60 }, () => random.normal());
    const centre = many.reduce((a, b) => a + b) / 60;
    const s = Math.sqrt(many.reduce((sum, each) => sum + (each - centre) ** 2, 0) / 59);
    const interval = signFlipInterval(many, 0.95, 1)!;
    expect(Math.abs(interval.low - (centre - (2.001 * s) / Math.sqrt(60)))).toBeLessThan(0.02);
    expect(Math.abs(interval.high - (centre + (2.001 * s) / Math.sqrt(60)))).toBeLessThan(0.02);
  });

  it("adjusts as Holm's paper does, monotone and at most 1", () => {
    // R: p.adjust(c(.01, .04, .03, .5), 'holm') = .04 .09 .09 .5
    const adjusted = holm([0.01, 0.04, 0.03, 0.5]);
    [0.04, 0.09, 0.09, 0.5].forEach((expected, i) => {
      expect(adjusted[i]!).toBeCloseTo(expected, 12);
    });
    expect(holm([0.6, 0.7])).toEqual([1, 1]);
  });
});

describe('ventral compare', () => {
  it('pairs grids by image, whatever the order of the folds', () => {
    const random = createRandom(2);
    const folds = Array.from({ length: 10 }, () => random.next());
    const a = scoreOf(
      'grid',
      0.6,
      folds.map((each) => each + 0.1),
      ['s'],
    );
    const b = scoreOf('grid', 0.5, folds, ['s']);
    const layer = b.layers[0]!;
    const reversed = { ...b, layers: [{ ...layer, folds: [...layer.folds].reverse() }] };
    const [comparison] = compareScores(
      [
        { name: 'a', score: a, heldOut: null },
        { name: 'b', score: reversed, heldOut: null },
      ],
      1,
    );
    expect(comparison).toMatchObject({ method: 'exact sign flips over 10 images' });
    // All differences are equal, and so are the means of all subsets.
    expect(comparison!.interval!.low).toBeCloseTo(0.1, 12);
    expect(comparison!.interval!.high).toBeCloseTo(0.1, 12);
    expect(comparison!.difference).toBeCloseTo(0.1, 12);
    expect(comparison!.p).toBe(2 / 2 ** 10);
  });

  const images = 120;
  const siteIds = Array.from({ length: 12 }, (_, s) => `s${s}`);
  const random = createRandom('held out');
  const recorded = Float64Array.from({ length: images * siteIds.length }, () => random.normal());
  const predictions = (noise: number, seed: string): HeldOut => {
    const own = createRandom(seed);
    const shape = [images, siteIds.length];
    return {
      recorded: { data: recorded, shape },
      predicted: { data: recorded.map((value) => value + noise * own.normal()), shape },
      stimulusIds: Array.from({ length: images }, (_, image) => `image ${image}`),
      siteIds,
      folds: new Int32Array(images),
    };
  };
  const contender = (name: string, noise: number, value: number) => ({
    name,
    score: scoreOf('image', value, [], siteIds),
    heldOut: predictions(noise, name),
  });

  it('tells a better from a worse model on images, and calls two equal ones a tie', () => {
    const compared = compareScores(
      [contender('good', 0.5, 0.89), contender('poor', 2, 0.45), contender('poor too', 2, 0.45)],
      1,
    );
    expect(compared.map(({ first, second }) => [first, second])).toEqual([
      ['good', 'poor'],
      ['good', 'poor too'],
      ['poor', 'poor too'],
    ]);
    const [better, , tie] = compared;
    expect(better!.adjusted).toBeLessThan(0.01);
    expect(better!.interval!.low).toBeGreaterThan(0.3);
    expect(better!.interval!.high).toBeLessThan(0.6);
    expect(tie!.p).toBeGreaterThan(0.05);
    expect(tie!.interval!.low).toBeLessThan(0);
    expect(tie!.interval!.high).toBeGreaterThan(0);
    for (const { p, adjusted } of compared) expect(adjusted).toBeGreaterThanOrEqual(p);
  });

  it('refuses other recordings, other protocols, and predictions that were not kept', () => {
    const a = contender('a', 1, 0.5);
    const other = structuredClone(a.score);
    Object.assign(other.provenance.recording, { sha256: 'b'.repeat(64) });
    expect(() => compareScores([a, { ...a, name: 'b', score: other }], 1)).toThrow(
      /b: expected the same recording and time bin as a/,
    );
    expect(() => compareScores([a, { ...a, name: 'b', heldOut: null }], 1)).toThrow(
      /--keep predictions/,
    );
    expect(() => compareScores([a], 1)).toThrow(/at least two/);
  });
});
