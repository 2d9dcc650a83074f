// Nulls by permutation: the responses are exchanged before anything is fitted, the same way for all sites.

import { takeRows } from '../numeric/array.ts';
import { createRandom, type Random } from '../numeric/random.ts';
import { mean, standardDeviation, tQuantile } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { BinScores, Interval, NullScore, Score } from '../records/score.ts';
import { nullable } from './defined.ts';
import { type Design, designOf } from './design.ts';
import { type BinTarget, chosenBin, rowCount, type Target } from './target.ts';

/** Of each kind; their mean is the null. */
export const permutationCount = 20;

export type PermutationKind = Extract<
  NullScore['name'],
  'permuted-stimuli' | 'permuted-maps' | 'shuffled-positions'
>;

/** What can be permuted: stimuli, or on grids whole maps and, as a check on the sanity of all this, positions. */
export const permutationKinds = ({ protocol }: Target): readonly PermutationKind[] =>
  protocol.layout === 'grid' ? ['permuted-maps', 'shuffled-positions'] : ['permuted-stimuli'];

/** The regressions whose predictions are scored, for some target sets: none for the choice of a layer. */
const scoredRegressions = (target: Target, sets: number, seed: number): Design | null => {
  const { protocol, folds, design } = target;
  if (design === null) return null;
  const all = Array.from({ length: sets }, (_, set) => set);
  const kind = protocol.layerChoice === 'half' ? 'half' : 'best';
  return { ...designOf(kind, folds, all, 0, seed), inner: null };
};

/** The target of so many permutations in shape alone, for what they take. */
export const permutationShape = (target: Target, seed: number): Target => {
  const sets = permutationCount * permutationKinds(target).length;
  return {
    ...target,
    fitted: Array.from({ length: sets }, () => target.chosen),
    design: scoredRegressions(target, sets, seed),
  };
};

/**
 * The scored time bin under 20 permutations of each kind, one after another in place of time bins, so that all are
 * fitted from one Gram matrix. Whole stimuli (on grids: maps) go to other stimuli, with their ceilings: exact, but on
 * grids the mean map stays in common, so that the score need not fall to 0. Or positions within each image change
 * places, which destroys the smoothness of maps.
 */
export const permutedTarget = (target: Target, seed: number): Target => {
  const random = createRandom(seed).fork('permutations');
  const bins = permutationKinds(target).flatMap((kind) =>
    Array.from({ length: permutationCount }, (_, draw) =>
      permutedBin(target, kind, random.fork(`${kind} ${draw}`)),
    ),
  );
  return {
    ...target,
    bins,
    chosen: 0,
    fitted: bins.map((_, bin) => bin),
    design: scoredRegressions(target, bins.length, seed),
  };
};

const permutedBin = (target: Target, kind: PermutationKind, random: Random): BinTarget => {
  const bin = chosenBin(target);
  const { stimuli, design, folds, protocol } = target;
  const positions = rowCount(target) / stimuli.length;
  const images = random.permutation(stimuli.length);
  const within = kind === 'shuffled-positions';
  const order = Int32Array.from({ length: rowCount(target) });
  for (let image = 0; image < stimuli.length; image++) {
    const places = within ? random.permutation(positions) : null;
    const from = within ? image : images[image]!;
    for (let position = 0; position < positions; position++)
      order[image * positions + position] = from * positions + (places?.[position] ?? position);
  }
  const responses = takeRows(bin.table.mean, order);
  const { ceiling } = bin;
  const perImage = !within && protocol.aggregation.startsWith('images-of-sites');
  return {
    ...bin,
    // Nothing asks for the trials of a permutation.
    table: { ...bin.table, mean: responses, trials: noTrials(responses) },
    recorded:
      design === null
        ? takeRows(
            responses,
            folds.flatMap(({ test }) => [...test]),
          )
        : responses,
    ceiling: perImage ? { ...ceiling, perSite: takeRows(ceiling.perSite, images) } : ceiling,
  };
};

const noTrials = ({ shape: [rows = 0, sites = 0] }: Float64Nd): Float64Nd => ({
  data: new Float64Array(0),
  shape: [rows, 0, sites],
});

/**
 * The null of one kind from the figures of its permutations: their mean, the range of single ones (mean ± t·s·√(1 + 1/n)),
 * and how far the score lies above, with the share of permutations (the score among them) that reach it.
 */
export const permutationNull = (
  target: Target,
  { raw, value }: BinScores,
  kind: PermutationKind,
  { value: score, layer }: Pick<Score, 'value' | 'layer'>,
): NullScore => {
  const from = permutationCount * permutationKinds(target).indexOf(kind);
  const part = (figures: readonly (number | null)[]): number[] =>
    figures
      .slice(from, from + permutationCount)
      .flatMap((figure) => (figure === null ? [] : [figure]));
  const values = part(value);
  const n = values.length;
  const centre = mean(values);
  const spread = n < 2 ? null : spreadOf(target, values);
  const reached = values.filter((each) => each >= score).length;
  return {
    name: kind,
    value: nullable(centre),
    raw: nullable(mean(part(raw))),
    interval: spread,
    layer,
    difference:
      spread === null
        ? null
        : {
            value: score - centre,
            interval: { low: score - spread.high, high: score - spread.low },
            p: (1 + reached) / (n + 1),
            method: `rank among ${n} permutations`,
          },
    note: n < permutationCount ? `${permutationCount - n} permutations have no figure` : null,
  };
};

const spreadOf = ({ protocol, stimuli, siteIds }: Target, values: readonly number[]): Interval => {
  const { level } = protocol.interval;
  const n = values.length;
  const half =
    tQuantile(1 - (1 - level) / 2, n - 1) * standardDeviation(values) * Math.sqrt(1 + 1 / n);
  return {
    low: mean(values) - half,
    high: mean(values) + half,
    level,
    method: `range of single ones of ${n} permutations`,
    images: stimuli.length,
    sites: siteIds.length,
    approximate: true,
  };
};
