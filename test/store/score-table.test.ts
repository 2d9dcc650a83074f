import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/formats/csv.ts';
import type { Interval } from '../../src/records/interval.ts';
import type { Score } from '../../src/records/score.ts';
import { encodeScoreCsv, encodeScoreParquet, scoreRows } from '../../src/store/score-table.ts';
import { madeLayer, madeScore } from '../made-score.ts';

const interval: Interval = {
  low: 0.1,
  high: 1.2,
  level: 0.95,
  method: 't over images',
  n: { images: 14, sites: 2 },
  approximate: true,
};

/** Two layers, folds, sites with an undefined value and a comma in the name, three time bins, null ceilings. */
const score: Score = madeScore({
  area: 'V4+IT',
  layers: [
    madeLayer('conv', {
      interval,
      folds: [{ fold: 'image, "1"', raw: 0.25, value: -0.125 }],
      sites: [
        { site: '007', raw: 0.3, ceiling: 0.9, value: 1 / 3 },
        { site: 'é', raw: null, ceiling: null, value: null },
      ],
    }),
    madeLayer('fc', { value: null, raw: null }),
  ],
  timeBin: { start: 90, end: 130 },
  timeCourse: {
    timeBins: [
      { start: 50, end: 90 },
      { start: 90, end: 130 },
      { start: 130, end: 170.5 },
    ],
    ...{ common: true, sites: [], ownSites: [] },
    ceilings: [0.7, 0.8, null],
    layers: [
      { layer: 'conv', raw: [0.1, 0.4, 0.3], value: [0.2, 0.5, null] },
      { layer: 'fc', raw: [0, null, 0.6], value: [0, null, null] },
    ],
  },
  nullCeiling: { mismatched: 0.31, surrogate: 0.29 },
  ceilingInterval: { ...interval, low: 0.6, high: 0.9 },
  nestedSelection: {
    folds: [],
    scores: madeLayer('chosen for each fold', { value: 0.45 }),
    best: 0.5,
    optimism: 0.05,
  },
  standardErrorOverSplits: { value: 0.01, unscaled: 0.02 },
  nulls: [
    {
      name: 'mean-map',
      value: 0.15,
      raw: 0.125,
      interval: null,
      layer: null,
      draws: null,
      difference: {
        value: 0.35,
        interval: { ...interval, low: 0.2, high: 0.5 },
        p: 0.01,
        method: 'exact sign flips over 14 images',
      },
      note: null,
    },
    {
      name: 'random-twin',
      value: null,
      raw: null,
      interval: null,
      layer: null,
      draws: null,
      difference: null,
      note: 'not applicable to activations from a file',
    },
  ],
});

const columns = ['model', 'layer', 'area', 'bin', 'fold', 'site', 'metric', 'value'];

const expected: readonly (readonly (string | number | null)[])[] = [
  ['conv', '90-130', null, null, 'raw', 0.4],
  ['conv', '90-130', null, null, 'ceiling', 0.8],
  ['conv', '90-130', null, null, 'score', 0.5],
  ['conv', '90-130', null, null, 'score_low', 0.1],
  ['conv', '90-130', null, null, 'score_high', 1.2],
  ['conv', '90-130', 'image, "1"', null, 'raw', 0.25],
  ['conv', '90-130', 'image, "1"', null, 'score', -0.125],
  ['conv', '90-130', null, '007', 'raw', 0.3],
  ['conv', '90-130', null, '007', 'ceiling', 0.9],
  ['conv', '90-130', null, '007', 'score', 1 / 3],
  ['conv', '90-130', null, 'é', 'raw', null],
  ['conv', '90-130', null, 'é', 'ceiling', null],
  ['conv', '90-130', null, 'é', 'score', null],
  ['fc', '90-130', null, null, 'raw', null],
  ['fc', '90-130', null, null, 'ceiling', 0.8],
  ['fc', '90-130', null, null, 'score', null],
  ['fc', '90-130', null, null, 'score_low', null],
  ['fc', '90-130', null, null, 'score_high', null],
  ['chosen for each fold', '90-130', null, null, 'raw', 0.4],
  ['chosen for each fold', '90-130', null, null, 'ceiling', 0.8],
  ['chosen for each fold', '90-130', null, null, 'score', 0.45],
  ['chosen for each fold', '90-130', null, null, 'score_low', null],
  ['chosen for each fold', '90-130', null, null, 'score_high', null],
  ['conv', '50-90', null, null, 'raw', 0.1],
  ['conv', '50-90', null, null, 'ceiling', 0.7],
  ['conv', '50-90', null, null, 'score', 0.2],
  ['conv', '130-170.5', null, null, 'raw', 0.3],
  ['conv', '130-170.5', null, null, 'ceiling', null],
  ['conv', '130-170.5', null, null, 'score', null],
  ['fc', '50-90', null, null, 'raw', 0],
  ['fc', '50-90', null, null, 'ceiling', 0.7],
  ['fc', '50-90', null, null, 'score', 0],
  ['fc', '130-170.5', null, null, 'raw', 0.6],
  ['fc', '130-170.5', null, null, 'ceiling', null],
  ['fc', '130-170.5', null, null, 'score', null],
  [null, '90-130', null, null, 'ceiling_low', 0.6],
  [null, '90-130', null, null, 'ceiling_high', 0.9],
  [null, '90-130', null, null, 'null_ceiling_mismatched', 0.31],
  [null, '90-130', null, null, 'null_ceiling_surrogate', 0.29],
  [null, '90-130', null, null, 'optimism', 0.05],
  [null, '90-130', null, null, 'split_error', 0.01],
  [null, '90-130', null, null, 'null_mean_map_raw', 0.125],
  [null, '90-130', null, null, 'null_mean_map', 0.15],
  [null, '90-130', null, null, 'null_mean_map_difference', 0.35],
  [null, '90-130', null, null, 'null_mean_map_difference_low', 0.2],
  [null, '90-130', null, null, 'null_mean_map_difference_high', 0.5],
  [null, '90-130', null, null, 'null_mean_map_p', 0.01],
  [null, '90-130', null, null, 'null_random_twin_raw', null],
  [null, '90-130', null, null, 'null_random_twin', null],
  [null, '90-130', null, null, 'null_random_twin_difference', null],
  [null, '90-130', null, null, 'null_random_twin_difference_low', null],
  [null, '90-130', null, null, 'null_random_twin_difference_high', null],
  [null, '90-130', null, null, 'null_random_twin_p', null],
];
const rows = expected.map(([layer, ...rest]) => ['net.onnx', layer, 'V4+IT', ...rest]);

describe('the table of a score', () => {
  it('holds every value once, in the long format', () => {
    expect(
      scoreRows(score).map((row) => [
        ...[row.model, row.layer, row.area, row.bin, row.fold, row.site, row.metric, row.value],
      ]),
    ).toEqual(rows);
    const places = rows.map((row) => JSON.stringify(row.slice(0, -1)));
    expect(new Set(places).size).toBe(places.length);
  });

  it('is CSV with an empty cell for what is not defined, its numbers to the last digit', () => {
    const text = new TextDecoder().decode(encodeScoreCsv(score));
    const table = readCsv(text, 'score.csv');
    expect(table.columns).toEqual(columns);
    expect(table.rows).toEqual(rows.map((row) => row.map((cell) => String(cell ?? ''))));
    expect(table.rows.some((row) => Number(row.at(-1)) === 1 / 3)).toBe(true);
  });

  it('is Parquet that another reader reads: text, doubles and nulls', async () => {
    const bytes = encodeScoreParquet(score);
    const file = new Uint8Array(bytes).buffer;
    const { schema, num_rows } = parquetMetadata(file);
    expect(num_rows).toBe(BigInt(rows.length));
    expect(
      schema.slice(1).map(({ name, type, converted_type, repetition_type }) => ({
        ...{ name, type, converted_type, repetition_type },
      })),
    ).toEqual(
      columns.map((name) => ({
        name,
        type: name === 'value' ? 'DOUBLE' : 'BYTE_ARRAY',
        converted_type: name === 'value' ? undefined : 'UTF8',
        repetition_type: 'OPTIONAL',
      })),
    );
    const read = await parquetReadObjects({ file });
    // An own comparison of null: a reader that gives undefined instead is as good.
    expect(read.map((row) => columns.map((column) => row[column] ?? null))).toEqual(rows);
  });

  it('is Parquet also where no fold or site is named and where it is long', async () => {
    const sites = Array.from({ length: 3000 }, (_, index) => ({
      ...{ site: `s${index}`, raw: Math.sin(index), ceiling: null, value: null },
    }));
    for (const layers of [[madeLayer('conv')], [madeLayer('conv', { sites })]]) {
      const made = madeScore({ layers });
      const bytes = encodeScoreParquet(made);
      expect(encodeScoreParquet(made)).toEqual(bytes);
      const read = await parquetReadObjects({ file: new Uint8Array(bytes).buffer });
      expect(read.map(({ site, value }) => [site ?? null, value ?? null])).toEqual(
        scoreRows(made).map(({ site, value }) => [site, value]),
      );
    }
  });
});
