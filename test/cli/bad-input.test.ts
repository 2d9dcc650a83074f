import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { zipParts } from '../../src/formats/zip-write.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import { join as joined, messageField, textField, varintField } from '../../src/graph/wire.ts';
import { smallNetwork } from '../small-study.ts';
import { cli, cliDone, listing, type Refusal, refused } from './run-cli.ts';
import {
  changeHeader,
  changeResponses,
  changeText,
  copyRecording,
  images,
  npyOf,
  responsesToPictures,
  sites,
  trials,
  truncate,
  useStudy,
} from './study.ts';

vi.mock('../../src/node/engine.ts', async (original) =>
  (await import('./shared-engine.ts')).sharing(await original()),
);

const study = useStudy();

const png = (index: number): string => `stimuli/i${String(index).padStart(3, '0')}.png`;

describe('a model that cannot be used', () => {
  const scoreModel = (path: string, ...options: string[]): Promise<Refusal> => {
    const { folder, recording } = study();
    const out = join(folder, 'score.json');
    return refused(folder, 'score', path, '--recording', recording, '--out', out, ...options);
  };
  const written = (name: string, bytes: Uint8Array | string): string => {
    const path = join(study().folder, name);
    writeFileSync(path, bytes);
    return path;
  };

  it('is not there', async () => {
    const { where, got } = await scoreModel('nowhere/net.onnx');
    expect([where, got]).toEqual(['nowhere/net.onnx', 'nothing there']);
  });

  it('is a folder', async () => {
    const { where, got } = await scoreModel(study().folder);
    expect([where, got]).toEqual([study().folder, 'a folder']);
  });

  /** What `ventral layers` says of it. */
  const listed = (path: string): Promise<Refusal> => refused(study().folder, 'layers', path);

  it('is not an ONNX file', async () => {
    const path = written('text.onnx', 'hello, I am no network');
    const text = await scoreModel(path);
    expect(text.where).toBe('text.onnx');
    expect(text.expected).toContain('ONNX');
    expect(await listed(path)).toEqual(text);
    const archive = await listed(written('torch.onnx', 'PK\u0003\u0004 and so on'));
    expect(archive.got).toContain('PyTorch checkpoint');
    expect((await listed(written('empty.onnx', ''))).got).toContain('empty');
  });

  it('is truncated, wherever it ends', async () => {
    const whole = smallNetwork('batch');
    for (const share of [0.002, 0.02, 0.3, 0.5, 0.9, 0.99, 0.9999]) {
      const path = written('cut.onnx', whole.subarray(0, Math.floor(whole.length * share)));
      const { where, line } = await listed(path);
      expect(where).toContain('cut.onnx');
      expect(line).toContain('a file that ends too early');
    }
    const scored = await scoreModel(join(study().folder, 'cut.onnx'));
    expect(scored.got).toContain('ends too early');
  });

  it('misses its external data', async () => {
    const outside = (key: string, value: string) =>
      messageField(13, [...textField(1, key), ...textField(2, value)]);
    const weight = messageField(5, [
      ...varintField(1, 10),
      ...varintField(2, 1),
      ...textField(8, 'w'),
      ...outside('location', 'net.onnx.data'),
      ...varintField(14, 1),
    ]);
    // A graph that comes in two parts is one graph.
    const bytes = joined([smallNetwork('batch'), ...messageField(7, weight)]);
    const { where, expected, got } = await scoreModel(written('outside.onnx', bytes));
    expect(where).toBe('outside.onnx');
    expect(expected).toBe('its weights in the file net.onnx.data beside it');
    expect(got).toBe('no such file');
    expect(await listed(join(study().folder, 'outside.onnx'))).toMatchObject({ where, got });
  });

  it('takes something that is no image', async () => {
    const tokens = encodeModel({
      name: 'tokens',
      opset: 13,
      inputs: [{ name: 'input_ids', type: 'int64', shape: [1, 77] }],
      outputs: [{ name: 'out', type: 'int64', shape: [1, 77] }],
      initialisers: [],
      nodes: [{ op: 'Identity', inputs: ['input_ids'], outputs: ['out'] }],
    });
    const { where, expected, got } = await scoreModel(written('tokens.onnx', tokens));
    expect(where).toBe('tokens.onnx: input');
    expect(expected).toContain('image input');
    expect(got).toContain('input_ids: int64 [1, 77]');
  });

  it('has an operation that the engine does not know', async () => {
    const strange = encodeModel({
      name: 'strange',
      opset: 13,
      inputs: [{ name: 'image', type: 'float32', shape: [1, 3, 12, 12] }],
      outputs: [{ name: 'out', type: 'float32', shape: [1, 3, 12, 12] }],
      initialisers: [],
      nodes: [
        { op: 'Frobnicate', name: '/conv/Conv', inputs: ['image'], outputs: ['a'] },
        { op: 'Relu', name: '/relu/Relu', inputs: ['a'], outputs: ['out'] },
      ],
    });
    const { line } = await scoreModel(written('strange.onnx', strange), '--layers', '*');
    expect(line).toContain('Frobnicate');
  });

  it('has no layer of that name', async () => {
    const { where, mend } = await scoreModel(study().model, '--layers', 'conv3,kanv2');
    expect(where).toBe('--layers kanv2');
    expect(mend).toBe('did you mean conv2?');
    const far = await scoreModel(study().model, '--layers', 'blocks.*');
    expect(far.line).toContain('its layers begin with conv1, conv2, conv3');
  });

  it('has preprocessing that is not known, or not said rightly', async () => {
    const unknown = await scoreModel(study().model, '--preprocess', 'imagenet');
    expect(unknown.expected).toContain('imagenet-224');
    const broken = written('broken.json', '{"name": "x", "resize": 3}');
    const { where } = await scoreModel(study().model, '--preprocess', broken);
    expect(where).toContain('broken.json');
    const absent = await scoreModel(study().model, '--preprocess', 'absent.json');
    expect(absent.where).toBe('absent.json');
  });
});

describe('a recording that cannot be used', () => {
  const scoreOn = (recording: string, ...options: string[]): Promise<Refusal> => {
    const { folder, model } = study();
    const out = join(folder, 'score.json');
    return refused(folder, 'score', model, '--recording', recording, '--out', out, ...options);
  };
  /** What `ventral data inspect`, which needs no engine, says of a copy that `damage` changes. */
  const refusalOf = async (name: string, damage: (path: string) => void): Promise<Refusal> => {
    const path = copyRecording(study(), name);
    damage(path);
    return refused(study().folder, 'data', 'inspect', path);
  };

  it('is refused by a score as by an inspection', async () => {
    const damages: [string, (path: string) => void][] = [
      ['no header', (path) => rmSync(join(path, 'recording.json'))],
      ['no image', (path) => rmSync(join(path, png(3)))],
      ['half an array', (path) => truncate(join(path, 'responses.npy'))],
      ['other dims', (path) => changeHeader(path, { dims: ['site', 'trial', 'stimulus'] })],
    ];
    for (const [name, damage] of damages)
      expect(await refusalOf(name, damage)).toEqual(await scoreOn(join(study().folder, name)));
  });

  it('is not there, or is a file', async () => {
    const absent = await scoreOn('no/such/folder');
    expect(absent.where).toBe('no/such/folder');
    expect(absent.got).toMatch(/^nothing there, and nothing at .+\/recordings\/no\/such\/folder$/);
    expect(absent.mend).toContain('ventral data fetch');
    const file = await scoreOn(study().model);
    expect([file.where, file.got]).toEqual([study().model, 'a file']);
  });

  it.each(['recording.json', 'responses.npy', 'stimuli.csv'])('has no %s', async (name) => {
    const { expected, got } = await refusalOf(`without ${name}`, (path) =>
      rmSync(join(path, name)),
    );
    expect(expected).toContain('recording.json, responses.npy and stimuli.csv');
    expect(got).toBe(`no ${name} in it`);
  });

  it('has a header that is no JSON, or with an ill-typed field', async () => {
    const text = await refusalOf('text', (path) =>
      writeFileSync(join(path, 'recording.json'), '{ format:'),
    );
    expect(text.expected).toBe('JSON');
    const typed = await refusalOf('typed', (path) => changeHeader(path, { species: 7 }));
    expect([typed.where.endsWith('recording.json: species'), typed.got]).toEqual([true, '7']);
    const newer = await refusalOf('newer', (path) => changeHeader(path, { format: 3 }));
    expect(newer.line).toContain('written by a newer ventral (format 3, this one reads up to 2)');
  });

  it('has wrong dims', async () => {
    const cases: [string[], RegExp][] = [
      [['stimulus', 'site'], /expected 2 dimensions \[stimulus, site\], got 3/],
      [['stimulus', 'trial', 'neuron'], /dims\[2\]: expected .*"site"/],
      [['stimulus', 'trial', 'trial'], /"site" among the dimensions/],
      [['stimulus', 'site', 'site'], /each dimension once/],
      [['stimulus', 'row', 'site'], /row and column together/],
      [['trial', 'stimulus', 'site'], /dimension 2 \(stimulus\): expected 60 for stimulus/],
    ];
    for (const [dims, message] of cases) {
      const { line } = await refusalOf(`dims ${dims.join()}`, (path) =>
        changeHeader(path, { dims }),
      );
      expect(line).toMatch(message);
    }
  });

  it('has responses that its dims do not multiply to', async () => {
    const { where, expected, got } = await refusalOf('fewer', (path) =>
      changeResponses(path, ({ data }) => ({
        data: data.slice(0, 59 * trials * sites),
        shape: [59, trials, sites],
      })),
    );
    expect(where).toMatch(/responses\.npy: dimension 1 \(stimulus\)$/);
    expect(expected).toContain('60 for stimulus');
    expect(got).toContain('59');
  });

  it('has responses of Python objects, of text, or that are no array', async () => {
    const bytes = (name: string, content: Uint8Array) =>
      refusalOf(name, (path) => writeFileSync(join(path, 'responses.npy'), content));
    const objects = await bytes(
      'objects',
      npyOf("{'descr': '|O', 'fortran_order': False, 'shape': (60, 3, 4), }", new Uint8Array(99)),
    );
    expect(objects.got).toContain('Python objects');
    expect(objects.mend).toContain('dtype=float');
    const text = await bytes(
      'strings',
      npyOf("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", new Uint8Array(4)),
    );
    expect(text.got).toBe('text');
    expect((await bytes('png', readFileSync(join(study().recording, png(0))))).expected).toContain(
      'NumPy array',
    );
  });

  it('has responses that are truncated, or claim 10¹⁵ elements', async () => {
    const cut = await refusalOf('cut', (path) => truncate(join(path, 'responses.npy')));
    expect(cut.expected).toContain('720 elements');
    const claim = "{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 100000, 100000), }";
    const huge = await refusalOf('huge', (path) =>
      writeFileSync(join(path, 'responses.npy'), npyOf(claim, new Uint8Array(64))),
    );
    expect(huge.expected).toContain('1000000000000000 elements');
    expect(huge.got).toBe('64');
  });

  it('has infinite responses', async () => {
    const { got } = await refusalOf('infinite', (path) =>
      changeResponses(path, ({ data, shape }) => {
        data[17] = Number.POSITIVE_INFINITY;
        return { data, shape };
      }),
    );
    expect(got).toBe('Infinity at stimulus 1, trial 1, site 1');
  });

  it('names a stimulus twice, or one outside its folder', async () => {
    const twice = await refusalOf('twice', (path) =>
      changeText(join(path, 'stimuli.csv'), (text) => text.replace('i007,', 'i006,')),
    );
    expect(twice.where).toMatch(/stimuli\.csv: line 9$/);
    expect(twice.got).toContain('"i006", which');
    const outside = await refusalOf('outside', (path) =>
      changeText(join(path, 'stimuli.csv'), (text) => text.replace('i007.png', '../../small.onnx')),
    );
    expect(outside.got).toContain('climbs out');
  });

  it('misses an image', async () => {
    const { where, expected } = await refusalOf('missing', (path) => rmSync(join(path, png(41))));
    expect(where).toMatch(/stimuli\/i041\.png$/);
    expect(expected).toBe('the image of stimulus "i041"');
  });

  it('has no site left that can be used', async () => {
    const path = copyRecording(study(), 'all NaN');
    changeResponses(path, ({ data, shape }) => ({ data: data.fill(Number.NaN), shape }));
    const { where, expected, got } = await scoreOn(path);
    expect(where).toMatch(/all NaN: responses\.npy$/);
    expect(expected).toContain('at least one site');
    expect(got).toContain('s0: no response at all');
  });

  it('has fewer stimuli than folds, or than the components need', async () => {
    const shortened = (name: string, count: number): string => {
      const path = copyRecording(study(), name);
      changeResponses(path, ({ data }) => ({
        data: data.slice(0, count * trials * sites),
        shape: [count, trials, sites],
      }));
      changeText(
        join(path, 'stimuli.csv'),
        (text) =>
          `${text
            .split('\n')
            .slice(0, count + 1)
            .join('\n')}\n`,
      );
      return path;
    };
    const folds = await scoreOn(shortened('eight', 8));
    expect([folds.where, folds.expected, folds.got]).toEqual([
      'folds',
      '2 to 8 folds for 8 rows',
      '10',
    ]);
    const components = await scoreOn(shortened('twenty', 20));
    expect(components.expected).toBe('at least 26 training rows for 25 components');
    expect(components.got).toBe('18');
    expect((await scoreOn(shortened('none', 0))).line).toMatch(/stimul/);
  });
});

describe('an image that cannot be used', () => {
  const damage: [string, (path: string) => void, RegExp][] = [
    ['truncated', (path) => truncate(path), /does not decode/],
    ['empty', (path) => writeFileSync(path, ''), /an empty file/],
    ['a text', (path) => writeFileSync(path, 'no image'), /another kind of file/],
  ];

  it.each(damage)('is %s, and is found in the middle of a score', async (name, harm, message) => {
    const { folder, model } = study();
    const path = copyRecording(study(), `image ${name}`);
    harm(join(path, png(50)));
    const outputs = ['score.json', 'sites.csv'].map((file) => join(folder, 'new', file));
    const { where, got } = await refused(
      folder,
      ...['score', model, '--recording', path, '--out', outputs[0]!, '--csv', outputs[1]!],
      ...['--keep', 'predictions,readout'],
    );
    expect(where).toBe(join(path, png(50)));
    expect(got).toMatch(message);
  });

  it.each(damage)('is %s, and is found at the import', async (name, harm, message) => {
    const { folder } = study();
    const path = copyRecording(study(), `import ${name}`);
    harm(join(path, png(50)));
    const { where, got } = await refused(folder, ...importOf(path));
    expect(where).toContain('i050.png');
    expect(got).toMatch(message);
  });
});

/** The import of a recording's own responses and images into a new folder. */
const importOf = (path: string, ...options: string[]): string[] => [
  ...['data', 'import', 'npy', '--responses', join(path, 'responses.npy')],
  ...['--dims', 'stimulus,trial,site', '--stimuli', join(path, 'stimuli')],
  ...['--area', 'IT', '--species', 'none', '--window', '0-100'],
  ...['--out', join(study().folder, 'new', 'imported'), ...options],
];

describe('an import that cannot be done', () => {
  const importing = (...options: string[]): Promise<Refusal> =>
    refused(study().folder, ...importOf(study().recording, ...options));

  it('has dims that do not fit the array', async () => {
    expect((await importing('--dims', 'stimulus,site')).got).toBe('2 (stimulus, site)');
    expect((await importing('--dims', 'stimulus,trial,neuron')).got).toBe('"neuron"');
    expect((await importing('--dims', 'trial,stimulus,site')).expected).toContain('3 images');
  });

  it('has other images than responses', async () => {
    const path = copyRecording(study(), 'one image fewer');
    rmSync(join(path, png(0)));
    const { expected, got } = await importing('--stimuli', join(path, 'stimuli'));
    expect([expected.slice(0, 9), got]).toEqual(['60 images', '59']);
    expect((await importing('--stimuli', join(path, 'nothing'))).got).toBe('nothing there');
  });

  it('has two images of one name', async () => {
    const path = copyRecording(study(), 'same stem');
    writeFileSync(join(path, 'stimuli/i007.jpg'), 'x');
    rmSync(join(path, png(0)));
    const { got } = await importing('--stimuli', join(path, 'stimuli'));
    expect(got).toBe('"i007.jpg" and "i007.png", both "i007"');
  });

  it('has an archive whose entries climb out', async () => {
    const path = join(study().folder, 'climbing.zip');
    const entries = ['../../evil.png', 'fine.png'].map((name) => ({ name, parts: [] }));
    writeFileSync(path, Buffer.concat(zipParts(entries, { compress: false })));
    const { where, got } = await importing('--stimuli', path);
    expect(where).toContain('climbing.zip');
    expect(got).toContain('climbs out ("../../evil.png")');
  });

  it('has a place to write to below a regular file, or that is taken', async () => {
    const below = join(study().model, 'imported');
    expect((await importing('--out', below)).got).toContain('regular file');
    const taken = await importing('--out', study().recording);
    expect(taken.expected).toBe('a new or empty folder');
  });

  it('is interrupted', async () => {
    const { folder, recording } = study();
    const before = listing(folder);
    const listeners = process.listenerCount('SIGINT');
    const running = cli(...importOf(recording));
    while (process.listenerCount('SIGINT') === listeners) await new Promise(setImmediate);
    process.emit('SIGINT');
    expect(await running).toEqual({
      code: 130,
      stdout: '',
      stderr: 'ventral: stopped before the end\n',
    });
    expect(listing(folder)).toEqual(before);
    expect(process.listenerCount('SIGINT')).toBe(listeners);
  });

  it('is not told when the responses were counted', async () => {
    const { folder, recording } = study();
    const command = importOf(recording);
    const at = command.indexOf('--window');
    command.splice(at, 2);
    expect((await refused(folder, ...command)).where).toBe('--window');
    const half = await refused(folder, ...command, '--time-start', '0');
    expect(half.expected).toContain('--time-step');
  });
});

describe('input that looks bad and is not', () => {
  it('is an array in Fortran order, which is read rightly', async () => {
    const { model, folder, recording } = study();
    const path = copyRecording(study(), 'fortran');
    const { data } = responsesToPictures();
    const turned = new Float64Array(data.length);
    for (let i = 0; i < images; i++)
      for (let t = 0; t < trials; t++)
        for (let s = 0; s < sites; s++)
          turned[(s * trials + t) * images + i] = data[(i * trials + t) * sites + s]!;
    const header = `{'descr': '<f8', 'fortran_order': True, 'shape': (${images}, ${trials}, ${sites}), }`;
    writeFileSync(join(path, 'responses.npy'), npyOf(header, new Uint8Array(turned.buffer)));
    const inspected = async (from: string) =>
      (await cliDone('data', 'inspect', from)).stdout.replaceAll(/^(folder|.*sha).*$/gim, '');
    const scored = async (from: string, out: string) => {
      await cliDone('score', model, '--recording', from, '--out', join(folder, out));
      return JSON.parse(readFileSync(join(folder, out), 'utf8'));
    };
    expect(await inspected(path)).toBe(await inspected(recording));
    const [turnedScore, plain] = [await scored(path, 'f.json'), await scored(recording, 'c.json')];
    expect(turnedScore.layers).toEqual(plain.layers);
    expect(plain.value).toBeGreaterThan(0.3);
  });

  it('is a site without responses, which is listed and left out', async () => {
    const { model, folder } = study();
    const path = copyRecording(study(), 'one NaN');
    changeResponses(path, ({ data, shape }) => ({
      data: data.map((value, index) => (index % sites === 2 ? Number.NaN : value)),
      shape,
    }));
    const out = join(folder, 'three.json');
    const { stdout } = await cliDone('score', model, '--recording', path, '--out', out);
    const score = JSON.parse(readFileSync(out, 'utf8'));
    expect(score.excludedSites).toEqual([
      { site: 's2', image: null, reason: 'no response at all' },
    ]);
    expect(score.layers[0].sites.map(({ site }: { site: string }) => site)).toEqual([
      's0',
      's1',
      's3',
    ]);
    expect(stdout).toContain('1 site left out: s2 (no response at all)');
  });

  it('is a folder of that very name with nothing in it, for an import', async () => {
    mkdirSync(join(study().folder, 'empty'));
    await cliDone(...importOf(study().recording, '--out', join(study().folder, 'empty')));
  });
});
