import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { endure, mutations } from '../mutations.ts';
import { parsers } from '../parsers.ts';

// MATLAB and HDF5 have theirs beside their other tests. `bench/fuzz.ts` does more of the same.
describe('2,000 changed files', () => {
  it.each(['npy', 'npz', 'zip', 'csv'])('of %s are read or refused', async (name) => {
    const { seeds, parse, seconds } = parsers[name]!;
    const files = mutations(seeds(), 2000, createRandom(`fuzz ${name}`));
    const { read, refused } = await endure(files, parse, seconds);
    expect(read + refused).toBe(2000);
    expect(refused).toBeGreaterThan(500);
  });
});
