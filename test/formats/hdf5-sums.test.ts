import { describe, expect, it } from 'vitest';
import { createNodeHdf5 } from '../../src/node/hdf5.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { changedHdf5, checkedChunks, checkedParts, lookup3 } from '../changed-hdf5.ts';
import { endure, mutations } from '../mutations.ts';
import { golden } from '../parser.ts';
import { readNwb } from '../parsers.ts';

const latest = golden('hdf5/latest.nwb');
const { chunks, counts } = JSON.parse(new TextDecoder().decode(golden('hdf5-latest.json'))) as {
  chunks: [number, number][];
  counts: number[][];
};
const hdf5 = createNodeHdf5({ seconds: 1 });
const read = (bytes: Uint8Array) => readNwb({ open: () => hdf5.open(bytes, 'x') });

describe('a file in the newest layout, whose every part has a checksum', () => {
  it('is read', async () => {
    const { responses } = await read(latest);
    const shown = [0, 2, 4, 5].flatMap((at) => counts[at]!);
    expect([...responses.data.slice(0, 12)]).toEqual(shown);
  });

  it('has the checksums that its library wrote', () => {
    // Bob Jenkins, lookup3.c (2006), driver5.
    const text = new TextEncoder().encode('Four score and seven years ago');
    expect(lookup3(text, 0, text.length)).toBe(0x17770551);
    expect(lookup3(text, 0, 0)).toBe(0xdeadbeef);
    const found = checkedParts(latest).map(({ from }) =>
      Buffer.from(latest.subarray(from, from + 4)).toString('latin1'),
    );
    expect(found).toHaveLength(24);
    const kinds = '\x89HDF BTHD BTLF EAHD EAIB FADB FAHD FHDB FRHP FSHD FSSE OCHK OHDR'.split(' ');
    expect(new Set(found)).toEqual(new Set(kinds));
    expect(checkedChunks(latest, chunks)).toHaveLength(2);
  });

  it('is refused with one spike changed, and read once the checksum is repaired', async () => {
    const changed = latest.slice();
    const [part] = checkedChunks(latest, chunks);
    new DataView(changed.buffer).setFloat64(part!.from, 10.1, true);
    await expect(read(changed)).rejects.toMatchObject({ kind: 'input' });
    new DataView(changed.buffer).setUint32(part!.sumAt, part!.sum(changed), true);
    const { responses } = await read(changed);
    expect(responses.data[0]).toBe(counts[0]![0]! + 1);
  });

  it('is read or refused with contents changed behind right checksums', async () => {
    const files = mutations([latest], 40, createRandom('sums'), { change: changedHdf5(chunks) });
    const { read: whole, refused } = await endure(files, read, 30);
    expect(whole + refused).toBe(40);
    expect(whole).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });
});
