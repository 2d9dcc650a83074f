import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { fUpperTail } from '../../src/numeric/special.ts';
import { median } from '../../src/numeric/statistics.ts';
import { moreThanChance, passedOn, type TrialTable } from '../../src/scoring/above-chance.ts';
import { ceilingOf } from '../../src/scoring/ceilings.ts';
import type { ResponseTable } from '../../src/scoring/responses.ts';

interface World {
  readonly images: number;
  readonly sites: number;
  readonly trials: number;
  /** Reliability of the mean of the trials. */
  readonly reliability: number;
  /** Noise that all sites share in a trial, as a share of its variance. */
  readonly shared?: number;
}

const tableOf = (
  { images, sites, trials, reliability, shared = 0 }: World,
  seed: string,
): ResponseTable => {
  const random = createRandom(seed);
  const data = new Float64Array(images * trials * sites);
  const mean = new Float64Array(images * sites);
  const signal = reliability > 0 ? 1 : 0;
  const noise = reliability > 0 ? Math.sqrt(trials * (1 / reliability - 1)) : 1;
  for (let i = 0; i < images; i++) {
    const own = Array.from({ length: sites }, () => signal * random.normal());
    for (let t = 0; t < trials; t++) {
      const common = random.normal();
      for (let s = 0; s < sites; s++) {
        const each = Math.sqrt(1 - shared) * random.normal() + Math.sqrt(shared) * common;
        const value = own[s]! + noise * each;
        data[(i * trials + t) * sites + s] = value;
        mean[i * sites + s]! += value / trials;
      }
    }
  }
  return {
    trials: { data, shape: [images, trials, sites] },
    mean: { data: mean, shape: [images, sites] },
    imageOfRow: Int32Array.from({ length: images }, (_, i) => i),
    sites: Int32Array.from({ length: sites }, (_, s) => s),
  };
};

const groupOf = (images: number) => [
  { name: 'all', rows: Int32Array.from({ length: images }, (_, i) => i) },
];

const tried = (table: ResponseTable): TrialTable => {
  const [images = 0] = table.mean.shape;
  return {
    trials: table.trials,
    groups: groupOf(images),
    halfOfRow: Uint8Array.from({ length: images }, (_, row) => row % 2),
  };
};

const ceilingFor = (table: ResponseTable, seed = 1) => {
  const [images = 0, sites = 0] = table.mean.shape;
  return ceilingOf(
    { kind: 'split-half', splits: 10, minimumReliability: 0 },
    table,
    {
      groups: groupOf(images),
      siteIds: Array.from({ length: sites }, (_, s) => `s${s}`),
      ...{ correlation: 'pearson', grid: null, published: [] },
    },
    seed,
  );
};

describe('sites above chance', () => {
  it('are five in a hundred of pure noise, on each half of the images', () => {
    const world = { images: 80, sites: 400, trials: 3, reliability: 0 };
    const passed = passedOn(tried(tableOf(world, 'noise')));
    for (const half of passed) {
      const share = half.reduce((sum, each) => sum + each, 0) / 400;
      // 5 % ± 3 standard errors.
      expect(Math.abs(share - 0.05)).toBeLessThan(0.033);
    }
  });

  it('are all of them where responses repeat, whatever a constant adds', () => {
    const table = tableOf({ images: 80, sites: 20, trials: 4, reliability: 0.8 }, 'signal');
    const moved = { ...table.trials, data: table.trials.data.map((value) => value + 1e6) };
    for (const trials of [table.trials, moved])
      for (const half of passedOn({ ...tried(table), trials }))
        expect([...half].every((each) => each === 1)).toBe(true);
  });

  it('follow the F distribution', () => {
    // SciPy 1.10, scipy.stats.f.sf.
    expect(fUpperTail(1.9, 14, 45)).toBeCloseTo(0.05252770470884754, 12);
    expect(fUpperTail(1, 1, 1)).toBeCloseTo(0.5, 12);
    expect(fUpperTail(3.5, 3, 20)).toBeCloseTo(0.03449310388512439, 12);
  });

  it('make a score in at most one of twenty bins of noise, also where sites share their noise', () => {
    for (const shared of [0, 0.5]) {
      const worlds = 40;
      let scored = 0;
      for (let world = 0; world < worlds; world++) {
        const made = { images: 40, sites: 30, trials: 4, reliability: 0, shared };
        if (moreThanChance(tried(tableOf(made, `bin ${shared} ${world}`)), 1)) scored++;
      }
      // 5 % + 2 standard errors of 40 worlds.
      expect(scored / worlds).toBeLessThanOrEqual(0.05 + 2 * Math.sqrt((0.05 * 0.95) / worlds));
    }
  });
});

describe('ceilings of sites that are chosen', () => {
  it.each([
    [100, 4, 0.5],
    [200, 4, 0.2],
    [400, 6, 0.2],
    [100, 10, 0.5],
  ])('are on average what they truly are: %i images, %i trials, reliability %f', (images, trials, reliability) => {
    const ceilings: number[] = [];
    for (let world = 0; world < 20; world++) {
      const table = tableOf({ images, sites: 40, trials, reliability }, `true ${world}`);
      const { data } = ceilingFor(table, world).perSite;
      ceilings.push(...data.filter((c) => !Number.isNaN(c)));
    }
    const mean = ceilings.reduce((sum, c) => sum + c, 0) / ceilings.length;
    expect(Math.abs(mean - Math.sqrt(reliability))).toBeLessThan(0.02);
    expect(Math.abs(median(ceilings) - Math.sqrt(reliability))).toBeLessThan(0.03);
  });

  it('are none in a bin of noise, and say why', () => {
    const table = tableOf({ images: 100, sites: 40, trials: 4, reliability: 0 }, 'none');
    const { perSite, excluded } = ceilingFor(table);
    expect(perSite.data.every(Number.isNaN)).toBe(true);
    expect(excluded).toHaveLength(40);
    expect(excluded[0]!.reason).toBe('no more sites repeat their responses than by chance');
  });
});
