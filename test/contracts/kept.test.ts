// Every implementation of a port keeps the same contract.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createNodeCache } from '../../src/node/cache.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { createNodeHash } from '../../src/node/hash.ts';
import { createNodeImages } from '../../src/node/images.ts';
import type { Engine } from '../../src/records/ports.ts';
import { memoryCache } from '../memory-cache.ts';
import { createMemoryFiles, createMemoryHash } from '../memory-files.ts';
import { plainEngine } from '../plain-engine.ts';
import { cacheContract } from './cache.ts';
import { describeContract, type Open } from './contract.ts';
import { type EngineUnderTest, engineContract } from './engine.ts';
import { modelContract } from './engine-models.ts';
import { filesContract } from './files.ts';
import { goldenImages } from './golden-images.ts';
import { hashContract } from './hash.ts';
import { imagesContract } from './images.ts';

const nothing = async (): Promise<void> => undefined;

/** With a folder on the disk that ends with the clause. */
const onDisk =
  <T>(use: (root: string) => T): Open<T> =>
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'ventral-contract-'));
    return { at: use(root), close: () => rm(root, { recursive: true }) };
  };

describeContract(
  'Files: Node',
  filesContract,
  onDisk((root) => ({ files: createNodeFiles(), root })),
);
describeContract('Files: memory', filesContract, async () => ({
  at: { files: createMemoryFiles(), root: '.' },
  close: nothing,
}));

describeContract(
  'Hash: Node',
  hashContract,
  onDisk((root) => ({ hash: createNodeHash(), files: createNodeFiles(), root })),
);
describeContract('Hash: memory', hashContract, async () => {
  const files = createMemoryFiles();
  return { at: { hash: createMemoryHash(files), files, root: '.' }, close: nothing };
});

describeContract(
  'Cache: Node',
  cacheContract,
  onDisk((root) => ({ cache: createNodeCache(`${root}/cache`) })),
);
describeContract('Cache: Node, over files in memory', cacheContract, async () => {
  const files = createMemoryFiles();
  return {
    at: { cache: createNodeCache('cache', { files, hash: createMemoryHash(files) }) },
    close: nothing,
  };
});
describeContract('Cache: memory', cacheContract, async () => ({
  at: { cache: memoryCache() },
  close: nothing,
}));

describeContract('Images: Node', imagesContract, async () => ({
  at: { images: createNodeImages(), golden: goldenImages(), hash: createNodeHash() },
  close: nothing,
}));

// Starting one takes longer than all of its tests.
let shared: Promise<Engine> | null = null;
afterAll(async () => (await shared)?.close());
const nodeEngine: Open<EngineUnderTest> = async () => {
  shared ??= createNodeEngine({ threads: 2 });
  return {
    at: { engine: await shared, another: () => createNodeEngine({ threads: 1 }) },
    close: nothing,
  };
};
describeContract('Engine: Node', engineContract, nodeEngine);
describeContract('Engine: Node, any model', modelContract, nodeEngine);
describeContract('Engine: the plain one of tests', engineContract, async () => ({
  at: { engine: plainEngine(), another: async () => plainEngine() },
  close: nothing,
}));
