import type { NullScore } from '../records/score.ts';

/** What a network of any worth is above, and how it is called. */
const low: Partial<Record<NullScore['name'], string>> = {
  'mean-map': 'the mean map of the other images',
  pixels: 'pixels',
  'random-twin': 'its twins with random weights',
};

const permuted: Partial<Record<NullScore['name'], string>> = {
  'permuted-stimuli': 'of permuted stimuli',
  'permuted-maps': 'of permuted maps',
};

const significance = 0.05;

/** One sentence where more than one in twenty permutations reach the score, their own choice of a layer included. */
export const reachedByChance = (nulls: readonly NullScore[]): string[] =>
  nulls.flatMap(({ name, difference }) => {
    const words = permuted[name];
    if (words === undefined || difference === null || difference.p <= significance) return [];
    return [
      `the score is within what responses ${words} give: one-sided p ${difference.p.toFixed(3)} (${difference.method})`,
    ];
  });

/**
 * One sentence for each of mean map, pixels and random twins that the network does not beat: the 95 % interval of their
 * paired difference does not lie above 0, or the images are too few for one.
 */
export const unbeaten = (nulls: readonly NullScore[]): string[] =>
  nulls.flatMap(({ name, difference }) => {
    const words = low[name];
    if (words === undefined || difference === null) return [];
    const { value, interval } = difference;
    if (interval === null)
      return [`whether the network beats ${words} cannot be told: too few images`];
    if (interval.low > 0) return [];
    const [by, from, to] = [value, interval.low, interval.high].map((each) => each.toFixed(3));
    return [`the network does not beat ${words}: difference ${by}, 95 % interval [${from}, ${to}]`];
  });
