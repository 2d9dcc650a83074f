import { describe, expect, it } from 'vitest';
import { compare, holm } from '../../src/analysis/compare.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { knownInput } from '../../src/records/provenance.ts';
import { type HeldOut, type Score, scoreSchema } from '../../src/records/score.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { madeProvenance } from '../made-score.ts';

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
    format: 2,
    area: 'IT',
    value,
    raw: value,
    ceiling: 1,
    nullCeiling: null,
    interval: null,
    layer: 'best',
    timeBin: { start: 0, end: 100 },
    nestedSelection: null,
    standardErrorOverSplits: null,
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
        alphas: [],
        warnings: [],
      },
    ],
    timeCourse: null,
    excludedSites: [],
    warnings: [],
    provenance: madeProvenance([
      { role: 'model', name: 'm.onnx', sha256: hash },
      { role: 'recording', name: 'r', sha256: hash },
      { role: 'stimuli', name: 'r', sha256: hash, count: 5 },
      { role: 'protocol', name: 'p', sha256: hash },
    ]),
  });

describe('many comparisons', () => {
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
    const gains = [0.3, -0.1, 0.2, 0.1, 0.25, 0, 0.15, 0.05, -0.05, 0.1];
    const a = scoreOf(
      'grid',
      0.6,
      folds.map((each, image) => each + gains[image]!),
      ['s'],
    );
    const b = scoreOf('grid', 0.5, folds, ['s']);
    const layer = b.layers[0]!;
    const reversed = { ...b, layers: [{ ...layer, folds: [...layer.folds].reverse() }] };
    const [comparison] = compare(
      [
        { name: 'a', score: a, heldOut: null },
        { name: 'b', score: reversed, heldOut: null },
      ],
      1,
    );
    // R: x <- c(.3, -.1, .2, .1, .25, 0, .15, .05, -.05, .1), mean .1, s .1290994; nine training images in each of ten folds:
    // e <- sd(x) * sqrt(1/10 + 1/9), t = .1 / e = 1.685854, 2 * pt(-t, 9) = 0.1261033.
    expect(comparison).toMatchObject({
      method: 't over 10 images, corrected for shared training images, about these sites',
      effect: null,
    });
    expect(comparison!.difference).toBeCloseTo(0.1, 12);
    expect(comparison!.interval!.low).toBeCloseTo(0.1 - 2.2621572 * 0.0593171, 6);
    expect(comparison!.interval!.high).toBeCloseTo(0.1 + 2.2621572 * 0.0593171, 6);
    expect(comparison!.p).toBeCloseTo(0.1261033, 6);
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
    const compared = compare(
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
    expect(better!.effect).toMatchObject({ first: 12, second: 0, sites: 12 });
    expect(better!.effect!.value).toBeCloseTo(better!.difference, 1);
    expect(tie!.effect!.first + tie!.effect!.second).toBe(12);
    expect(tie!.effect!.interval!.low).toBeLessThan(0);
    expect(tie!.effect!.interval!.high).toBeGreaterThan(0);
  });

  it('knows a small difference that all sites share better from the paired effect', () => {
    // Sites differ much, and both models by the same little at each.
    const own = createRandom('shared');
    const noises = siteIds.map((_, s) => 0.3 + 0.3 * s);
    const errors = recorded.map(() => own.normal());
    const made = (name: string, more: number): ReturnType<typeof contender> => {
      const { score, heldOut } = contender(name, 1, 0.5);
      const data = recorded.map(
        (value, k) => value + noises[k % siteIds.length]! * (1 + more) * errors[k]!,
      );
      return { name, score, heldOut: { ...heldOut, predicted: { ...heldOut.predicted, data } } };
    };
    const [{ interval, effect }] = compare([made('a', 0), made('b', 0.1)], 1) as [
      ReturnType<typeof compare>[number],
    ];
    expect(effect).toMatchObject({ first: 12, second: 0 });
    const width = ({ low, high }: { low: number; high: number }): number => high - low;
    expect(width(effect!.interval!)).toBeLessThan(0.75 * width(interval!));
    expect(effect!.p).toBeLessThan(0.05);
  });

  it('gives grids a paired effect where ceilings were kept, over images', () => {
    const grid = (name: string, noise: number) => {
      const { heldOut } = contender(name, noise, 0.5);
      const stimulusIds = Array.from(
        { length: images },
        (_, row) => `image ${Math.floor(row / 12)}`,
      );
      const ceiling = { data: new Float64Array(10 * 12).fill(0.8), shape: [10, 12] };
      const folds = Array.from({ length: 10 }, () => 0.5);
      return {
        name,
        score: scoreOf('grid', 0.5, folds, siteIds),
        heldOut: { ...heldOut, stimulusIds, ceiling },
      };
    };
    const [found] = compare([grid('fine', 0.5), grid('coarse', 2)], 1);
    expect(found!.effect).toMatchObject({ first: 12, second: 0, sites: 12 });
    // r of .89 and .45 of 12 rows, divided by .8.
    expect(Math.abs(found!.effect!.value - (0.89 - 0.45) / 0.8)).toBeLessThan(0.12);
    expect(found!.effect!.interval!.low).toBeGreaterThan(0.3);
  });

  it('refuses other recordings, other protocols, and predictions that were not kept', () => {
    const a = contender('a', 1, 0.5);
    const other = structuredClone(a.score);
    Object.assign(knownInput(other.provenance, 'recording'), { sha256: 'b'.repeat(64) });
    expect(() => compare([a, { ...a, name: 'b', score: other }], 1)).toThrow(
      /b: expected the same recording and time bin as a/,
    );
    expect(() => compare([a, { ...a, name: 'b', heldOut: null }], 1)).toThrow(
      /keep the predictions/,
    );
    expect(() => compare([a], 1)).toThrow(/at least two/);
  });
});
