import { encodeText } from '../formats/text.ts';
import type { ChosenSoFar } from '../records/draws.ts';
import type { Cache } from '../records/ports.ts';

/** A JSON line, then the predictions, if any, as little-endian float64. */
export const putDraws = (cache: Cache, key: string, found: ChosenSoFar): Promise<void> => {
  const { perFold, ...rest } = found;
  const head = encodeText(
    `${JSON.stringify({
      ...rest,
      perFold:
        perFold === null ? null : { values: perFold.values, shape: perFold.predictions.shape },
    })}\n`,
  );
  const data = perFold === null ? new Float64Array(0) : perFold.predictions.data;
  const entry = new Uint8Array(head.length + data.byteLength);
  entry.set(head);
  entry.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), head.length);
  return cache.put(key, entry);
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
  const { perFold, ...rest } = JSON.parse(new TextDecoder().decode(entry.subarray(0, end))) as Head;
  if (perFold === null) return { ...rest, perFold: null };
  const data = new Float64Array(entry.slice(end + 1).buffer);
  const { values, shape } = perFold;
  return { ...rest, perFold: { values, predictions: { data, shape } } };
};
