import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createNodeHdf5 } from '../../src/node/hdf5.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { VentralError } from '../../src/records/errors.ts';
import { changedRecord, hdf5OfRecord, recordOf } from '../hdf5-record.ts';
import { endure, mutations, truncations } from '../mutations.ts';
import { parsers, readBrainio, readNwb, recordParsers } from '../parsers.ts';

const bytesOf = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../golden/hdf5/${name}`, import.meta.url)));

describe.each([
  ['nwb', 'units.nwb', readNwb],
  ['brainio', 'assembly.nc', readBrainio],
] as const)('%s', (name, file, read) => {
  // Each is a run of the C library: `bench/fuzz.ts --cuts` cuts after every byte.
  it('refuses a file cut after every 211th byte', async () => {
    const cuts = [...truncations(bytesOf(file))].filter((_, index) => index % 211 === 0);
    const { refused } = await endure(cuts, parsers[name]!.parse, 30);
    expect(refused).toBe(cuts.length);
  });

  it('reads or refuses 20 files with changed bytes', async () => {
    const files = mutations([bytesOf(file)], 20, createRandom(`bytes ${name}`));
    const { read: whole, refused } = await endure(files, parsers[name]!.parse, 30);
    expect(whole + refused).toBe(20);
  });

  it('reads or refuses 2,000 files with changed contents', async () => {
    const record = await recordOf(await createNodeHdf5().open(bytesOf(file), file));
    const random = createRandom(`contents ${name}`);
    let [whole, refused] = [0, 0];
    for (let index = 0; index < 2000; index++) {
      const changed = changedRecord(record, random.fork(`${index}`));
      try {
        const { responses, header } = await read(hdf5OfRecord(changed));
        expect(responses.data).toHaveLength(responses.shape.reduce((a, b) => a * b, 1));
        expect(header.sites.length).toBeGreaterThan(0);
        whole++;
      } catch (thrown) {
        if (!(thrown instanceof VentralError) || thrown.message.includes('\n'))
          throw new Error(`change ${index}: ${String(thrown)}`, { cause: thrown });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(500);
    expect(whole).toBeGreaterThan(100);
  });
});

describe.each(Object.entries(recordParsers))('%s', (name, { parse, seeds, seconds, changes }) => {
  it('reads or refuses 150 files with changed names', async () => {
    const random = createRandom(`names ${name}`);
    const files = mutations(seeds(), 150, random, { change: changes!.names! });
    const { read: whole, refused } = await endure(files, parse, seconds);
    expect(whole + refused).toBe(150);
    expect(refused).toBeGreaterThan(20);
  });
});
