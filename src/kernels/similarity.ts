// Representational similarity: Kriegeskorte, Mur & Bandettini 2008, Frontiers in Systems Neuroscience 2.

import { kendallTauA } from '../numeric/kendall.ts';
import { mean, pearson, ranks, spearman, standardDeviation } from '../numeric/statistics.ts';
import { inputError } from '../records/errors.ts';
import type { RowGram } from './row-gram.ts';

/**
 * - `correlation`: 1 − Pearson's correlation of two rows over features; NaN for a row without variance;
 * - `squared-euclidean`: mean over features of the squared difference, as rsatoolbox's `euclidean`.
 */
export type Dissimilarity = 'correlation' | 'squared-euclidean';

export type RankComparison = 'spearman' | 'kendall-a' | 'pearson';

/** Pairs (i, j), i < j, row by row: entry of each pair of `rows` rows from what `of` says. */
const overPairs = (rows: number, of: (i: number, j: number) => number): Float64Array => {
  const result = new Float64Array((rows * (rows - 1)) / 2);
  let k = 0;
  for (let i = 0; i < rows; i++) for (let j = i + 1; j < rows; j++) result[k++] = of(i, j);
  return result;
};

/** Dissimilarities of all pairs of rows [n (n − 1) / 2]: (0, 1), (0, 2), … (n − 2, n − 1). */
export const dissimilarities = (gram: RowGram, measure: Dissimilarity): Float64Array => {
  const { rows: n, columns: p, covariances, rowMeans } = gram;
  const covariance = (i: number, j: number): number => covariances[i * n + j]!;
  if (measure === 'squared-euclidean')
    return overPairs(n, (i, j) => {
      const shape = covariance(i, i) + covariance(j, j) - 2 * covariance(i, j);
      return Math.max(shape, 0) / p + (rowMeans[i]! - rowMeans[j]!) ** 2;
    });
  const scale = Float64Array.from({ length: n }, (_, i) => {
    const variance = covariance(i, i);
    return variance > 0 ? Math.sqrt(variance) : Number.NaN;
  });
  return overPairs(n, (i, j) => {
    const r = covariance(i, j) / (scale[i]! * scale[j]!);
    return 1 - Math.min(Math.max(r, -1), 1);
  });
};

const comparisons: Record<RankComparison, (a: Float64Array, b: Float64Array) => number> = {
  spearman,
  'kendall-a': kendallTauA,
  pearson,
};

/** How alike two equally long lists of dissimilarities are; NaN where not defined. Input error: different lengths. */
export const compareDissimilarities = (
  a: Float64Array,
  b: Float64Array,
  comparison: RankComparison,
): number => {
  if (a.length !== b.length)
    throw inputError({
      where: 'dissimilarities',
      expected: `${a.length} pairs on both sides`,
      got: `${b.length}`,
      mend: 'compare dissimilarities of the same stimuli',
    });
  return comparisons[comparison](a, b);
};

/** In the form in which a mean over subjects has the highest mean correlation with them. */
const normalised = (values: Float64Array, comparison: RankComparison): Float64Array => {
  if (comparison !== 'pearson') return ranks(values);
  const centre = mean(values);
  const spread = standardDeviation(values, 0);
  return values.map((value) => (value - centre) / spread);
};

const meanOf = (lists: readonly Float64Array[]): Float64Array => {
  const result = new Float64Array(lists[0]!.length);
  for (const list of lists) for (let k = 0; k < list.length; k++) result[k] = result[k]! + list[k]!;
  return result.map((sum) => sum / lists.length);
};

export interface CeilingBounds {
  readonly lower: number;
  readonly upper: number;
}

/**
 * Between which bounds the true model's mean similarity to the subjects is expected: `upper`, each subject against the
 * mean of all (itself included), which no model exceeds; `lower`, each against the mean of the others (Nili et al.
 * 2014, PLoS Computational Biology 10, "noise ceiling"). Subjects are averaged by ranks, or z-scored for Pearson. For
 * Spearman without ties and for Pearson no list whatever has a higher mean similarity than `upper`; for Kendall's τ_a the
 * mean ranks only come near. Input error: fewer than two subjects.
 */
export const ceilingBounds = (
  subjects: readonly Float64Array[],
  comparison: RankComparison,
): CeilingBounds => {
  if (subjects.length < 2)
    throw inputError({
      where: 'ceiling bounds',
      expected: 'dissimilarities of at least two subjects',
      got: String(subjects.length),
      mend: 'an average over subjects has no ceiling: give each subject for itself',
    });
  const lists = subjects.map((subject) => normalised(subject, comparison));
  const all = meanOf(lists);
  const similarity = (subject: Float64Array, other: Float64Array) =>
    compareDissimilarities(subject, other, comparison);
  return {
    upper: mean(subjects.map((subject) => similarity(subject, all))),
    lower: mean(
      subjects.map((subject, left) =>
        similarity(subject, meanOf(lists.filter((_, index) => index !== left))),
      ),
    ),
  };
};
