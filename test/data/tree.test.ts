import { zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { openTree } from '../../src/data/tree.ts';
import { createMemoryFiles } from '../memory-files.ts';

it('refuses an image in an archive that unpacks out of proportion, before it takes the memory', async () => {
  const archive = zipSync({ 'a.bmp': new Uint8Array(65 * 2 ** 20), 'b.bmp': new Uint8Array(9) });
  const files = createMemoryFiles({ 'images.zip': archive });
  const tree = await openTree('images.zip', files);
  await expect(tree.read('a.bmp')).rejects.toThrow(
    /^images\.zip: a\.bmp: expected at most 67108864 bytes unpacked from \d+, got 68157440; do not trust/,
  );
  expect(await tree.read('b.bmp')).toHaveLength(9);
});
