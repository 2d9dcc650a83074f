// A score as a table of one number a row, which pandas and R read without more ado.

import { encodeCsv } from '../formats/csv.ts';
import { encodeParquet } from '../formats/parquet.ts';
import { encodeText } from '../formats/text.ts';
import { candidateInput } from '../records/provenance.ts';
import type { LayerScore, Score } from '../records/score.ts';

/** One value of a score. `bin` is `start-end` in ms; null in `fold` and `site`: over all of them; in `value`: not defined. */
export interface ScoreRow {
  readonly model: string;
  /** Null for what belongs to no layer (the ceiling's interval, nulls). */
  readonly layer: string | null;
  readonly area: string;
  readonly bin: string;
  readonly fold: string | null;
  readonly site: string | null;
  readonly metric: string;
  readonly value: number | null;
}

type Metrics = Readonly<Record<string, number | null>>;

/** Where values belong, and what they are. */
interface Entry {
  readonly layer?: string;
  readonly bin?: string;
  readonly fold?: string;
  readonly site?: string;
  readonly metrics: Metrics;
}

const binName = ({ start, end }: Score['timeBin']): string => `${start}-${end}`;

const layerEntries = ({ layer, raw, ceiling, value, ...rest }: LayerScore): Entry[] => [
  {
    layer,
    metrics: {
      ...{ raw, ceiling, score: value },
      ...{ score_low: rest.interval?.low ?? null, score_high: rest.interval?.high ?? null },
    },
  },
  ...rest.folds.map(({ fold, ...of }) => ({
    ...{ layer, fold },
    metrics: { raw: of.raw, score: of.value },
  })),
  ...rest.sites.map(({ site, ...of }) => ({
    ...{ layer, site },
    metrics: { raw: of.raw, ceiling: of.ceiling, score: of.value },
  })),
];

/** The other time bins; the scored one has its values from the layers themselves. */
const binEntries = ({ timeCourse, timeBin }: Score): Entry[] => {
  if (timeCourse === null) return [];
  const { timeBins, ceilings, layers } = timeCourse;
  return layers.flatMap(({ layer, raw, value }) =>
    timeBins.flatMap((each, index) => {
      const bin = binName(each);
      if (bin === binName(timeBin)) return [];
      const metrics = { raw: raw[index]!, ceiling: ceilings[index]!, score: value[index]! };
      return [{ layer, bin, metrics }];
    }),
  );
};

/** What belongs to no layer, but for nulls. */
const wholeEntries = ({
  ceilingInterval,
  nullCeiling,
  nestedSelection,
  standardErrorOverSplits,
}: Score): Entry[] => {
  const found: readonly (Metrics | null)[] = [
    ceilingInterval && { ceiling_low: ceilingInterval.low, ceiling_high: ceilingInterval.high },
    nullCeiling && {
      null_ceiling_mismatched: nullCeiling.mismatched,
      null_ceiling_surrogate: nullCeiling.surrogate,
    },
    nestedSelection && { optimism: nestedSelection.optimism },
    standardErrorOverSplits && { split_error: standardErrorOverSplits.value },
  ];
  return found.flatMap((metrics) => (metrics === null ? [] : [{ metrics }]));
};

/** `null_pixels` is the score of pixels, `null_pixels_difference` the network's less that of pixels, with its interval. */
const nullEntries = ({ nulls }: Score): Entry[] =>
  (nulls ?? []).map(({ name, layer, raw, value, difference }) => {
    const metric = `null_${name.replaceAll('-', '_')}`;
    return {
      ...(layer === null ? {} : { layer }),
      metrics: {
        [`${metric}_raw`]: raw,
        [metric]: value,
        [`${metric}_difference`]: difference?.value ?? null,
        [`${metric}_difference_low`]: difference?.interval?.low ?? null,
        [`${metric}_difference_high`]: difference?.interval?.high ?? null,
        [`${metric}_p`]: difference?.p ?? null,
      },
    };
  });

/**
 * All values of a score, one a row: of each layer (and of a nested choice, as a layer of its own) `raw`, `ceiling`,
 * `score` and the ends of its interval, `raw` and `score` of each fold, `raw`, `ceiling` and `score` of each site, all in
 * the scored time bin; `raw`, `ceiling` and `score` of each layer in the other bins that were fitted; the ends of the
 * ceiling's interval, the null ceilings, the optimism; the nulls. Fold and site are never both given: a fold is
 * aggregated over sites, a site over folds.
 */
export const scoreRows = (score: Score): ScoreRow[] => {
  const candidate = candidateInput(score.provenance)?.name ?? '';
  const entries = [
    ...[
      ...score.layers,
      ...(score.nestedSelection === null ? [] : [score.nestedSelection.scores]),
    ].flatMap(layerEntries),
    ...binEntries(score),
    ...wholeEntries(score),
    ...nullEntries(score),
  ];
  return entries.flatMap(({ layer, bin, fold, site, metrics }) =>
    Object.entries(metrics).map(([metric, value]) => ({
      model: candidate,
      layer: layer ?? null,
      area: score.area,
      bin: bin ?? binName(score.timeBin),
      fold: fold ?? null,
      site: site ?? null,
      metric,
      value,
    })),
  );
};

const textColumns = ['model', 'layer', 'area', 'bin', 'fold', 'site', 'metric'] as const;

/** `scoreRows` as CSV, an empty cell for null. */
export const encodeScoreCsv = (score: Score): Uint8Array =>
  encodeText(
    encodeCsv(
      [...textColumns, 'value'],
      scoreRows(score).map((row) =>
        [...textColumns, 'value' as const].map((column) => String(row[column] ?? '')),
      ),
    ),
  );

/** `scoreRows` as Parquet: seven columns of text, `value` a double; null for null. */
export const encodeScoreParquet = (score: Score): Uint8Array => {
  const rows = scoreRows(score);
  return encodeParquet([
    ...textColumns.map((name) => ({
      ...{ name, kind: 'text' as const },
      values: rows.map((row) => row[name]),
    })),
    { name: 'value', kind: 'number', values: rows.map(({ value }) => value) },
  ]);
};
