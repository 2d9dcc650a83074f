import { createRandom } from '../numeric/random.ts';
import { mean, quantile } from '../numeric/statistics.ts';
import type { Comparison } from '../records/comparison.ts';
import { inputError } from '../records/errors.ts';
import type { HeldOut, Score } from '../records/score.ts';
import { medianOfDefined } from './aggregate.ts';
import { columnAt } from './groups.ts';
import { exactPairs, signFlipInterval, signFlipTest } from './sign-flips.ts';
import { ascending, type Counts, centred, weightedPearson, weightedRanks } from './weighted.ts';

/** A score as it was read, with its held-out predictions where they were kept. */
export interface Contender {
  /** File, for messages. */
  readonly name: string;
  readonly score: Score;
  readonly heldOut: HeldOut | null;
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
export const compareScores = (contenders: readonly Contender[], seed: number): Comparison[] => {
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

const checkComparable = ([first, ...others]: readonly Contender[]): void => {
  if (first === undefined || others.length === 0)
    throw inputError({
      where: 'ventral compare',
      expected: 'at least two score files',
      got: first === undefined ? 'none' : 'one',
      mend: 'ventral compare a.json b.json',
    });
  for (const { name, score } of others) {
    const { recording, protocol } = score.provenance;
    const bin = JSON.stringify(score.timeBin) === JSON.stringify(first.score.timeBin);
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
export const pairedDifference = (first: Contender, second: Contender, seed: number): Outcome =>
  first.score.protocol.aggregation === 'sites'
    ? overImagesAndSites(first, second, seed)
    : overImages(first.score, second.score, seed);

const bestFolds = ({ layers, layer }: Score): ReadonlyMap<string, number> =>
  new Map(
    layers
      .find((each) => each.layer === layer)!
      .folds.flatMap(({ fold, value }) => (value === null ? [] : [[fold, value] as const])),
  );

const overImages = (first: Score, second: Score, seed: number): Outcome => {
  const theirs = bestFolds(second);
  const differences = [...bestFolds(first)].flatMap(([fold, value]) => {
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

interface SitePair {
  readonly recorded: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly ceilingA: number;
  readonly ceilingB: number;
}

const overImagesAndSites = (first: Contender, second: Contender, seed: number): Outcome => {
  const sites = sitePairs(first, second);
  const images = sites[0]!.recorded.length;
  const random = createRandom(seed).fork('compare');
  const spearman = first.score.protocol.correlation === 'spearman';
  const orders = sites.map(({ recorded, a, b }) => [recorded, a, b].map(ascending));
  const differences = Array.from({ length: replicates }, () => {
    const counts = new Float64Array(images);
    for (let i = 0; i < images; i++) counts[random.int(images)]! += 1;
    const drawn = sites.map(() => random.int(sites.length));
    const values = new Map<number, readonly [number, number]>();
    for (const s of drawn)
      if (!values.has(s)) values.set(s, ceiled(sites[s]!, orders[s]!, counts, spearman));
    return (
      medianOfDefined(drawn.map((s) => values.get(s)![0])) -
      medianOfDefined(drawn.map((s) => values.get(s)![1]))
    );
  });
  const below = differences.filter((each) => each <= 0).length;
  const above = differences.filter((each) => each >= 0).length;
  return {
    difference: first.score.value - second.score.value,
    interval: { low: quantile(differences, 0.025), high: quantile(differences, 0.975) },
    p: Math.min(1, (2 * (Math.min(below, above) + 1)) / (replicates + 1)),
    method: `bootstrap over ${images} images and ${sites.length} sites`,
  };
};

const ceiled = (
  { recorded, a, b, ceilingA, ceilingB }: SitePair,
  orders: readonly Int32Array[],
  counts: Counts,
  spearman: boolean,
): readonly [number, number] => {
  const on = (values: Float64Array, order: Int32Array): Float64Array =>
    spearman ? weightedRanks(values, order, counts) : values;
  const x = on(recorded, orders[0]!);
  return [
    weightedPearson(x, on(a, orders[1]!), counts) / ceilingA,
    weightedPearson(x, on(b, orders[2]!), counts) / ceilingB,
  ];
};

/** Sites that both have a ceiling for, joined by id; rows are joined by the order of the same recording. */
const sitePairs = (first: Contender, second: Contender): SitePair[] => {
  const [a, b] = [first, second].map((contender) => {
    if (contender.heldOut !== null) return contender.heldOut;
    throw inputError({
      where: contender.name,
      expected: `its held-out predictions beside it (${contender.name}.predictions.npz)`,
      got: 'no such file',
      mend: 'score again with --keep predictions (finished layers are not computed again)',
    });
  }) as [HeldOut, HeldOut];
  const rows = Int32Array.from(a.stimulusIds, (_, row) => row);
  const ceilingOf = ({ score }: Contender, site: string): number =>
    score.layers
      .find(({ layer }) => layer === score.layer)!
      .sites.find((each) => each.site === site)?.ceiling ?? Number.NaN;
  return a.siteIds.flatMap((site, column) => {
    const other = b.siteIds.indexOf(site);
    const [ceilingA, ceilingB] = [ceilingOf(first, site), ceilingOf(second, site)];
    if (other < 0 || Number.isNaN(ceilingA) || Number.isNaN(ceilingB)) return [];
    return [
      {
        recorded: centred(columnAt(a.recorded, column, rows)),
        a: centred(columnAt(a.predicted, column, rows)),
        b: centred(columnAt(b.predicted, other, rows)),
        ceilingA,
        ceilingB,
      },
    ];
  });
};
