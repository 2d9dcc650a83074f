import type { Cache, Files, Hash } from '../records/ports.ts';
import { createNodeFiles } from './files.ts';
import { createNodeHash } from './hash.ts';

const checksumLength = 64;

/**
 * A folder of finished work. An entry is the SHA-256 of key and value (64 hexadecimal digits), then the value:
 * an entry that was damaged or belongs to another key is a miss, never a wrong answer.
 */
export const createNodeCache = (
  folder: string,
  { files, hash }: { files: Files; hash: Hash } = {
    files: createNodeFiles(),
    hash: createNodeHash(),
  },
): Cache => {
  const encoder = new TextEncoder();
  const pathOf = async (key: string): Promise<string> => {
    const name = await hash.sha256([encoder.encode(key)]);
    return `${folder}/${name.slice(0, 2)}/${name.slice(2)}`;
  };
  // The length of the key comes first, so that no other pair of key and value joins to the same bytes.
  const checksum = (key: string, value: Uint8Array): Promise<string> => {
    const bytes = encoder.encode(key);
    return hash.sha256([encoder.encode(`${bytes.length}:`), bytes, value]);
  };
  return {
    get: async (key) => {
      const path = await pathOf(key);
      if ((await files.info(path))?.kind !== 'file') return null;
      const entry = await files.read(path);
      const value = entry.slice(checksumLength);
      const stored = new TextDecoder().decode(entry.subarray(0, checksumLength));
      return stored === (await checksum(key, value)) ? value : null;
    },
    put: async (key, value) => {
      const stored = encoder.encode(await checksum(key, value));
      await files.write(await pathOf(key), [stored, value]);
    },
  };
};
