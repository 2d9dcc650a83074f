import { encodeText } from '../formats/text.ts';
import { decodeEntry, encodeEntry } from '../records/cache-entry.ts';
import { canonicalJson } from '../records/canonical-json.ts';
import type { LayerFit } from '../records/fit.ts';
import type { Cache, Hash } from '../records/ports.ts';

/** Raised when the arithmetic of activations, folds or regression, or what entries hold, changes: old ones are never used. */
const recipe = 7;

/** SHA-256 over everything that a layer's predictions depend on. Objects are serialised with sorted keys. */
export const fitKey = (hash: Hash, dependsOn: Readonly<Record<string, unknown>>): Promise<string> =>
  hash.sha256([encodeText(canonicalJson({ recipe, ...dependsOn }))]);

/** A line, then numbers as little-endian float64. */
export const withNumbers = (head: Uint8Array, data: Float64Array): Uint8Array => {
  const entry = new Uint8Array(head.length + 1 + data.byteLength);
  entry.set(head);
  entry[head.length] = 10;
  entry.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), head.length + 1);
  return entry;
};

/** A JSON line, then the predictions as little-endian float64. */
export const putFit = (cache: Cache, key: string, fit: LayerFit): Promise<void> => {
  const { predictions, ...rest } = fit;
  const head = encodeEntry('layer-fit', { ...rest, shape: predictions.shape });
  return cache.put(key, withNumbers(head, predictions.data));
};

export const getFit = async (cache: Cache, key: string): Promise<LayerFit | null> => {
  const entry = await cache.get(key);
  if (entry === null) return null;
  const end = entry.indexOf(10);
  const head = decodeEntry<Omit<LayerFit, 'predictions'> & { readonly shape: number[] }>(
    'layer-fit',
    entry.subarray(0, end),
  );
  if (head === null) return null;
  const { shape, ...rest } = head.value;
  const data = new Float64Array(entry.slice(end + 1).buffer);
  return { ...rest, predictions: { data, shape } };
};
