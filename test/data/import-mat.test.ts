import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { importMat, importNpz, type MatImport } from '../../src/data/import.ts';
import { npzParts } from '../../src/formats/npz.ts';
import { createNodeHdf5 } from '../../src/node/hdf5.ts';
import { createNodeImages } from '../../src/node/images.ts';
import type { Hdf5 } from '../../src/records/hdf5.ts';
import { inputLine } from '../formats/failure.ts';
import { noisePixels } from '../formats/noise.ts';
import { counting } from '../formats/recording-parts.ts';
import { createMemoryFiles, createMemoryHash, type MemoryFiles } from '../memory-files.ts';

interface Golden {
  readonly files: Record<string, { file: string; values: Record<string, { values: number[] }> }>;
}
const golden: Golden = JSON.parse(
  readFileSync(new URL('../golden/matlab.json', import.meta.url), 'utf8'),
);
const matBytes = (name: string) => new Uint8Array(Buffer.from(golden.files[name]!.file, 'base64'));

const images = createNodeImages();
let pictures: Uint8Array[];
beforeAll(async () => {
  pictures = await Promise.all([4, 5, 6].map((size) => images.encode(noisePixels(size, 8))));
});

const disk = createNodeHdf5();
/** Paths of files in memory are read as bytes, as the port allows. */
const hdf5Of = (files: MemoryFiles): Hdf5 => ({
  open: async (source, name) =>
    disk.open(typeof source === 'string' ? await files.read(source) : source, name),
});
const portsOf = (files: MemoryFiles) => ({
  files,
  images,
  hash: createMemoryHash(files),
  hdf5: hdf5Of(files),
  progress: () => {},
  checkStop: () => {},
});

const filesWith = (content: Record<string, Uint8Array>): MemoryFiles =>
  createMemoryFiles({
    'set/a.png': pictures[0]!,
    'set/b.png': pictures[1]!,
    'set/c.png': pictures[2]!,
    ...content,
  });

const request: MatImport = {
  responses: 'x.mat',
  variable: 'double',
  dims: ['stimulus', 'row', 'column', 'time'],
  stimuli: 'set',
  area: 'IT',
  species: 'macaque',
  window: null,
  time: { start: 0, step: 10 },
  out: 'out/rec',
};

describe('importMat', () => {
  it.each(['numeric', 'numeric-compressed'])('averages samples of %s in bins', async (name) => {
    const files = filesWith({ 'x.mat': matBytes(name) });
    const { values } = golden.files[name]!.values.double!;
    const { responses, header } = await importMat(
      {
        ...request,
        dims: ['stimulus', 'site', 'trial', 'time'],
        bins: [
          { start: 10, end: 30 },
          { start: 40, end: 50 },
        ],
      },
      portsOf(files),
    );
    expect(header.dims).toEqual(['time', 'trial', 'site', 'stimulus']);
    expect(header.timeBins).toEqual([
      { start: 10, end: 30 },
      { start: 40, end: 50 },
    ]);
    expect(header.notes).toEqual([
      'imported from x.mat (stimulus × site × trial × time)',
      'samples of 10 ms averaged in 2 time bins',
    ]);
    // `values` is row-major of (3, 2, 2, 5).
    const at = (stimulus: number, site: number, trial: number, sample: number): number =>
      values[((stimulus * 2 + site) * 2 + trial) * 5 + sample]!;
    const expected: number[] = [];
    for (const bin of [0, 1]) {
      for (let rest = 0; rest < 12; rest++) {
        const [trial, site, stimulus] = [Math.floor(rest / 6), Math.floor(rest / 3) % 2, rest % 3];
        expected.push(
          bin === 0
            ? (at(stimulus, site, trial, 1) + at(stimulus, site, trial, 2)) / 2
            : at(stimulus, site, trial, 4),
        );
      }
    }
    expect(responses.shape).toEqual([2, 2, 2, 3]);
    Array.from(responses.data).forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index]!, 14);
    });
  });

  it('takes the names of the images, backslashes and all, from a cell array', async () => {
    const files = filesWith({ 'x.mat': matBytes('numeric'), 'names.mat': matBytes('texts') });
    const ports = portsOf(files);
    const line = await inputLine(() =>
      importMat({ ...request, dims: ['stimulus', 'site', 'trial', 'time'], names: 'paths' }, ports),
    );
    expect(line).toContain('x.mat: expected a variable "paths"');
    const recording = await importMat(
      {
        ...request,
        variable: 'doubles',
        dims: ['site', 'trial', 'stimulus', 'time'],
        names: 'paths',
        responses: 'h.mat',
      },
      portsOf(
        filesWith({
          'h.mat': new Uint8Array(
            readFileSync(fileURLToPath(new URL('../golden/hdf5/matlab73.mat', import.meta.url))),
          ),
        }),
      ),
    );
    // Version 7.3; C:\set\b.png before C:\set\a.png.
    expect(recording.stimuli.map(({ id, file }) => [id, file])).toEqual([
      ['b', 'b.png'],
      ['a', 'a.png'],
    ]);
    expect(recording.responses.shape).toEqual([5, 2, 4, 3]);
  });

  it('takes float32 as float32, and whole numbers as float64', async () => {
    const files = filesWith({ 'x.mat': matBytes('numeric') });
    const change = { time: null, window: { start: 0, end: 100 }, dims: ['site', 'stimulus'] };
    const single = await importMat({ ...request, ...change, variable: 'single' }, portsOf(files));
    expect(single.responses.data).toBeInstanceOf(Float32Array);
    expect(single.responses.shape).toEqual([3, 4]);
    const whole = await importMat(
      {
        ...request,
        ...change,
        variable: 'int64',
        dims: ['site', 'stimulus', 'trial'],
        out: 'out/whole',
      },
      portsOf(files),
    );
    expect(whole.responses.data).toBeInstanceOf(Float64Array);
    expect(whole.responses.shape).toEqual([4, 3, 2]);
    expect(whole.responses.data[6]).toBe(golden.files.numeric!.values.int64!.values[1]);
  });

  it('refuses bins that samples do not make up, that overlap, or that come without times', async () => {
    const files = filesWith({ 'x.mat': matBytes('numeric') });
    const dims = ['stimulus', 'site', 'trial', 'time'];
    const line = (change: Partial<MatImport>) =>
      inputLine(() => importMat({ ...request, dims, ...change }, portsOf(files)));
    expect(await line({ bins: [{ start: 10, end: 35 }] })).toBe(
      'bins: expected 10-35 ms made up of whole samples, got 20 ms in 2 samples (all: 0 to 50 ms); give bins in ms that whole samples make up',
    );
    expect(await line({ bins: [{ start: 40, end: 60 }] })).toContain('got 10 ms in 1 samples');
    expect(
      await line({
        bins: [
          { start: 0, end: 20 },
          { start: 10, end: 30 },
        ],
      }),
    ).toContain('expected bins that do not overlap, got 0-20 and 10-30');
    expect(
      await line({ time: null, window: { start: 0, end: 1 }, bins: [{ start: 0, end: 1 }] }),
    ).toContain('bins: expected start and step of the samples with it');
    expect(
      await line({
        variable: 'logical',
        dims: ['site', 'stimulus'],
        time: null,
        window: { start: 0, end: 1 },
      }),
    ).toContain(
      'set: expected 4 images, the size of the dimension stimulus of x.mat: logical, got 3',
    );
  });
});

describe('importNpz', () => {
  const npz = (...names: string[]) =>
    Buffer.concat(npzParts(Object.fromEntries(names.map((name) => [name, counting(3, 2)]))));
  const change = { responses: 'x.npz', dims: ['stimulus', 'site'], time: null } as const;
  const window = { start: 0, end: 100 };

  it('takes the one array, or the one that is named', async () => {
    const files = filesWith({ 'x.npz': npz('R'), 'y.npz': npz('R', 'S') });
    const one = await importNpz({ ...request, ...change, window }, portsOf(files));
    expect(one.responses).toEqual(counting(3, 2));
    const other = { ...request, ...change, window, responses: 'y.npz', out: 'out/y' };
    expect((await importNpz({ ...other, array: 'S' }, portsOf(files))).responses.shape).toEqual([
      3, 2,
    ]);
    expect(await inputLine(() => importNpz({ ...other, out: 'z' }, portsOf(files)))).toBe(
      'y.npz: expected one array, got R, S; name the one that is meant',
    );
  });
});
