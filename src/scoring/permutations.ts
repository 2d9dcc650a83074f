// Nulls by permutation: the responses are exchanged before anything is fitted, the same way for all sites.

import { takeRows } from '../numeric/array.ts';
import { createRandom, type Random } from '../numeric/random.ts';
import { mean, standardDeviation, tQuantile } from '../numeric/statistics.ts';
import type { BinScores, Interval, NullScore, Score } from '../records/score.ts';
import { nullable } from './defined.ts';
import type { Layout } from './layout.ts';
import { type ResponseSet, responseSet } from './response-sets.ts';

/** Of each kind; their mean is the null. */
export const permutationCount = 20;

export type PermutationKind = Extract<
  NullScore['name'],
  'permuted-stimuli' | 'permuted-maps' | 'shuffled-positions'
>;

/** What can be permuted: stimuli, or on grids whole maps and, as a check on the sanity of all this, positions. */
export const permutationKinds = ({ grid }: Layout): readonly PermutationKind[] =>
  grid !== null ? ['permuted-maps', 'shuffled-positions'] : ['permuted-stimuli'];

/**
 * The scored time bin under 20 permutations of each kind, one kind after another, in place of time bins, so that all are
 * fitted from one Gram matrix. Whole stimuli (on grids: maps) go to other stimuli, with their ceilings: exact, but on
 * grids the mean map stays in common, so that the score need not fall to 0. Or positions within each image change
 * places, which destroys the smoothness of maps.
 */
export const permutedSets = (
  layout: Layout,
  scored: ResponseSet,
  seed: number,
): readonly ResponseSet[] => {
  const random = createRandom(seed).fork('permutations');
  return permutationKinds(layout).flatMap((kind) =>
    Array.from({ length: permutationCount }, (_, draw) =>
      permuted(layout, scored, { kind, draw, random: random.fork(`${kind} ${draw}`) }),
    ),
  );
};

interface Draw {
  readonly kind: PermutationKind;
  readonly draw: number;
  readonly random: Random;
}

const permuted = (
  layout: Layout,
  { responses, ceiling }: ResponseSet,
  { kind, draw, random }: Draw,
): ResponseSet => {
  const { stimuli, imageOfRow, aggregation } = layout;
  const positions = imageOfRow.length / stimuli.length;
  const images = random.permutation(stimuli.length);
  const within = kind === 'shuffled-positions';
  const order = Int32Array.from(imageOfRow);
  for (let image = 0; image < stimuli.length; image++) {
    const places = within ? random.permutation(positions) : null;
    const from = within ? image : images[image]!;
    for (let position = 0; position < positions; position++)
      order[image * positions + position] = from * positions + (places?.[position] ?? position);
  }
  const perImage = !within && aggregation.over === 'images';
  return responseSet(
    layout,
    { kind: 'permutation', of: kind, draw },
    takeRows(responses, order),
    perImage ? { ...ceiling, perSite: takeRows(ceiling.perSite, images) } : ceiling,
  );
};

/**
 * The null of one kind from the figures of its permutations: their mean, the range of single ones (mean ± t·s·√(1 + 1/n)),
 * and how far the score lies above, with the share of permutations (the score among them) that reach it.
 */
export const permutationNull = (
  layout: Layout,
  { raw, value }: BinScores,
  kind: PermutationKind,
  { value: score, layer }: Pick<Score, 'value' | 'layer'>,
): NullScore => {
  const from = permutationCount * permutationKinds(layout).indexOf(kind);
  const part = (figures: readonly (number | null)[]): number[] =>
    figures
      .slice(from, from + permutationCount)
      .flatMap((figure) => (figure === null ? [] : [figure]));
  const values = part(value);
  const n = values.length;
  const centre = mean(values);
  const spread = n < 2 ? null : spreadOf(layout, values);
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

const spreadOf = ({ protocol, stimuli, siteIds }: Layout, values: readonly number[]): Interval => {
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
