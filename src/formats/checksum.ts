import { crc32Of } from './crc32.ts';

/** A checksum that grows with the bytes that it is given. */
export interface Checksum {
  add(bytes: Uint8Array): void;
  value(): number;
}

/** Most bytes whose sums stay below 2³² (RFC 1950). */
const adlerRun = 5552;

/** Adler-32 of zlib streams, RFC 1950 §8.2. */
export const createAdler32 = (): Checksum => {
  let [low, high] = [1, 0];
  return {
    add: (bytes) => {
      for (let from = 0; from < bytes.length; from += adlerRun) {
        const to = Math.min(bytes.length, from + adlerRun);
        for (let i = from; i < to; i++) {
          low += bytes[i]!;
          high += low;
        }
        low %= 65_521;
        high %= 65_521;
      }
    },
    value: () => ((high << 16) | low) >>> 0,
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
