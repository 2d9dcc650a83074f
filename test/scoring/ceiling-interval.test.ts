import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { mean, median, standardDeviation } from '../../src/numeric/statistics.ts';
import type { CeilingSettings, Protocol } from '../../src/records/protocol.ts';
import type { Recording } from '../../src/records/recording.ts';
import { bestPairOf, mapsOf } from '../../src/scoring/best-maps.ts';
import { ceilingIntervalOf } from '../../src/scoring/ceiling-interval.ts';
import { prepareResampling } from '../../src/scoring/intervals.ts';
import { layOut } from '../../src/scoring/lay-out.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';

const side = 5;
const trials = 6;
const sites = 8;
/** Noise variance 2.25 in each of 6 trials, signal variance 1: reliability of the mean. */
const noise = 1.5;
const reliability = 1 / (1 + noise ** 2 / trials);

/** Sites that share a part of their signal, with noise of their own in every trial. */
const recordingOf = (images: number, layout: 'image' | 'grid', seed: string): Recording => {
  const random = createRandom(seed);
  const onGrid = layout === 'grid';
  const rows = images * (onGrid ? side * side : 1);
  const data = new Float64Array(rows * trials * sites);
  for (let row = 0; row < rows; row++) {
    const shared = random.normal();
    const signal = Float64Array.from({ length: sites }, () => 0.8 * shared + 0.6 * random.normal());
    for (let t = 0; t < trials; t++)
      for (let s = 0; s < sites; s++)
        data[(row * trials + t) * sites + s] = signal[s]! + noise * random.normal();
  }
  return {
    ...{ folder: '', hash: '', warnings: [] },
    header: {
      ...{ kind: 'recording', format: 2, name: 'made', species: 'none' },
      dims: ['stimulus', ...(onGrid ? (['row', 'column'] as const) : []), 'trial', 'site'],
      sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
      timeBins: [{ start: 0, end: 100 }],
      grid: onGrid
        ? { rows: side, columns: side, extent: null, patchSize: null, pixelsPerDegree: null }
        : null,
      ...{ unit: 'none', licence: null, citation: null, notes: [] },
    },
    responses: { data, shape: [images, ...(onGrid ? [side, side] : []), trials, sites] },
    stimuli: Array.from({ length: images }, (_, i) => ({ id: `i${i}`, file: '', columns: {} })),
  };
};

const splitHalf: CeilingSettings = { kind: 'split-half', splits: 10, minimumReliability: 0 };

const ceilingOf = (
  layout: 'image' | 'grid',
  change: Partial<Protocol>,
  images: number,
  seed: string,
) => {
  const base = protocolNamed(layout === 'grid' ? 'linsley2023' : 'image-cv', layout)!;
  const protocol = { ...base, interval: { level: 0.95, replicates: 200 }, ...change };
  const recording = recordingOf(images, layout, seed);
  const { layout: laidOut, scored } = layOut(protocol, recording, 1, 'all');
  const resampling = prepareResampling(laidOut, scored.ceiling, 1);
  const interval = ceilingIntervalOf(laidOut, scored, resampling);
  return { laidOut, scored, level: scored.overallCeiling, interval };
};

/** t quantiles at 0.975, from tables. */
const t13 = 2.1604;

describe('the interval of a ceiling', () => {
  it('of split halves covers the known reliability about as often as it says', () => {
    const worlds = 40;
    let covered = 0;
    for (let world = 0; world < worlds; world++) {
      const { interval } = ceilingOf('image', { ceiling: splitHalf }, 80, `cover ${world}`);
      expect(interval!.method).toBe('bootstrap over images and sites');
      if (interval!.low <= Math.sqrt(reliability) && Math.sqrt(reliability) <= interval!.high)
        covered++;
    }
    expect(covered / worlds).toBeGreaterThan(0.85);
  });

  it('of split halves narrows with the root of the number of images', () => {
    const width = (images: number): number => {
      const { interval } = ceilingOf('image', { ceiling: splitHalf }, images, 'width');
      return interval!.high - interval!.low;
    };
    const ratio = width(100) / width(900);
    expect(ratio).toBeGreaterThan(2);
    expect(ratio).toBeLessThan(4.5);
  });

  it('of split halves is a jackknife over few images', () => {
    const change = { ceiling: splitHalf, folds: { kind: 'leave-one-image-out' } } as const;
    const { interval, level } = ceilingOf('image', change, 18, 'few');
    expect(interval).toMatchObject({
      method: 't over images',
      n: { images: 18 },
      approximate: true,
    });
    expect(interval!.low).toBeLessThan(level);
    expect(interval!.high).toBeGreaterThan(level);
    expect(interval!.high - interval!.low).toBeLessThan(0.5);
  });

  it('of the best other site is t over the images of a grid', () => {
    const { scored, interval, level } = ceilingOf('grid', {}, 14, 'grid');
    const { perSite } = scored.ceiling;
    const perImage = Array.from({ length: 14 }, (_, g) =>
      median([...perSite.data.subarray(g * sites, (g + 1) * sites)].filter((c) => c > 0)),
    );
    const half = (t13 * standardDeviation(Float64Array.from(perImage))) / Math.sqrt(14);
    expect(level).toBeCloseTo(mean(perImage), 12);
    expect(interval!.low).toBeCloseTo(level - half, 4);
    expect(interval!.high).toBeCloseTo(level + half, 4);
  });

  it('of the best other site over all rows is that of the correlation with it', () => {
    const change = { ceiling: { kind: 'best-other-site' } } as const;
    const { interval, level } = ceilingOf('image', change, 200, 'partners');
    // Shared variance 0.64, noise as above.
    const truth = 0.64 * reliability;
    expect(interval!.low).toBeLessThan(level);
    expect(interval!.high).toBeGreaterThan(level);
    expect(Math.abs(level - truth)).toBeLessThan(0.12);
    expect(interval!.high - interval!.low).toBeGreaterThan(0.08);
    expect(interval!.high - interval!.low).toBeLessThan(0.4);
  });

  it('of the best pair is over images, for few and for many', () => {
    const change = {
      ceiling: { kind: 'best-pair' },
      aggregation: 'images-of-sites-then-ceiling',
      correlation: 'pearson',
    } as const;
    const { laidOut, scored, interval } = ceilingOf('grid', change, 14, 'pairs');
    const perImage = laidOut.groups.map((group) => {
      const maps = mapsOf(scored.responses, group, 'pearson');
      return bestPairOf(maps, maps, side);
    });
    const half = (t13 * standardDeviation(Float64Array.from(perImage))) / Math.sqrt(14);
    expect(interval!.high - interval!.low).toBeCloseTo(2 * half, 4);
    const many = ceilingOf('grid', change, 30, 'pairs');
    expect(many.interval).toMatchObject({ method: 'bootstrap over images', n: { images: 30 } });
    expect(many.interval!.low).toBeLessThan(many.level);
    expect(many.interval!.high).toBeGreaterThan(many.level);
  });

  it('is none where there is no ceiling, or a single image', () => {
    expect(ceilingOf('image', { ceiling: { kind: 'none' } }, 60, 'none').interval).toBeNull();
  });
});
