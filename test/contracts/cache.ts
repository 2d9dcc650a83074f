import { expect } from 'vitest';
import type { Cache } from '../../src/records/ports.ts';
import { bytesOf, type Clause } from './contract.ts';

export interface CacheUnderTest {
  readonly cache: Cache;
}

/** What every implementation of `Cache` keeps. */
export const cacheContract: readonly Clause<CacheUnderTest>[] = [
  {
    promise: 'has nothing at first',
    check: async ({ cache }) => {
      expect(await cache.get('a')).toBeNull();
      await cache.put('b', bytesOf('x'));
      expect(await cache.get('a')).toBeNull();
    },
  },
  {
    promise: 'gives what was put last',
    check: async ({ cache }) => {
      for (const content of ['first', 'a longer second', 'third']) {
        await cache.put('key', bytesOf(content));
        expect(await cache.get('key')).toEqual(bytesOf(content));
      }
    },
  },
  {
    promise: 'tells any two keys apart, whatever they hold',
    check: async ({ cache }) => {
      const keys = [
        '',
        'a',
        'A',
        'a/b',
        'a/../b',
        '../../climbing',
        '__proto__',
        'ä',
        'a\0',
        'a\n',
      ];
      const long = 'k'.repeat(5000);
      for (const [at, key] of [...keys, long, `${long}!`].entries())
        await cache.put(key, Uint8Array.of(at));
      for (const [at, key] of [...keys, long, `${long}!`].entries())
        expect(await cache.get(key), JSON.stringify(key)).toEqual(Uint8Array.of(at));
    },
  },
  {
    promise: 'keeps empty values and large ones',
    check: async ({ cache }) => {
      const large = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 31) % 251);
      await cache.put('empty', new Uint8Array());
      await cache.put('large', large);
      expect(await cache.get('empty')).toEqual(new Uint8Array());
      expect(Buffer.compare((await cache.get('large'))!, large)).toBe(0);
    },
  },
  {
    promise: 'keeps what was put, whatever becomes of the bytes on either side',
    check: async ({ cache }) => {
      const value = bytesOf('kept');
      await cache.put('key', value);
      value.fill(0);
      (await cache.get('key'))!.fill(0);
      expect(await cache.get('key')).toEqual(bytesOf('kept'));
    },
  },
  {
    promise: 'takes a view of a larger buffer for what it shows',
    check: async ({ cache }) => {
      await cache.put('key', bytesOf('0123456789').subarray(2, 5));
      expect(await cache.get('key')).toEqual(bytesOf('234'));
    },
  },
];
