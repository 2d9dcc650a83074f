import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { pearson, ranks, spearman } from '../../src/numeric/statistics.ts';
import type { Float64Nd } from '../../src/records/array.ts';
import type { Recording } from '../../src/records/recording.ts';
import { aggregate } from '../../src/scoring/aggregate.ts';
import { ceilingIntervalOf } from '../../src/scoring/ceiling-interval.ts';
import { ceilingOf } from '../../src/scoring/ceilings.ts';
import { correlate } from '../../src/scoring/correlations.ts';
import { groupsOf } from '../../src/scoring/groups.ts';
import { intervalOf, prepareResampling } from '../../src/scoring/intervals.ts';
import { layOut } from '../../src/scoring/lay-out.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { ascending, centred, weightedPearson, weightedRanks } from '../../src/scoring/weighted.ts';

const random = createRandom('intervals');
const normals = (count: number, stream = random) =>
  Float64Array.from({ length: count }, () => stream.normal());

describe('statistics of a resample from counts', () => {
  const values = normals(40).map((value) => Math.round(value * 3));
  const others = normals(40);
  const drawn = Int32Array.from({ length: 40 }, () => random.int(40));
  const counts = new Float64Array(40);
  for (const row of drawn) counts[row]! += 1;
  const resampled = Float64Array.from(drawn, (row) => values[row]!);
  const otherResampled = Float64Array.from(drawn, (row) => others[row]!);

  it('equals Pearson of the resample', () => {
    expect(weightedPearson(centred(values), centred(others), counts)).toBeCloseTo(
      pearson(resampled, otherResampled),
      12,
    );
  });

  it('equals the average ranks, and Spearman, of the resample', () => {
    const weighted = weightedRanks(values, ascending(values), counts);
    expect(Array.from(drawn, (row) => weighted[row])).toEqual(Array.from(ranks(resampled)));
    const otherRanks = weightedRanks(others, ascending(others), counts);
    expect(weightedPearson(weighted, otherRanks, counts)).toBeCloseTo(
      spearman(resampled, otherResampled),
      12,
    );
  });

  it('is NaN for a side that is constant in the resample', () => {
    expect(weightedPearson(values, new Float64Array(40).fill(0.1), counts)).toBeNaN();
  });
});

/** Trials with a known reliability: signal of variance 1, independent noise; the prediction carries its own noise. */
const world = (images: number, sites: number, trials: number, noise: number, seed: string) => {
  const stream = createRandom(seed);
  const signal = normals(images * sites, stream);
  const data = new Float64Array(images * trials * sites);
  for (let i = 0; i < images; i++)
    for (let t = 0; t < trials; t++)
      for (let s = 0; s < sites; s++)
        data[(i * trials + t) * sites + s] = signal[i * sites + s]! + noise * stream.normal();
  const mean = Float64Array.from({ length: images * sites }, (_, index) => {
    const [i, s] = [Math.floor(index / sites), index % sites];
    let sum = 0;
    for (let t = 0; t < trials; t++) sum += data[(i * trials + t) * sites + s]!;
    return sum / trials;
  });
  const shape = [images, sites];
  const predicted: Float64Nd = {
    data: signal.map((value) => value + 0.75 * stream.normal()),
    shape,
  };
  const table = {
    trials: { data, shape: [images, trials, sites] },
    mean: { data: mean, shape },
    imageOfRow: Int32Array.from({ length: images }, (_, i) => i),
    sites: Int32Array.from({ length: sites }, (_, s) => s),
  };
  return { table, predicted, signal: { data: signal, shape } };
};

const aggregation = { over: 'rows', ceiling: 'before' } as const;

const score = (images: number, sites: number, seed: string, replicates: number) => {
  const { table, predicted, signal } = world(images, sites, 6, 1.5, seed);
  const names = Array.from(table.imageOfRow, String);
  const ids = Array.from(table.sites, String);
  const groups = groupsOf(aggregation, table.imageOfRow, names);
  const ceiling = ceilingOf(
    { kind: 'split-half', splits: 10, minimumReliability: 0.1 },
    table,
    { groups, siteIds: ids, correlation: 'pearson', grid: null, published: [] },
    1,
  );
  const resampling = prepareResampling(
    {
      protocol: {
        ...protocolNamed('image-cv', 'image')!,
        interval: { level: 0.95, replicates },
      },
      ...{ aggregation, drawnWith: table.imageOfRow, groups },
    },
    ceiling,
    1,
  );
  const of = (prediction: Float64Nd) => {
    const aggregated = aggregate(
      correlate(table.mean, prediction, groups, 'pearson'),
      ceiling,
      'r/c',
    );
    const interval = intervalOf(
      resampling,
      {
        ...{ recorded: table.mean, predicted: prediction, drawnWith: table.imageOfRow },
        ...{ groups, correlation: 'pearson' },
      },
      ceiling,
      aggregated,
    );
    return { aggregated, interval: interval! };
  };
  return { model: of(predicted), perfect: of(signal) };
};

describe('noise correction and its interval', () => {
  // Reliability of a mean of 6 trials with noise variance 2.25: 1 / (1 + 2.25 / 6).
  const reliability = 1 / (1 + 2.25 / 6);
  // Correlation of signal + 0.75·noise with the signal.
  const truth = 1 / Math.sqrt(1 + 0.75 ** 2);

  it('recovers the ceiling, and the correlation with the noiseless response', () => {
    const { model, perfect } = score(400, 30, 'recover', 50);
    expect(model.aggregated.ceiling).toBeCloseTo(Math.sqrt(reliability), 1);
    expect(Math.abs(model.aggregated.ceiling - Math.sqrt(reliability))).toBeLessThan(0.02);
    expect(Math.abs(model.aggregated.value - truth)).toBeLessThan(0.03);
    expect(Math.abs(perfect.aggregated.value - 1)).toBeLessThan(0.02);
  });

  it('covers the truth about as often as it says, over images and sites', () => {
    let covered = 0;
    const worlds = 60;
    for (let i = 0; i < worlds; i++) {
      const { interval } = score(80, 12, `cover ${i}`, 200).model;
      expect(interval.method).toBe('bootstrap over images and sites');
      if (interval.low <= truth && truth <= interval.high) covered++;
    }
    // 95 % claimed; a bootstrap of a median is wide rather than narrow, never far below.
    expect(covered / worlds).toBeGreaterThan(0.88);
  });

  it('falls back to a jackknife t interval at 20 images', () => {
    const { interval } = score(20, 10, 'few', 200).model;
    expect(interval).toMatchObject({
      method: 't over images',
      approximate: true,
      n: { images: 20 },
    });
    expect(interval.low).toBeLessThan(truth);
    expect(interval.high).toBeGreaterThan(truth);
  });
});

describe('nearly equal images', () => {
  /** Each image `copies` times, in the layout of the default protocol. */
  const widthWith = (copies: number, alike: boolean): { width: number; images: number } => {
    // Reliable enough for every site to pass on both halves of the images, copied or not.
    const { table } = world(60, 10, 6, 0.8, 'alike');
    const [images, trials, sites] = table.trials.shape as [number, number, number];
    const data = new Float64Array(copies * table.trials.data.length);
    for (let copy = 0; copy < copies; copy++)
      data.set(table.trials.data, copy * table.trials.data.length);
    const recording: Recording = {
      ...{ folder: '', hash: '', warnings: [] },
      header: {
        ...{ kind: 'recording', format: 2, name: 'made', species: 'none' },
        dims: ['stimulus', 'trial', 'site'],
        sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
        timeBins: [{ start: 0, end: 100 }],
        ...{ grid: null, unit: 'none', licence: null, citation: null, notes: [] },
      },
      responses: { data, shape: [copies * images, trials, sites] },
      stimuli: Array.from({ length: copies * images }, (_, i) => ({
        ...{ id: `i${i}`, file: '' },
        columns: alike ? { alike: `i${i % images}` } : {},
      })),
    };
    const protocol = {
      ...protocolNamed('ventral', 'image')!,
      interval: { level: 0.95, replicates: 300 },
    };
    const { layout, scored } = layOut(protocol, recording, 1, 'best');
    const resampling = prepareResampling(layout, scored.ceiling, 1);
    for (const counts of resampling.rowCounts)
      if (alike && copies === 2) expect(counts.slice(0, images)).toEqual(counts.slice(images));
    const { low, high } = ceilingIntervalOf(layout, scored, resampling)!;
    return { width: high - low, images: resampling.images };
  };

  it('are drawn together, so that a copy of every image adds nothing', () => {
    const single = widthWith(1, false);
    const together = widthWith(2, true);
    const apart = widthWith(2, false);
    expect([single.images, together.images, apart.images]).toEqual([60, 60, 120]);
    expect(together.width / single.width).toBeGreaterThan(0.85);
    expect(together.width / single.width).toBeLessThan(1.2);
    expect(apart.width).toBeLessThan(together.width);
  });
});
