import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createNodeCache } from '../../src/node/cache.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { storageLine, bytesOf as text } from '../contracts/contract.ts';
import { createMemoryFiles, createMemoryHash } from '../memory-files.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ventral-node-'));
});
afterEach(() => rm(root, { recursive: true }));

it('takes away the folders it made when the writing fails', async () => {
  // A name that the file system refuses, after its folders were made.
  const path = `${root}/made/for/it/${'n'.repeat(300)}`;
  await storageLine(createNodeFiles().write(path, [text('x')]));
  expect(await readdir(root)).toEqual([]);
});

it('gives up where a file system refuses new folders as absent', async (context) => {
  if ((await createNodeFiles().info('/proc/version')) === null)
    context.skip('there is no /proc here');
  await storageLine(createNodeFiles().write('/proc/ventral/deeper/x', [text('x')]));
});

it('writes to a device without replacing it', async () => {
  await createNodeFiles().write('/dev/null', [text('x')]);
  expect((await createNodeFiles().info('/dev/null'))?.size).toBe(0);
});

it('a full disk fails in one line and leaves nothing behind', async () => {
  const files = createMemoryFiles({ 'out/x': '' });
  files.limit(3);
  expect(await storageLine(files.write('out/score.json', [text('12'), text('34')]))).toBe(
    'out/score.json: expected room on the disk, got a full disk (ENOSPC); free some space or write elsewhere',
  );
  expect(files.tree()).toEqual(['out/', 'out/x']);
});

it('takes a damaged or truncated entry of the cache for a miss', async () => {
  const files = createMemoryFiles();
  const cache = createNodeCache('cache', { files, hash: createMemoryHash(files) });
  await cache.put('model:1', new Uint8Array([1, 2, 3]));
  await cache.put('../../climbing', new Uint8Array([4]));
  const paths = files.tree().filter((path) => !path.endsWith('/'));
  expect(paths.every((path) => path.startsWith('cache/'))).toBe(true);
  for (const path of paths) {
    const entry = await files.read(path);
    entry[entry.length - 1]! ^= 1;
    await files.write(path, [entry]);
  }
  expect(await cache.get('model:1')).toBeNull();
  for (const path of paths) await files.write(path, [new Uint8Array([7])]);
  expect(await cache.get('model:1')).toBeNull();
  await cache.put('model:1', new Uint8Array([5]));
  expect(await cache.get('model:1')).toEqual(new Uint8Array([5]));
});

it('an entry put in the place of another key is a miss', async () => {
  const files = createMemoryFiles();
  const cache = createNodeCache('cache', { files, hash: createMemoryHash(files) });
  await cache.put('a', new Uint8Array([1]));
  const [first] = files.tree().filter((path) => !path.endsWith('/'));
  await cache.put('b', new Uint8Array([2]));
  const second = files.tree().find((path) => !path.endsWith('/') && path !== first);
  await files.write(second!, [await files.read(first!)]);
  expect(await cache.get('b')).toBeNull();
});
