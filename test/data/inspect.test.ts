import { describe, expect, it } from 'vitest';
import { inspectRecording } from '../../src/data/inspect.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { splitHalfReliability } from '../../src/numeric/reliability.ts';
import { mean, median, spearman } from '../../src/numeric/statistics.ts';
import type { Recording } from '../../src/records/recording.ts';
import { inspectionLines } from '../../src/report/inspection.ts';
import { inspectionPage } from '../../src/report/inspection-page.ts';
import { grid, header } from '../formats/recording-parts.ts';

const [stimuli, trials, sites] = [40, 6, 3];

/** Responses `[site, stimulus, trial]`: signal plus noise; the third site is constant. */
const recording = (): Recording => {
  const random = createRandom('inspect');
  const data = new Float64Array(sites * stimuli * trials);
  for (let site = 0; site < 2; site++) {
    for (let stimulus = 0; stimulus < stimuli; stimulus++) {
      const signal = random.normal();
      for (let trial = 0; trial < trials; trial++) {
        data[(site * stimuli + stimulus) * trials + trial] =
          signal + (site + 0.5) * random.normal();
      }
    }
  }
  data[5] = Number.NaN;
  data[4] = Number.NaN;
  return {
    header: {
      ...header,
      sites: [
        { id: 'a', area: 'V4', animal: 'M1' },
        { id: 'b', area: 'V4', animal: 'M1' },
        { id: 'c', area: 'IT', animal: 'M2' },
      ],
      licence: 'CC0',
      notes: ['simulated'],
    },
    responses: { data, shape: [sites, stimuli, trials] },
    stimuli: Array.from({ length: stimuli }, (_, index) => ({
      id: `s${index}`,
      file: `s${index}.png`,
      columns: { object: 'cat' },
    })),
    folder: 'rec',
    hash: 'f00d',
    warnings: ['2 stimuli have an image that another one has: s1 = s2'],
  };
};

describe('inspectRecording', () => {
  it('counts sizes, sites, trials and missing numbers', () => {
    const found = inspectRecording(recording());
    expect(found.dimensions).toEqual([
      { name: 'site', size: 3 },
      { name: 'stimulus', size: 40 },
      { name: 'trial', size: 6 },
    ]);
    expect(found.areas).toEqual([
      { area: 'V4', sites: 2 },
      { area: 'IT', sites: 1 },
    ]);
    expect(found.animals).toEqual(['M1', 'M2']);
    expect(found.trials).toEqual({ least: 4, median: 6, most: 6 });
    expect(found.missing).toBeCloseTo(2 / 720, 12);
    expect(found.stimuli.first[0]).toEqual({ id: 's0', file: 's0.png' });
    expect(found.stimuli.columns).toEqual(['object']);
    expect(found.warnings).toHaveLength(1);
  });

  it('gives the reliability of each site, null where it is not defined', () => {
    const it = recording();
    const { reliability } = inspectRecording(it, { splits: 4, seed: 7 });
    const rows = new Float64Array(stimuli * trials * sites);
    it.responses.data.forEach((value, i) => {
      const [site, rest] = [Math.floor(i / (stimuli * trials)), i % (stimuli * trials)];
      rows[rest * sites + site] = value;
    });
    const direct = splitHalfReliability(
      { data: rows, shape: [stimuli, trials, sites] },
      { splits: 4, seed: 7 },
    ).perSite;
    const [bin] = reliability!.bins;
    expect(bin!.perSite).toEqual([direct[0], direct[1], null]);
    expect(bin!.median).toBe(median([direct[0]!, direct[1]!]));
    expect(bin!.perSite[0]!).toBeGreaterThan(bin!.perSite[1]!);
  });

  it('does not depend on the order of the dimensions, and knows time bins and grids', () => {
    const random = createRandom(3);
    const shape = [2, 5, 3, 2, 4, 2]; // time, stimulus, row, column, trial, site
    const size = 2 * 5 * 3 * 2 * 4 * 2;
    const data = Float64Array.from({ length: size }, () => random.normal());
    const bins = [
      { start: 0, end: 10 },
      { start: 10, end: 20 },
    ];
    const one: Recording = {
      ...recording(),
      header: {
        ...header,
        dims: ['time', 'stimulus', 'row', 'column', 'trial', 'site'],
        timeBins: bins,
        grid: { ...grid!, rows: 3, columns: 2 },
      },
      responses: { data, shape },
    };
    const turned = new Float64Array(size);
    let at = 0;
    // The same with dims reversed.
    for (let s = 0; s < 2; s++)
      for (let t = 0; t < 4; t++)
        for (let c = 0; c < 2; c++)
          for (let r = 0; r < 3; r++)
            for (let i = 0; i < 5; i++)
              for (let b = 0; b < 2; b++) {
                turned[at++] = data[((((b * 5 + i) * 3 + r) * 2 + c) * 4 + t) * 2 + s]!;
              }
    const other: Recording = {
      ...one,
      header: { ...one.header, dims: one.header.dims.toReversed() },
      responses: { data: turned, shape: shape.toReversed() },
    };
    const found = inspectRecording(one);
    expect(found.layout).toBe('grid');
    expect(found.reliability!.bins.map(({ bin }) => bin)).toEqual(bins);
    expect(inspectRecording(other).reliability).toEqual(found.reliability);
    expect(found.reliability!.bins[0]!.perSite).not.toEqual(found.reliability!.bins[1]!.perSite);
  });

  it('shows what other sites reach where a grid has no trials, as scores take it', () => {
    const random = createRandom('maps');
    const [images, side, count, bins] = [4, 5, 3, 2];
    const shape = [bins, images, side, side, count];
    const data = new Float64Array(bins * images * side * side * count);
    for (let row = 0; row < data.length / count; row++) {
      const shared = random.normal();
      // The sites of the second bin have more in common, the third site is constant.
      const weight = row < data.length / count / 2 ? 0.3 : 3;
      for (let site = 0; site < 2; site++)
        data[row * count + site] = weight * shared + random.normal();
    }
    const made: Recording = {
      ...recording(),
      header: {
        ...header,
        dims: ['time', 'stimulus', 'row', 'column', 'site'],
        sites: ['a', 'b', 'c'].map((id) => ({ id, area: 'IT' })),
        timeBins: [
          { start: 0, end: 10 },
          { start: 10, end: 20 },
        ],
        grid: { ...grid!, rows: side, columns: side },
      },
      responses: { data, shape },
      stimuli: recording().stimuli.slice(0, images),
    };
    const found = inspectRecording(made);
    expect(found.reliability).toBeNull();
    const size = side * side;
    const expected = Array.from({ length: images }, (_, image) => {
      const map = (site: number): Float64Array =>
        Float64Array.from(
          { length: size },
          (_, at) => data[((images + image) * size + at) * count + site]!,
        );
      return spearman(map(0), map(1));
    });
    const second = found.otherSites![1]!;
    expect(second.perSite[0]).toBeCloseTo(mean(expected), 12);
    expect(second.perSite).toEqual([second.perSite[0], second.perSite[0], null]);
    expect(second.median).toBeGreaterThan(0.7);
    expect(found.otherSites![0]!.median!).toBeLessThan(0.5);
    const lines = inspectionLines(found);
    expect(lines.find((each) => each.startsWith('other sites'))).toContain('best other site');
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}10–20 ms: median 0\.\d{3}, .* not defined for 1 site$/),
    );
    expect(inspectionPage({ inspection: found, stimuli: [], maps: null })).toContain(
      'the best other site (Spearman',
    );
    expect(inspectRecording(recording()).otherSites).toBeNull();
  });

  it('has no reliability without trials, and no range where all is missing', () => {
    const without: Recording = {
      ...recording(),
      header: { ...header, dims: ['site', 'stimulus'] },
      responses: { data: new Float64Array(6).fill(Number.NaN), shape: [2, 3] },
    };
    const found = inspectRecording(without);
    expect(found.reliability).toBeNull();
    expect(found.responses).toBeNull();
    expect(found.missing).toBe(1);
    const lines = inspectionLines(found);
    expect(lines).toContain('reliability  no repeated trials');
    expect(lines).toContain('responses    none (spike count)');
  });
});

it('renders plain lines', () => {
  const found = inspectRecording(recording());
  const lines = inspectionLines({
    ...found,
    reliability: {
      splits: 10,
      seed: 0,
      bins: [
        { bin: { start: 0, end: 100 }, perSite: [0.95, 0.91, 0.72, -0.1, null], median: 0.815 },
      ],
    },
  });
  expect(lines).toEqual([
    'recording    small',
    'species      macaque, M1, M2',
    'layout       image',
    'dimensions   site 3 × stimulus 40 × trial 6',
    'sites        V4 2, IT 1',
    'time bins    0–100 ms',
    expect.stringMatching(/^responses {4}-?[\d.]+ to [\d.]+, mean -?[\d.]+ \(spike count\)$/),
    'trials       4 to 6, median 6 per stimulus and site',
    'missing      0.3 %',
    'stimuli      40, columns object',
    '             s0  s0.png',
    '             s1  s1.png',
    '             s2  s2.png',
    '             s3  s3.png',
    '             s4  s4.png',
    'licence      CC0',
    'note         simulated',
    'warning      2 stimuli have an image that another one has: s1 = s2',
    'sha256       f00d',
    'reliability  split halves, Spearman–Brown, mean of 10 splits',
    '  0–100 ms: median 0.815, quartiles 0.52 to 0.92, not defined for 1 site',
    '  below 0       1 ###############',
    '  0.0 to 0.1    0',
    '  0.1 to 0.2    0',
    '  0.2 to 0.3    0',
    '  0.3 to 0.4    0',
    '  0.4 to 0.5    0',
    '  0.5 to 0.6    0',
    '  0.6 to 0.7    0',
    '  0.7 to 0.8    1 ###############',
    '  0.8 to 0.9    0',
    '  0.9 to 1.0    2 ##############################',
  ]);
});
