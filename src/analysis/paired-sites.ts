// Two networks beside each other, site by site, on the rows that both were scored on.

import { inputError } from '../records/errors.ts';
import type { Protocol } from '../records/protocol.ts';
import { type HeldOut, type Score, scoredLayer } from '../records/score.ts';
import { normalised } from '../scoring/aggregate.ts';
import { aggregationOf } from '../scoring/aggregation.ts';
import { meanOfDefined } from '../scoring/defined.ts';
import { imagesOf } from '../scoring/groups.ts';
import { withoutMeanPredictions } from '../scoring/mean-predictions.ts';
import { aroundOtherFolds, foldRows } from '../scoring/pooling.ts';
import { correlationIn, type Side, sideOf } from '../scoring/resampled.ts';
import type { Counts } from '../scoring/weighted.ts';

/** What of a score a comparison rests on. */
export type ComparedScore = Pick<
  Score,
  'protocol' | 'value' | 'ceiling' | 'layer' | 'layers' | 'nestedSelection'
>;

/** A score with its held-out predictions where they were kept. */
export interface Contender {
  /** File, for messages. */
  readonly name: string;
  readonly score: ComparedScore;
  readonly heldOut: HeldOut | null;
}

/** Rows that are correlated together: all, those of an image, or those of one of several splits that overlap. */
export interface PairedRows {
  readonly rows: Int32Array;
  readonly sites: readonly SitePair[];
}

/** One site within the rows that are correlated together. */
interface SitePair {
  readonly recorded: Side | null;
  readonly a: Side | null;
  readonly b: Side | null;
  readonly ceilingA: number;
  readonly ceilingB: number;
}

/** What the first and the second reach at each site of a group. */
export type SiteValues = readonly [first: Float64Array, second: Float64Array];

/** The ceilings that both are divided by after aggregation; null where each site has its own. */
export const overallCeilings = (
  first: Contender,
  second: Contender,
): readonly [number, number] | null =>
  aggregationOf(first.score.protocol).ceiling === 'after'
    ? [first.score.ceiling, second.score.ceiling]
    : null;

/**
 * What both reach at each site, with each row counted as often as `counts` says: values where each site has its ceiling,
 * correlations where one ceiling for all comes after aggregation (`overall`).
 */
export const valuesIn = (
  { sites }: PairedRows,
  counts: Counts,
  overall: boolean,
  normalisation: Protocol['normalisation'],
): SiteValues => {
  const values = [new Float64Array(sites.length), new Float64Array(sites.length)] as const;
  sites.forEach(({ recorded, a, b, ceilingA, ceilingB }, s) => {
    const [x, y] = [correlationIn(recorded, a, counts), correlationIn(recorded, b, counts)];
    values[0][s] = overall ? x : normalised(x, ceilingA, normalisation);
    values[1][s] = overall ? y : normalised(y, ceilingB, normalisation);
  });
  return values;
};

/** Paired differences at each site, in the unit of the score. */
export const differencesOf = (
  [first, second]: SiteValues,
  overall: readonly [number, number] | null,
  normalisation: Protocol['normalisation'],
): Float64Array =>
  first.map((a, s) =>
    overall === null
      ? a - second[s]!
      : normalised(a, overall[0], normalisation) -
        normalised(second[s]!, overall[1], normalisation),
  );

/** For each site the mean over groups. */
export const perSiteOf = (groups: readonly Float64Array[]): number[] =>
  Array.from(groups[0]!, (_, site) => meanOfDefined(groups.map((group) => group[site]!)));

const heldOutOf = ({ heldOut, name }: Contender): HeldOut => {
  if (heldOut !== null) return heldOut;
  throw inputError({
    code: 'predictions-missing',
    where: name,
    expected: `its held-out predictions beside it (${name}.predictions.npz)`,
    got: 'no such file',
    mend: 'score again and keep the predictions (finished layers are not computed again)',
  });
};

/**
 * Joins both contenders by the order of the rows of the same recording, and by the ids of sites; `drawn` numbers what each
 * row is drawn with. Input error: predictions that were not kept.
 */
export const pairedRows = (
  first: Contender,
  second: Contender,
): { readonly drawn: Int32Array; readonly groups: readonly PairedRows[] } => {
  const { over } = aggregationOf(first.score.protocol);
  const [a, b] = [first, second].map((each) => {
    const heldOut = heldOutOf(each);
    return over === 'rows' ? pooled(heldOut) : heldOut;
  }) as [HeldOut, HeldOut];
  const drawn = imagesOf(a.drawnWith ?? a.stimulusIds).imageOfRow;
  const groupOfRow = {
    rows: new Int32Array(drawn.length),
    splits: a.folds,
    images: imagesOf(a.stimulusIds).imageOfRow,
  }[over];
  const groups = [...new Set(groupOfRow)].map((group, place) => {
    const rows = Int32Array.from(groupOfRow, (_, row) => row).filter(
      (row) => groupOfRow[row] === group,
    );
    return { rows, sites: sitePairs([first, second], [a, b], rows, place) };
  });
  return { drawn, groups };
};

/** As scores are evaluated: no guesses, around the training means. */
const pooled = (heldOut: HeldOut): HeldOut => {
  const { recorded, folds } = heldOut;
  const predicted = withoutMeanPredictions(
    { responses: recorded, recorded },
    heldOut.predicted,
    foldRows(folds),
  );
  return { ...heldOut, ...aroundOtherFolds({ recorded, predicted }, folds) };
};

const sitePairs = (
  [first, second]: readonly [Contender, Contender],
  [a, b]: readonly [HeldOut, HeldOut],
  rows: Int32Array,
  group: number,
): SitePair[] => {
  const { correlation } = first.score.protocol;
  const ceilingOf = ({ score }: Contender, { ceiling, siteIds }: HeldOut, site: string): number => {
    if (ceiling !== undefined) {
      const sites = siteIds.length;
      return ceiling.data[group * sites + siteIds.indexOf(site)]!;
    }
    return scoredLayer(score).sites.find((each) => each.site === site)?.ceiling ?? Number.NaN;
  };
  return a.siteIds.flatMap((site, column) => {
    const other = b.siteIds.indexOf(site);
    const [ceilingA, ceilingB] = [ceilingOf(first, a, site), ceilingOf(second, b, site)];
    if (other < 0) return [];
    return [
      {
        recorded: sideOf(a.recorded, column, rows, correlation),
        a: sideOf(a.predicted, column, rows, correlation),
        b: sideOf(b.predicted, other, rows, correlation),
        ceilingA,
        ceilingB,
      },
    ];
  });
};
