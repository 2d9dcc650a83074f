import { expect } from 'vitest';
import type { Files, Hash } from '../../src/records/ports.ts';
import { bytesOf, type Clause, storageLine } from './contract.ts';

export interface HashUnderTest {
  readonly hash: Hash;
  /** The files that it hashes, and an existing, empty folder of theirs. */
  readonly files: Files;
  readonly root: string;
}

// FIPS 180-2, appendices A and B, and the digests of nothing.
const sha256 = {
  nothing: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  abc: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  millionAs: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
};
const sha1 = {
  nothing: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  abc: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  millionAs: '34aa973cd4c4daa4f61eeb2bdbad27316534016f',
};

/** What every implementation of `Hash` keeps. */
export const hashContract: readonly Clause<HashUnderTest>[] = [
  {
    promise: 'hashes the parts joined',
    check: async ({ hash }) => {
      const view = bytesOf('xabcx').subarray(1, 4);
      expect(await hash.sha256([])).toBe(sha256.nothing);
      expect(await hash.sha256([bytesOf('')])).toBe(sha256.nothing);
      expect(await hash.sha256([view])).toBe(sha256.abc);
      expect(await hash.sha256([bytesOf('a'), bytesOf(''), bytesOf('bc')])).toBe(sha256.abc);
      const as = bytesOf('a'.repeat(500_000));
      expect(await hash.sha256([as, as])).toBe(sha256.millionAs);
    },
  },
  {
    promise: 'leaves the parts as they were',
    check: async ({ hash }) => {
      const part = bytesOf('abc');
      await hash.sha256([part]);
      expect(part).toEqual(bytesOf('abc'));
    },
  },
  {
    promise: 'hashes files',
    check: async ({ hash, files, root }) => {
      await files.write(`${root}/nothing`, []);
      await files.write(`${root}/abc`, [bytesOf('abc')]);
      await files.write(`${root}/as`, [bytesOf('a'.repeat(1_000_000))]);
      for (const [name, known] of [
        ['nothing', 'nothing'],
        ['abc', 'abc'],
        ['as', 'millionAs'],
      ] as const) {
        expect(await hash.sha256File(`${root}/${name}`)).toBe(sha256[known]);
        expect(await hash.sha1File(`${root}/${name}`)).toBe(sha1[known]);
      }
    },
  },
  {
    promise: 'hashes files of several pieces as their bytes',
    check: async ({ hash, files, root }) => {
      const bytes = Uint8Array.from({ length: 9_000_001 }, (_, at) => (at * 31) % 251);
      await files.write(`${root}/large`, [bytes]);
      expect(await hash.sha256File(`${root}/large`)).toBe(await hash.sha256([bytes]));
    },
  },
  {
    promise: 'names a file that is not there',
    check: async ({ hash, root }) => {
      expect(await storageLine(hash.sha256File(`${root}/none`))).toContain(`${root}/none`);
      expect(await storageLine(hash.sha1File(`${root}/none`))).toContain(`${root}/none`);
      await storageLine(hash.sha256File(root));
    },
  },
];
