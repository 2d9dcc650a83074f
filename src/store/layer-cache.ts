import { encodeText } from '../formats/text.ts';
import { canonicalJson } from '../records/canonical-json.ts';
import type { LayerFit } from '../records/fit.ts';
import type { Cache, Hash } from '../records/ports.ts';
import { getNumbers, putNumbers } from './numbers-entry.ts';

/** Raised when the arithmetic of activations, folds or regression, or what entries hold, changes: old ones are never used. */
const recipe = 7;

/** SHA-256 over everything that a layer's predictions depend on. Objects are serialised with sorted keys. */
export const fitKey = (hash: Hash, dependsOn: Readonly<Record<string, unknown>>): Promise<string> =>
  hash.sha256([encodeText(canonicalJson({ recipe, ...dependsOn }))]);

export const putFit = (cache: Cache, key: string, fit: LayerFit): Promise<void> => {
  const { predictions, ...rest } = fit;
  return putNumbers(
    cache,
    key,
    'layer-fit',
    { ...rest, shape: predictions.shape },
    predictions.data,
  );
};

type Head = Omit<LayerFit, 'predictions'> & { readonly shape: readonly number[] };

export const getFit = async (cache: Cache, key: string): Promise<LayerFit | null> => {
  const entry = await getNumbers<Head>(cache, key, 'layer-fit');
  if (entry === null) return null;
  const { shape, ...rest } = entry.value;
  return { ...rest, predictions: { data: entry.numbers, shape } };
};
