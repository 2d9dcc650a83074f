import { encodeText } from '../formats/text.ts';
import type { NdArray } from '../records/array.ts';
import { decodeEntry, encodeEntry } from '../records/cache-entry.ts';
import { canonicalJson } from '../records/canonical-json.ts';
import type { HumanMap } from '../records/human-map.ts';
import type { Cache, Hash } from '../records/ports.ts';

/** Raised when the arithmetic of saliency or agreement changes, so that old entries are never used. */
const recipe = 3;

const bytesOf = ({ data }: Pick<NdArray, 'data'>): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** SHA-256 over everything that an image's part in an alignment depends on: pixels, maps, label, and `dependsOn`. */
export const imageKey = (
  hash: Hash,
  { id, pixels, label, map, subjects }: HumanMap,
  dependsOn: Readonly<Record<string, unknown>>,
): Promise<string> => {
  const { width, height, channels } = pixels;
  const shapes = [map, ...(subjects ?? [])].map(({ shape }) => shape);
  const head = { recipe, id, width, height, channels, label, shapes, ...dependsOn };
  return hash.sha256([
    encodeText(`${canonicalJson(head)}\n`),
    bytesOf(pixels),
    ...[map, ...(subjects ?? [])].map(bytesOf),
  ]);
};

/** What was found for an image before, or `find`s it and keeps it. It must survive JSON as it is. */
export const keptImage = async <T>(
  cache: Cache,
  key: string,
  find: () => Promise<T>,
): Promise<T> => {
  const entry = await cache.get(key);
  const kept = entry === null ? null : decodeEntry<T>('aligned-image', entry);
  if (kept !== null) return kept.value;
  const found = await find();
  await cache.put(key, encodeEntry('aligned-image', found));
  return found;
};
