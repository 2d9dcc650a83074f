import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Hash } from '../records/ports.ts';
import { storageFailure } from './failures.ts';

/** OpenSSL takes at most 2³¹ − 1 bytes at once. */
const partBytes = 2 ** 30;
const readBytes = 2 ** 22;

const hashFile = async (path: string, algorithm: 'sha1' | 'sha256'): Promise<string> => {
  const hash = createHash(algorithm);
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    // One byte at least: kernel files and pipes say that they are empty.
    const piece = new Uint8Array(Math.min(readBytes, size + 1));
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, piece.length, null);
      hash.update(piece.subarray(0, bytesRead));
      if (bytesRead === 0) return hash.digest('hex');
    }
  } finally {
    await handle.close();
  }
};

const toldHash = async (path: string, algorithm: 'sha1' | 'sha256'): Promise<string> => {
  try {
    return await hashFile(path, algorithm);
  } catch (thrown) {
    throw storageFailure('read', path, thrown);
  }
};

/** Hashes by the runtime's own OpenSSL. */
export const createNodeHash = (): Hash => ({
  sha256: async (parts) => {
    const hash = createHash('sha256');
    for (const part of parts) {
      for (let from = 0; from < part.length; from += partBytes) {
        hash.update(part.subarray(from, from + partBytes));
      }
    }
    return hash.digest('hex');
  },
  sha256File: (path) => toldHash(path, 'sha256'),
  sha1File: (path) => toldHash(path, 'sha1'),
});
