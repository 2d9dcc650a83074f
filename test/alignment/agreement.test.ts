import { describe, expect, it } from 'vitest';
import { agreementOf, rankedMap } from '../../src/alignment/agreement.ts';
import { centreBias, edges } from '../../src/alignment/controls.ts';
import { humanCeiling, splitSubjects } from '../../src/alignment/human-ceiling.ts';
import { alignmentMetrics, type ImageAgreement } from '../../src/alignment/metrics.ts';
import { defaultAlignmentProtocol } from '../../src/alignment/protocols.ts';
import { summedMaps } from '../../src/data/fixations.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import { difference, floatsOf, humanMapsGolden } from '../human-maps-golden.ts';

const compare = (a: Float32Array, b: Float32Array, percentile = 90) =>
  agreementOf(rankedMap(a, percentile), rankedMap(b, percentile));

describe('agreement of two maps', () => {
  it.each(
    humanMapsGolden.figures.map((golden, index) => ({ golden, index })),
  )('is that of SciPy and the released overlaps ($index)', ({ golden }) => {
    const got = compare(floatsOf(golden.a).data, floatsOf(golden.b).data, golden.percentile);
    expect(got.spearman).toBeCloseTo(golden.spearman, 12);
    expect(got.dice).toBeCloseTo(golden.dice, 12);
    expect(got.iou).toBeCloseTo(golden.iou, 12);
  });

  it('is not defined for a constant map, and perfect for a map with itself', () => {
    const ramp = Float32Array.from({ length: 100 }, (_, i) => i);
    const none = { spearman: null, dice: null, iou: null };
    expect(compare(new Float32Array(100), ramp)).toEqual(none);
    expect(compare(ramp, new Float32Array(100).fill(3))).toEqual(none);
    expect(compare(ramp, ramp)).toEqual({ spearman: 1, dice: 1, iou: 1 });
    expect(
      compare(
        ramp,
        ramp.map((value) => -value),
      ),
    ).toEqual({ spearman: -1, dice: 0, iou: 0 });
  });

  it('has no overlap to speak of where neither map has pixels above its percentile', () => {
    const plateau = Float32Array.from({ length: 100 }, (_, i) => (i < 50 ? 0 : 1));
    expect(compare(plateau, plateau)).toEqual({ spearman: 1, dice: null, iou: null });
  });
});

describe('human ceiling', () => {
  const random = createRandom('people');
  const noise = (size: number) => Float32Array.from({ length: size }, random.normal);
  const people = (count: number, shared: Float32Array, spread: number): Float32Nd[] =>
    Array.from({ length: count }, () => {
      const own = noise(shared.length);
      return { data: shared.map((value, i) => value + spread * own[i]!), shape: [30, 40] };
    });
  const shared = noise(1200);

  it('is near 1 for people who agree, near 0 for those who do not, and between as known', () => {
    const split = (maps: Float32Nd[]) =>
      splitSubjects(maps, 5, 90, createRandom(1)).halves.spearman!;
    expect(split(people(8, shared, 0.01))).toBeGreaterThan(0.999);
    expect(Math.abs(split(people(8, new Float32Array(1200), 1)))).toBeLessThan(0.05);
    // Sums of four: signal variance 16, noise variance 4·4: Pearson 1/2, Spearman 6/π·asin(1/4).
    const expected = (6 / Math.PI) * Math.asin(1 / 4);
    expect(Math.abs(split(people(8, shared, 2)) - expected)).toBeLessThan(0.05);
  });

  it('leaves nobody out of odd numbers, needs two, and counts nobody whose map says nothing', () => {
    const maps = people(3, shared, 1);
    const order = createRandom(4).permutation(3);
    const [a, b, c] = [...order].map((index) => maps[index]!.data);
    const rest = b!.map((value, i) => value + c![i]!);
    const expected = { people: 3, halves: compare(a!, rest) };
    expect(splitSubjects(maps, 1, 90, createRandom(4))).toEqual(expected);
    const silent: Float32Nd = { data: new Float32Array(1200).fill(2), shape: [30, 40] };
    expect(splitSubjects([...maps, silent], 1, 90, createRandom(4))).toEqual(expected);
    const alone = splitSubjects(maps.slice(1, 2), 3, 90, createRandom(1));
    expect(alone).toMatchObject({ people: 1, halves: { spearman: null } });
  });

  it('is Spearman–Brown for equal halves, and follows from the numbers of people else', () => {
    const of = (...images: readonly (readonly [number, number | null])[]) =>
      humanCeiling(images.map(([number, halves]) => ({ people: number, halves })));
    expect(of([6, 0.6], [6, 0.7])).toEqual({
      halves: expect.closeTo(0.65, 12),
      ceiling: expect.closeTo(Math.sqrt(1.3 / 1.65), 12),
    });
    // λ = (1/3) / mean(1, 1/2) = 4/9.
    expect(of([3, 0.5]).ceiling).toBeCloseTo(Math.sqrt(1 / (1 + 4 / 9)), 12);
    // Noise twice the signal: halves 1/(1 + 2) and 1/(1 + 2/5), everybody 1/(1 + 2/2) and 1/(1 + 2/10), one 1/(1 + 2).
    const unequal = of([2, 1 / 3], [10, 1 / 1.4], [1, null]);
    const roots = Math.sqrt(1 / 2) + Math.sqrt(1 / 1.2) + Math.sqrt(1 / 3);
    expect(unequal.ceiling).toBeCloseTo(roots / 3, 12);
    expect(of([2, 1], [4, 1]).ceiling).toBe(1);
    expect(of([4, -0.1], [4, 0.05])).toEqual({ halves: expect.closeTo(-0.025), ceiling: null });
    expect(of([1, null])).toEqual({ halves: null, ceiling: null });
  });

  /** The truth's mean correlation with everybody's maps over the ceiling; noise of one person is `spread` times the truth. */
  const truthScore = (numbers: readonly number[], spread: number): number => {
    const draw = createRandom(`${numbers.join()} ${spread}`);
    const field = (): Float32Array => Float32Array.from({ length: 3600 }, draw.normal);
    const images = Array.from({ length: 40 }, (_, index) => {
      const truth = field();
      const maps = Array.from({ length: numbers[index % numbers.length]! }, (): Float32Nd => {
        const own = field();
        return { data: truth.map((value, i) => value + spread * own[i]!), shape: [60, 60] };
      });
      const { people: number, halves } = splitSubjects(maps, 4, 90, draw);
      const raw = compare(truth, summedMaps(maps).data).spearman!;
      return { people: number, halves: halves.spearman, raw };
    });
    const raw = images.reduce((sum, image) => sum + image.raw, 0) / images.length;
    return raw / humanCeiling(images).ceiling!;
  };

  it.each([
    [[2]],
    [[3]],
    [[4]],
    [[5]],
    [[7]],
    [[10]],
    [[2, 10]],
    [[3, 3, 3, 7]],
    [[1, 1, 1, 5]],
  ])('gives the truth .99 to 1.02, with people %j', (numbers) => {
    for (const spread of [0.6, 1.1]) {
      const score = truthScore(numbers, spread);
      expect(score).toBeGreaterThan(0.99);
      expect(score).toBeLessThan(1.02);
    }
  });
});

describe('controls', () => {
  it('has its centre in the middle, in proportion to the image', () => {
    const { data, shape } = centreBias(3, 5);
    expect(shape).toEqual([3, 5]);
    expect(data.indexOf(Math.max(...data))).toBe(7);
    // A step down is a third of the height, a step across a fifth of the width.
    expect(data[7]! - data[2]!).toBeCloseTo(1 / 9, 6);
    expect(data[7]! - data[6]!).toBeCloseTo(1 / 25, 6);
  });

  it('finds the edges that OpenCV finds', () => {
    const { levels, edges: expected } = humanMapsGolden.edges;
    expect(difference(edges(floatsOf(levels)), floatsOf(expected))).toBeLessThan(1e-3);
  });
});

describe('values over images', () => {
  const protocol = defaultAlignmentProtocol('folder');
  /** Everyone's maps of four people, whose halves agree as √ρ is `ceiling`. */
  const halvesOf = (ceiling: number): number => ceiling ** 2 / (2 - ceiling ** 2);
  const images = (values: readonly number[], halves: number | null): ImageAgreement[] =>
    values.map((value) => ({
      own: { spearman: value, dice: value / 2, iou: value / 3 },
      split:
        halves === null
          ? null
          : { people: 4, halves: { spearman: halves, dice: halves, iou: halves } },
    }));
  const random = createRandom('figures');
  const many = Array.from({ length: 40 }, () => -0.2 + 0.1 * random.normal());
  const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

  it('stays negative where it is, divided by the ceiling', () => {
    const { spearman, dice } = alignmentMetrics(images(many, halvesOf(0.8)), protocol, 1)!;
    expect(spearman.raw).toBeCloseTo(meanOf(many), 12);
    expect(spearman.value).toBeCloseTo(meanOf(many) / 0.8, 12);
    expect(dice).toMatchObject({
      halves: expect.closeTo(halvesOf(0.8)),
      ceiling: null,
      value: null,
    });
    const { low, high, method, n } = spearman.interval!;
    expect(method).toBe('bootstrap over images');
    expect(n).toEqual({ images: 40, sites: null });
    expect(low).toBeLessThan(spearman.value!);
    expect(high).toBeGreaterThan(spearman.value!);
    // Four standard errors wide, about.
    const spread = Math.sqrt(meanOf(many.map((value) => (value - meanOf(many)) ** 2)) / 40) / 0.8;
    expect((high - low) / spread).toBeGreaterThan(3.2);
    expect((high - low) / spread).toBeLessThan(4.6);
  });

  it('divides only Spearman by a given ceiling', () => {
    const given = { ...protocol, ceiling: { kind: 'given' as const, spearman: 0.5 } };
    const { spearman, iou } = alignmentMetrics(images(many, null), given, 1)!;
    expect(spearman.value).toBeCloseTo(meanOf(many) / 0.5, 12);
    expect(iou).toMatchObject({ ceiling: null, value: null, interval: null });
    expect(iou.rawInterval).not.toBeNull();
  });

  it('says so where few images give a t interval, one image none, and no image no value', () => {
    const few = alignmentMetrics(images([0.1, 0.2, 0.4], halvesOf(0.5)), protocol, 1)!.spearman;
    // t(0.975, 2) = 4.302653 · s/√3, over the ceiling.
    expect((few.interval!.high - few.interval!.low) / 2).toBeCloseTo(
      (4.302653 * Math.sqrt(0.07 / 3 / 3)) / 0.5,
      5,
    );
    expect(few.interval).toMatchObject({ method: 't over images', approximate: true });
    expect(
      alignmentMetrics(images([0.1], halvesOf(0.5)), protocol, 1)!.spearman.interval,
    ).toBeNull();
    const none: ImageAgreement = {
      own: { spearman: null, dice: null, iou: null },
      split: null,
    };
    expect(alignmentMetrics([none], protocol, 1)).toBeNull();
  });

  it('has no value where people do not agree', () => {
    const { spearman } = alignmentMetrics(images(many, -0.1), protocol, 1)!;
    expect(spearman).toMatchObject({
      halves: expect.closeTo(-0.1),
      ceiling: null,
      value: null,
      interval: null,
    });
    expect(spearman.raw).toBeLessThan(0);
  });
});
