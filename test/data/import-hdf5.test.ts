import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BrainioImport, importBrainio } from '../../src/data/brainio.ts';
import { importNwb, type NwbImport } from '../../src/data/nwb.ts';
import { createNodeHdf5 } from '../../src/node/hdf5.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Hdf5 } from '../../src/records/hdf5.ts';
import { inputLine } from '../formats/failure.ts';
import { noisePixels } from '../formats/noise.ts';
import { createMemoryFiles, createMemoryHash, type MemoryFiles } from '../memory-files.ts';
import { endure, mutations } from '../mutations.ts';

const url = (name: string): URL => new URL(`../golden/${name}`, import.meta.url);
const bytesOf = (name: string) => new Uint8Array(readFileSync(url(`hdf5/${name}`)));
const golden = JSON.parse(readFileSync(url('hdf5.json'), 'utf8')) as {
  assembly: { shown: [string, number][]; objects: Record<string, string>; responses: number[] };
  units: { trials: string[]; counts: number[][][] };
};

const images = createNodeImages();
let pictures: Uint8Array[];
beforeAll(async () => {
  pictures = await Promise.all([4, 5, 6].map((size) => images.encode(noisePixels(size, 8))));
});
const disk = createNodeHdf5({ seconds: 1 });
const portsOf = (files: MemoryFiles) => ({
  files,
  images,
  hash: createMemoryHash(files),
  hdf5: {
    open: async (source: string | Uint8Array, name: string) =>
      disk.open(typeof source === 'string' ? await files.read(source) : source, name),
  },
  progress: () => {},
  checkStop: () => {},
});

/** The same files, with other values at one path. */
const instead = (path: string, value: readonly string[] | Float64Array | Float32Array): Hdf5 => ({
  open: async (source, name) => {
    const file = await disk.open(
      typeof source === 'string'
        ? bytesOf(source === 'a.nc' ? 'assembly.nc' : 'units.nwb')
        : source,
      name,
    );
    return {
      ...file,
      read: (at, ranges) => (at === path ? Promise.resolve(value) : file.read(at, ranges)),
    };
  },
});

describe('importBrainio', () => {
  const csv = ',image_id,filename,background\n0,c9,c9.png,sky\n1,a1,a1.png,sea\n2,b7,b7.png,sky\n';
  const request: BrainioImport = {
    assembly: 'a.nc',
    stimuli: 's.csv',
    images: 'set',
    species: 'macaque',
    out: 'out/rec',
  };
  const filesWith = (change: Record<string, Uint8Array | string> = {}): MemoryFiles =>
    createMemoryFiles({
      'a.nc': bytesOf('assembly.nc'),
      's.csv': csv,
      'set/a1.png': pictures[0]!,
      'set/b7.png': pictures[1]!,
      'set/c9.png': pictures[2]!,
      ...change,
    });

  /** The golden response of a presentation. */
  const response = (presentation: number, site: number, bin: number): number =>
    golden.assembly.responses[(presentation * 4 + site) * 2 + bin]!;

  it('regroups presentations to trials, in the order of the stimulus set', async () => {
    const files = filesWith();
    const { header, responses, stimuli } = await importBrainio(request, portsOf(files));
    expect(header.dims).toEqual(['stimulus', 'trial', 'time', 'site']);
    expect(responses.shape).toEqual([3, 3, 2, 4]);
    expect(responses.data).toBeInstanceOf(Float32Array);
    const order = ['c9', 'a1', 'b7'];
    expect(stimuli.map(({ id }) => id)).toEqual(order);
    expect(stimuli[1]!.columns).toEqual({ object_name: 'dog', background: 'sea' });
    const { shown } = golden.assembly;
    order.forEach((id, stimulus) => {
      const presentations = shown.flatMap(([image], at) => (image === id ? [at] : []));
      for (const trial of [0, 1, 2]) {
        for (const [bin, site] of [
          [0, 0],
          [1, 3],
        ] as const) {
          const value = responses.data[((stimulus * 3 + trial) * 2 + bin) * 4 + site]!;
          const at = presentations[trial];
          if (at === undefined) expect(value).toBeNaN();
          else expect(value).toBe(response(at, site, bin));
        }
      }
    });
    expect(header.timeBins).toEqual([
      { start: 70, end: 170 },
      { start: 170, end: 270 },
    ]);
    expect(header.sites[3]).toEqual({ id: 'n4', area: 'IT', animal: 'Tito' });
  });

  it('takes one area, and averages time bins', async () => {
    const { header, responses } = await importBrainio(
      { ...request, areas: ['IT'], bins: [{ start: 70, end: 270 }] },
      portsOf(filesWith()),
    );
    expect(header.sites.map(({ id }) => id)).toEqual(['n3', 'n4']);
    expect(header.dims).toEqual(['stimulus', 'trial', 'site']);
    // c9 was shown second (presentation 1).
    expect(responses.data[1]).toBeCloseTo((response(1, 3, 0) + response(1, 3, 1)) / 2, 12);
  });

  it('refuses what does not fit', async () => {
    const line = (change: Partial<BrainioImport>, files = filesWith()) =>
      inputLine(() => importBrainio({ ...request, ...change }, portsOf(files)));
    expect(await line({ areas: ['V1'] })).toBe(
      'areas: expected V4, IT, got V1; take regions that the assembly has',
    );
    expect(await line({ bins: [{ start: 0, end: 170 }] })).toContain('bins: expected 0-170 ms');
    expect(await line({}, filesWith({ 's.csv': csv.replace('1,a1', '1,zz') }))).toContain(
      's.csv: expected a row for every stimulus of the assembly, got none for "a1"',
    );
    expect(await line({}, filesWith({ 's.csv': csv.replace('a1.png', 'q.png') }))).toContain(
      's.csv: expected images of set, got "q.png", which is not among them',
    );
    const twoFolders = csv.replace('a1.png', 'cars/a1.png').replace('b7.png', 'dogs/a1.png');
    expect(await line({}, filesWith({ 's.csv': twoFolders }))).toContain(
      'got "cars/a1.png" and "dogs/a1.png", for which there is only a1.png',
    );
    expect(await line({}, filesWith({ 'a.nc': bytesOf('units.nwb') }))).toContain(
      'a.nc: expected a variable with the dimensions presentation and neuroid, got',
    );
    expect(await line({}, filesWith({ 's.csv': 'id,filename\na1,a1.png\n' }))).toContain(
      's.csv: expected a column stimulus_id or image_id',
    );
    expect(await line({}, filesWith({ 's.csv': `${csv}3,a1,a1.png,sky\n` }))).toContain(
      's.csv: image_id: expected each id once, got "a1" again',
    );
    expect(await line({ window: { start: 70, end: 170 } })).toBe(
      'window: expected an assembly without time bins, got one that has them; leave the window out, or average its bins in others',
    );
  });

  it('names the assembly, not what would have been written, where its numbers are at fault', async () => {
    const line = (path: string, value: readonly string[] | Float32Array) => {
      const ports = portsOf(filesWith());
      return inputLine(() => importBrainio(request, { ...ports, hdf5: instead(path, value) }));
    };
    expect(await line('/time_bin_start', ['early', 'late'])).toContain(
      'a.nc: time_bin 0: expected a start below its end, in ms, got "early" and "170"',
    );
    expect(await line('/neuroid_id', ['n1', 'n2', 'n1', 'n4'])).toContain(
      'a.nc: neuroid_id: expected each id once, got "n1" again',
    );
    const { length } = golden.assembly.responses;
    expect(
      await line('/dicarlo.Made.public', new Float32Array(length).fill(Number.POSITIVE_INFINITY)),
    ).toMatch(/^a\.nc: .*expected finite numbers, or NaN for a missing trial, got Infinity/);
  });

  it('endures 50 mutations of the assembly, some of which make the library run in circles', async () => {
    const parse = async (bytes: Uint8Array): Promise<void> => {
      await importBrainio(request, portsOf(filesWith({ 'a.nc': bytes })));
    };
    const seeds = [bytesOf('assembly.nc')];
    const { refused } = await endure(mutations(seeds, 50, createRandom('brainio')), parse, 30);
    expect(refused).toBeGreaterThan(10);
  });
});

describe('importNwb', () => {
  const request: NwbImport = {
    file: 'u.nwb',
    intervals: 'trials',
    stimulusColumn: 'image',
    stimuli: 'set',
    bins: [
      { start: 50, end: 150 },
      { start: 150, end: 250 },
    ],
    area: { column: 'location' },
    species: 'mouse',
    out: 'out/rec',
  };
  const filesWith = (): MemoryFiles =>
    createMemoryFiles({
      'u.nwb': bytesOf('units.nwb'),
      'set/x.png': pictures[0]!,
      'set/y.png': pictures[1]!,
    });

  it('counts spikes from the start of each interval, by stimulus and trial', async () => {
    const { header, responses, stimuli } = await importNwb(request, portsOf(filesWith()));
    expect(header.dims).toEqual(['stimulus', 'trial', 'time', 'site']);
    expect(responses.shape).toEqual([2, 4, 2, 3]);
    expect(stimuli.map(({ id }) => id)).toEqual(['x', 'y']);
    expect(header.sites.map(({ area }) => area)).toEqual(['V4', 'IT', 'IT']);
    const { trials, counts } = golden.units;
    ['x.png', 'y.png'].forEach((image, stimulus) => {
      const shown = trials.flatMap((name, at) => (name === image ? [at] : []));
      for (let trial = 0; trial < 4; trial++) {
        for (let bin = 0; bin < 2; bin++) {
          const found = [0, 1, 2].map(
            (unit) => responses.data[((stimulus * 4 + trial) * 2 + bin) * 3 + unit],
          );
          const at = shown[trial];
          expect(found).toEqual(
            at === undefined ? [NaN, NaN, NaN] : counts[at]!.map((unit) => unit[bin]),
          );
        }
      }
    });
  });

  it('counts no spikes, not none, of an interval that never began', async () => {
    const { trials } = golden.units;
    const starts = Float64Array.from(trials, (_, at) => (at === 0 ? Number.NaN : at));
    const { responses } = await importNwb(request, {
      ...portsOf(filesWith()),
      hdf5: instead('/intervals/trials/start_time', starts),
    });
    const stimulus = trials[0] === 'x.png' ? 0 : 1;
    const first = responses.data.slice(stimulus * 24, stimulus * 24 + 12);
    expect([...first.slice(0, 6)]).toEqual(new Array(6).fill(Number.NaN));
    expect([...first.slice(6)].some(Number.isNaN)).toBe(false);
  });

  it('takes one area for all, and refuses tables and columns that are not there', async () => {
    const ports = portsOf(filesWith());
    const { header } = await importNwb({ ...request, area: { name: 'IT' } }, ports);
    expect(new Set(header.sites.map(({ area }) => area))).toEqual(new Set(['IT']));
    const line = (change: Partial<NwbImport>) =>
      inputLine(() => importNwb({ ...request, out: 'z', ...change }, ports));
    expect(await line({ intervals: 'epochs' })).toBe(
      'u.nwb: expected a table /intervals/epochs, got trials; name one of the tables',
    );
    expect(await line({ stimulusColumn: 'picture' })).toMatch(
      /^u\.nwb: expected a column \/intervals\/trials\/picture, got .*\bimage\b.*; name one of its columns$/,
    );
    expect(await line({ area: { column: 'region' } })).toMatch(
      /a column \/units\/region, got .*\blocation\b/,
    );
  });
});
