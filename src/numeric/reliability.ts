import type { Float64Nd } from '../records/array.ts';
import { createRandom } from './random.ts';
import { mean, pearson } from './statistics.ts';

export interface SplitSettings {
  /** How many random splits are averaged. */
  readonly splits: number;
  readonly seed: number;
}

/** Means of the two halves of the trials, one pair per split, each `[rows, sites]`. */
export interface HalfMeans {
  readonly first: readonly Float64Nd[];
  readonly second: readonly Float64Nd[];
}

/** Reliability of all trials together from the correlation of two halves: 2r / (1 + r) (Spearman, Brown, 1910). */
export const spearmanBrown = (r: number): number => (2 * r) / (1 + r);

/**
 * Halves every row's **own** trials at random and averages each half; of an odd number one, drawn, is dropped.
 * A row's trials are shuffled alike for all sites, so that sites recorded together stay together.
 * `trials` is `[rows, trials, sites]`, NaN = missing; means are NaN for rows with fewer than two trials.
 */
export const halves = (trials: Float64Nd, { splits, seed }: SplitSettings): HalfMeans => {
  const [rows, count, sites] = trials.shape as readonly [number, number, number];
  const seeded = createRandom(seed).fork('halves of trials');
  const first: Float64Nd[] = [];
  const second: Float64Nd[] = [];
  for (let split = 0; split < splits; split++) {
    const random = seeded.fork(`${split}`);
    const pair = [new Float64Array(rows * sites), new Float64Array(rows * sites)] as const;
    for (let row = 0; row < rows; row++) {
      const order = random.permutation(count);
      for (let site = 0; site < sites; site++) {
        const [a, b] = halfMeans(trials.data, order, row * count * sites + site, sites);
        pair[0][row * sites + site] = a;
        pair[1][row * sites + site] = b;
      }
    }
    first.push({ data: pair[0], shape: [rows, sites] });
    second.push({ data: pair[1], shape: [rows, sites] });
  }
  return { first, second };
};

/** Means of the first and the second half of the trials that are there, taken in the given order. */
const halfMeans = (
  data: Float64Array,
  order: Int32Array,
  offset: number,
  stride: number,
): [number, number] => {
  let there = 0;
  for (let i = 0; i < order.length; i++) {
    if (!Number.isNaN(data[offset + i * stride]!)) there++;
  }
  const half = Math.floor(there / 2);
  if (half === 0) return [Number.NaN, Number.NaN];
  let taken = 0;
  let a = 0;
  let b = 0;
  for (let i = 0; taken < 2 * half; i++) {
    const value = data[offset + order[i]! * stride]!;
    if (Number.isNaN(value)) continue;
    if (taken < half) a += value;
    else b += value;
    taken++;
  }
  return [a / half, b / half];
};

const columnsWithValues = (a: Float64Nd, b: Float64Nd, site: number): [number[], number[]] => {
  const [rows, sites] = a.shape as readonly [number, number];
  const x: number[] = [];
  const y: number[] = [];
  for (let row = 0; row < rows; row++) {
    const value = a.data[row * sites + site]!;
    if (Number.isNaN(value)) continue;
    x.push(value);
    y.push(b.data[row * sites + site]!);
  }
  return [x, y];
};

/**
 * Split-half reliability per site: Pearson between the two half means over the rows with at least two trials,
 * Spearman–Brown-corrected, mean over splits. NaN where it is not defined: fewer than two such rows, or a half
 * that is constant.
 */
export const splitHalfReliability = (
  trials: Float64Nd,
  settings: SplitSettings,
): { perSite: Float64Array } => {
  const { first, second } = halves(trials, settings);
  const sites = trials.shape[2]!;
  const perSite = Float64Array.from({ length: sites }, (_, site) =>
    mean(
      first.map((half, split) =>
        spearmanBrown(pearson(...columnsWithValues(half, second[split]!, site))),
      ),
    ),
  );
  return { perSite };
};
