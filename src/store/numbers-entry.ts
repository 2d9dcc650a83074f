// Entries of the cache that hold numbers: a JSON line, then the numbers as little-endian float64.

import { decodeEntry, type EntryKind, encodeEntry } from '../records/cache-entry.ts';
import type { Cache } from '../records/ports.ts';

export const putNumbers = (
  cache: Cache,
  key: string,
  kind: EntryKind,
  value: unknown,
  numbers: Float64Array,
): Promise<void> => {
  const head = encodeEntry(kind, value);
  const entry = new Uint8Array(head.length + 1 + numbers.byteLength);
  entry.set(head);
  entry[head.length] = 10;
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  entry.set(bytes, head.length + 1);
  return cache.put(key, entry);
};

/** Null where there is none, or one of a later version. */
export const getNumbers = async <T>(
  cache: Cache,
  key: string,
  kind: EntryKind,
): Promise<{ readonly value: T; readonly numbers: Float64Array } | null> => {
  const entry = await cache.get(key);
  if (entry === null) return null;
  const end = entry.indexOf(10);
  const head = decodeEntry<T>(kind, entry.subarray(0, end));
  if (head === null) return null;
  return { value: head.value, numbers: new Float64Array(entry.slice(end + 1).buffer) };
};
