// Nulls by permutation: the responses are exchanged before anything is fitted, the same way for all sites.

import { takeRows } from '../numeric/array.ts';
import { createRandom, type Random } from '../numeric/random.ts';
import { mean, standardDeviation, tQuantile } from '../numeric/statistics.ts';
import type { DrawnValues } from '../records/draws.ts';
import type { Interval } from '../records/interval.ts';
import { alikeColumn, type Stimulus } from '../records/recording.ts';
import type { NullScore } from '../records/score.ts';
import { nullable } from '../scoring/defined.ts';
import type { Layout } from '../scoring/layout.ts';
import { type ResponseSet, responseSet } from '../scoring/response-sets.ts';

/** Of the kind that a test rests on, unless fewer or more are asked for: the smallest p is 1/201. */
export const usualPermutations = 200;

/** Of shuffled positions, which no test rests on. */
export const sanityPermutations = 20;

/** Draws at or above the score after which no more are needed (Besag & Clifford 1991, Biometrika 78). */
const enough = 10;

export type PermutationKind = Extract<
  NullScore['name'],
  'permuted-stimuli' | 'permuted-maps' | 'shuffled-positions'
>;

/** What can be permuted: stimuli, or on grids whole maps and, as a check on the sanity of all this, positions. */
export const permutationKinds = ({ grid }: Pick<Layout, 'grid'>): readonly PermutationKind[] =>
  grid !== null ? ['permuted-maps', 'shuffled-positions'] : ['permuted-stimuli'];

/** How many draws there are of a kind where `asked` are asked for. */
export const drawsOf = (kind: PermutationKind, asked: number): number =>
  kind === 'shuffled-positions' ? Math.min(asked, sanityPermutations) : asked;

/** Draws `[from, to)`. */
export type DrawRange = readonly [from: number, to: number];

const firstBatch = 20;

/**
 * The batches in which draws are fitted, each from one Gram matrix per layer: 20, 40, 80, … and no more than `most` at a
 * time. Few to begin with, since a score that is no better than chance is known as such after some twenty; more and more
 * then, since a layer's activations are gathered anew for each batch.
 */
export const batchesOf = (draws: number, most: number): DrawRange[] => {
  const batches: DrawRange[] = [];
  let size = firstBatch;
  for (let from = 0; from < draws; size *= 2) {
    const to = Math.min(draws, from + Math.min(size, most));
    batches.push([from, to]);
    from = to;
  }
  return batches;
};

/**
 * Stimuli that change places together, `[stimuli in use]` by number, since they are no independent draws: those of one
 * value of the column that folds are grouped by, else near-duplicates (column `alike`), else each on its own.
 */
export const unitsOf = (
  { protocol: { folds }, stimuli }: Pick<Layout, 'protocol' | 'stimuli'>,
  all: readonly Stimulus[],
): Int32Array => {
  const column = (folds.kind === 'k-fold' ? folds.groupBy : null) ?? alikeColumn;
  const used = Array.from(stimuli, (image) => all[image]!);
  if (!used.every(({ columns }) => column in columns)) return Int32Array.from(used, (_, i) => i);
  const places = new Map<string, number>();
  return Int32Array.from(used, ({ columns }) => {
    const value = columns[column]!;
    if (!places.has(value)) places.set(value, places.size);
    return places.get(value)!;
  });
};

/** Places of the stimuli of each unit, by the number of stimuli that it has. */
const bySize = (units: Int32Array): number[][][] => {
  const members = new Map<number, number[]>();
  units.forEach((unit, place) => {
    members.set(unit, [...(members.get(unit) ?? []), place]);
  });
  const sizes = new Map<number, number[][]>();
  for (const each of members.values())
    sizes.set(each.length, [...(sizes.get(each.length) ?? []), each]);
  return [...sizes.values()];
};

/** Stimuli that stay where they are, because no other unit has as many as theirs. */
export const fixedStimuli = (units: Int32Array): number =>
  bySize(units).reduce((sum, alike) => sum + (alike.length === 1 ? alike[0]!.length : 0), 0);

/** The place that each stimulus's responses are taken from: of another unit of as many stimuli, in their order. */
const exchanged = (units: Int32Array, random: Random): Int32Array => {
  const from = new Int32Array(units.length);
  for (const alike of bySize(units)) {
    const order = random.permutation(alike.length);
    alike.forEach((places, unit) => {
      places.forEach((place, k) => {
        from[place] = alike[order[unit]!]![k]!;
      });
    });
  }
  return from;
};

export interface Permutations {
  readonly kind: PermutationKind;
  readonly draws: DrawRange;
  /** Of `unitsOf`. */
  readonly units: Int32Array;
}

/**
 * The scored time bin under some permutations, in place of time bins, so that all are fitted from one Gram matrix. Whole
 * stimuli (on grids: maps) go to other stimuli, with their ceilings: exact, but on grids the mean map stays in common, so
 * that the score need not fall to 0. Or positions within each image change places, which destroys the smoothness of maps.
 * A draw depends on its kind, number and the seed alone. The time bin needs no second choice: what it is chosen by, the
 * reliability of its responses, stays the same.
 */
export const permutedSets = (
  layout: Layout,
  scored: ResponseSet,
  { kind, draws: [from, to], units }: Permutations,
  seed: number,
): readonly ResponseSet[] => {
  const random = createRandom(seed).fork('permutations');
  return Array.from({ length: to - from }, (_, k) => {
    const draw = from + k;
    return permuted(layout, scored, { kind, draw, units, random: random.fork(`${kind} ${draw}`) });
  });
};

interface Draw {
  readonly kind: PermutationKind;
  readonly draw: number;
  readonly units: Int32Array;
  readonly random: Random;
}

const permuted = (
  layout: Layout,
  { responses, ceiling }: ResponseSet,
  { kind, draw, units, random }: Draw,
): ResponseSet => {
  const { stimuli, imageOfRow, aggregation } = layout;
  const positions = imageOfRow.length / stimuli.length;
  const images = exchanged(units, random);
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

/** What a score's rank among permutations says. */
export interface RankTest {
  /** One-sided. */
  readonly p: number;
  /** Draws that it rests on, and how many of them reach the score. */
  readonly draws: number;
  readonly reached: number;
  /** Whether the last of them made it clear, so that no more are needed. */
  readonly settled: boolean;
}

/** Rounding must not lift a score above its equal. */
const rounding = 1e-9;

/**
 * The one-sided p of a score by its rank among permutations in the order of their draws: 10 over the number of draws
 * after which ten have reached it, else (1 + reached)/(1 + draws); exact either way (Besag & Clifford 1991). Draws
 * without a value do not count. Null where none has one.
 */
export const rankTest = (values: readonly (number | null)[], score: number): RankTest | null => {
  let [draws, reached] = [0, 0];
  for (const value of values) {
    if (value === null) continue;
    draws++;
    if (value >= score - rounding) reached++;
    if (reached === enough) return { p: enough / draws, draws, reached, settled: true };
  }
  return draws === 0 ? null : { p: (1 + reached) / (1 + draws), draws, reached, settled: false };
};

/**
 * The null of one kind from the values of its permutations, each of them of the layer (or layers) that it chose: their
 * mean, the range of single ones (mean ± t·s·√(1 + 1/n)), and how far the score lies above.
 */
export const permutationNull = (
  layout: Layout,
  kind: PermutationKind,
  drawn: readonly DrawnValues[],
  score: number,
  note: string | null,
): NullScore => {
  const values = drawn.flatMap(({ value }) => (value === null ? [] : [value]));
  const raws = drawn.flatMap(({ raw }) => (raw === null ? [] : [raw]));
  const test = rankTest(
    drawn.map(({ value }) => value),
    score,
  );
  const centre = mean(values);
  const spread = values.length < 2 ? null : spreadOf(layout, values);
  const notes = [
    ...(note === null ? [] : [note]),
    ...(values.length < drawn.length
      ? [`${drawn.length - values.length} of ${drawn.length} permutations have no value`]
      : []),
  ];
  return {
    name: kind,
    value: nullable(centre),
    raw: nullable(mean(raws)),
    interval: spread,
    layer: null,
    draws: drawn.length,
    difference:
      test === null
        ? null
        : {
            value: score - centre,
            interval:
              spread === null
                ? null
                : { ...spread, low: score - spread.high, high: score - spread.low },
            p: test.p,
            method: methodOf(test),
          },
    note: notes.length === 0 ? null : notes.join('; '),
  };
};

/** Where single ones of such draws fall: mean ± t·s·√(1 + 1/n). */
export const rangeOfSingle = (
  values: readonly number[],
  level: number,
): Pick<Interval, 'low' | 'high' | 'level'> => {
  const n = values.length;
  const half =
    tQuantile(1 - (1 - level) / 2, n - 1) * standardDeviation(values) * Math.sqrt(1 + 1 / n);
  return { low: mean(values) - half, high: mean(values) + half, level };
};

const methodOf = ({ draws, reached, settled }: RankTest): string =>
  settled
    ? `one-sided rank among permutations, ended when ${reached} of ${draws} had reached the score`
    : `one-sided rank among ${draws} permutations, of which ${reached} reach the score`;

const spreadOf = ({ protocol, stimuli, siteIds }: Layout, values: readonly number[]): Interval => ({
  ...rangeOfSingle(values, protocol.interval.level),
  method: `range of single ones of ${values.length} permutations`,
  n: { images: stimuli.length, sites: siteIds.length },
  approximate: true,
});
