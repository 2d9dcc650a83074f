import { crc32Of } from './crc32.ts';

/** A checksum that grows with the bytes that it is given. */
export interface Checksum {
  add(bytes: Uint8Array): void;
  value(): number;
}

/** So many bytes keep both sums below 2³¹, where JavaScript counts in whole numbers (RFC 1950 allows 5552 below 2³²). */
const adlerRun = 3800;

/** Adler-32 of zlib streams, RFC 1950 §8.2. */
export const createAdler32 = (): Checksum => {
  let sums: readonly [number, number] = [1, 0];
  return {
    add: (bytes) => {
      let [low, high] = sums;
      for (let from = 0; from < bytes.length; from += adlerRun) {
        const to = Math.min(bytes.length, from + adlerRun);
        for (let i = from; i < to; i++) {
          low = (low + bytes[i]!) | 0;
          high = (high + low) | 0;
        }
        low %= 65_521;
        high %= 65_521;
      }
      sums = [low, high];
    },
    value: () => ((sums[1] << 16) | sums[0]) >>> 0,
  };
};

/** CRC-32 of zip entries. */
export const createCrc32 = (): Checksum => {
  let value = 0;
  return {
    add: (bytes) => {
      value = crc32Of(bytes, value);
    },
    value: () => value,
  };
};
