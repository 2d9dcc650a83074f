import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Float64Nd } from '../../src/records/array.ts';
import type { CeilingSettings, Protocol } from '../../src/records/protocol.ts';
import { aggregate } from '../../src/scoring/aggregate.ts';
import { aggregationOf } from '../../src/scoring/aggregation.ts';
import { ceilingOf } from '../../src/scoring/ceilings.ts';
import { type CorrelationKind, correlate } from '../../src/scoring/correlations.ts';
import { groupsOf } from '../../src/scoring/groups.ts';
import { intervalOf, prepareResampling } from '../../src/scoring/intervals.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';

interface Golden {
  readonly shape: readonly [number, number, number, number];
  readonly recorded: readonly number[];
  readonly predicted: readonly number[];
  readonly linsley2023: Metrics & { readonly leftOut: readonly (readonly [number, number])[] };
  readonly tInterval: readonly [number, number];
  readonly linsley2023Code: Metrics;
}
interface Metrics {
  readonly raw: number;
  readonly ceiling: number;
  readonly value: number;
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/aggregate.json', import.meta.url), 'utf8'),
) as Golden;
const [images, rows, columns, sites] = golden.shape;
const positions = rows * columns;
const table = (values: readonly number[]): Float64Nd => ({
  data: Float64Array.from(values),
  shape: [images * positions, sites],
});
const recorded = table(golden.recorded);
const predicted = table(golden.predicted);
const imageOfRow = Int32Array.from({ length: images * positions }, (_, row) =>
  Math.floor(row / positions),
);
const names = Array.from({ length: images }, (_, image) => `image ${image}`);
const siteIds = Array.from({ length: sites }, (_, site) => `site ${site}`);
const grid = { rows, columns, extent: null, patchSize: null, pixelsPerDegree: null };

const valuesOf = (
  aggregation: Protocol['aggregation'],
  ceilingSettings: CeilingSettings,
  kind: CorrelationKind,
) => {
  const groups = groupsOf(aggregationOf({ aggregation }), imageOfRow, names);
  const responses = {
    trials: { data: recorded.data, shape: [images * positions, 1, sites] },
    mean: recorded,
    imageOfRow,
    sites: Int32Array.of(0, 1, 2, 3, 4),
  };
  const ceiling = ceilingOf(
    ceilingSettings,
    responses,
    { groups, siteIds, correlation: kind, grid, published: [] },
    1,
  );
  const correlations = correlate(recorded, predicted, groups, kind);
  return { groups, ceiling, correlations, aggregated: aggregate(correlations, ceiling, 'r/c') };
};

describe('the protocols of Linsley, Rodriguez et al. against SciPy', () => {
  it('linsley2023: Spearman over the best other site, per image', () => {
    const { ceiling, aggregated, groups } = valuesOf(
      'images-of-sites',
      { kind: 'best-other-site' },
      'spearman',
    );
    expect(aggregated.value).toBeCloseTo(golden.linsley2023.value, 12);
    expect(aggregated.raw).toBeCloseTo(golden.linsley2023.raw, 12);
    expect(aggregated.ceiling).toBeCloseTo(golden.linsley2023.ceiling, 12);
    expect(ceiling.excluded.map(({ site, image }) => [image, site])).toEqual(
      golden.linsley2023.leftOut.map(([image, site]) => [names[image], siteIds[site]]),
    );
    const resampling = prepareResampling(
      {
        protocol: {
          ...protocolNamed('linsley2023', 'grid')!,
          interval: { level: 0.95, replicates: 10 },
        },
        aggregation: { over: 'images', ceiling: 'before' },
        drawnWith: imageOfRow,
        groups,
      },
      ceiling,
      1,
    );
    const interval = intervalOf(
      resampling,
      { recorded, predicted, drawnWith: imageOfRow, groups, correlation: 'spearman' },
      ceiling,
      aggregated,
    );
    expect(interval).toMatchObject({
      method: 't over images',
      approximate: true,
      n: { images, sites: 4 },
    });
    expect(interval!.low).toBeCloseTo(golden.tInterval[0], 9);
    expect(interval!.high).toBeCloseTo(golden.tInterval[1], 9);
  });

  it('linsley2023-code: Pearson over the best pair, the last site left out of the pairs', () => {
    const { aggregated } = valuesOf(
      'images-of-sites-then-ceiling',
      { kind: 'best-pair' },
      'pearson',
    );
    expect(aggregated.raw).toBeCloseTo(golden.linsley2023Code.raw, 12);
    expect(aggregated.ceiling).toBeCloseTo(golden.linsley2023Code.ceiling, 12);
    expect(aggregated.value).toBeCloseTo(golden.linsley2023Code.value, 12);
  });

  it('gives a perfect prediction a raw score of 1', () => {
    const groups = groupsOf({ over: 'images', ceiling: 'before' }, imageOfRow, names);
    const perfect = correlate(recorded, recorded, groups, 'spearman');
    for (const r of perfect.data) expect(r).toBeCloseTo(1, 12);
  });

  it('leaves a correlation undefined, not 0, where the prediction is constant', () => {
    const flat: Float64Nd = {
      data: new Float64Array(recorded.data.length).fill(3),
      shape: recorded.shape,
    };
    const groups = groupsOf({ over: 'images', ceiling: 'before' }, imageOfRow, names);
    expect(correlate(recorded, flat, groups, 'pearson').data.every(Number.isNaN)).toBe(true);
  });
});
