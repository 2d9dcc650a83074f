import type { ChosenSoFar } from '../records/draws.ts';
import type { Cache } from '../records/ports.ts';
import { getNumbers, putNumbers } from './numbers-entry.ts';

type Head = Omit<ChosenSoFar, 'perFold'> & {
  readonly perFold: {
    readonly values: NonNullable<ChosenSoFar['perFold']>['values'];
    readonly shape: readonly number[];
  } | null;
};

/** The numbers are the predictions, if any. */
export const putDraws = (cache: Cache, key: string, found: ChosenSoFar): Promise<void> => {
  const { perFold, ...rest } = found;
  const shaped =
    perFold === null ? null : { values: perFold.values, shape: perFold.predictions.shape };
  const numbers = perFold?.predictions.data ?? new Float64Array(0);
  return putNumbers(cache, key, 'draws', { ...rest, perFold: shaped }, numbers);
};

export const getDraws = async (cache: Cache, key: string): Promise<ChosenSoFar | null> => {
  const entry = await getNumbers<Head>(cache, key, 'draws');
  if (entry === null) return null;
  const { perFold, ...rest } = entry.value;
  if (perFold === null) return { ...rest, perFold: null };
  const { values, shape } = perFold;
  return { ...rest, perFold: { values, predictions: { data: entry.numbers, shape } } };
};
