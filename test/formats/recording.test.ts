import { describe, expect, it } from 'vitest';
import { readRecording } from '../../src/formats/recording.ts';
import { type RecordingParts, writeRecording } from '../../src/formats/recording-write.ts';
import { storageLine } from '../contracts/contract.ts';
import { createMemoryFiles, createMemoryHash, type MemoryFiles } from '../memory-files.ts';
import { inputLine } from './failure.ts';
import { counting, grid, header, recordingFiles } from './recording-parts.ts';

const read = (content: Readonly<Record<string, Uint8Array | string>>, folder = 'rec') => {
  const files = createMemoryFiles(content);
  return readRecording(folder, { files, hash: createMemoryHash(files) });
};

describe('readRecording', () => {
  it('reads header, responses and stimuli', async () => {
    const csv = 'object,stimulus_id,file\n"cat, big",x,sub/x.png\ndog,y,y.png\n';
    const responses = { data: Int16Array.from([1, 2, -3, 4]), shape: [2, 2, 1] };
    const recording = await read({
      ...recordingFiles({ csv, responses }),
      'rec/stimuli/sub/x.png': 'x',
      'rec/stimuli/y.png': 'longer',
    });
    expect(recording.header).toEqual(header);
    expect(recording.responses).toEqual({
      data: Float64Array.from([1, 2, -3, 4]),
      shape: [2, 2, 1],
    });
    expect(recording.stimuli).toEqual([
      { id: 'x', file: 'sub/x.png', columns: { object: 'cat, big' } },
      { id: 'y', file: 'y.png', columns: { object: 'dog' } },
    ]);
    expect(recording.warnings).toEqual([]);
    expect(recording.folder).toBe('rec');
  });

  it('keeps float32, and NaN for missing trials', async () => {
    const data = new Float32Array(24).fill(Number.NaN);
    const { responses } = await read(recordingFiles({ responses: { data, shape: [2, 3, 4] } }));
    expect(responses.data).toBeInstanceOf(Float32Array);
    expect(responses.data[5]).toBeNaN();
  });

  it('has a hash that changes with every part', async () => {
    const hashOf = async (content: Record<string, Uint8Array | string>) =>
      (await read(content)).hash;
    const base = await hashOf(recordingFiles());
    expect(await hashOf(recordingFiles())).toBe(base);
    const changed = counting(2, 3, 4);
    changed.data[0] = 9;
    const others = [
      await hashOf(recordingFiles({ header: { unit: 'Hz' } })),
      await hashOf(recordingFiles({ responses: changed })),
      await hashOf(recordingFiles({ csv: 'stimulus_id,file\nX,x.png\ny,y.png\nz,z.png\n' })),
    ];
    expect(new Set([base, ...others]).size).toBe(4);
  });

  it('allows equal images and reports them', async () => {
    const images = { 'a.png': 'same', 'b.png': 'other', 'c.png': 'same' };
    const { warnings } = await read(recordingFiles({ images }));
    expect(warnings).toEqual(['2 stimuli have an image that another one has: a = c']);
  });

  it('reads a grid', async () => {
    const change = { header: { dims: ['site', 'row', 'stimulus', 'column'], grid } };
    const recording = await read(recordingFiles({ ...change, responses: counting(2, 2, 3, 5) }));
    expect(recording.header.grid).toEqual(grid);
  });
});

describe('readRecording refuses, in one line', () => {
  it('a folder without recording.json, a missing folder, a file', async () => {
    const { 'rec/recording.json': _, ...rest } = recordingFiles();
    expect(await inputLine(() => read(rest))).toBe(
      'rec: expected a recording folder with recording.json, responses.npy and stimuli.csv, got no recording.json in it; name another folder, or make one by an import',
    );
    expect(await inputLine(() => read({}, 'gone'))).toContain('gone: expected a recording folder');
    expect(await inputLine(() => read({ rec: 'x' }))).toContain('got a file');
    for (const part of ['responses.npy', 'stimuli.csv']) {
      const content = Object.entries(recordingFiles()).filter(([path]) => path !== `rec/${part}`);
      expect(await inputLine(() => read(Object.fromEntries(content)))).toContain(
        `got no ${part} in it`,
      );
    }
  });

  it('a header that is no JSON or has fields that are unknown or wrong', async () => {
    const text = (content: string) => read({ ...recordingFiles(), 'rec/recording.json': content });
    expect(await inputLine(() => text('{"format": '))).toContain(
      'rec/recording.json: expected JSON',
    );
    const header = (change: object) => read(recordingFiles({ header: change }));
    const odd = {
      sites: [
        { id: 'a', area: 'IT', animl: 'm' },
        { id: 'b', area: 'IT' },
      ],
      colour: 1,
    };
    expect((await header(odd)).warnings).toContain(
      'recording.json has fields that this version does not know, and ignores: sites[0].animl, colour',
    );
    expect(await inputLine(() => header({ dims: ['site', 'stimuli'] }))).toContain(
      'rec/recording.json: dims[1]: expected "stimulus" or "row"',
    );
    expect(await inputLine(() => header({ format: 3 }))).toContain('newer ventral');
    expect(await inputLine(() => header({ sites: 'a' }))).toContain('recording.json: sites');
    expect(await inputLine(() => header({ name: '' }))).toContain(
      'recording.json: name: expected a text that is not empty, got ""',
    );
    expect(await inputLine(() => header({ sites: [] }))).toContain(
      'recording.json: sites: expected array to have >=1 items, got []',
    );
  });

  const binned = { dims: ['site', 'stimulus', 'time'] };
  const placed = { dims: ['site', 'stimulus', 'row', 'column'] };
  it.each([
    [{ dims: ['site', 'trial', 'time'] }, 'dims: expected "stimulus" among the dimensions'],
    [{ dims: ['trial', 'stimulus', 'time'] }, 'dims: expected "site" among the dimensions'],
    [
      { dims: ['site', 'stimulus', 'site'] },
      'dims: expected each dimension once, got "site" twice',
    ],
    [{ dims: ['site', 'stimulus', 'row'] }, 'dims: expected row and column together'],
    [placed, 'grid: expected rows and columns for the dims row and column, got null'],
    [{ grid }, 'grid: expected null without the dims row and column'],
    [
      {
        timeBins: [
          { start: 0, end: 1 },
          { start: 1, end: 2 },
        ],
      },
      'timeBins: expected one bin',
    ],
    [
      { timeBins: [{ start: 5, end: 5 }] },
      'timeBins[0]: expected an end after its start, got 5 to 5',
    ],
    [{ sites: [header.sites[0], header.sites[0]] }, 'sites[1].id: expected an id of its own'],
  ])('wrong dims and what belongs to them: %j', async (change, message) => {
    const line = await inputLine(() => read(recordingFiles({ header: change })));
    expect(line).toContain(`rec/recording.json: ${message}`);
  });

  it.each([
    [{}, counting(2, 3), 'expected 3 dimensions [site, stimulus, trial], got 2 (2 × 3)'],
    [
      {},
      counting(3, 2, 4),
      'dimension 1 (site): expected 2 for site, the sites of recording.json, got 3 (shape 3 × 2 × 4)',
    ],
    [
      {},
      counting(2, 4, 3),
      'dimension 2 (stimulus): expected 3 for stimulus, the rows of stimuli.csv, got 4',
    ],
    [{}, counting(2, 3, 0), 'dimension 3 (trial): expected at least one trial, got 0'],
    [
      binned,
      counting(2, 3, 4),
      'dimension 3 (time): expected 1 for time, the timeBins of recording.json, got 4',
    ],
    [{ ...placed, grid }, counting(2, 3, 5, 2), 'dimension 3 (row): expected 2 for row, grid.rows'],
    [{ ...placed, grid }, counting(2, 3, 2, 4), 'dimension 4 (column): expected 5 for column'],
  ])('dims that do not fit the array: %j', async (change, responses, message) => {
    const line = await inputLine(() => read(recordingFiles({ header: change, responses })));
    expect(line).toContain(`rec/responses.npy: ${message}`);
  });

  it('infinite responses, and text for responses', async () => {
    const responses = counting(2, 3, 4);
    responses.data[17] = Number.NEGATIVE_INFINITY;
    expect(await inputLine(() => read(recordingFiles({ responses })))).toBe(
      'rec/responses.npy: expected finite numbers, or NaN for a missing trial, got -Infinity at site 1, stimulus 1, trial 1; mark missing trials by NaN',
    );
    const text = { ...recordingFiles(), 'rec/responses.npy': 'not numpy' };
    expect(await inputLine(() => read(text))).toContain(
      'rec/responses.npy: expected a NumPy array',
    );
  });

  it.each([
    [
      'stimulus_id,file\nx,x.png\ny,y.png\nx,z.png\n',
      'stimuli.csv: line 4: expected a stimulus_id of its own, got "x", which rec/stimuli.csv: line 2 has',
    ],
    ['id,file\nx,x.png\n', 'stimuli.csv: expected a column stimulus_id, got id, file'],
    ['stimulus_id\nx\n', 'stimuli.csv: expected a column file, got stimulus_id'],
    ['stimulus_id,file\n,x.png\n', 'stimuli.csv: line 2: expected a stimulus_id, got nothing'],
    [
      'stimulus_id,file\nx,../recording.json\n',
      'line 2: expected a file below stimuli/, got a path that climbs out',
    ],
    ['stimulus_id,file\nx,/etc/passwd\n', 'got the absolute path'],
    ['stimulus_id,file\nx,\n', 'line 2: expected a file below stimuli/, got an empty path'],
  ])('stimuli.csv %j', async (csv, message) => {
    expect(await inputLine(() => read(recordingFiles({ csv })))).toContain(message);
  });

  it('an image that is missing', async () => {
    const { 'rec/stimuli/y.png': _, ...rest } = recordingFiles();
    expect(await inputLine(() => read(rest))).toBe(
      'rec/stimuli/y.png: expected the image of stimulus "y", got nothing; put the image there or correct stimuli.csv',
    );
  });
});

describe('writeRecording', () => {
  const stimuli = [
    { id: 'x', file: 'x.png', columns: { object: 'cat' } },
    { id: 'y', file: 'deep/y.png', columns: { object: 'a, "b"' } },
    { id: 'z', file: 'x.png', columns: { object: '' } },
  ];
  const parts: RecordingParts = {
    header,
    responses: counting(2, 3, 4),
    stimuli,
    image: async ({ file }) => new TextEncoder().encode(`image ${file}`),
  };
  const write = (files: MemoryFiles, folder: string, change: Partial<RecordingParts> = {}) =>
    writeRecording(folder, { ...parts, ...change }, { files });

  it('writes what is read back the same', async () => {
    const files = createMemoryFiles();
    await write(files, 'out/rec/');
    const recording = await readRecording('out/rec', { files, hash: createMemoryHash(files) });
    expect(recording.header).toEqual(header);
    expect(recording.responses).toEqual(parts.responses);
    expect(recording.stimuli).toEqual(stimuli);
    expect(files.tree().filter((path) => path.includes('partial'))).toEqual([]);
  });

  it('leaves nothing where the disk is full, at whatever size that is', async () => {
    const whole = createMemoryFiles();
    await write(whole, 'new/out/rec');
    const sizes = await Promise.all(whole.tree().map((path) => whole.info(path)));
    const total = sizes.reduce((sum, info) => sum + (info?.size ?? 0), 0);
    for (const room of [0, 5, 12, 20, 200, total - 1]) {
      const files = createMemoryFiles({ 'kept/x': '' });
      files.limit(room);
      const message = await storageLine(write(files, 'new/out/rec'));
      expect(message).toContain('expected room on the disk, got a full disk (ENOSPC)');
      expect(files.tree()).toEqual(['kept/', 'kept/x']);
    }
  });

  it('leaves nothing where an image cannot be had, or the last move fails', async () => {
    const files = createMemoryFiles();
    const image = async () => {
      throw new Error('no image');
    };
    await expect(write(files, 'out/rec', { image })).rejects.toThrow('no image');
    expect(files.tree()).toEqual([]);
    files.inject((job) => (job === 'move' ? 'EACCES' : null));
    expect(await storageLine(write(files, 'out/rec'))).toContain('permission to write');
    expect(files.tree()).toEqual([]);
  });

  it('refuses to write below a regular file', async () => {
    const files = createMemoryFiles({ out: 'a file' });
    const message = await storageLine(write(files, 'out/rec'));
    expect(message).toContain('expected a folder to write to, got a regular file on the way');
    expect(files.tree()).toEqual(['out']);
  });

  it('refuses a target with something in it, and replaces another recording only when asked', async () => {
    const files = createMemoryFiles({ 'full/thesis.tex': 'x', file: '' });
    expect(await inputLine(() => write(files, 'full'))).toBe(
      'full: expected a new or empty folder, got one with thesis.tex in it; remove it or name another folder',
    );
    expect(await inputLine(() => write(files, 'file'))).toContain(
      'expected a new folder, got a file',
    );
    await write(files, 'rec');
    expect(await inputLine(() => write(files, 'rec'))).toContain('got one with 4 files in it');
    const next = { ...parts, header: { ...header, name: 'next' } };
    await writeRecording('rec', next, { files }, { replace: true });
    const { header: read } = await readRecording('rec', { files, hash: createMemoryHash(files) });
    expect(read.name).toBe('next');
    expect(
      await inputLine(() => writeRecording('full', next, { files }, { replace: true })),
    ).toContain('thesis.tex');
  });

  it('refuses parts that could not be read back, before it writes', async () => {
    const files = createMemoryFiles();
    const refused: [Partial<RecordingParts>, string][] = [
      [{ responses: counting(2, 3) }, 'rec/responses.npy: expected 3 dimensions'],
      [{ stimuli: [stimuli[0]!, stimuli[0]!, stimuli[1]!] }, 'rec/stimuli.csv: stimulus 2'],
      [{ header: { ...header, name: '' } }, 'rec/recording.json: name'],
      [{ stimuli: stimuli.map((each) => ({ ...each, file: '../x' })) }, 'climbs out'],
    ];
    for (const [change, message] of refused) {
      expect(await inputLine(() => write(files, 'rec', change))).toContain(message);
    }
    expect(files.tree()).toEqual([]);
  });
});
