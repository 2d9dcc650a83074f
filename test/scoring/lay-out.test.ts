import { describe, expect, it } from 'vitest';
import type { Float64Nd } from '../../src/records/array.ts';
import type { Protocol } from '../../src/records/protocol.ts';
import type { Recording } from '../../src/records/recording.ts';
import { evaluate, evaluateSets } from '../../src/scoring/evaluate.ts';
import { layOut, onlyScored } from '../../src/scoring/lay-out.ts';
import { foldOfRows, regressionsOf, withinFeatures } from '../../src/scoring/layout.ts';
import { trainedMean } from '../../src/scoring/mean-predictions.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { responseSet } from '../../src/scoring/response-sets.ts';
import { drawAnimal, recordingOf } from './animals.ts';

const animal = drawAnimal('areas', { sites: 3, shared: 2, own: 0.3 });
const recording = recordingOf(animal, { images: 60, trials: 4, noise: 0.5 });
const protocol = protocolNamed('image-cv', 'image')!;

/** The same responses as 15 images on a grid of 2 × 2 fixations. */
const onGrid: Recording = {
  ...recording,
  header: {
    ...recording.header,
    dims: ['stimulus', 'row', 'column', 'trial', 'site'],
    grid: { rows: 2, columns: 2, extent: null, patchSize: null, pixelsPerDegree: null },
  },
  responses: { data: recording.responses.data, shape: [15, 2, 2, 4, 3] },
  stimuli: recording.stimuli.slice(0, 15),
};

const gridCv = protocolNamed('grid-cv', 'grid')!;
const splits = protocolNamed('brainscore-like-2020', 'image')!;
const nested: Protocol = { ...protocol, layerChoice: 'nested' };

const sorted = (rows: Iterable<number>): number[] => [...rows].sort((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('a layout', () => {
  it('of one response per image: every row is held out once and correlated with all others', () => {
    const { layout } = layOut(protocol, recording, 1, 'all');
    expect(layout.aggregation).toEqual({ over: 'rows', ceiling: 'before' });
    expect(layout.folds).toHaveLength(10);
    expect(sorted(layout.folds.flatMap(({ test }) => [...test]))).toEqual(upTo(60));
    expect(layout.groups.map(({ rows }) => [...rows])).toEqual([upTo(60)]);
    expect([...layout.scoredRows]).toEqual(upTo(60));
    expect([...layout.imageOfRow]).toEqual(upTo(60));
    layout.heldOut.forEach(({ rows, test }, fold) => {
      expect(rows).toEqual(layout.folds[fold]!.test);
      expect(test).toEqual(rows);
    });
    const folds = foldOfRows(layout);
    for (const row of upTo(60)) expect(layout.folds[folds[row]!]!.test).toContain(row);
  });

  it('of a grid: the fixations of an image are held out, and correlated, together', () => {
    const { layout } = layOut(gridCv, onGrid, 1, 'all');
    expect(layout.aggregation).toEqual({ over: 'images', ceiling: 'before' });
    expect(layout.grid).toMatchObject({ rows: 2, columns: 2 });
    expect([...layout.imageOfRow]).toEqual(upTo(60).map((row) => Math.floor(row / 4)));
    for (const parts of [layout.groups.map(({ rows }) => rows), layout.folds.map((f) => f.test)])
      expect(parts.map((rows) => [...rows])).toEqual(
        upTo(15).map((image) => upTo(4).map((at) => 4 * image + at)),
      );
  });

  it('of splits that overlap: the rows of each are scored one after another', () => {
    const { layout, scored } = layOut(splits, recording, 1, 'all');
    expect(layout.aggregation).toEqual({ over: 'splits', ceiling: 'after' });
    expect(layout.design).toBeNull();
    expect([...layout.scoredRows]).toEqual(layout.folds.flatMap(({ test }) => [...test]));
    expect(layout.groups.flatMap(({ rows }) => [...rows])).toEqual(upTo(60));
    layout.groups.forEach(({ rows }, split) => {
      expect([...rows].map((row) => layout.scoredRows[row])).toEqual([
        ...layout.folds[split]!.test,
      ]);
    });
    expect(scored.recorded.data.subarray(0, 3)).toEqual(
      scored.responses.data.subarray(3 * layout.scoredRows[0]!, 3 * layout.scoredRows[0]! + 3),
    );
  });

  it('names the regressions of a nested choice: each fold, and each pair of folds', () => {
    const { layout } = layOut(nested, recording, 1, 'all');
    const regressions = regressionsOf(layout);
    expect(regressions).toHaveLength(10 + 45);
    regressions.slice(0, 10).forEach(({ test }, fold) => {
      expect(test).toEqual(layout.folds[fold]!.test);
    });
    expect(regressions.every(({ test }, k) => test.length === (k < 10 ? 6 : 12))).toBe(true);
  });

  it('takes no more components than there are features, and says so', () => {
    const { layout } = layOut(protocol, recording, 1, 'all');
    expect(withinFeatures(layout, 25)).toEqual({ layout, note: null });
    const { layout: fewer, note } = withinFeatures(layout, 7);
    expect(fewer.protocol.regression).toMatchObject({ components: 7 });
    expect(note).toBe('PLS with 7 components, as many as features');
  });
});

describe('a recording laid out', () => {
  it('says of sites of several areas that they are scored together', () => {
    const warningsOf = (areas: readonly string[]): readonly string[] => {
      const { header } = recording;
      const sites = header.sites.map((site, index) => ({ ...site, area: areas[index]! }));
      return layOut(protocol, { ...recording, header: { ...header, sites } }, 1, 'best').warnings;
    };
    expect(warningsOf(['V4', 'IT', 'V4'])).toContain(
      'sites of V4 (2), IT (1) are scored together; import each area on its own for a score of each',
    );
    expect(warningsOf(['V4', 'V4', 'V4']).join()).not.toContain('together');
  });

  it('of a grid loses the fixations that a site lacks, not their images', () => {
    // Site 0 lacks one of four fixations of every image, site 1 all of every second image.
    const data = onGrid.responses.data.map((value, at) => {
      const [image, place, site] = [Math.floor(at / 48), Math.floor(at / 12) % 4, at % 3];
      const lacks = site === 0 ? place === image % 4 : site === 1 && image % 2 === 1;
      return lacks ? Number.NaN : value;
    });
    const lacking = { ...onGrid, responses: { ...onGrid.responses, data } };
    const { layout, responses, scored } = layOut(gridCv, lacking, 1, 'all');
    expect(layout.siteIds).toHaveLength(3);
    expect(layout.stimuli).toHaveLength(15);
    expect(responses.missing).toBeCloseTo((15 + 28) / 180, 12);
    expect(responses.used).toBeCloseTo(1 - (15 + 28) / 180, 12);
    expect(scored.responses.data.filter(Number.isNaN)).toHaveLength(15 + 28);
  });

  it('fits all bins, or the one that is scored', () => {
    const laidOut = layOut(protocol, recording, 1, 'all');
    expect(laidOut.fitted).toEqual(laidOut.bins);
    expect(laidOut.fitted).toContain(laidOut.scored);
    expect(onlyScored(laidOut).fitted).toEqual([laidOut.scored]);
    expect(layOut(protocol, recording, 1, 'best').fitted).toHaveLength(1);
  });
});

describe('the evaluation of a response set', () => {
  const scaled = ({ data, shape }: Float64Nd, by: number): Float64Nd => ({
    data: data.map((value) => by * value + 3),
    shape,
  });

  /** The recorded responses, or their mirror images about the mean of each fold's training rows. */
  const mirrored = (by: Protocol, of: Recording, sign: number): Float64Nd => {
    const { layout, scored } = layOut(by, of, 1, 'best');
    const { data, shape } = scored.recorded;
    const found = Float64Array.from(data);
    for (const { rows, test } of layout.heldOut) {
      const means = trainedMean(scored.responses, test);
      for (const row of rows)
        for (let s = 0; s < 3; s++)
          found[3 * row + s] = means[s]! + sign * (data[3 * row + s]! - means[s]!);
    }
    return { data: found, shape };
  };

  it.each([
    ['image', protocol, recording],
    ['grid', gridCv, onGrid],
    ['splits', splits, recording],
  ] as const)('of perfect predictions is 1, and of their negatives −1: %s', (_, by, of) => {
    const { layout, scored } = layOut(by, of, 1, 'best');
    for (const sign of [1, -1]) {
      const { aggregated, correlations } = evaluate(layout, scored, mirrored(by, of, sign));
      expect(aggregated.raw).toBeCloseTo(sign, 12);
      for (const r of correlations.data) expect(r).toBeCloseTo(sign, 12);
      if (layout.aggregation.ceiling === 'after')
        expect(aggregated.value).toBeCloseTo(sign / scored.ceiling.overall!, 12);
      else expect(sign * aggregated.value).toBeGreaterThan(1);
    }
  });

  it('of the training mean is not defined', () => {
    const { layout, scored } = layOut(protocol, recording, 1, 'best');
    const data = new Float64Array(60 * 3);
    for (const { rows, test } of layout.heldOut) {
      const trained = upTo(60).filter((row) => !test.includes(row));
      for (let s = 0; s < 3; s++) {
        const sum = trained.reduce((all, row) => all + scored.responses.data[3 * row + s]!, 0);
        for (const row of rows) data[3 * row + s] = sum / trained.length;
      }
    }
    const { aggregated } = evaluate(layout, scored, { data, shape: [60, 3] });
    expect(aggregated).toMatchObject({ value: Number.NaN, raw: Number.NaN, sitesUsed: 0 });
  });

  it('takes a set in place of a time bin for what it is', () => {
    const { layout, scored } = layOut(protocol, recording, 1, 'best');
    const label = { kind: 'sub-sample', of: 'sites', count: 3, draw: 0 } as const;
    const other = responseSet(layout, label, scaled(scored.responses, -2), scored.ceiling);
    const { recorded } = scored;
    const { raw } = evaluateSets(layout, 'a', [scored, other], [recorded, recorded]);
    expect(raw[0]).toBeCloseTo(1, 12);
    // About other training means: nearly its mirror image.
    expect(raw[1]).toBeLessThan(-0.9);
  });
});
