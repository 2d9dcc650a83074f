import { decodeEntry, encodeEntry } from '../records/cache-entry.ts';
import type { ChosenSoFar } from '../records/draws.ts';
import type { Cache } from '../records/ports.ts';
import { withNumbers } from './layer-cache.ts';

/** A JSON line, then the predictions, if any, as little-endian float64. */
export const putDraws = (cache: Cache, key: string, found: ChosenSoFar): Promise<void> => {
  const { perFold, ...rest } = found;
  const head = encodeEntry('draws', {
    ...rest,
    perFold: perFold === null ? null : { values: perFold.values, shape: perFold.predictions.shape },
  });
  return cache.put(key, withNumbers(head, perFold?.predictions.data ?? new Float64Array(0)));
};

type Head = Omit<ChosenSoFar, 'perFold'> & {
  readonly perFold: {
    readonly values: NonNullable<ChosenSoFar['perFold']>['values'];
    readonly shape: readonly number[];
  } | null;
};

export const getDraws = async (cache: Cache, key: string): Promise<ChosenSoFar | null> => {
  const entry = await cache.get(key);
  if (entry === null) return null;
  const end = entry.indexOf(10);
  const head = decodeEntry<Head>('draws', entry.subarray(0, end));
  if (head === null) return null;
  const { perFold, ...rest } = head.value;
  if (perFold === null) return { ...rest, perFold: null };
  const data = new Float64Array(entry.slice(end + 1).buffer);
  const { values, shape } = perFold;
  return { ...rest, perFold: { values, predictions: { data, shape } } };
};
