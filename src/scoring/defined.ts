import { mean, median } from '../numeric/statistics.ts';

const defined = (values: Iterable<number>): number[] =>
  Array.from(values).filter((value) => !Number.isNaN(value));

/** Mean of what is defined; NaN of nothing. */
export const meanOfDefined = (values: Iterable<number>): number => mean(defined(values));

/** Median of what is defined; NaN of nothing. */
export const medianOfDefined = (values: Iterable<number>): number => median(defined(values));

/** Mean of what is defined, each value as often as its weight says; NaN where nothing has weight. */
export const weightedMeanOfDefined = (
  values: readonly number[],
  weights: ArrayLike<number>,
): number => {
  let sum = 0;
  let weight = 0;
  values.forEach((value, index) => {
    if (Number.isNaN(value)) return;
    sum += weights[index]! * value;
    weight += weights[index]!;
  });
  return sum / weight;
};

/** A value as it is written: null where it is not defined. */
export const nullable = (value: number): number | null => (Number.isNaN(value) ? null : value);
