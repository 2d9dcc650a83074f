import type { Hash } from './ports.ts';

/** JSON whose text does not depend on the order in which fields were written. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** SHA-256 of a plain value, in whatever order its fields were written. */
export const sha256Of = (value: unknown, hash: Hash): Promise<string> =>
  hash.sha256([new TextEncoder().encode(canonicalJson(value))]);
