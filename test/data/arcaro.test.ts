import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ArcaroImport, importArcaro } from '../../src/data/arcaro.ts';
import { readRecording } from '../../src/formats/recording.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { openZip } from '../../src/formats/zip.ts';
import { createNodeHdf5 } from '../../src/node/hdf5.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { inputLine } from '../formats/failure.ts';
import { createMemoryFiles, createMemoryHash, type MemoryFiles } from '../memory-files.ts';

const path = (name: string): URL => new URL(`../golden/${name}`, import.meta.url);
const archive = new Uint8Array(readFileSync(path('arcaro2020.zip')));
const golden = JSON.parse(readFileSync(path('arcaro2020.json'), 'utf8')) as Record<
  string,
  { shape: number[]; sums: number[] }
>;

const portsOf = (files: MemoryFiles) => ({
  files,
  hash: createMemoryHash(files),
  images: createNodeImages(),
  hdf5: createNodeHdf5(),
  progress: () => {},
  checkStop: () => {},
});
const request: ArcaroImport = { archive: 'a.zip', out: 'recordings/arcaro2020' };

/** The archive's entries as files of a folder; those named in `change` are replaced or left out. */
let entries: Record<string, Uint8Array>;
beforeAll(async () => {
  const zip = await openZip(bytesSource(archive), 'a.zip');
  entries = {};
  for (const entry of zip.entries) entries[entry.name] = await zip.read(entry);
});
const folder = (change: Record<string, Uint8Array | null> = {}): MemoryFiles =>
  createMemoryFiles(
    Object.fromEntries(
      Object.entries({ ...entries, ...change })
        .filter((entry): entry is [string, Uint8Array] => entry[1] !== null)
        .map(([name, bytes]) => [`release/${name}`, bytes]),
    ),
  );

describe('importArcaro', () => {
  it.each([
    'archive',
    'folder',
  ])('makes the three recordings of the paper from the %s', async (kind) => {
    const files = kind === 'archive' ? createMemoryFiles({ 'a.zip': archive }) : folder();
    const ports = portsOf(files);
    const made = await importArcaro(
      { ...request, archive: kind === 'archive' ? 'a.zip' : 'release' },
      ports,
    );
    expect(made).toEqual(['m1-ml', 'm1-pl', 'm2-ml'].map((name) => `${request.out}/${name}`));
    for (const place of made) {
      const { header, responses, stimuli } = await readRecording(place, ports);
      const name = place.split('/').at(-1)!;
      const { shape, sums } = golden[name]!;
      expect(responses.shape).toEqual(shape);
      // Means of 40 whole counts.
      expect(Array.from(responses.data, (mean) => mean * 40)).toEqual(
        sums.map((sum) => (sum / 40) * 40),
      );
      expect(header.dims).toEqual(['stimulus', 'site', 'time', 'column', 'row']);
      expect(header.timeBins.map(({ start, end }) => `${start}-${end}`).join()).toBe(
        '50-90,90-130,130-170,170-210,210-250',
      );
      expect(header.grid).toMatchObject({ rows: shape[4], columns: shape[3] });
      expect(stimuli.map(({ id }) => id)).toEqual(
        name === 'm2-ml' ? ['face2', 'face10'] : ['Zebra', 'apple'],
      );
    }
  });

  it('names channels, areas and animals, and states the split', async () => {
    const ports = portsOf(createMemoryFiles({ 'a.zip': archive }));
    const [ml, pl, red] = await importArcaro(request, ports);
    const first = (await readRecording(pl!, ports)).header;
    const second = (await readRecording(ml!, ports)).header;
    const third = (await readRecording(red!, ports)).header;
    expect([first.sites[0], first.sites.length]).toEqual([
      { id: 'channel01', area: 'PL', animal: 'George' },
      31,
    ]);
    expect([second.sites[0], second.sites.length]).toEqual([
      { id: 'channel32', area: 'ML', animal: 'George' },
      32,
    ]);
    expect([third.sites[0]?.animal, third.sites.length]).toEqual(['Red', 32]);
    expect(first.notes[0]).toContain('channels 1 to 31 are taken as PL, 32 to 63 as ML');
    expect(second.name).toBe('arcaro2020/m1-ml');
  });

  it('takes another split, and refuses one that leaves nothing', async () => {
    const ports = portsOf(createMemoryFiles({ 'a.zip': archive }));
    const [, pl] = await importArcaro({ ...request, posterior: 33 }, ports);
    expect((await readRecording(pl!, ports)).header.sites.length).toBe(33);
    expect(
      await inputLine(() => importArcaro({ ...request, posterior: 63, out: 'x' }, ports)),
    ).toBe(
      'posterior: expected a whole number from 1 to 62, got 63; leave at least one channel to each area',
    );
  });
});

describe('importArcaro refuses, and leaves nothing', () => {
  const refusal = async (files: MemoryFiles): Promise<string> => {
    const before = files.tree();
    const line = await inputLine(() =>
      importArcaro({ ...request, archive: 'release' }, portsOf(files)),
    );
    expect(files.tree()).toEqual(before);
    return line;
  };

  it('another layout, also when it shows late', async () => {
    expect(await refusal(folder({ 'Arcaro2020/Red/red_062419_data.mat': null }))).toBe(
      'release: expected one file Red/red_062419_data.mat in it, got none; name the archive or folder of the release',
    );
    expect(await refusal(folder({ 'Arcaro2020/Red/red_naturalface/face10.png': null }))).toContain(
      'got "E:\\red\\red_naturalface\\face10.png", which is not among them',
    );
  });

  it('truncated numbers, stored and compressed', async () => {
    for (const name of ['George/george_060118_data.mat', 'Red/red_062419_data.mat']) {
      const bytes = entries[`Arcaro2020/${name}`]!;
      const cut = bytes.subarray(0, Math.floor(bytes.length * 0.7));
      expect(await refusal(folder({ [`Arcaro2020/${name}`]: cut }))).toMatch(
        /truncated|fits the file/,
      );
    }
  });
});
