import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float64Nd } from '../../src/records/array.ts';
import { aggregate } from '../../src/scoring/aggregate.ts';
import { ceilingOf } from '../../src/scoring/ceilings.ts';
import { groupsOf } from '../../src/scoring/groups.ts';
import { nullCeilingOf } from '../../src/scoring/null-ceilings.ts';

const side = 17;
const positions = side * side;

/** Gaussian weights of SciPy's `gaussian_filter(sigma, truncate=4)`. */
const kernel = (sigma: number): number[] => {
  const radius = Math.round(4 * sigma);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
};

/** One pass along rows, with the edges reflected (d c b a | a b c d | d c b a). */
const smoothRows = (map: Float64Array, weights: readonly number[]): Float64Array => {
  const radius = (weights.length - 1) / 2;
  const reflect = (i: number): number => {
    const inside = ((i % (2 * side)) + 2 * side) % (2 * side);
    return inside < side ? inside : 2 * side - 1 - inside;
  };
  return map.map((_, at) => {
    const row = Math.floor(at / side) * side;
    return weights.reduce(
      (sum, weight, k) => sum + weight * map[row + reflect((at % side) + k - radius)]!,
      0,
    );
  });
};

const transposed = (map: Float64Array): Float64Array =>
  map.map((_, at) => map[(at % side) * side + Math.floor(at / side)]!);

const weights = kernel(2);
const smoothNoise = (seed: string): Float64Array => {
  const random = createRandom(seed);
  const noise = Float64Array.from({ length: positions }, () => random.normal());
  return smoothRows(transposed(smoothRows(noise, weights)), weights);
};

/** `[images · positions, sites]`; `shared` is the weight of a map that all sites have in common on an image. */
const recording = (images: number, sites: number, shared: number, seed: string): Float64Nd => {
  const data = new Float64Array(images * positions * sites);
  for (let image = 0; image < images; image++) {
    const common = smoothNoise(`${seed} common ${image}`);
    for (let site = 0; site < sites; site++) {
      const own = smoothNoise(`${seed} ${image} ${site}`);
      for (let at = 0; at < positions; at++)
        data[(image * positions + at) * sites + site] = shared * common[at]! + own[at]!;
    }
  }
  return { data, shape: [images * positions, sites] };
};

const grid = { rows: side, columns: side, extent: null, patchSize: null, pixelsPerDegree: null };

const ceilings = (responses: Float64Nd, kind: 'best-pair' | 'best-other-site') => {
  const [rows, sites] = responses.shape as [number, number];
  const imageOfRow = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / positions));
  const names = Array.from({ length: rows / positions }, (_, image) => String(image));
  const groups = groupsOf({ over: 'images', ceiling: 'before' }, imageOfRow, names);
  const table = {
    trials: { data: responses.data, shape: [rows, 1, sites] },
    mean: responses,
    imageOfRow,
    sites: Int32Array.from({ length: sites }, (_, s) => s),
  };
  const ids = Array.from({ length: sites }, (_, s) => String(s));
  const rowsOf = { groups, correlation: 'pearson', grid } as const;
  const ceiling = ceilingOf({ kind }, table, { ...rowsOf, siteIds: ids, published: [] }, 1);
  return {
    level: aggregate(ceiling.perSite, ceiling, 'r/c').ceiling,
    chance: nullCeilingOf({ kind }, responses, rowsOf, 1)!,
  };
};

describe('ceilings that are maxima over sites, on independent smooth noise', () => {
  it('best-pair is .71 ± .02 where nothing is shared, and its null says so', () => {
    const { level, chance } = ceilings(recording(14, 31, 0, 'noise'), 'best-pair');
    expect(level).toBeGreaterThan(0.69);
    expect(level).toBeLessThan(0.73);
    expect(Math.abs(chance.mismatched! - level)).toBeLessThan(0.03);
    expect(Math.abs(chance.surrogate! - level)).toBeLessThan(0.06);
  });

  it('best-other-site: its null equals it on noise, and stays below it where sites share a map', () => {
    const noise = ceilings(recording(8, 16, 0, 'noise'), 'best-other-site');
    expect(Math.abs(noise.chance.mismatched! - noise.level)).toBeLessThan(0.03);
    const shared = ceilings(recording(8, 16, 2, 'shared'), 'best-other-site');
    expect(shared.level).toBeGreaterThan(0.8);
    expect(shared.chance.mismatched!).toBeLessThan(shared.level - 0.2);
    expect(shared.chance.surrogate!).toBeLessThan(shared.level - 0.2);
  });

  it('is null for reliabilities', () => {
    const responses = recording(2, 3, 0, 'few');
    expect(
      nullCeilingOf(
        { kind: 'split-half', splits: 2, minimumReliability: 0 },
        responses,
        { groups: [], correlation: 'pearson', grid },
        1,
      ),
    ).toBeNull();
  });
});
