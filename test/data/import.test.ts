import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importNpy, type NpyImport } from '../../src/data/import.ts';
import { inspectRecording } from '../../src/data/inspect.ts';
import { hashStimuli, readStimulus } from '../../src/data/stimuli.ts';
import { npyParts } from '../../src/formats/npy.ts';
import { readRecording } from '../../src/formats/recording.ts';
import { zipParts } from '../../src/formats/zip-write.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { createNodeHash } from '../../src/node/hash.ts';
import { createNodeImages } from '../../src/node/images.ts';
import type { NdArray } from '../../src/records/array.ts';
import { VentralError } from '../../src/records/errors.ts';
import type { ProgressEvent } from '../../src/records/ports.ts';
import { storageLine } from '../contracts/contract.ts';
import { inputLine } from '../formats/failure.ts';
import { noisePixels } from '../formats/noise.ts';
import { counting } from '../formats/recording-parts.ts';
import { createMemoryFiles, createMemoryHash, type MemoryFiles } from '../memory-files.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';

const images = createNodeImages();
let pictures: Uint8Array[];
beforeAll(async () => {
  pictures = await Promise.all([4, 5, 6].map((size) => images.encode(noisePixels(size, 8))));
});

const portsOf = (files: MemoryFiles, progress: (event: ProgressEvent) => void = () => {}) => ({
  files,
  images,
  hash: createMemoryHash(files),
  progress,
  checkStop: () => {},
});
const npy = (array: NdArray): Uint8Array => Buffer.concat(npyParts(array));

/** A response array of 2 sites, 3 stimuli, 4 trials with a folder of 3 images; what is given is added. */
const filesWith = (content: Record<string, Uint8Array | string> = {}): MemoryFiles =>
  createMemoryFiles({
    'R.npy': npy(counting(2, 3, 4)),
    'images/b.png': pictures[0]!,
    'images/B.png': pictures[1]!,
    'images/a10.png': pictures[2]!,
    'images/readme.txt': 'not an image',
    ...content,
  });

const request: NpyImport = {
  responses: 'R.npy',
  dims: ['site', 'stimulus', 'trial'],
  stimuli: 'images',
  area: 'V4',
  species: 'macaque',
  window: { start: 0, end: 100 },
  time: null,
  out: 'out/rec',
};
const importWith = (files: MemoryFiles, change: Partial<NpyImport> = {}) =>
  importNpy({ ...request, ...change }, portsOf(files));

/** The line of the input error; nothing but what was there before is there afterwards. */
const refusal = async (files: MemoryFiles, change: Partial<NpyImport> = {}): Promise<string> => {
  const before = files.tree();
  const line = await inputLine(() => importWith(files, change));
  expect(files.tree()).toEqual(before);
  return line;
};

describe('importNpy', () => {
  it('makes a recording folder that says where it comes from', async () => {
    const files = filesWith();
    const events: ProgressEvent[] = [];
    const recording = await importNpy(
      { ...request, animal: 'M1', unit: 'spike count', licence: 'CC0' },
      portsOf(files, (event) => events.push(event)),
    );
    expect(recording.header).toEqual({
      kind: 'recording',
      format: 2,
      name: 'rec',
      species: 'macaque',
      dims: ['site', 'stimulus', 'trial'],
      sites: [
        { id: 'site1', area: 'V4', animal: 'M1' },
        { id: 'site2', area: 'V4', animal: 'M1' },
      ],
      timeBins: [{ start: 0, end: 100 }],
      grid: null,
      unit: 'spike count',
      licence: 'CC0',
      citation: null,
      notes: [
        'imported from R.npy (site × stimulus × trial)',
        expect.stringContaining('by code unit'),
      ],
    });
    // By code unit: capitals first, 1 before letters.
    expect(recording.stimuli.map(({ id, file }) => [id, file])).toEqual([
      ['B', 'B.png'],
      ['a10', 'a10.png'],
      ['b', 'b.png'],
    ]);
    expect(recording.responses).toEqual(counting(2, 3, 4));
    expect(events.at(-1)).toEqual({ task: 'stimuli', done: 3, total: 3, unit: 'images' });
    const pixels = await readStimulus(recording, recording.stimuli[1]!, portsOf(files));
    expect(pixels).toEqual(noisePixels(6, 8));
  });

  it('takes dims in any order, NaN for missing trials, and NumPy’s Fortran order', async () => {
    const fortran = `{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }\n`;
    const text = new TextEncoder().encode(fortran);
    const values = new Float32Array([1, 2, Number.NaN, 4, 5, 6]);
    const lead = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0];
    const bytes = Uint8Array.from([...lead, ...text, ...new Uint8Array(values.buffer)]);
    const { responses, header } = await importWith(filesWith({ 'R.npy': bytes }), {
      dims: ['stimulus', 'site'],
    });
    expect(header.dims).toEqual(['stimulus', 'site']);
    expect(responses).toEqual({
      data: Float32Array.from([1, 4, 2, 5, Number.NaN, 6]),
      shape: [3, 2],
    });
  });

  it('takes whole numbers as float64', async () => {
    const array = { data: BigInt64Array.from([1n, 2n, 3n]), shape: [1, 3] };
    const { responses } = await importWith(filesWith({ 'R.npy': npy(array) }), {
      dims: ['site', 'stimulus'],
    });
    expect(responses.data).toEqual(Float64Array.from([1, 2, 3]));
  });

  it('makes a grid recording with time bins, by window or by step', async () => {
    const files = filesWith({ 'R.npy': npy(counting(5, 3, 2, 4, 2)) });
    const dims = ['time', 'stimulus', 'row', 'column', 'site'];
    const placed = {
      extent: null,
      patchSize: { value: 1, unit: 'degree' },
      pixelsPerDegree: 30,
    } as const;
    const byStep = await importWith(files, {
      dims,
      window: null,
      time: { start: 50, step: 40 },
      grid: placed,
    });
    expect(byStep.header.timeBins.map(({ start, end }) => [start, end])).toEqual([
      [50, 90],
      [90, 130],
      [130, 170],
      [170, 210],
      [210, 250],
    ]);
    expect(byStep.header.grid).toEqual({ rows: 2, columns: 4, ...placed });
    const byWindow = await importWith(files, { dims, window: { start: 50, end: 250 }, out: 'b' });
    expect(byWindow.header.timeBins).toEqual(byStep.header.timeBins);
    expect(byWindow.header.grid).toEqual({
      rows: 2,
      columns: 4,
      extent: null,
      patchSize: null,
      pixelsPerDegree: null,
    });
  });

  it('reads images from a zip archive as from a folder, by-products left out', async () => {
    const [b, B, a10] = pictures as [Uint8Array, Uint8Array, Uint8Array];
    const zip = zipParts(
      [
        { name: '__MACOSX/set/._a10.png', parts: [new Uint8Array(3)] },
        { name: 'set/b.png', parts: [b] },
        { name: 'set/B.png', parts: [B] },
        { name: 'set/a10.png', parts: [a10] },
      ],
      { compress: true },
    );
    const files = filesWith({ 'set.zip': Buffer.concat(zip) });
    const zipped = await importWith(files, { stimuli: 'set.zip' });
    const plain = await importWith(files, { out: 'out/plain' });
    expect(zipped.stimuli).toEqual(plain.stimuli);
    const ports = portsOf(files);
    expect((await hashStimuli(zipped, ports)).sha256).toBe(
      (await hashStimuli(plain, ports)).sha256,
    );
  });

  it('joins further columns by id', async () => {
    const csv = 'object,stimulus_id\ndog,b\ncat,B\ncow,a10\nhen,c\n';
    const files = filesWith({ 'objects.csv': csv });
    const { stimuli } = await importWith(files, { columns: 'objects.csv' });
    expect(stimuli.map(({ columns }) => columns)).toEqual([
      { object: 'cat' },
      { object: 'cow' },
      { object: 'dog' },
    ]);
  });
});

describe('stimulus hashes', () => {
  it('change with an id, with an image, and with the order', async () => {
    const files = filesWith();
    const recording = await importWith(files);
    const ports = portsOf(files);
    const { sha256, count, images: each } = await hashStimuli(recording, ports);
    expect([count, new Set(each).size]).toEqual([3, 3]);
    const [first, ...rest] = recording.stimuli;
    const renamed = { ...recording, stimuli: [{ ...first!, id: 'other' }, ...rest] };
    const turned = { ...recording, stimuli: recording.stimuli.toReversed() };
    const others = [
      (await hashStimuli(renamed, ports)).sha256,
      (await hashStimuli(turned, ports)).sha256,
    ];
    await files.write('out/rec/stimuli/b.png', [pictures[2]!]);
    others.push((await hashStimuli(recording, ports)).sha256);
    expect(new Set([sha256, ...others]).size).toBe(4);
  });
});

describe('importNpy refuses, in one line, and leaves nothing', () => {
  it.each([
    [
      ['site', 'stim', 'trial'],
      'dims: expected stimulus, row, column, time, trial, site, got "stim"',
    ],
    [['site', 'trial', 'time'], 'dims: expected stimulus among the names, got site, trial, time'],
    [['site', 'stimulus', 'site'], 'dims: expected each name once'],
    [['site', 'stimulus', 'row'], 'dims: expected row and column together'],
  ])('dims %j', async (dims, message) => {
    expect(await refusal(filesWith(), { dims })).toContain(message);
  });

  it('another number of images', async () => {
    expect(await refusal(filesWith(), { dims: ['stimulus', 'site', 'trial'] })).toBe(
      'images: expected 2 images, the size of the dimension stimulus of R.npy, got 3; check the dims and the images',
    );
  });

  it('windows and times that do not fit', async () => {
    const files = filesWith();
    const lines = [
      await refusal(files, { window: null }),
      await refusal(files, { window: { start: 100, end: 0 } }),
      await refusal(files, { time: { start: 0, step: 10 } }),
      await refusal(files, { window: null, time: { start: 0, step: 10 } }),
      await refusal(files, { window: null, time: { start: 0, step: 0 } }),
    ];
    expect(lines.map((line) => line.split(',')[0])).toEqual([
      'window: expected start and end in ms',
      'window: expected an end after its start',
      'window: expected a window or start and step of the samples',
      'time.start: expected a dimension time',
      'time.step: expected milliseconds above 0',
    ]);
  });

  it('a grid without row and column', async () => {
    const placed = { extent: null, patchSize: null, pixelsPerDegree: 30 };
    expect(await refusal(filesWith(), { grid: placed })).toContain('grid: expected dims with row');
  });

  it('infinite responses, text, objects and lying headers', async () => {
    const infinite = counting(2, 3, 4);
    infinite.data[23] = Number.POSITIVE_INFINITY;
    expect(await refusal(filesWith({ 'R.npy': npy(infinite) }))).toContain(
      'R.npy: expected finite numbers, or NaN for a missing trial, got Infinity at site 1, stimulus 2, trial 3',
    );
    const text = Buffer.concat(npyParts({ strings: ['a'], shape: [1] }));
    expect(await refusal(filesWith({ 'R.npy': text }))).toContain('got text');
    const short = npy(counting(2, 3, 4)).subarray(0, 200);
    expect(await refusal(filesWith({ 'R.npy': short }))).toContain(
      'that the header claims (2, 3, 4)',
    );
  });

  it('two images with one id', async () => {
    const files = filesWith({ 'images/more/b.jpg': pictures[2]! });
    expect(await refusal(files)).toBe(
      'images: expected images with ids (names without ending) of their own, got "b.png" and "more/b.jpg", both "b"; rename one',
    );
  });

  it('an image that is truncated or none', async () => {
    const truncated = pictures[0]!.subarray(0, 60);
    expect(await refusal(filesWith({ 'images/b.png': truncated }))).toContain(
      'images: b.png: expected an image (JPEG, PNG, WebP, GIF, TIFF or BMP), got one that does not decode',
    );
    expect(await refusal(filesWith({ 'images/b.png': 'hello' }))).toContain(
      'images: b.png: expected an image (JPEG, PNG, WebP, GIF, TIFF or BMP), got another kind of file',
    );
  });

  it('folders without images, and paths to nothing', async () => {
    expect(await refusal(filesWith({ 'empty/notes.txt': '' }), { stimuli: 'empty' })).toBe(
      'empty: expected images (JPEG, PNG, WebP, GIF, TIFF or BMP), got none among 1 files; name the folder or zip archive of the stimuli',
    );
    expect(await storageLine(importWith(filesWith(), { stimuli: 'gone' }))).toContain(
      'gone: expected',
    );
    expect(await storageLine(importWith(filesWith(), { responses: 'gone.npy' }))).toContain(
      'gone.npy',
    );
    expect(await refusal(filesWith(), { stimuli: 'R.npy' })).toContain(
      'R.npy: expected a zip archive',
    );
  });

  it('zip entries that climb out', async () => {
    const zip = zipParts([{ name: '../../b.png', parts: [pictures[0]!] }], { compress: false });
    const files = filesWith({ 'set.zip': Buffer.concat(zip) });
    expect(await refusal(files, { stimuli: 'set.zip' })).toContain(
      'set.zip: expected entries inside the archive, got a path that climbs out ("../../b.png")',
    );
  });

  it('columns that lack a stimulus, an id, or have one twice', async () => {
    const columns = async (csv: string) =>
      refusal(filesWith({ 'c.csv': csv }), { columns: 'c.csv' });
    expect(await columns('stimulus_id,object\nb,x\n')).toContain(
      'c.csv: expected a row for stimulus "B", got none',
    );
    expect(await columns('id,object\nb,x\n')).toContain('c.csv: expected a column stimulus_id');
    expect(await columns('stimulus_id,o\nb,x\nb,y\n')).toContain('c.csv: line 3: expected each');
  });

  it('a full disk, a path below a regular file, a folder that is in use', async () => {
    const full = filesWith();
    const before = full.tree();
    const sizes = await Promise.all(before.map((path) => full.info(path)));
    full.limit(sizes.reduce((sum, info) => sum + info!.size, 200));
    expect(await storageLine(importWith(full))).toContain('got a full disk (ENOSPC)');
    expect(full.tree()).toEqual(before);
    const message = await storageLine(importWith(filesWith(), { out: 'R.npy/rec' }));
    expect(message).toContain('got a regular file on the way');
    expect(await refusal(filesWith(), { out: 'images' })).toContain(
      'expected a new or empty folder',
    );
  });

  it('a user who interrupts', async () => {
    const files = filesWith();
    const before = files.tree();
    let asked = 0;
    const checkStop = () => {
      if (++asked === 2) throw new Error('stopped');
    };
    await expect(importNpy(request, { ...portsOf(files), checkStop })).rejects.toThrow('stopped');
    expect(files.tree()).toEqual(before);
  });
});

describe('on disk', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'ventral-import-'));
  });
  afterAll(() => rm(root, { recursive: true }));
  const ports = {
    files: createNodeFiles(),
    images,
    hash: createNodeHash(),
    progress: () => {},
    checkStop: () => {},
  };

  it('leaves no folder behind where an image is damaged', async () => {
    await writeFile(join(root, 'R.npy'), npy(counting(1, 1)));
    await ports.files.write(join(root, 'images/a.png'), [pictures[0]!.subarray(0, 50)]);
    const bad = importNpy(
      {
        ...request,
        responses: join(root, 'R.npy'),
        dims: ['stimulus', 'site'],
        stimuli: join(root, 'images'),
        out: join(root, 'deep/er/rec'),
      },
      ports,
    );
    await expect(bad).rejects.toBeInstanceOf(VentralError);
    expect(readdirSync(root).sort()).toEqual(['R.npy', 'images']);
  });

  const session = sharedPath('data', 'recordings', 'v4-cowley2023-session210325');
  it.skipIf(session === null)(`imports the V4 session (else: ${sharedSkipReason})`, async () => {
    const out = join(root, 'v4');
    const recording = await importNpy(
      {
        ...request,
        responses: join(session!, 'responses_raw.npy'),
        stimuli: join(session!, 'images.zip'),
        out,
      },
      ports,
    );
    expect(recording.responses.shape).toEqual([50, 640, 10]);
    expect(recording.stimuli.at(-1)).toEqual({
      id: 'image0640',
      file: 'image0640.jpg',
      columns: { alike: 'image0640' },
    });
    expect(recording.header.notes.join()).toContain('in 1 group (image0331 ≈ image0387)');
    const again = await readRecording(out, ports);
    expect(again.hash).toBe(recording.hash);
    const { reliability, trials, missing } = inspectRecording(recording);
    expect([trials.least, trials.most]).toEqual([6, 10]);
    expect(missing).toBeGreaterThan(0.2);
    expect(reliability!.bins[0]!.median!).toBeGreaterThan(0.73);
    expect(reliability!.bins[0]!.median!).toBeLessThan(0.79);
    expect(existsSync(`${out}.partial`)).toBe(false);
  });
});
