import { describe, expect, it } from 'vitest';
import { npyParts } from '../../src/formats/npy.ts';
import { openActivations } from '../../src/models/activation-file.ts';
import type { NdArray } from '../../src/records/array.ts';
import { createMemoryFiles, createMemoryHash } from '../memory-files.ts';

const hooks = { progress: () => undefined, checkStop: () => undefined };

/** The block of the only layer of a file of 3 stimuli with 2 features. */
const blockOf = async (data: NdArray['data']) => {
  const npy = new Uint8Array(Buffer.concat(npyParts({ data, shape: [3, 2] })));
  const files = createMemoryFiles({ 'x.npy': npy });
  const request = {
    activations: 'x.npy',
    layers: null,
    order: null,
    stimuli: ['a', 'b', 'c'].map((id) => ({ id, file: `${id}.png`, columns: {} })),
    used: Int32Array.of(2, 0),
    grid: null,
    minimumFeatures: 1,
  };
  const { features } = await openActivations(request, { files, hash: createMemoryHash(files) });
  const [source] = await features.gather(features.passes[0]!, () => true, hooks);
  for await (const block of source!.blocks()) return block;
  throw new Error('no block');
};

describe('activations of a file', () => {
  it('keep their digits where the file has more than float32', async () => {
    const million = [1e6 + 0.1, 1e6 + 0.2, 1, 2, 1e6 + 0.3, 1e6 + 0.4];
    expect((await blockOf(Float64Array.from(million))).data).toEqual(
      Float64Array.of(1e6 + 0.3, 1e6 + 0.4, 1e6 + 0.1, 1e6 + 0.2),
    );
    const counts = [2 ** 24 + 1, 3, 5, 6, 2 ** 30 + 1, 7];
    expect((await blockOf(Int32Array.from(counts))).data).toEqual(
      Float64Array.of(2 ** 30 + 1, 7, 2 ** 24 + 1, 3),
    );
    expect((await blockOf(BigInt64Array.from(counts, BigInt))).data[0]).toBe(2 ** 30 + 1);
    expect((await blockOf(Float32Array.of(1, 2, 3, 4, 5, 6))).data).toEqual(
      Float32Array.of(5, 6, 1, 2),
    );
    expect((await blockOf(Uint8Array.of(1, 2, 3, 4, 5, 6))).data).toBeInstanceOf(Float32Array);
  });

  it('must be within float32, in which networks are run', async () => {
    await expect(blockOf(Float64Array.of(1, 2, 3, 4, 5, 1e39))).rejects.toThrow(
      'x.npy: features, stimulus "c": expected finite numbers, as float32 holds them, got 1e+39 in feature 1',
    );
  });
});
