import { describe, expect, it } from 'vitest';
import { inspectRecording } from '../../src/data/inspect.ts';
import { meanOverStimuli, responseMaps } from '../../src/data/response-maps.ts';
import type { Recording } from '../../src/records/recording.ts';
import { hex, viridis } from '../../src/report/colours.ts';
import { inspectionPage } from '../../src/report/inspection-page.ts';
import { mapImage, rangeOf } from '../../src/report/map-image.ts';
import { ticksOf } from '../../src/report/svg-charts.ts';
import { inputLine } from '../formats/failure.ts';
import { header } from '../formats/recording-parts.ts';

const [sites, stimuli, rows, columns, bins, trials] = [2, 3, 2, 4, 2, 3];
const sizes = [rows, sites, trials, stimuli, columns, bins];

/** Response = 1000·bin + 100·site + 10·stimulus + row·columns + column, plus −1, 0, 1 over trials. */
const recording = (): Recording => {
  const length = sizes.reduce((product, size) => product * size, 1);
  const data = Float64Array.from({ length }, (_, index) => {
    let rest = index;
    const at = sizes.map((_, axis) => {
      const inner = sizes.slice(axis + 1).reduce((product, size) => product * size, 1);
      const place = Math.floor(rest / inner);
      rest %= inner;
      return place;
    });
    const [row, site, trial, stimulus, column, bin] = at as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return 1000 * bin + 100 * site + 10 * stimulus + row * columns + column + trial - 1;
  });
  return {
    header: {
      ...header,
      name: 'a <b>&"recording"',
      dims: ['row', 'site', 'trial', 'stimulus', 'column', 'time'],
      sites: [
        { id: 'one', area: 'V4' },
        { id: '<two>', area: 'IT', animal: 'M2' },
      ],
      timeBins: [
        { start: 50, end: 90 },
        { start: 90, end: 130 },
      ],
      grid: { rows, columns, extent: null, patchSize: null, pixelsPerDegree: null },
      notes: ['1 < 2'],
    },
    responses: { data, shape: sizes },
    stimuli: ['x', 'y', 'z'].map((id) => ({ id, file: `${id}.png`, columns: {} })),
    folder: 'rec',
    hash: 'f00d',
    warnings: [],
  };
};

describe('responseMaps', () => {
  it('averages trials at each fixation, whatever the order of the dimensions', () => {
    const maps = responseMaps(recording(), 1);
    expect(maps.shape).toEqual([2, 3, 2, 4]);
    expect([...maps.data.slice(0, 8)]).toEqual([1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007]);
    expect(maps.data.at(-1)).toBe(1127);
    expect([...meanOverStimuli(maps).data.slice(8)]).toEqual([
      1110, 1111, 1112, 1113, 1114, 1115, 1116, 1117,
    ]);
  });

  it('passes missing trials over, and leaves a place without any open', () => {
    const { responses, ...rest } = recording();
    const data = responses.data.slice();
    // Row 0, site 0, stimulus 0, column 0, bin 0: one trial; stimulus 1: all three.
    const at = (trial: number, stimulus: number) => (trial * stimuli + stimulus) * columns * bins;
    data[at(0, 0)] = Number.NaN;
    for (const trial of [0, 1, 2]) data[at(trial, 1)] = Number.NaN;
    const maps = responseMaps({ ...rest, responses: { data, shape: sizes } }, 0);
    expect(maps.data[0]).toBe(0.5);
    expect(maps.data[8]).toBeNaN();
    expect(meanOverStimuli(maps).data[0]).toBe((0.5 + 20) / 2);
  });

  it('needs a grid', async () => {
    const { header: gridded, ...rest } = recording();
    const plain = { ...rest, header: { ...gridded, grid: null } };
    expect(await inputLine(() => responseMaps(plain, 0))).toContain('one response per image');
  });
});

describe('viridis', () => {
  it('is the published table within a few levels', () => {
    const table = [
      [0, 68, 1, 84],
      [0.25, 59, 82, 139],
      [0.5, 33, 145, 140],
      [0.75, 94, 201, 98],
      [1, 253, 231, 37],
    ] as const;
    for (const [share, ...colour] of table) {
      const found = viridis(share);
      for (const channel of [0, 1, 2] as const)
        expect(Math.abs(found[channel] - colour[channel])).toBeLessThanOrEqual(7);
    }
  });

  it('grows lighter in equal steps', () => {
    // CIE 1976 lightness of sRGB.
    const lightness = (share: number): number => {
      const linear = viridis(share).map((level) => {
        const c = level / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      });
      return 116 * Math.cbrt(0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!) - 16;
    };
    const levels = Array.from({ length: 11 }, (_, step) => lightness(step / 10));
    const steps = levels.slice(1).map((level, k) => level - levels[k]!);
    expect(Math.min(...steps)).toBeGreaterThan(6);
    expect(Math.max(...steps)).toBeLessThan(9.5);
  });

  it('is written as CSS has it', () => {
    expect(hex([0, 10, 255])).toBe('#000aff');
    expect(viridis(-1)).toEqual(viridis(0));
    expect(viridis(2)).toEqual(viridis(1));
  });
});

describe('mapImage', () => {
  it('puts every cell where it belongs, grey where there is none', () => {
    const data = Float64Array.of(0, 1, 2, 3, Number.NaN, 4, 4, 0);
    expect(rangeOf(data)).toEqual({ low: 0, high: 4 });
    const image = mapImage(
      { data, shape: [2, 2, 2] },
      { low: 0, high: 4 },
      {
        cell: 3,
        gap: 2,
        across: 1,
      },
    );
    expect([image.width, image.height]).toEqual([10, 18]);
    const pixel = (x: number, y: number) => [
      ...image.data.slice((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
    ];
    expect(pixel(0, 0)).toEqual([255, 255, 255]);
    expect(pixel(2, 2)).toEqual([...viridis(0)]);
    expect(pixel(7, 2)).toEqual([...viridis(0.25)]);
    expect(pixel(4, 7)).toEqual([...viridis(0.5)]);
    expect(pixel(3, 10)).toEqual([200, 200, 200]);
    expect(pixel(7, 15)).toEqual([...viridis(0)]);
    expect(rangeOf(Float64Array.of(Number.NaN))).toBeNull();
  });
});

it('ticks are round and lie within', () => {
  expect(ticksOf(0, 0.93)).toEqual([0, 0.2, 0.4, 0.6, 0.8]);
  expect(ticksOf(-3, 14)).toEqual([0, 5, 10]);
  expect(ticksOf(0, 300)).toEqual([0, 100, 200, 300]);
  expect(ticksOf(2, 2)).toEqual([2]);
});

describe('inspectionPage', () => {
  const inspection = inspectRecording(recording());
  const picture = (caption: string) => ({ caption, address: 'data:image/png;base64,AAAA' });
  const page = inspectionPage({
    inspection,
    stimuli: [picture('x')],
    maps: { bin: { start: 90, end: 130 }, pictures: [picture('one'), picture('<two>')] },
  });

  it('knows the course of the responses', () => {
    expect(inspection.timeCourse.map(({ perSite }) => perSite)).toEqual([
      [13.5, 113.5],
      [1013.5, 1113.5],
    ]);
    expect(inspection.sites[1]).toEqual({ id: '<two>', area: 'IT', animal: 'M2' });
  });

  it('needs nothing beside itself, and runs nothing', () => {
    expect(page).not.toMatch(/https?:|<script|<link|@import|url\(/);
    expect(
      [...page.matchAll(/src="([^"]{0,15})/g)].every(([, to]) => to === 'data:image/png;'),
    ).toBe(true);
  });

  it('takes no name for markup', () => {
    expect(page).toContain('a &#60;b&#62;&#38;&#34;recording&#34;');
    expect(page).not.toContain('<two>');
    expect(page).not.toContain('NaN');
  });

  it('shows course, reliability, sites and maps, the most reliable sites first', () => {
    const titles = [...page.matchAll(/<h2>([^<]+)/g)].map(([, title]) => title);
    expect(titles).toEqual([
      'Time course',
      'Reliability by time bin',
      'Sites by reliability',
      'Response maps',
      'Stimuli',
    ]);
    const ordered = inspection.reliability!.bins[1]!.perSite as number[];
    const names = [...page.matchAll(/<title>([^<]+): \d\.\d{3}<\/title>/g)].map(([, name]) => name);
    expect(names[0]).toBe(ordered[0]! >= ordered[1]! ? 'one (V4)' : '&#60;two&#62; (IT)');
  });

  it('says that without trials there is no reliability', () => {
    const { header: h, responses, ...rest } = recording();
    const first = recording().responses.data.slice(0, responses.data.length / 3);
    const once = {
      ...rest,
      header: { ...h, dims: h.dims.filter((name) => name !== 'trial') },
      responses: { data: first, shape: sizes.filter((_, axis) => axis !== 2) },
    };
    const text = inspectionPage({ inspection: inspectRecording(once), stimuli: [], maps: null });
    expect(text).toContain('No repeated trials');
    expect(text).not.toContain('Sites by reliability');
    expect(text).not.toContain('Ceiling');
  });

  it('says of an image recording without trials that its scores are uncorrected, not that sites are its ceiling', () => {
    const uncorrected = { ...inspection, reliability: null, otherSites: null };
    const text = inspectionPage({ inspection: uncorrected, stimuli: [], maps: null });
    expect(text).toContain('under the default protocol scores are uncorrected');
    expect(text).not.toMatch(/other sites?/);
  });
});
