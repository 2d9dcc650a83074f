import { describe, expect, it } from 'vitest';
import { depthProfile } from '../../src/analysis/profile.ts';
import { type AreaScores, layerResampler } from '../../src/analysis/resample-layers.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { median, pearson } from '../../src/numeric/statistics.ts';
import type { LayerPredictions } from '../../src/records/layer-predictions.ts';
import { profileSchema } from '../../src/records/profile.ts';
import type { Score } from '../../src/records/score.ts';
import { profileLines } from '../../src/report/profile.ts';
import { profilePage } from '../../src/report/profile-page.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { madeProvenance } from '../made-score.ts';
import { madeArea } from './made-areas.ts';

const sha256 = 'a'.repeat(64);
const provenance = madeProvenance([
  { role: 'score', name: 'V4.json', sha256 },
  { role: 'recording', name: 'recording of V4', sha256 },
]);

const early = [0.3, 0.6, 0.45, 0.35, 0.3];
const late = [0.2, 0.3, 0.35, 0.6, 0.5];
const run = (areas: readonly AreaScores[], seed = 1, replicates = 200) =>
  depthProfile(areas, replicates, seed, () => undefined);

describe('a depth profile', () => {
  const planted = run([
    madeArea({ area: 'V4', levels: early }),
    madeArea({ area: 'IT', levels: late }),
  ]);

  it('finds planted early and late areas in their order', () => {
    expect(planted.areas.map(({ peak }) => [peak.layer, peak.depth])).toEqual([
      ['layer2', 0.25],
      ['layer4', 0.75],
    ]);
    expect(planted.areas[0]!.peak.shares[1]).toBeGreaterThan(0.98);
    const [peak, centre] = planted.orders;
    expect(peak).toMatchObject({ statistic: 'peak', first: 'V4', second: 'IT', difference: 0.5 });
    expect(peak!.earlier).toBeGreaterThan(0.99);
    expect(peak!.interval).toMatchObject({ low: 0.5, high: 0.5 });
    expect(peak!.adjusted).toBeLessThan(0.01);
    // From the true levels: (.25·.3 + .5·.15 + .75·.05) / .5 = .375, (.25·.1 + .5·.15 + .75·.4 + .3) / .95 = .737.
    expect(planted.areas[0]!.centreOfMass.depth!).toBeCloseTo(0.375, 1);
    expect(planted.areas[1]!.centreOfMass.depth!).toBeCloseTo(0.737, 1);
    expect(centre!.earlier).toBe(1);
    expect(centre!.interval!.low).toBeGreaterThan(0.2);
    expect(planted.warnings).toEqual([]);
  });

  it('says where the scores do not tell the place of their layers in the network', () => {
    const area = madeArea({ area: 'V4', levels: early });
    const layers = area.score.layers.map((layer) => ({ ...layer, place: null }));
    const found = run([{ ...area, score: { ...area.score, layers } }]);
    expect(found.networkLayers).toBeNull();
    expect(found.layers.map(({ depth }) => depth)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(found.warnings[0]).toContain('relative to the layers scored, not to the network');
    expect(profileLines({ ...found, provenance }).at(-1)).toContain(
      '0 the first of the layers scored',
    );
  });

  it('gives no order to areas that one network matches alike, and says tie', () => {
    const flat = [0.45, 0.5, 0.5, 0.5, 0.45];
    let confident = 0;
    for (let k = 0; k < 8; k++) {
      const areas = [
        madeArea({ area: `A${k}`, levels: flat, images: 80, sites: 6 }),
        madeArea({ area: `B${k}`, levels: flat, images: 80, sites: 6 }),
      ];
      confident += run(areas, k, 200).orders.filter(({ adjusted }) => adjusted < 0.05).length;
    }
    // Of 16 tests at 5 %, 0.8 by chance; more than 3 has a probability of .7 %.
    expect(confident).toBeLessThanOrEqual(3);
    const same = run([
      madeArea({ area: 'A', levels: early }),
      madeArea({ area: 'B', levels: early }),
    ]);
    const [peak] = same.orders;
    expect(peak!.tie).toBeGreaterThan(0.95);
    expect(peak!.p).toBe(1);
    expect(profileLines({ ...same, provenance }).find((line) => line.startsWith('peak '))).toMatch(
      / tie$/,
    );
  });

  it('draws the images of shared stimuli for both areas alike', () => {
    // The same responses and predictions, recorded twice: only the draws of sites can differ.
    const twin = (area: string, stimuli: string): AreaScores => {
      const made = madeArea({
        area: 'twin',
        levels: [0.5, 0.52, 0.5, 0.52, 0.5],
        sites: 1,
        stimuli,
      });
      return { ...made, file: area, score: { ...made.score, area } };
    };
    const shared = run([twin('A', 'one'), twin('B', 'one')]);
    expect(shared.orders[0]!.tie).toBe(1);
    expect(shared.orders[1]!.interval).toMatchObject({ low: 0, high: 0 });
    const apart = run([twin('A', 'one'), twin('B', 'other')]);
    expect(apart.orders[0]!.tie).toBeLessThan(0.9);
    expect(apart.warnings[0]).toMatch(/same ids in recordings of different stimuli/);
  });

  it('draws nearly equal images together: twice the same images give the intervals of once', () => {
    const once = madeArea({ area: 'V4', levels: early, images: 40, sites: 1 });
    const twice = (kept: LayerPredictions): LayerPredictions => {
      const { recorded, predicted, stimulusIds } = kept;
      const [rows = 0, sites = 0] = recorded.shape;
      const both = (data: Float64Array): number[] => [...data, ...data];
      const layers = kept.layers.flatMap((_, layer) =>
        both(predicted.data.subarray(layer * rows * sites, (layer + 1) * rows * sites)),
      );
      return {
        ...kept,
        recorded: { data: Float64Array.from(both(recorded.data)), shape: [2 * rows, sites] },
        predicted: {
          data: Float64Array.from(layers),
          shape: [kept.layers.length, 2 * rows, sites],
        },
        groups: new Int32Array(2 * rows),
        folds: new Int32Array(2 * rows),
        stimulusIds: [...stimulusIds, ...stimulusIds.map((id) => `again ${id}`)],
      };
    };
    const kept = once.predictions!;
    const apart = { ...once, predictions: twice(kept) };
    const drawnWith = [...kept.stimulusIds, ...kept.stimulusIds];
    const together = { ...apart, predictions: { ...apart.predictions, drawnWith } };
    const [single, double, alone] = [once, together, apart].map((area) => run([area]).areas[0]!);
    expect(double!.resampled).toMatchObject({ images: 40 });
    expect(alone!.resampled).toMatchObject({ images: 80 });
    expect(double!.centreOfMass.interval!.low).toBeCloseTo(single!.centreOfMass.interval!.low, 9);
    expect(double!.centreOfMass.interval!.high).toBeCloseTo(single!.centreOfMass.interval!.high, 9);
    const width = ({ centreOfMass: { interval } }: typeof single & object) =>
      interval!.high - interval!.low;
    expect(width(alone!)).toBeLessThan(0.85 * width(double!));
  });

  it('resamples sites alone from a score file alone, and says what that leaves out', () => {
    const alone = run([
      madeArea({ area: 'V4', levels: early, keep: false }),
      madeArea({ area: 'IT', levels: late }),
    ]);
    expect(alone.areas.map(({ resampled }) => resampled)).toEqual([
      { what: 'sites', images: 0, sites: 12, approximate: true },
      { what: 'images and sites', images: 200, sites: 12, approximate: false },
    ]);
    expect(alone.warnings).toEqual([
      expect.stringMatching(
        /^V4\.json: .* only sites are resampled; .* keep the predictions of the layers/,
      ),
    ]);
    expect(alone.orders[0]!.earlier).toBeGreaterThan(0.95);
    expect(alone.areas[0]!.values).toEqual(planted.areas[0]!.values);
  });

  it('compares all pairs of three areas with Holm’s correction, and tells areas of one name apart', () => {
    const three = run([
      madeArea({ area: 'V4', levels: early }),
      madeArea({ area: 'IT', levels: late }),
      { ...madeArea({ area: 'other', levels: late }), file: 'other.json' },
    ]);
    expect(three.orders).toHaveLength(6);
    for (const { p, adjusted } of three.orders) expect(adjusted).toBeGreaterThanOrEqual(p);
    const [first] = [madeArea({ area: 'V4', levels: early })];
    const again = { ...first!, file: 'again.json' };
    expect(run([first!, again]).areas.map(({ name }) => name)).toEqual(['V4.json', 'again.json']);
  });

  it('weighs correlations within images by the images drawn', () => {
    const images = 14;
    const positions = 25;
    const sites = 6;
    const random = createRandom('maps');
    const rows = images * positions;
    const recorded = Float64Array.from({ length: rows * sites }, () => random.normal());
    const levels = [0.2, 0.7, 0.3];
    const predicted = Float64Array.from({ length: levels.length * rows * sites }, (_, index) => {
      const r = levels[Math.floor(index / (rows * sites))]!;
      return r * recorded[index % (rows * sites)]! + Math.sqrt(1 - r * r) * random.normal();
    });
    const made = madeArea({ area: 'IT', levels, sites });
    const grid: AreaScores = {
      ...made,
      score: { ...made.score, protocol: protocolNamed('grid-cv', 'grid')! } as Score,
      predictions: {
        ...made.predictions!,
        recorded: { data: recorded, shape: [rows, sites] },
        predicted: { data: predicted, shape: [levels.length, rows, sites] },
        groups: Int32Array.from({ length: rows }, (_, row) => Math.floor(row / positions)),
        ceiling: { data: new Float64Array(images * sites).fill(1), shape: [images, sites] },
        stimulusIds: Array.from({ length: rows }, (_, row) => `i${Math.floor(row / positions)}`),
      },
    };
    const all = Int32Array.from({ length: sites }, (_, s) => s);
    const values = layerResampler(grid).valuesIn(new Float64Array(images).fill(1), all);
    const layers = grid.score.layers.map((layer, index) => ({ ...layer, value: values[index]! }));
    const [area] = run([{ ...grid, score: { ...grid.score, layers } }]).areas;
    expect(area!.resampled).toEqual({
      what: 'images and sites',
      images: 14,
      sites: 6,
      approximate: true,
    });
    expect(area!.peak.shares).toEqual([0, 1, 0]);
  });

  it('takes correlations within overlapping splits, and squares after aggregation where the protocol does', () => {
    const made = madeArea({ area: 'IT', levels: late, images: 120 });
    const kept = made.predictions!;
    const [, sites] = kept.recorded.shape as [number, number];
    const splits: AreaScores = {
      ...made,
      score: { ...made.score, protocol: protocolNamed('brainscore-like-2026', 'image')! } as Score,
      predictions: {
        ...kept,
        // Two splits of 60 rows that hold out the same 60 images.
        stimulusIds: kept.stimulusIds.map((_, row) => `i${row % 60}`),
        groups: Int32Array.from({ length: 120 }, (_, row) => Math.floor(row / 60)),
        ceiling: { data: new Float64Array(2 * sites).fill(0.8), shape: [2, sites] },
      },
    };
    const { images, valuesIn } = layerResampler(splits);
    expect(images).toHaveLength(60);
    const all = Int32Array.from({ length: sites }, (_, s) => s);
    const values = valuesIn(new Float64Array(60).fill(1), all);
    const within = (layer: number, split: number): number =>
      median(
        Float64Array.from(all, (s) => {
          const column = (data: Float64Array, from: number): number[] =>
            Array.from({ length: 60 }, (_, i) => data[(from + split * 60 + i) * sites + s]!);
          return pearson(column(kept.recorded.data, 0), column(kept.predicted.data, layer * 120));
        }),
      );
    for (const layer of late.keys()) {
      const r = (within(layer, 0) + within(layer, 1)) / 2;
      expect(values[layer]!).toBeCloseTo((r * r) / 0.8, 9);
    }
  });

  it('is the record that its schema describes, and the same for the same seed', () => {
    const written = JSON.parse(JSON.stringify({ ...planted, provenance }));
    expect(profileSchema.parse(written)).toEqual(written);
    const areas = [madeArea({ area: 'V4', levels: early }), madeArea({ area: 'IT', levels: late })];
    expect(run(areas)).toEqual(planted);
  });

  it('is shown by depth with the peaks marked, as text and as a page', () => {
    const text = profileLines({ ...planted, provenance });
    expect(text[0]).toBe('net.onnx along its depth, 5 layers');
    expect(text.find((line) => line.includes('layer2 '))).toMatch(
      /^ 0\.25 +layer2 +0\.\d+ +█+ \* +0\.\d+ +█+$/,
    );
    expect(text.find((line) => line.startsWith('peak '))).toMatch(/ V4 before IT$/);
    const page = profilePage({ ...planted, provenance, candidate: '<net>' });
    expect(page).toContain('&#60;net&#62;');
    expect(page).not.toContain('<net>');
    expect(page.match(/<polyline /g)).toHaveLength(2);
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  });

  it('refuses other networks, other layers, and predictions of another score', () => {
    const v4 = madeArea({ area: 'V4', levels: early });
    const other = madeArea({ area: 'IT', levels: late });
    const strange = {
      ...other,
      score: {
        ...other.score,
        provenance: madeProvenance([
          { role: 'model', name: 'x.onnx', sha256: 'x' },
          ...other.score.provenance.inputs.slice(1),
        ]),
      },
    };
    expect(() => run([v4, strange])).toThrow(
      /IT\.json: expected scores of the network of V4\.json/,
    );
    expect(() => run([v4, madeArea({ area: 'IT', levels: [0.1, 0.2] })])).toThrow(
      /expected the 5 layers of V4\.json/,
    );
    expect(() =>
      run([{ ...v4, predictions: madeArea({ area: 'V4', levels: [0, 0] }).predictions }]),
    ).toThrow(/layer-predictions\.npz: expected the predictions of the 5 layers/);
    const another = madeArea({ area: 'IT', levels: late }).predictions;
    expect(() => run([{ ...v4, predictions: another }])).toThrow(
      /expected predictions that give layer1 its score of .* of another run/,
    );
    expect(() => run([madeArea({ area: 'V4', levels: [0.4] })])).toThrow(/at least two layers/);
  });
});
