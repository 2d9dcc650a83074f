import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { runScore } from '../../src/cli/score-command.ts';
import { npzParts } from '../../src/formats/npz.ts';
import { zipParts } from '../../src/formats/zip-write.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { NdArray } from '../../src/records/array.ts';
import type { Ports } from '../../src/records/ports.ts';
import { createMemoryFiles, createMemoryHash } from '../memory-files.ts';
import { cli, misused, type Refusal, refused } from './run-cli.ts';
import {
  images,
  npy,
  npyOf,
  responsesToPictures,
  sites,
  trials,
  useStudy,
  writePictures,
  writeProtocol,
} from './study.ts';

vi.mock('../../src/node/engine.ts', async (original) =>
  (await import('./shared-engine.ts')).sharing(await original()),
);

const study = useStudy();

const noise = (rows: number, columns: number): NdArray<Float32Array> => {
  const random = createRandom(`${rows} × ${columns}`);
  return {
    data: Float32Array.from({ length: rows * columns }, random.normal),
    shape: [rows, columns],
  };
};

const written = (name: string, bytes: Uint8Array | string): string => {
  const path = join(study().folder, name);
  writeFileSync(path, bytes);
  return path;
};

describe('activations that cannot be used', () => {
  const scored = (path: string, ...options: string[]): Promise<Refusal> => {
    const { folder, recording } = study();
    const command = ['score', '--activations', path, '--recording', recording];
    return refused(folder, ...command, '--out', join(folder, 'score.json'), ...options);
  };
  const archive = (name: string, arrays: Parameters<typeof npzParts>[0]): string =>
    written(name, Buffer.concat(npzParts(arrays)));
  const ids = (name: (index: number) => string) => ({
    strings: Array.from({ length: images }, (_, i) => name(i)),
    shape: [images],
  });

  it('are not there, or no arrays', async () => {
    expect((await scored('nowhere.npz')).got).toBe('nothing there');
    expect((await scored(written('text.npy', 'no array'))).expected).toContain('NumPy array');
    expect((await scored(written('text.npz', 'no archive'))).where).toBe('text.npz');
  });

  it('hold NaN or infinity', async () => {
    const { data, shape } = noise(images, 40);
    data[7 * 40 + 3] = Number.NaN;
    const missing = await scored(written('nan.npy', npy({ data, shape })));
    expect([missing.where, missing.got]).toEqual([
      'nan.npy: features, stimulus "i007"',
      'NaN in feature 3',
    ]);
    expect(missing.mend).toContain('save activations without missing');
    data[7 * 40 + 3] = Number.NEGATIVE_INFINITY;
    const infinite = await scored(archive('infinite.npz', { fc: { data, shape } }));
    expect([infinite.where, infinite.got]).toEqual([
      'infinite.npz: fc, stimulus "i007"',
      '-Infinity in feature 3',
    ]);
    const wide = Float64Array.from(noise(images, 40).data);
    wide[59 * 40] = 1e39;
    const far = await scored(written('far.npy', npy({ data: wide, shape })));
    expect([far.where, far.got]).toEqual([
      'far.npy: features, stimulus "i059"',
      '1e+39 in feature 0',
    ]);
  });

  it('are of other stimuli', async () => {
    const fc = noise(images, 40);
    const others = archive('others.npz', { fc, stimulus_id: ids((i) => `other${i}`) });
    const { where, expected, got } = await scored(others);
    expect(where).toBe('others.npz: stimulus_id');
    expect(expected).toContain('among them "i000"');
    expect(got).toContain('such as "other0"');
    const twice = archive('twice.npz', { fc, stimulus_id: ids((i) => `i${i % 2}`) });
    expect((await scored(twice)).got).toContain('more than once');
  });

  it('are of another number of stimuli, without ids to join them by', async () => {
    const { where, expected, got } = await scored(written('rows.npy', npy(noise(images - 1, 40))));
    expect(where).toBe('rows.npy: features');
    expect(expected).toContain('60 stimuli');
    expect(got).toBe('shape (59, 40)');
  });

  it('have another shape than [stimulus, feature], too few features, or no layer of that name', async () => {
    const { data } = noise(images, 40);
    const cube = written('cube.npy', npy({ data, shape: [images, 8, 5] }));
    expect((await scored(cube)).got).toBe('shape (60, 8, 5)');
    const narrow = await scored(written('narrow.npy', npy(noise(images, 7))));
    expect(narrow.expected).toContain('at least 25 features');
    expect(narrow.got).toBe('features with 7');
    const path = archive('named.npz', { fc: noise(images, 40) });
    const { where, got, mend } = await scored(path, '--layers', 'fc,conv*');
    expect([where, got, mend]).toEqual([
      '--layers conv*',
      'none among its 1',
      'its layers begin with fc (its arrays)',
    ]);
    const near = archive('near.npz', { layer4: noise(images, 40) });
    expect((await scored(near, '--layers', 'lay*,layer5')).mend).toBe('did you mean layer4?');
  });

  it('claim 10¹⁵ elements', async () => {
    const claim = "{'descr': '<f4', 'fortran_order': False, 'shape': (60, 16666666666667), }";
    const body = new Uint8Array(64);
    const alone = await scored(written('huge.npy', npyOf(claim, body)), '--dry-run');
    expect(alone.got).toBe('64');
    const packed = zipParts([{ name: 'fc.npy', parts: [npyOf(claim, body)] }], { compress: true });
    const path = written('huge.npz', Buffer.concat(packed));
    const { where, expected } = await scored(path, '--dry-run');
    expect(where).toBe('huge.npz: fc');
    expect(expected).toContain('1000000000000020 elements');
  });

  it('come in an archive whose entries climb out', async () => {
    const entries = [{ name: '../fc.npy', parts: [npy(noise(images, 40))] }];
    const path = written('climbing.npz', Buffer.concat(zipParts(entries, { compress: false })));
    expect((await scored(path)).got).toContain('climbs out ("../fc.npy")');
  });

  it('are Python objects', async () => {
    const header = "{'descr': '|O', 'fortran_order': False, 'shape': (60, 40), }";
    expect((await scored(written('object.npy', npyOf(header)))).got).toContain('Python objects');
  });
});

describe('a protocol that cannot be used', () => {
  const under = (protocol: string): Promise<Refusal> => {
    const { folder, model, recording } = study();
    const command = ['score', model, '--recording', recording, '--protocol', protocol];
    return refused(folder, ...command, '--out', join(folder, 'score.json'));
  };
  const changed = (name: string, change: object): Promise<Refusal> =>
    under(writeProtocol(study(), name, change));

  it('has an unknown name', async () => {
    const { where, expected } = await under('image_cv');
    expect(where).toBe('--protocol');
    expect(expected).toContain('image-cv');
    expect((await refused(study().folder, 'protocols', 'image_cv')).expected).toContain('image-cv');
  });

  it('is not there, or no JSON', async () => {
    expect((await under('nowhere.json')).got).toBe('nothing there');
    expect((await under(written('list.json', '[1, 2'))).expected).toBe('JSON');
  });

  it('has an unknown, missing or ill-typed field', async () => {
    const unknown = await changed('unknown.json', { splits: 3 });
    expect(unknown.got).toBe('unknown field "splits"');
    const missing = await changed('missing.json', { correlation: undefined });
    expect(missing.where).toMatch(/missing\.json: correlation$/);
    expect(missing.got).toBe('nothing');
    const deep = await changed('deep.json', { ceiling: { kind: 'split-half', splits: '10' } });
    expect(deep.where).toMatch(/deep\.json: ceiling\.splits$/);
    expect(deep.got).toBe('"10"');
    const kind = await changed('kind.json', { folds: { kind: 'leave-one-out' } });
    expect(kind.where).toMatch(/kind\.json: folds\.kind$/);
    expect(kind.expected).toContain('leave-one-image-out');
    expect(kind.got).toBe('"leave-one-out"');
  });

  it('is for another layout, or contradicts itself', async () => {
    expect((await under('linsley2023')).expected).toContain('layout "grid"');
    const cases: [object, RegExp][] = [
      [{ sampling: { kind: 'patches' } }, /sampling\.kind$/],
      [{ aggregation: 'images-of-sites' }, /aggregation$/],
      [{ ceiling: { kind: 'best-pair' } }, /ceiling\.kind$/],
      [{ folds: { kind: 'leave-one-image-out' } }, /folds\.kind$/],
      [{ timeBin: { start: 0, end: 40 } }, /timeBin$/],
    ];
    for (const [change, where] of cases)
      expect((await changed('contrary.json', change)).where).toMatch(where);
  });

  it('cannot choose a time bin by a ceiling that it does not have', async () => {
    const { folder } = study();
    const { data } = responsesToPictures();
    const twice = { data: Float64Array.of(...data, ...data), shape: [2, images, trials, sites] };
    const recording = await writePictures(folder, 'two bins', twice, {
      dims: ['time', 'stimulus', 'trial', 'site'],
      timeBins: [
        { start: 50, end: 100 },
        { start: 100, end: 150 },
      ],
    });
    const protocol = (name: string, change: object): string =>
      writeProtocol(study(), name, { ceiling: { kind: 'none' }, ...change });
    const command = ['score', study().model, '--recording', recording, '--dry-run', '--protocol'];
    // Without a ceiling it is the bin in which sites agree most: said, and no ceiling.
    const none = await cli(...command, protocol('best bin.json', {}));
    expect(none.code).toBe(0);
    expect(none.stdout).toMatch(/^note: .*sites agree most/m);
    const published = { ceiling: { kind: 'published', minimumReliability: 0.1 } };
    const alike = await refused(folder, ...command, protocol('published.json', published));
    expect(alike.expected).toContain('published reliabilities are the same in all bins');
    const named = protocol('bin.json', { timeBin: { start: 100, end: 150 } });
    expect((await cli(...command, named)).stdout).toContain('pictures, 100–150 ms');
  });

  it('divides by a reliability that single trials do not have', async () => {
    const { folder, model } = study();
    const { data } = responsesToPictures();
    const single = data.filter((_, i) => Math.floor(i / sites) % trials === 0);
    const recording = await writePictures(
      folder,
      'single',
      {
        data: single,
        shape: [images, sites],
      },
      { dims: ['stimulus', 'site'] },
    );
    const { got, mend } = await refused(
      folder,
      ...['score', model, '--recording', recording, '--protocol', 'image-cv'],
    );
    expect(got).toBe('one response per stimulus');
    expect(mend).toContain('{"kind": "none"}');
  });
});

describe('wrong options', () => {
  const wrong = (...options: string[]): Promise<string> => {
    const { folder, model, recording } = study();
    return misused(folder, 'score', model, '--recording', recording, ...options);
  };

  it('are named by the parser, with what is expected', async () => {
    const cases: [string[], string][] = [
      [['--layer', 'conv1'], "unknown option '--layer'"],
      [['--memory', '4 cups'], 'such as 4GB'],
      [['--memory', '10'], 'at least 1MB'],
      [['--threads', '0'], 'a whole number of at least 1'],
      [['--threads', 'all'], 'a whole number of at least 1'],
      [['--seed', '-1'], 'a whole number of at least 0'],
      [['--nulls', '--permutations', '0'], 'a whole number of at least 1'],
      [['--seed', '1.5'], 'a whole number of at least 0'],
      [['--keep', 'everything'], 'predictions, layer-predictions, readout'],
      [['--layers', 'conv1,,conv2'], 'none of them empty'],
      [['--device', 'tpu'], 'cpu, webgpu, cuda'],
      [['--out'], 'argument missing'],
      // A shell variable that is not set.
      [['--out', ''], 'expected a path'],
      [['another.onnx'], 'too many arguments'],
    ];
    for (const [options, message] of cases) expect(await wrong(...options)).toContain(message);
  });

  it('are texts that an import needs, left empty', async () => {
    const { folder } = study();
    for (const option of ['--area', '--species', '--name'])
      expect(await misused(folder, 'data', 'import', 'npy', option, '')).toContain(
        'expected a name, not an empty text',
      );
  });

  it('are missing, or of an unknown command', async () => {
    const { folder, model } = study();
    expect(await misused(folder, 'score', model)).toContain('--recording');
    expect(await misused(folder, 'skore', model)).toContain("unknown command 'skore'");
    expect(await misused(folder, 'data', 'import', 'tiff')).toContain("unknown command 'tiff'");
    const command = ['data', 'import', 'npy', '--window', '100-0'];
    expect(await misused(folder, ...command)).toContain('such as 0-100');
  });

  it('contradict each other', async () => {
    const { folder, model, recording } = study();
    const against = ['--recording', recording];
    expect((await refused(folder, 'score', ...against)).got).toBe('neither');
    const both = await refused(folder, 'score', model, '--activations', 'a.npy', ...against);
    expect(both.got).toBe('both');
    const keep = await refused(folder, 'score', model, ...against, '--keep', 'readout');
    expect(keep.where).toBe('--keep');
    const few = await refused(folder, 'score', model, ...against, '--permutations', '50');
    expect([few.where, few.got]).toEqual(['--permutations', 'no --nulls']);
    const given = ['score', '--activations', 'a.npy', ...against, '--preprocess', 'raw'];
    expect((await refused(folder, ...given)).where).toBe('--preprocess');
  });

  it('ask for more threads than any machine has', async () => {
    const { folder, model, recording } = study();
    const command = ['score', model, '--recording', recording, '--threads', '100000'];
    expect(await refused(folder, ...command)).toMatchObject({ where: '--threads', got: '100000' });
  });

  it('ask for a device that is not there', async (context) => {
    const { folder, model, recording } = study();
    const command = ['score', model, '--recording', recording, '--device', 'cuda'];
    const { code } = await cli(...command, '--dry-run', '--quiet');
    if (code === 0) context.skip('this machine has a CUDA device that onnxruntime can use');
    const { where, mend } = await refused(folder, ...command);
    expect(where).toBe('--device cuda');
    expect(mend).toContain('--device cpu');
  });
});

describe('outputs that cannot be written', () => {
  it('are found before the work', async () => {
    const { folder, model, recording } = study();
    const writing = (...options: string[]): Promise<Refusal> =>
      refused(folder, 'score', model, '--recording', recording, ...options);
    const below = join(model, 'deep', 'score.json');
    for (const option of ['--out', '--csv', '--parquet'])
      expect(await writing(option, below)).toMatchObject({
        where: `${option} ${below}`,
        got: `${model}, which is a file`,
      });
    expect((await writing('--out', folder)).got).toBe('a folder');
    expect((await writing('--out', `${folder}/new/`)).got).toBe('a folder');
    expect((await writing('--out', model)).got).toBe('the file of the model');
    const same = join(folder, 'same.json');
    expect((await writing('--out', same, '--csv', same)).got).toBe('the file of --out');
    const kept = `${recording}/../recording`;
    expect((await writing('--csv', `${kept}/recording.json`)).got).toBe('the file of --recording');
  });

  it('meet a full disk, and leave nothing behind', async () => {
    const { folder, model, recording } = study();
    const content = Object.fromEntries(
      [
        model,
        ...readdirSync(recording, { recursive: true, encoding: 'utf8' }).map((name) =>
          join(recording, name),
        ),
      ]
        .filter((path) => /\.\w+$/.test(path))
        .map((path) => [path, readFileSync(path)]),
    );
    const files = createMemoryFiles(content);
    const used = Object.values(content).reduce((sum, { length }) => sum + length, 0);
    const fits = new Map<string, Uint8Array>();
    const ports: Ports = {
      files,
      engine: await createNodeEngine({ threads: 1 }),
      images: createNodeImages(),
      hash: createMemoryHash(files),
      cache: {
        get: async (key) => fits.get(key) ?? null,
        put: async (key, value) => void fits.set(key, value),
      },
      progress: () => undefined,
      checkStop: () => undefined,
      now: () => 0,
    };
    const out = join(folder, 'a', 'b', 'score.json');
    const outputs = {
      out,
      csv: join(folder, 'c', 'sites.csv'),
      keep: ['predictions', 'readout'],
    } as const;
    const request = {
      candidate: model,
      preprocess: 'raw',
      ...{ recording, protocol: null, layers: ['conv3'], memory: 1e9, seed: 1 },
    } as const;
    const before = files.tree();
    try {
      vi.spyOn(process.stdout, 'write').mockReturnValue(true);
      await runScore(request, outputs, ports, () => undefined);
      vi.restoreAllMocks();
      const order = [`${out}.predictions.npz`, `${out}.readout.npz`, outputs.csv, out];
      const sizes = await Promise.all(order.map(async (path) => (await files.info(path))!.size));
      for (const made of ['a', 'c']) await files.remove(join(folder, made));
      expect(files.tree()).toEqual(before);
      // Room for all but the last byte of the first file, of the first two, …
      let room = -1;
      for (const [index, path] of order.entries()) {
        room += sizes[index]!;
        files.limit(used + room);
        await expect(runScore(request, outputs, ports, () => undefined)).rejects.toMatchObject({
          kind: 'storage',
          message: `${path}: expected room on the disk, got a full disk (ENOSPC); free some space or write elsewhere`,
        });
        expect(files.tree()).toEqual(before);
      }
    } finally {
      await ports.engine.close();
    }
  });
});
