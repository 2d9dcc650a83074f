import { describe, expect, it } from 'vitest';
import { ceilingOfTrials } from '../../src/analysis/sub-sample.ts';
import { meanTrainingMaps } from '../../src/controls/position-nulls.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float64Nd } from '../../src/records/array.ts';
import type { PlsSettings, Protocol } from '../../src/records/protocol.ts';
import type { Dimension, Recording, RecordingHeader } from '../../src/records/recording.ts';
import { ceilingIntervalOf } from '../../src/scoring/ceiling-interval.ts';
import { checkProtocol } from '../../src/scoring/check-protocol.ts';
import { nothingInCommon } from '../../src/scoring/common-sites.ts';
import { fitShapeOf } from '../../src/scoring/cost.ts';
import { prepareResampling } from '../../src/scoring/intervals.ts';
import { layOut } from '../../src/scoring/lay-out.ts';
import { patternsOf } from '../../src/scoring/missing.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { correlationIn, sideOf } from '../../src/scoring/resampled.ts';
import { responseTable } from '../../src/scoring/responses.ts';

const [sites, trials] = [6, 4];

type Place = Readonly<Record<Dimension, number>>;

/** A recording of signals of variance 1 and noise of .25 in each trial; NaN where `lacks` says so. */
const made = (
  sizes: Partial<Record<Dimension, number>>,
  lacks: (at: Place) => boolean,
  change: Partial<RecordingHeader> = {},
  unit = 1,
): Recording => {
  const dims = (['stimulus', 'row', 'column', 'time', 'trial', 'site'] as const).filter(
    (dim) => dim in sizes,
  );
  const shape = dims.map((dim) => sizes[dim]!);
  const random = createRandom('signals and noise');
  const signals = new Map<string, number>();
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => {
    const at: Record<Dimension, number> = {
      ...{ stimulus: 0, row: 0, column: 0, time: 0, trial: 0, site: 0 },
    };
    let rest = index;
    for (const [axis, dim] of [...dims.entries()].reverse()) {
      at[dim] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    const key = [at.stimulus, at.row, at.column, at.site].join();
    const signal = signals.get(key) ?? random.normal();
    signals.set(key, signal);
    const value = signal + 0.5 * random.normal();
    return lacks(at) ? Number.NaN : unit * value;
  });
  return {
    ...{ folder: 'made', hash: '', warnings: [] },
    header: {
      ...{ kind: 'recording', format: 2, name: 'made', species: 'none', dims },
      sites: Array.from({ length: sizes.site! }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
      timeBins: Array.from({ length: sizes.time ?? 1 }, (_, b) => ({
        start: 50 * b,
        end: 50 * b + 50,
      })),
      grid:
        sizes.row === undefined
          ? null
          : {
              ...{ rows: sizes.row, columns: sizes.column! },
              ...{ extent: null, patchSize: null, pixelsPerDegree: null },
            },
      ...{ unit: 'none', licence: null, citation: null, notes: [] },
      ...change,
    },
    responses: { data, shape },
    stimuli: Array.from({ length: sizes.stimulus! }, (_, i) => ({
      id: `i${i}`,
      file: '',
      columns: {},
    })),
  };
};

const named = (
  name: string,
  layout: 'image' | 'grid',
  change: Partial<Protocol> = {},
): Protocol => {
  const base = protocolNamed(name, layout)!;
  const pls = base.regression as PlsSettings;
  return {
    ...base,
    regression: { ...pls, components: 5 },
    interval: { level: 0.95, replicates: 100 },
    ...change,
  };
};
const imageCv = named('image-cv', 'image');
const gridCv = named('grid-cv', 'grid');
const image = { stimulus: 40, trial: trials, site: sites };
const grid = { stimulus: 8, row: 3, column: 3, trial: trials, site: sites };

describe('missing responses', () => {
  it('of a position on all images cost that position, not the site', () => {
    const { layout, responses, excludedSites, scored } = layOut(
      gridCv,
      made(grid, ({ row, column, site }) => row === 0 && column === 0 && site === 0),
      1,
      'all',
    );
    expect(layout.siteIds).toHaveLength(sites);
    expect(excludedSites).toEqual([]);
    expect(responses.used).toBeCloseTo(1 - 1 / (9 * sites), 12);
    expect(responses.missing).toBeCloseTo(1 / (9 * sites), 12);
    expect(scored.ceiling.perSite.data.some(Number.isNaN)).toBe(false);
  });

  it('scattered over fixations leave no image and no site out, and are counted by fixation', () => {
    const lacks = ({ stimulus: g, row: a, column: b, site: s }: Place): boolean =>
      (g * 7 + a * 5 + b * 3 + s * 11) % 17 === 0;
    const { layout, responses, warnings } = layOut(gridCv, made(grid, lacks), 1, 'all');
    let count = 0;
    for (let g = 0; g < 8; g++)
      for (let at = 0; at < 9; at++)
        for (let s = 0; s < sites; s++)
          if (lacks({ stimulus: g, row: Math.floor(at / 3), column: at % 3, site: s } as Place))
            count++;
    expect(layout.stimuli).toHaveLength(8);
    expect(layout.siteIds).toHaveLength(sites);
    expect(responses.missing).toBeCloseTo(count / (8 * 9 * sites), 12);
    expect(warnings.join()).not.toContain('left out');
  });

  it('are counted in each time bin where bins lack different ones', () => {
    const of = made(
      { ...image, stimulus: 39, time: 3 },
      (at) => (at.stimulus + 7 * at.time + 3 * at.site) % 13 === 0,
    );
    const { responses, excludedSites } = layOut(imageCv, of, 1, 'all');
    expect(excludedSites).toEqual([]);
    expect(responses.missing).toBeCloseTo(1 / 13, 12);
    expect(responses.used).toBeCloseTo(12 / 13, 12);
  });

  it('of a whole time bin leave their site out, in true words', () => {
    const of = made({ ...image, time: 3 }, ({ time, site }) => time === 1 && site === 2);
    const { layout, excludedSites } = layOut(imageCv, of, 1, 'all');
    expect(layout.siteIds).not.toContain('s2');
    expect(excludedSites).toContainEqual({
      ...{ site: 's2', image: null, reason: 'no response at all in 50–100 ms' },
    });
  });

  it('that leave too few to train on leave their site out, before anything is fitted', () => {
    const pls = (components: number): Protocol => ({
      ...imageCv,
      regression: { ...(imageCv.regression as PlsSettings), components },
    });
    const of = made(image, ({ stimulus, site }) => site === 0 && stimulus % 2 === 1);
    expect(layOut(pls(15), of, 1, 'all').layout.siteIds).toContain('s0');
    const { layout, excludedSites, responses } = layOut(pls(16), of, 1, 'all');
    expect(layout.siteIds).not.toContain('s0');
    expect(excludedSites).toEqual([
      {
        site: 's0',
        image: null,
        reason: 'lacks 20 of 40 responses: 16 are left to train on, 17 are needed',
      },
    ]);
    expect(responses.used).toBeCloseTo(1 - 1 / sites, 12);
    const all = made(image, ({ stimulus, site }) => (stimulus + site) % 2 === 1);
    expect(() => layOut(pls(16), all, 1, 'all')).toThrow(/at least one site with enough responses/);
  });

  it('leave the ceiling of fewer trials as it is of the rows that are there', () => {
    const of = made(image, ({ stimulus, site }) => site === 0 && stimulus < 6);
    const { layout, scored } = layOut(imageCv, of, 1, 'all');
    const { ceiling, table } = scored;
    const found = ceilingOfTrials(imageCv.ceiling, ceiling, table.trials, layout.groups, 1)!;
    // All rows have four trials: one trial has a quarter of the signal-to-noise ratio, missing rows or not.
    found.perSite.data.forEach((c, site) => {
      const rho = ceiling.perSite.data[site]! ** 2;
      expect(c ** 2).toBeCloseTo(rho / (4 - 3 * rho), 12);
    });
  });

  it('are left out of the mean training map', () => {
    const of = made(grid, ({ stimulus, site }) => stimulus === 2 && site === 0);
    const whole = made(grid, () => false);
    const map = (recording: Recording) => {
      const { layout, scored } = layOut(gridCv, recording, 1, 'all');
      return meanTrainingMaps(layout, scored).data;
    };
    const { responses } = layOut(gridCv, whole, 1, 'all').scored;
    const [part, all] = [map(of), map(whole)];
    for (let row = 0; row < 72; row++)
      for (let site = 0; site < sites; site++) {
        const [held, position] = [Math.floor(row / 9), row % 9];
        const others = [0, 1, 2, 3, 4, 5, 6, 7].filter((g) => g !== held && (site > 0 || g !== 2));
        const sum = others.reduce(
          (s, g) => s + responses.data[(9 * g + position) * sites + site]!,
          0,
        );
        expect(part[row * sites + site]).toBeCloseTo(sum / others.length, 10);
        if (site > 0) expect(part[row * sites + site]).toBe(all[row * sites + site]);
      }
  });

  it('leave null ceilings about where they are', () => {
    const linsley = named('linsley2023', 'grid', { missing: 'per-site' });
    const of = (lacks: (at: Place) => boolean) =>
      layOut(linsley, made({ ...grid, row: 6, column: 6 }, lacks), 1, 'all').nullCeiling!;
    const whole = of(() => false);
    // Every map lacks a position, each site another one.
    const part = of(({ row, column, site }) => 6 * row + column === site);
    expect(Math.abs(part.mismatched! - whole.mismatched!)).toBeLessThan(0.05);
    expect(Math.abs(part.surrogate! - whole.surrogate!)).toBeLessThan(0.05);
  });

  it('of both sites of a pair: the interval of the best other site is of the rows that both have', () => {
    const change = {
      ceiling: { kind: 'best-other-site' } as const,
      correlation: 'spearman' as const,
    };
    const of = made(image, ({ stimulus, site }) => (stimulus + 5 * site) % 20 === 0);
    const { layout, scored } = layOut(named('image-cv', 'image', change), of, 1, 'all');
    const resampling = prepareResampling(layout, scored.ceiling, 1);
    const interval = ceilingIntervalOf(layout, scored, resampling)!;
    expect(interval.low).toBeLessThan(scored.overallCeiling);
    expect(interval.high).toBeGreaterThan(scored.overallCeiling);
    expect(interval.high).toBeLessThan(0.9);
  });

  it('make further regressions, which the estimate of time counts', () => {
    const lacking = (lacks: (at: Place) => boolean) =>
      fitShapeOf(layOut(imageCv, made(image, lacks), 1, 'all')).patterns;
    expect(lacking(() => false)).toBe(1);
    expect(lacking(({ stimulus, site }) => stimulus === site)).toBe(sites);
  });
});

describe('correlations in resamples', () => {
  it('of columns that lack different rows, though as many, are not defined', () => {
    const table = (lacking: number): Float64Nd => ({
      data: Float64Array.from({ length: 10 }, (_, i) =>
        i === lacking ? Number.NaN : (i * 7) % 10,
      ),
      shape: [10, 1],
    });
    const rows = Int32Array.from({ length: 10 }, (_, i) => i);
    const once = new Float64Array(10).fill(1);
    const side = (lacking: number) => sideOf(table(lacking), 0, rows, 'pearson');
    expect(correlationIn(side(3), side(3), once)).toBeCloseTo(1, 12);
    expect(correlationIn(side(3), side(4), once)).toBeNaN();
  });
});

describe('a published reliability', () => {
  const change = { ceiling: { kind: 'published', minimumReliability: 0.1 } as const };
  const header = {
    sites: Array.from({ length: sites }, (_, s) => ({
      id: `s${s}`,
      area: 'IT',
      reliability: 0.5 + s / 20,
    })),
  };

  it('has no interval: its error is not known', () => {
    const protocol = named('image-cv', 'image', change);
    const { layout, scored } = layOut(
      protocol,
      made(image, () => false, header),
      1,
      'all',
    );
    expect(scored.overallCeiling).toBeCloseTo(Math.sqrt(0.625), 3);
    expect(
      ceilingIntervalOf(layout, scored, prepareResampling(layout, scored.ceiling, 1)),
    ).toBeNull();
  });

  it('chooses no time bin', () => {
    const of = made({ ...image, time: 2 }, () => false, header);
    expect(() => checkProtocol(named('image-cv', 'image', change), of)).toThrow(
      /the same in all bins/,
    );
    const timeBin = { start: 0, end: 50 };
    expect(() =>
      checkProtocol(named('image-cv', 'image', { ...change, timeBin }), of),
    ).not.toThrow();
  });

  it('that is not there is asked for', () => {
    const protocol = named('image-cv', 'image', change);
    expect(() =>
      layOut(
        protocol,
        made(image, () => false),
        1,
        'all',
      ),
    ).toThrow(/no published reliability; give sites\[\].reliability/);
  });
});

describe('the unit of the responses', () => {
  it.each([
    2 ** -990,
    2 ** -500,
    2 ** 500,
    2 ** 1000,
  ])('%d changes no ceiling and no interval', (unit) => {
    const of = (by: number) => {
      const single = ({ trial, stimulus }: Place) => trial > 0 && stimulus % 4 > 1;
      const { layout, scored } = layOut(imageCv, made(image, single, {}, by), 1, 'all');
      const resampling = prepareResampling(layout, scored.ceiling, 1);
      return [scored.ceiling.perSite, ceilingIntervalOf(layout, scored, resampling)];
    };
    expect(of(unit)).toEqual(of(1));
  });
});

describe('a time course over common sites', () => {
  it('says where no site is in all bins', () => {
    const course = { timeBins: [], ceilings: [], layers: [], common: true };
    expect(nothingInCommon(null)).toEqual([]);
    expect(nothingInCommon({ ...course, sites: [2, 0], ownSites: [3, 0] })).toEqual([]);
    expect(nothingInCommon({ ...course, sites: [0, 0], ownSites: [3, 2] }).join()).toMatch(
      /no site is used in every time bin/,
    );
  });
});

describe('tables and patterns, made once', () => {
  it.each([
    ['nothing is missing', () => false, 6],
    ['a site has no response', ({ site }: Place) => site === 2, 5],
  ] as const)('are those of the stimuli and sites in use where %s', (_, lacks, left) => {
    const recording = made({ stimulus: 40, time: 2, trial: trials, site: sites }, lacks, {
      timeBins: [
        { start: 0, end: 50 },
        { start: 50, end: 100 },
      ],
    });
    const { layout, bins } = layOut(protocolNamed('image-cv', 'image')!, recording, 1, 'all');
    expect(layout.siteIds).toHaveLength(left);
    const used = Int32Array.from([0, 1, 2, 3, 4, 5]).filter((site) => left === 6 || site !== 2);
    const stimuli = Int32Array.from({ length: 40 }, (_own, index) => index);
    bins.forEach(({ table }, bin) => {
      expect(table).toEqual(responseTable(recording, bin, stimuli, used));
    });
  });

  it('have one pattern where nothing is missing, of no rows', () => {
    const data = Float64Array.of(1, 2, 3, 4, 5, 6);
    expect(patternsOf({ data, shape: [2, 3] })).toEqual([
      { columns: Int32Array.of(0, 1, 2), rows: new Int32Array(0) },
    ]);
    expect(patternsOf({ data: new Float64Array(0), shape: [2, 0] })).toEqual([]);
  });
});
