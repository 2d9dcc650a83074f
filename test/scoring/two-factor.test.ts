import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { mean } from '../../src/numeric/statistics.ts';
import {
  errorOfMean,
  errorOfRefitted,
  tRange,
  twoFactorError,
  twoFactorInterval,
} from '../../src/scoring/two-factor.ts';

/** Draws of the mean of a table of image, site and image × site effects, each of variance 1. */
const drawn = (images: number, sites: number, seed: string) => {
  const random = createRandom(seed);
  const normals = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  const [a, b, e] = [normals(images), normals(sites), normals(images * sites)];
  const draw = (n: number) => Array.from({ length: n }, () => random.int(n));
  const all = (n: number) => Array.from({ length: n }, (_, k) => k);
  const meanOver = (i: readonly number[], s: readonly number[]): number =>
    mean(i.map((image) => a[image]!)) +
    mean(s.map((site) => b[site]!)) +
    mean(i.flatMap((image) => s.map((site) => e[image * sites + site]!)));
  const pairs = Array.from({ length: 100 }, () => [draw(images), draw(sites)] as const);
  return {
    value: meanOver(all(images), all(sites)),
    draws: {
      images: pairs.map(([i]) => meanOver(i, all(sites))),
      sites: pairs.map(([, s]) => meanOver(all(images), s)),
      joint: pairs.map(([i, s]) => meanOver(i, s)),
    },
  };
};

describe('two crossed factors', () => {
  it('has the variance of a mean over both, where joint draws have more', () => {
    const [images, sites] = [12, 6];
    // The image × site term counts once in it, and three times in joint draws.
    const truth = 1 / images + 1 / sites + 1 / (images * sites);
    const worlds = Array.from({ length: 100 }, (_, k) => drawn(images, sites, `world ${k}`));
    const errors = worlds.map(({ draws }) => twoFactorError(draws, { images, sites }));
    expect(mean(errors.map(({ error }) => error ** 2)) / truth).toBeGreaterThan(0.87);
    expect(mean(errors.map(({ error }) => error ** 2)) / truth).toBeLessThan(1.15);
    expect(errors[0]).toMatchObject({ degrees: 5, lost: 0 });
    const covered = worlds.filter(({ value, draws }) => {
      const { low, high } = twoFactorInterval(value, draws, { images, sites }, 0.95)!;
      return low <= 0 && 0 <= high;
    });
    expect(covered.length / worlds.length).toBeGreaterThan(0.9);
  });

  it('lies between the larger single variance and the joint one', () => {
    const same = [1, 2, 3, 4];
    const factors = { images: 1000, sites: 1000 };
    const none = [2, 2, 2, 2];
    const bounded = twoFactorError({ images: same, sites: none, joint: none }, factors);
    expect(bounded.error).toBe(0);
    const wide = twoFactorError({ images: same, sites: none, joint: [0, 10, 20, 30] }, factors);
    expect(wide.error).toBeCloseTo(Math.sqrt((5 / 3) * (1000 / 999)), 6);
  });

  it('counts draws that are not defined, and says so', () => {
    const { value, draws } = drawn(30, 8, 'lost');
    const holed = { ...draws, joint: [Number.NaN, Number.NaN, ...draws.joint.slice(2)] };
    const interval = twoFactorInterval(value, holed, { images: 30, sites: 8 }, 0.95);
    expect(interval).toMatchObject({ undefinedDraws: 2, n: { images: 30, sites: 8 } });
    expect(twoFactorInterval(value, draws, { images: 30, sites: 8 }, 0.95)).not.toHaveProperty(
      'undefinedDraws',
    );
  });

  it('draws only images of a single site', () => {
    const { value, draws } = drawn(30, 1, 'single');
    const interval = twoFactorInterval(value, draws, { images: 30, sites: 1 }, 0.95);
    expect(interval).toMatchObject({ method: 'bootstrap over images' });
  });

  it('gives an interval and a p of one t', () => {
    // R: 2 * pt(-2.201, 11) = .04999; qt(.975, 11) = 2.200985.
    const { low, high, p } = tRange(2.200985, { error: 1, degrees: 11 }, 0.95);
    expect(low).toBeCloseTo(0, 5);
    expect(high).toBeCloseTo(4.40197, 5);
    expect(p).toBeCloseTo(0.05, 6);
    expect(tRange(0, { error: 0, degrees: 3 }, 0.95).p).toBe(1);
  });
});

describe('a mean over images', () => {
  it('varies with the training images that folds share, as Nadeau and Bengio say', () => {
    // Standard deviation 1: √(1/4 + 1/3) of four images, each left out once; √(1/4 + 1/2) of two folds of two.
    const values = [-1.5, -0.5, 0.5, 1.5].map((each) => each / Math.sqrt(5 / 3));
    expect(errorOfMean(values).error).toBeCloseTo(0.5, 12);
    expect(errorOfRefitted(values, 4)).toMatchObject({ degrees: 3, lost: 0 });
    expect(errorOfRefitted(values, 4).error).toBeCloseTo(Math.sqrt(1 / 4 + 1 / 3), 12);
    expect(errorOfRefitted(values, 2).error).toBeCloseTo(Math.sqrt(1 / 4 + 1 / 2), 12);
    expect(errorOfRefitted(values, 1).error).toBeCloseTo(0.5, 12);
  });
});
