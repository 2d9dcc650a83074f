import { createRandom } from '../numeric/random.ts';
import { mean } from '../numeric/statistics.ts';
import type { Comparison, PairedEffect } from '../records/comparison.ts';
import { inputError } from '../records/errors.ts';
import { type InputRole, knownInput } from '../records/provenance.ts';
import { sameBin } from '../records/recording.ts';
import { type Score, scoredLayer } from '../records/score.ts';
import { normalised } from '../scoring/aggregate.ts';
import { aggregationOf } from '../scoring/aggregation.ts';
import { meanOfDefined, medianOfDefined, nullable } from '../scoring/defined.ts';
import { fewImages, perDrawnImage } from '../scoring/intervals.ts';
import {
  errorOfRefitted,
  intervalAround,
  type TwoFactorError,
  twoFactorError,
} from '../scoring/two-factor.ts';
import { type Counts, takeCounts } from '../scoring/weighted.ts';
import {
  type ComparedScore,
  type Contender,
  differencesOf,
  overallCeilings,
  pairedRows,
  perSiteOf,
  type SiteValues,
  valuesIn,
} from './paired-sites.ts';

/** A score as it was read. */
export interface StoredContender extends Contender {
  readonly score: Score;
}

const replicates = 2000;
const level = 0.95;

/** Holm's step-down adjusted p values, in the order given (Holm 1979). */
export const holm = (p: readonly number[]): number[] => {
  const order = p.map((_, index) => index).sort((a, b) => p[a]! - p[b]!);
  const adjusted = new Array<number>(p.length);
  let running = 0;
  order.forEach((index, rank) => {
    running = Math.max(running, Math.min(1, (p.length - rank) * p[index]!));
    adjusted[index] = running;
  });
  return adjusted;
};

/**
 * All pairs, each with the difference of both scores and the paired effect over sites. On grids: t over the images that both
 * have a value for, corrected for the training images that folds share (`errorOfRefitted`): two networks of equal worth, whose
 * readouts to these few images differ, are not told apart; this is about these sites. On images: a two-factor bootstrap over images and sites of the held-out
 * predictions, the same draws for both, ceilings held fixed; interval and p come from one t. Never over sites alone: they
 * share their stimuli. Input errors: other recordings or protocols, predictions that were not kept.
 */
export const compare = (contenders: readonly StoredContender[], seed: number): Comparison[] => {
  checkComparable(contenders);
  const pairs = contenders.flatMap((first, index) =>
    contenders.slice(index + 1).map((second) => ({ first, second })),
  );
  const compared = pairs.map(({ first, second }) => ({
    first: first.name,
    second: second.name,
    ...pairedDifference(first, second, seed),
  }));
  const adjusted = holm(compared.map(({ p }) => p));
  return compared.map((each, index) => ({ ...each, adjusted: adjusted[index]! }));
};

const checkComparable = ([first, ...others]: readonly StoredContender[]): void => {
  if (first === undefined || others.length === 0)
    throw inputError({
      code: 'scores-too-few',
      field: 'scores',
      where: 'scores',
      expected: 'at least two score files',
      got: first === undefined ? 'none' : 'one',
      mend: 'name one more',
    });
  for (const { name, score } of others) {
    const differs = (role: InputRole): boolean =>
      knownInput(score.provenance, role).sha256 !== knownInput(first.score.provenance, role).sha256;
    if (differs('recording') || !sameBin(score.timeBin, first.score.timeBin))
      throw notComparable(name, 'recording and time bin', first.name);
    if (differs('protocol')) throw notComparable(name, 'protocol', first.name);
  }
};

const notComparable = (name: string, what: string, first: string) =>
  inputError({
    where: name,
    expected: `the same ${what} as ${first}`,
    got: 'another',
    mend: 'score both networks against the same recording under the same protocol',
  });

export type ComparisonOutcome = Omit<Comparison, 'first' | 'second' | 'adjusted'>;

/** What `compareScores` does for one pair, which must be comparable. */
export const pairedDifference = (
  first: Contender,
  second: Contender,
  seed: number,
  draws = replicates,
): ComparisonOutcome =>
  aggregationOf(first.score.protocol).over === 'images'
    ? overImages(first, second)
    : overImagesAndSites(first, second, seed, draws);

const scoredFolds = (score: ComparedScore): ReadonlyMap<string, number> =>
  new Map(
    scoredLayer(score).folds.flatMap(({ fold, value }) =>
      value === null ? [] : [[fold, value] as const],
    ),
  );

const overImages = (first: Contender, second: Contender): ComparisonOutcome => {
  const theirs = scoredFolds(second.score);
  const drawnWith = drawnWithOf(first);
  const together = new Map<string, number[]>();
  for (const [fold, value] of scoredFolds(first.score)) {
    const other = theirs.get(fold);
    const drawn = drawnWith.get(fold) ?? fold;
    if (other !== undefined) together.set(drawn, [...(together.get(drawn) ?? []), value - other]);
  }
  const differences = Array.from(together.values(), mean);
  const n = {
    images: differences.length,
    sites: Math.min(scoredLayer(first.score).sitesUsed, scoredLayer(second.score).sitesUsed),
  };
  return {
    ...outcomeOf(
      mean(differences),
      errorOfRefitted(differences, foldsOf(first)),
      n,
      't over images, corrected for shared training images',
    ),
    effect: effectOverImages(first, second),
    method: `t over ${n.images} images, corrected for shared training images, about these sites`,
  };
};

const foldsOf = ({ score }: Contender): number => scoredLayer(score).folds.length;

/** In each group of rows what both reach at each site. */
type Table = readonly SiteValues[];

/** For each image the one that it is drawn together with. */
const drawnWithOf = ({ heldOut }: Contender): ReadonlyMap<string, string> =>
  new Map(
    heldOut?.drawnWith?.map((drawn, row) => [heldOut.stimulusIds[row]!, drawn] as const) ?? [],
  );

const effectOverImages = (first: Contender, second: Contender): PairedEffect | null => {
  if (first.heldOut?.ceiling === undefined || second.heldOut?.ceiling === undefined) return null;
  const { normalisation } = first.score.protocol;
  const { drawn, groups } = pairedRows(first, second);
  const overall = overallCeilings(first, second);
  const perGroup = groups.map((group) => {
    const counts = new Float64Array(group.rows.length).fill(1);
    return differencesOf(
      valuesIn(group, counts, overall !== null, normalisation),
      overall,
      normalisation,
    );
  });
  const values = perDrawnImage(Float64Array.from(perGroup, medianOfDefined), {
    groups,
    drawnWith: drawn,
  });
  return effectOf(mean(values), errorOfRefitted(values, foldsOf(first)), perSiteOf(perGroup), {
    images: values.length,
    method: 't over images, corrected for shared training images',
  });
};

const effectOf = (
  value: number,
  found: TwoFactorError,
  perSite: readonly number[],
  { images, method }: { readonly images: number; readonly method: string },
): PairedEffect | null => {
  if (Number.isNaN(value)) return null;
  const sites = perSite.filter((each) => !Number.isNaN(each)).length;
  const { interval, p } = intervalAround(value, found, howOf({ images, sites }, method));
  return {
    ...{ value, interval, p: nullable(p) },
    first: perSite.filter((each) => each > 0).length,
    second: perSite.filter((each) => each < 0).length,
    sites,
  };
};

const overImagesAndSites = (
  first: Contender,
  second: Contender,
  seed: number,
  draws: number,
): ComparisonOutcome => {
  const { normalisation } = first.score.protocol;
  const { drawn, groups } = pairedRows(first, second);
  const images = new Set(drawn).size;
  const overall = overallCeilings(first, second);
  const tableIn = (counts: Counts): Table =>
    groups.map((group) =>
      valuesIn(group, takeCounts(counts, group.rows), overall !== null, normalisation),
    );
  const whole = tableIn(new Float64Array(drawn.length).fill(1));
  const inUse = Array.from(whole[0]![0], (_, site) => site).filter((site) =>
    whole.some(([a, b]) => !Number.isNaN(a[site]! - b[site]!)),
  );
  const random = createRandom(seed).fork('compare');
  const tables = Array.from({ length: draws }, () => {
    const counts = new Float64Array(images);
    for (let i = 0; i < images; i++) counts[random.int(images)]! += 1;
    return tableIn(takeCounts(counts, drawn));
  });
  const siteDraws = Array.from({ length: draws }, () =>
    inUse.map(() => inUse[random.int(inUse.length)]!),
  );
  const errorOf = (valueIn: (table: Table, sites: readonly number[]) => number): TwoFactorError =>
    twoFactorError(
      {
        images: tables.map((table) => valueIn(table, inUse)),
        sites: siteDraws.map((sites) => valueIn(whole, sites)),
        joint: tables.map((table, draw) => valueIn(table, siteDraws[draw]!)),
      },
      { images, sites: inUse.length },
    );
  const medianAt = (values: Float64Array, sites: readonly number[]): number =>
    medianOfDefined(sites.map((site) => values[site]!));
  const scoreIn = (table: Table, sites: readonly number[], which: 0 | 1): number => {
    const value = meanOfDefined(table.map((group) => medianAt(group[which], sites)));
    return overall === null ? value : normalised(value, overall[which], normalisation);
  };
  const effectIn = (table: Table, sites: readonly number[]): number =>
    meanOfDefined(
      table.map((group) => medianAt(differencesOf(group, overall, normalisation), sites)),
    );
  const method = 'bootstrap over images and sites';
  const difference = first.score.value - second.score.value;
  const found = errorOf((table, sites) => scoreIn(table, sites, 0) - scoreIn(table, sites, 1));
  const perSite = perSiteOf(whole.map((group) => differencesOf(group, overall, normalisation)));
  return {
    ...outcomeOf(difference, found, { images, sites: inUse.length }, method),
    effect: effectOf(effectIn(whole, inUse), errorOf(effectIn), perSite, { images, method }),
    method: `bootstrap over ${images} images and ${inUse.length} sites`,
  };
};

const howOf = (n: { readonly images: number; readonly sites: number }, method: string) => ({
  ...{ level, method, n },
  approximate: n.images <= fewImages,
});

/** A difference that cannot be tested is none that was shown. */
const outcomeOf = (
  difference: number,
  found: TwoFactorError,
  n: { readonly images: number; readonly sites: number },
  method: string,
) => {
  const { interval, p } = intervalAround(difference, found, howOf(n, method));
  return { difference, interval, p: Number.isNaN(p) ? 1 : p, undefinedDraws: found.lost };
};
