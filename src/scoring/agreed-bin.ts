import type { Protocol } from '../records/protocol.ts';
import { type CeilingRows, ceilingOf } from './ceilings.ts';
import { nullable } from './defined.ts';
import type { BinSet } from './response-sets.ts';

/** A time bin, and why it was chosen where the protocol does not say. */
export interface AgreedBin {
  readonly bin: BinSet;
  readonly warning: string;
}

/** Mean over sites of the share of a site's variance over rows that each bin has: units of sites do not count. */
const spreads = (bins: readonly BinSet[]): readonly number[] => {
  const [rows, sites] = bins[0]!.responses.shape as readonly [number, number];
  const variances = bins.map(({ responses: { data } }) =>
    Array.from({ length: sites }, (_, site) => {
      let [count, sum, squares] = [0, 0, 0];
      for (let row = 0; row < rows; row++) {
        const value = data[row * sites + site]!;
        if (Number.isNaN(value)) continue;
        count++;
        sum += value;
        squares += value * value;
      }
      return count === 0 ? 0 : squares / count - (sum / count) ** 2;
    }),
  );
  const totals = Array.from({ length: sites }, (_, site) =>
    variances.reduce((total, each) => total + each[site]!, 0),
  );
  return variances.map((each) =>
    each.reduce(
      (sum, variance, site) => sum + (totals[site]! > 0 ? variance / totals[site]! : 0),
      0,
    ),
  );
};

/**
 * The bin that is scored where a protocol leaves the choice to a ceiling and there is none (no trials repeat): that in which
 * sites agree most, by the mean over sites of the highest correlation with another site; of a single site that in which its
 * responses differ most. No network has a part in it.
 */
export const agreedBin = (
  { ceiling, timeBin }: Pick<Protocol, 'ceiling' | 'timeBin'>,
  bins: readonly BinSet[],
  rows: CeilingRows,
  seed: number,
): AgreedBin | null => {
  if (ceiling.kind !== 'none' || timeBin !== 'best-ceiling' || bins.length < 2) return null;
  const isSingle = rows.siteIds.length === 1;
  const values = isSingle
    ? spreads(bins)
    : bins.map(
        ({ table }) =>
          nullable(ceilingOf({ kind: 'best-other-site' }, table, rows, seed).meanOverAllSites) ??
          -1,
      );
  const bin = bins[values.indexOf(Math.max(...values))]!;
  const { start, end } = bin.label.timeBin;
  const rule = isSingle
    ? 'the responses of the one site differ most'
    : 'sites agree most with each other (the highest correlation with another site, mean over sites)';
  return {
    bin,
    warning: `without a ceiling to choose a time bin by, ${start}–${end} ms is scored, in which ${rule}; a protocol with a timeBin of its own scores another`,
  };
};
