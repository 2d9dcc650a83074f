import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { mean, pearson, standardDeviation } from '../../src/numeric/statistics.ts';

const draws = (n: number, draw: () => number): number[] => Array.from({ length: n }, draw);

describe('createRandom', () => {
  it('gives the same stream for the same seed, and these numbers on every machine', () => {
    const random = createRandom(1);
    expect(draws(3, random.next)).toEqual([
      0.10740757167039883, 0.779245545384176, 0.4661554186026625,
    ]);
    expect([...createRandom(1).permutation(8)]).toEqual([6, 3, 2, 0, 4, 1, 5, 7]);
  });

  it('tells seeds apart', () => {
    const first = draws(2000, createRandom(1).next);
    for (const seed of [2, '1', 'other'])
      expect(Math.abs(pearson(first, draws(2000, createRandom(seed).next)))).toBeLessThan(0.08);
  });

  it('forks by seed and label, whatever was drawn before', () => {
    const random = createRandom(3);
    const before = draws(5, random.fork('a').next);
    random.next();
    expect(draws(5, random.fork('a').next)).toEqual(before);
    expect(draws(5, random.fork('b').next)).not.toEqual(before);
  });

  it('draws uniforms and normals with the right moments', () => {
    const random = createRandom(4);
    const uniforms = draws(20_000, random.next);
    expect(mean(uniforms)).toBeCloseTo(0.5, 2);
    expect(standardDeviation(uniforms)).toBeCloseTo(Math.sqrt(1 / 12), 2);
    const normals = draws(20_000, random.normal);
    expect(Math.abs(mean(normals))).toBeLessThan(0.03);
    expect(Math.abs(standardDeviation(normals) - 1)).toBeLessThan(0.03);
    expect(Math.abs(mean(normals.map((x) => x ** 4)) - 3)).toBeLessThan(0.2);
  });

  it.each([0, 0.3, 4, 9.9, 10, 60, 1000])('draws Poisson counts at rate %s', (rate) => {
    const random = createRandom(`poisson ${rate}`);
    const counts = draws(20_000, () => random.poisson(rate));
    const error = 5 * Math.sqrt(rate / counts.length);
    expect(Math.abs(mean(counts) - rate)).toBeLessThanOrEqual(error);
    expect(Math.abs(standardDeviation(counts) ** 2 - rate)).toBeLessThanOrEqual(0.06 * rate);
    expect(counts.every((count) => Number.isInteger(count) && count >= 0)).toBe(true);
  });

  it('draws integers evenly and permutations completely', () => {
    const random = createRandom(5);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 14_000; i++) counts[random.int(7)]!++;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(220);
    expect([...random.permutation(100)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect(random.permutation(0).length).toBe(0);
  });
});
