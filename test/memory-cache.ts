import type { Cache } from '../src/records/ports.ts';

/** A cache that ends with the test. */
export const memoryCache = (): Cache => {
  const entries = new Map<string, Uint8Array>();
  return {
    get: async (key) => entries.get(key)?.slice() ?? null,
    put: async (key, value) => {
      entries.set(key, Uint8Array.from(value));
    },
  };
};
