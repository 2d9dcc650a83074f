// Entries of the cache say what they are, as files do.

import { isFields } from './stored.ts';

export type EntryKind = 'layer-fit' | 'draws' | 'aligned-image' | 'engine-check';

const present = 2;

/** One line of JSON. The value must survive it. */
export const encodeEntry = (kind: EntryKind, value: unknown): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ kind, format: present, value }));

/** The value of an entry; null for one of a later version, which is then computed anew. Those of format 1 are bare values. */
export const decodeEntry = <T>(
  kind: EntryKind,
  entry: Uint8Array,
): { readonly value: T } | null => {
  const found: unknown = JSON.parse(new TextDecoder().decode(entry));
  if (!isFields(found) || !('format' in found)) return { value: found as T };
  return found.kind === kind && Number(found.format) <= present
    ? { value: found.value as T }
    : null;
};
