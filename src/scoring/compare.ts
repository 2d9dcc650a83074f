import { createRandom } from '../numeric/random.ts';
import { mean, percentileRange } from '../numeric/statistics.ts';
import type { Comparison } from '../records/comparison.ts';
import { inputError } from '../records/errors.ts';
import { sameBin } from '../records/recording.ts';
import { type HeldOut, type Score, scoredLayer } from '../records/score.ts';
import { normalised } from './aggregate.ts';
import { aggregationOf } from './aggregation.ts';
import { meanOfDefined, medianOfDefined } from './defined.ts';
import { imagesOf } from './groups.ts';
import { correlationIn, type Side, sideOf } from './resampled.ts';
import { exactPairs, signFlipInterval, signFlipTest } from './sign-flips.ts';
import { type Counts, takeCounts } from './weighted.ts';

/** What of a score a comparison rests on. */
export type ComparedScore = Pick<
  Score,
  'protocol' | 'value' | 'ceiling' | 'layer' | 'layers' | 'choice'
>;

/** A score with its held-out predictions where they were kept. */
export interface Contender {
  /** File, for messages. */
  readonly name: string;
  readonly score: ComparedScore;
  readonly heldOut: HeldOut | null;
}

/** A score as it was read. */
export interface StoredContender extends Contender {
  readonly score: Score;
}

const replicates = 2000;

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
 * All pairs. On grids: exact sign flips over the images that both have a value for, and the interval of the shifts that
 * they would not reject. On images: a joint bootstrap over
 * images and sites of the held-out predictions, the same draws for both, ceilings held fixed; p is twice the smaller
 * share of replicates on either side of 0. Never over sites alone: they share their stimuli.
 * Input errors: other recordings or protocols, predictions that were not kept.
 */
export const compareScores = (
  contenders: readonly StoredContender[],
  seed: number,
): Comparison[] => {
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
      where: 'ventral compare',
      expected: 'at least two score files',
      got: first === undefined ? 'none' : 'one',
      mend: 'ventral compare a.json b.json',
    });
  for (const { name, score } of others) {
    const { recording, protocol } = score.provenance;
    const bin = sameBin(score.timeBin, first.score.timeBin);
    if (recording.sha256 !== first.score.provenance.recording.sha256 || !bin)
      throw notComparable(name, 'recording and time bin', first.name);
    if (protocol.sha256 !== first.score.provenance.protocol.sha256)
      throw notComparable(name, 'protocol', first.name);
  }
};

const notComparable = (name: string, what: string, first: string) =>
  inputError({
    where: name,
    expected: `the same ${what} as ${first}`,
    got: 'another',
    mend: 'score both networks against the same recording under the same protocol',
  });

export type Outcome = Pick<Comparison, 'difference' | 'interval' | 'p' | 'method'>;

/** What `compareScores` does for one pair, which must be comparable. */
export const pairedDifference = (
  first: Contender,
  second: Contender,
  seed: number,
  draws = replicates,
): Outcome =>
  aggregationOf(first.score.protocol).over === 'images'
    ? overImages(first.score, second.score, seed)
    : overImagesAndSites(first, second, seed, draws);

const scoredFolds = (score: ComparedScore): ReadonlyMap<string, number> =>
  new Map(
    scoredLayer(score).folds.flatMap(({ fold, value }) =>
      value === null ? [] : [[fold, value] as const],
    ),
  );

const overImages = (first: ComparedScore, second: ComparedScore, seed: number): Outcome => {
  const theirs = scoredFolds(second);
  const differences = [...scoredFolds(first)].flatMap(([fold, value]) => {
    const other = theirs.get(fold);
    return other === undefined ? [] : [value - other];
  });
  return {
    difference: mean(differences),
    interval: signFlipInterval(differences, 0.95, seed),
    p: signFlipTest(differences, seed),
    method: `${differences.length <= exactPairs ? 'exact ' : ''}sign flips over ${differences.length} images`,
  };
};

/** One site within the rows that are correlated together. */
interface SitePair {
  readonly recorded: Side | null;
  readonly a: Side | null;
  readonly b: Side | null;
  readonly ceilingA: number;
  readonly ceilingB: number;
}

/** Rows that are correlated together: all, or those of one of several splits that overlap. */
interface PairedRows {
  /** Image of each row, by number. */
  readonly images: Int32Array;
  readonly sites: readonly SitePair[];
}

const overImagesAndSites = (
  first: Contender,
  second: Contender,
  seed: number,
  draws: number,
): Outcome => {
  const { normalisation } = first.score.protocol;
  const { images, groups } = pairedRows(first, second);
  const sites = groups[0]!.sites.length;
  const random = createRandom(seed).fork('compare');
  const overall = overallCeilings(first, second);
  const differences = Array.from({ length: draws }, () => {
    const counts = new Float64Array(images);
    for (let i = 0; i < images; i++) counts[random.int(images)]! += 1;
    const drawn = Array.from({ length: sites }, () => random.int(sites));
    const medians = groups.map((group) =>
      mediansOf(group, drawn, takeCounts(counts, group.images)),
    );
    const [a, b] = [0, 1].map((which) => meanOfDefined(medians.map((each) => each[which]!)));
    return overall === null
      ? a! - b!
      : normalised(a!, overall[0], normalisation) - normalised(b!, overall[1], normalisation);
  });
  const below = differences.filter((each) => each <= 0).length;
  const above = differences.filter((each) => each >= 0).length;
  return {
    difference: first.score.value - second.score.value,
    interval: percentileRange(differences, 0.95),
    p: Math.min(1, (2 * (Math.min(below, above) + 1)) / (draws + 1)),
    method: `bootstrap over ${images} images and ${sites} sites`,
  };
};

/** The ceilings that both are divided by after aggregation; null where each site has its own. */
const overallCeilings = (first: Contender, second: Contender): readonly [number, number] | null =>
  aggregationOf(first.score.protocol).ceiling === 'after'
    ? [first.score.ceiling, second.score.ceiling]
    : null;

/** Median over the drawn sites of what both reach there. */
const mediansOf = (
  { sites }: PairedRows,
  drawn: readonly number[],
  counts: Counts,
): readonly [number, number] => {
  const values = new Map<number, readonly [number, number]>();
  for (const s of drawn) if (!values.has(s)) values.set(s, ceiled(sites[s]!, counts));
  return [
    medianOfDefined(drawn.map((s) => values.get(s)![0])),
    medianOfDefined(drawn.map((s) => values.get(s)![1])),
  ];
};

const ceiled = (
  { recorded, a, b, ceilingA, ceilingB }: SitePair,
  counts: Counts,
): readonly [number, number] => [
  correlationIn(recorded, a, counts) / ceilingA,
  correlationIn(recorded, b, counts) / ceilingB,
];

const heldOutOf = ({ heldOut, name }: Contender): HeldOut => {
  if (heldOut !== null) return heldOut;
  throw inputError({
    where: name,
    expected: `its held-out predictions beside it (${name}.predictions.npz)`,
    got: 'no such file',
    mend: 'score again with --keep predictions (finished layers are not computed again)',
  });
};

/** Joins both contenders by the order of the rows of the same recording, and by the ids of sites. */
const pairedRows = (
  first: Contender,
  second: Contender,
): { readonly images: number; readonly groups: readonly PairedRows[] } => {
  const [a, b] = [heldOutOf(first), heldOutOf(second)];
  const { ids, imageOfRow } = imagesOf(a.stimulusIds);
  const all = Int32Array.from(imageOfRow, (_, row) => row);
  const overlap = aggregationOf(first.score.protocol).over === 'splits';
  const splits = overlap
    ? [...new Set(a.folds)].map((fold) => all.filter((row) => a.folds[row] === fold))
    : [all];
  const groups = splits.map((rows) => ({
    images: rows.map((row) => imageOfRow[row]!),
    sites: sitePairs(first, second, a, b, rows),
  }));
  return { images: ids.length, groups };
};

/** Sites that both have a ceiling for. A ceiling after aggregation does not divide here. */
const sitePairs = (
  first: Contender,
  second: Contender,
  a: HeldOut,
  b: HeldOut,
  rows: Int32Array,
): SitePair[] => {
  const { correlation } = first.score.protocol;
  const overall = overallCeilings(first, second) !== null;
  const ceilingOf = ({ score }: Contender, site: string): number => {
    const found = scoredLayer(score).sites.find((each) => each.site === site)?.ceiling;
    return overall && found !== undefined ? 1 : (found ?? Number.NaN);
  };
  return a.siteIds.flatMap((site, column) => {
    const other = b.siteIds.indexOf(site);
    const [ceilingA, ceilingB] = [ceilingOf(first, site), ceilingOf(second, site)];
    if (other < 0 || Number.isNaN(ceilingA) || Number.isNaN(ceilingB)) return [];
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
