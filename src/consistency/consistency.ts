// Correlations between sites, corrected for the noise of both sides.

import { mean } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Interval } from '../records/interval.ts';
import type { Aggregate } from '../scoring/aggregate.ts';
import { sitesInUse } from '../scoring/ceilings.ts';
import { meanOfDefined, medianOfDefined } from '../scoring/defined.ts';
import { comparedWith } from '../scoring/evaluate.ts';
import {
  drawsOfTables,
  intervalFromDraws,
  intervalOf,
  type Resampling,
} from '../scoring/intervals.ts';
import type { Layout } from '../scoring/layout.ts';
import { aroundTraining } from '../scoring/pooling.ts';
import { correlationIn, type Side, sideOf } from '../scoring/resampled.ts';
import type { ResponseSet } from '../scoring/response-sets.ts';
import { type Counts, takeCounts } from '../scoring/weighted.ts';

/**
 * One split of the trials in halves: the responses of each half, and what was predicted of it from the *other* half of
 * the predicting sites' trials, so that no trial is on both sides. All `[rows scored, sites]`.
 */
export interface HalfPredictions {
  readonly recorded: readonly [Float64Nd, Float64Nd];
  readonly predicted: readonly [Float64Nd, Float64Nd];
}

interface SplitSides {
  readonly recorded: readonly [Side | null, Side | null];
  readonly predicted: readonly [Side | null, Side | null];
}

/** What is drawn when nothing is resampled. */
const once = (rows: number): Counts => new Float64Array(rows).fill(1);

/**
 * r(p, y) / √(r(p₁, p₂) r(y₁, y₂)), each correlation the mean over splits: between a prediction and a half of the trials
 * that it does not rest on, between the two predictions, between the two halves. What would be left of r without trial
 * noise on either side, for regressions fitted on half of the trials (Nayebi et al., NeurIPS 2021, inter-animal
 * consistency). NaN where a reliability is not positive.
 */
const correctedIn = (splits: readonly SplitSides[], counts: Counts): number => {
  const averaged = (each: (split: SplitSides) => number): number => mean(splits.map(each));
  const across = averaged(
    ({ recorded, predicted }) =>
      (correlationIn(predicted[0], recorded[0], counts) +
        correlationIn(predicted[1], recorded[1], counts)) /
      2,
  );
  const predictions = averaged(({ predicted: [a, b] }) => correlationIn(a, b, counts));
  const responses = averaged(({ recorded: [a, b] }) => correlationIn(a, b, counts));
  return predictions > 0 && responses > 0
    ? across / Math.sqrt(predictions * responses)
    : Number.NaN;
};

export interface Consistency {
  readonly value: number;
  readonly interval: Interval | null;
  /** Per site, the mean over groups; NaN where it is not defined. */
  readonly perSite: Float64Array;
}

/**
 * Aggregated as the score is. Sites without a ceiling, or that `isExcluded` names, take no part. No interval at 20 images
 * or fewer where correlations are over images.
 */
export const consistencyOf = (
  layout: Layout,
  set: ResponseSet,
  resampling: Resampling,
  halves: readonly HalfPredictions[],
  isExcluded: (site: number) => boolean,
): Consistency => {
  const { groups, siteIds, protocol } = layout;
  const sites = siteIds.length;
  const { perSite: ceilings } = set.ceiling;
  const pooled = halves.map(({ recorded, predicted }): HalfPredictions => {
    if (layout.aggregation.over !== 'rows') return { recorded, predicted };
    const [a, b] = [0, 1].map((half) =>
      aroundTraining(
        recorded[half]!,
        { recorded: recorded[half]!, predicted: predicted[half]! },
        layout.heldOut,
      ),
    );
    return { recorded: [a!.recorded, b!.recorded], predicted: [a!.predicted, b!.predicted] };
  });
  const sides = groups.map(({ rows }, group) =>
    siteIds.map((_, site) =>
      isExcluded(site) || Number.isNaN(ceilings.data[group * sites + site]!)
        ? null
        : pooled.map(({ recorded, predicted }): SplitSides => {
            const both = ([a, b]: readonly [Float64Nd, Float64Nd]) =>
              [a, b].map((table) => sideOf(table, site, rows, protocol.correlation)) as [
                Side | null,
                Side | null,
              ];
            return { recorded: both(recorded), predicted: both(predicted) };
          }),
    ),
  );
  const tableIn = (counts: Counts | null): Float64Nd => ({
    data: Float64Array.from(
      sides.flatMap((ofGroup, group) => {
        const { rows } = groups[group]!;
        const within = counts === null ? once(rows.length) : takeCounts(counts, rows);
        return ofGroup.map((splits) =>
          splits === null ? Number.NaN : correctedIn(splits, within),
        );
      }),
    ),
    shape: [groups.length, sites],
  });
  const table = tableIn(null);
  const aggregated = valuesOf(table);
  return {
    value: aggregated.value,
    interval: Number.isNaN(aggregated.value)
      ? null
      : resampling.overImages
        ? overImages(layout, set, resampling, aggregated)
        : overRows(resampling, aggregated, tableIn),
    perSite: Float64Array.from(siteIds, (_, site) =>
      meanOfDefined(groups.map((_group, group) => table.data[group * sites + site]!)),
    ),
  };
};

const rowAt = ({ data, shape }: Float64Nd, row: number): Float64Array =>
  data.subarray(row * shape[1]!, (row + 1) * shape[1]!) as Float64Array;

const valuesOf = (table: Float64Nd): Aggregate => {
  const groups = table.shape[0]!;
  const perGroup = Float64Array.from({ length: groups }, (_, g) =>
    medianOfDefined(rowAt(table, g)),
  );
  const value = meanOfDefined(perGroup);
  return {
    value,
    raw: value,
    ceiling: 1,
    ceiled: table,
    kept: table,
    perGroup,
    sitesUsed: sitesInUse({ perSite: table }).length,
  };
};

/** Within an image nothing is drawn anew: the values of images and sites are. */
const overImages = (
  layout: Layout,
  { recorded, ceiling }: ResponseSet,
  resampling: Resampling,
  aggregated: Aggregate,
) =>
  intervalOf(
    resampling,
    comparedWith(layout, { recorded, predicted: recorded }),
    ceiling,
    aggregated,
  );

const overRows = (
  resampling: Resampling,
  aggregated: Aggregate,
  tableIn: (counts: Counts) => Float64Nd,
): Interval | null => {
  const { rowCounts } = resampling;
  if (rowCounts.length === 0) return null;
  const split = (table: Float64Nd): Float64Array[] =>
    Array.from({ length: table.shape[0]! }, (_, group) => rowAt(table, group));
  const tables = rowCounts.map((counts) => split(tableIn(counts)));
  return intervalFromDraws(
    resampling,
    aggregated,
    drawsOfTables(tables, split(aggregated.ceiled), resampling),
  );
};
