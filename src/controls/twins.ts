import { mean, standardDeviation, tQuantile } from '../numeric/statistics.ts';
import type { Interval } from '../records/interval.ts';
import type { NullScore } from '../records/score.ts';
import { rangeOfSingle } from './permutations.ts';

const level = 0.95;

/**
 * One null of several draws of random weights, at least two, each scored by itself: their mean, the range of single ones
 * (mean ± t·s·√(1 + 1/n)), and the mean of the differences. The interval of that is the mean interval of the draws, which
 * share images and sites, widened by what the mean of few draws may be off (t·s/√n, in quadrature on either side); p is
 * the largest of the draws, so that a network has to beat each.
 */
export const ofDraws = (draws: readonly NullScore[]): NullScore => {
  const [first] = draws;
  const values = draws.map(({ value }) => value!);
  const n = values.length;
  const layers = new Set(draws.map(({ layer }) => layer));
  return {
    ...first!,
    value: mean(values),
    raw: mean(draws.map(({ raw }) => raw!)),
    interval: rangeOf(values, first!.interval),
    layer: layers.size === 1 ? first!.layer : null,
    draws: n,
    difference: meanDifference(
      draws.map(({ difference }) => difference),
      halfOf(values) / Math.sqrt(n),
    ),
    note:
      [
        ...(first!.note === null ? [] : [first!.note]),
        ...(layers.size > 1 ? [`best layers ${draws.map(({ layer }) => layer).join(', ')}`] : []),
      ].join('; ') || null,
  };
};

/** t·s. */
const halfOf = (values: readonly number[]): number =>
  tQuantile(1 - (1 - level) / 2, values.length - 1) * standardDeviation(values);

const rangeOf = (values: readonly number[], own: Interval | null): Interval | null => {
  if (own === null) return null;
  return {
    ...rangeOfSingle(values, level),
    method: `range of single ones of ${values.length} draws`,
    n: own.n,
    approximate: true,
  };
};

const meanDifference = (
  differences: readonly NullScore['difference'][],
  between: number,
): NullScore['difference'] => {
  const found = differences.filter((each) => each !== null);
  if (found.length < differences.length) return null;
  const value = mean(found.map((each) => each.value));
  const intervals = found.flatMap(({ interval }) => (interval === null ? [] : [interval]));
  const lost = intervals.reduce((sum, { undefinedDraws = 0 }) => sum + undefinedDraws, 0);
  const widened = (ends: readonly number[]): number => Math.hypot(mean(ends) - value, between);
  return {
    value,
    interval:
      intervals.length < found.length
        ? null
        : {
            ...intervals[0]!,
            low: value - widened(intervals.map(({ low }) => low)),
            high: value + widened(intervals.map(({ high }) => high)),
            ...(lost === 0 ? {} : { undefinedDraws: lost }),
          },
    p: Math.max(...found.map(({ p }) => p)),
    method: `${found[0]!.method}, mean of ${found.length} draws`,
  };
};
