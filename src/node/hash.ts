import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Hash } from '../records/ports.ts';
import { storageFailure } from './failures.ts';

const pieceBytes = 2 ** 30;

/** SHA-256 by the runtime's own OpenSSL. */
export const createNodeHash = (): Hash => ({
  sha256: async (parts) => {
    const hash = createHash('sha256');
    for (const part of parts) {
      for (let from = 0; from < part.length; from += pieceBytes) {
        hash.update(part.subarray(from, from + pieceBytes));
      }
    }
    return hash.digest('hex');
  },
  sha256File: async (path) => {
    const hash = createHash('sha256');
    try {
      for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) {
        hash.update(piece as Uint8Array);
      }
    } catch (thrown) {
      throw storageFailure('read', path, thrown);
    }
    return hash.digest('hex');
  },
});
