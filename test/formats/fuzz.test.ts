import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { endure, mutated, mutations } from '../mutations.ts';
import { parsers } from '../parsers.ts';
import { folderParsers } from '../parsers-folders.ts';
import { networkParsers } from '../parsers-networks.ts';

// MATLAB and HDF5 have their changed bytes beside their other tests. `bench/fuzz.ts` does more of the same.
describe('2,000 changed files', () => {
  it.each(['npy', 'npz', 'zip', 'csv'])('of %s are read or refused', async (name) => {
    const { seeds, parse, seconds } = parsers[name]!;
    const files = mutations(seeds(), 2000, createRandom(`fuzz ${name}`));
    const { read, refused } = await endure(files, parse, seconds);
    expect(read + refused).toBe(2000);
    expect(refused).toBeGreaterThan(500);
  });
});

/** Some of each: names, wires of graphs, contents behind checksums that are right. */
const samples: readonly (readonly [name: string, change: string, count: number])[] = [
  ['onnx', 'names', 60],
  ['onnx', 'wires', 60],
  ['layers', 'names', 40],
  ['layers', 'wires', 40],
  ['twin', 'wires', 40],
  ['gradient', 'wires', 30],
  ['npz', 'sums', 150],
  ['zip', 'sums', 200],
  ['matlab', 'names', 200],
  ['matlab', 'sums', 100],
  ['tfrecord', 'sums', 300],
  ['npy', 'names', 300],
  ['csv', 'names', 200],
  ['recording', 'names', 80],
  ['import-npy', 'names', 80],
  ['activations', 'names', 80],
  ['maps', 'names', 80],
  ['fixations', 'names', 80],
  ['preprocess', 'names', 200],
  ['protocol', 'names', 100],
];

describe.each(samples)('%s with changed %s', (name, change, count) => {
  const { seeds, parse, seconds, changes = {} } = parsers[name]!;

  it(`is read or refused: ${count} of them`, async () => {
    const random = createRandom(`fuzz ${name} ${change}`);
    const files = mutations(seeds(), count, random, { change: changes[change] ?? mutated });
    const { read, refused } = await endure(files, parse, seconds);
    expect(read + refused).toBe(count);
    // A change that is always refused, or never, would reach nothing new.
    expect(read).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });
});

// Seeds of formats are also files that are to be refused.
describe.each(Object.entries({ ...networkParsers, ...folderParsers }))('%s', (_, parser) => {
  it('has seeds that are read', async () => {
    for (const seed of parser.seeds()) await parser.parse(seed);
  });
});
