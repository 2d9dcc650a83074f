import { mean, quantileOfSorted } from '../numeric/statistics.ts';

const defined = (values: Iterable<number>): number[] =>
  Array.from(values).filter((value) => !Number.isNaN(value));

/** Mean of what is defined; NaN of nothing. */
export const meanOfDefined = (values: Iterable<number>): number => mean(defined(values));

/** Median of what is defined; NaN of nothing. */
export const medianOfDefined = (values: Iterable<number>): number => {
  // Typed arrays sort NaN to the end.
  const sorted = Float64Array.from(values).sort();
  let length = sorted.length;
  while (length > 0 && Number.isNaN(sorted[length - 1]!)) length--;
  return length === 0 ? Number.NaN : quantileOfSorted(sorted.subarray(0, length), 0.5);
};

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
