// Sites that lack so many responses that some regression would have too few rows to train on.

import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { TimeBin } from '../records/recording.ts';
import type { ExcludedSite } from '../records/score.ts';
import { leastRows } from '../regression/regress.ts';
import { type Layout, regressionsOf } from './layout.ts';
import { patternsOf } from './missing.ts';

/** A time bin of a recording: its mean responses `[rows, sites]`. */
export interface BinResponses {
  readonly timeBin: TimeBin;
  readonly mean: Float64Nd;
}

/** Columns of sites, each with what it lacks. */
export type Untrainable = ReadonlyMap<number, string>;

/**
 * Sites of which, in some time bin, the responses that they have less the most that a regression leaves out are fewer than the
 * regression needs, so that it has enough whichever of them it leaves out (in permutations, others than in the score). None
 * where nothing is missing.
 */
export const untrainable = (layout: Layout, bins: readonly BinResponses[]): Untrainable => {
  const rows = layout.imageOfRow.length;
  const least = leastRows(layout.protocol.regression);
  const heldOut = Math.max(...regressionsOf(layout).map(({ test }) => test.length));
  const found = new Map<number, string>();
  for (const { timeBin, mean } of bins) {
    const when = bins.length === 1 ? '' : ` in ${timeBin.start}–${timeBin.end} ms`;
    for (const { columns, rows: lacking } of patternsOf(mean)) {
      const training = rows - lacking.length - heldOut;
      if (lacking.length === 0 || training >= least) continue;
      const reason =
        lacking.length === rows
          ? `no response at all${when}`
          : `lacks ${lacking.length} of ${rows} responses${when}: ${Math.max(0, training)} are left to train on, ${least} are needed`;
      for (const column of columns) if (!found.has(column)) found.set(column, reason);
    }
  }
  return found;
};

/** Input error where no site would be left. */
export const checkTrainable = (
  layout: Layout,
  excluded: readonly ExcludedSite[],
  folder: string,
): void => {
  if (excluded.length < layout.siteIds.length) return;
  throw inputError({
    where: `${folder}: responses.npy`,
    expected: `at least one site with enough responses for the regression of protocol ${layout.protocol.name}`,
    got: excluded
      .slice(0, 3)
      .map(({ site, reason }) => `${site}: ${reason}`)
      .join('; '),
    mend: 'take a protocol with fewer components, or leave out the time bins that lack responses',
  });
};
