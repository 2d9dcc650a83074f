import { mean, median } from '../numeric/statistics.ts';

const defined = (values: Iterable<number>): number[] =>
  Array.from(values).filter((value) => !Number.isNaN(value));

/** Mean of what is defined; NaN of nothing. */
export const meanOfDefined = (values: Iterable<number>): number => mean(defined(values));

/** Median of what is defined; NaN of nothing. */
export const medianOfDefined = (values: Iterable<number>): number => median(defined(values));

/** A figure as it is written: null where it is not defined. */
export const nullable = (value: number): number | null => (Number.isNaN(value) ? null : value);
