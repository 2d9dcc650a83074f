import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { npzParts } from '../../src/formats/npz.ts';
import { zipParts } from '../../src/formats/zip-write.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import type { Initialiser } from '../../src/graph/graph.ts';
import { presetNamed } from '../../src/models/presets.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { findInput } from '../../src/records/provenance.ts';
import type { Score } from '../../src/records/score.ts';
import { temporaryFolder, writeModel } from '../small-study.ts';
import { cli, cliDone, listing } from './run-cli.ts';
import { npy } from './study.ts';

vi.mock('../../src/node/engine.ts', async (original) =>
  (await import('./shared-engine.ts')).sharing(await original()),
);

// What happens at a desk: spaces and foreign letters in names, grey and transparent images, a single site, a network
// with channels last, a grid.

let folder: string;
beforeAll(() => {
  folder = join(temporaryFolder(), 'Beispiel für 猫');
  mkdirSync(folder);
  process.env.VENTRAL_CACHE = join(folder, 'cache dir');
});

const random = createRandom('everyday');
const normal = (name: string, shape: readonly number[], scale = 0.2): Initialiser => ({
  name,
  array: {
    data: Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => scale * random.normal(),
    ),
    shape,
  },
});

/** Channels last, the size of the image free: `conv1`, `conv2`; `dead` is 0 everywhere. */
const networkOf = (side: number | string): Uint8Array => {
  const conv = (input: string, weight: string, name: string, stride: number) => ({
    op: 'Conv',
    name: `/${name}/Conv`,
    inputs: [input, weight],
    outputs: [`${name}.sum`],
    attributes: { strides: { ints: [stride, stride] }, pads: { ints: [1, 1, 1, 1] } },
  });
  const relu = (name: string) => ({
    op: 'Relu',
    name: `/${name}.relu/Relu`,
    inputs: [`${name}.sum`],
    outputs: [name],
  });
  return encodeModel({
    name: 'last',
    opset: 13,
    inputs: [{ name: 'image', type: 'float32', shape: ['batch', side, side, 3] }],
    outputs: [{ name: 'dead', type: 'float32', shape: null }],
    initialisers: [
      normal('w1', [8, 3, 3, 3]),
      normal('w2', [32, 8, 3, 3]),
      normal('w3', [4, 32, 3, 3], 0),
    ],
    nodes: [
      {
        op: 'Transpose',
        name: '/Transpose',
        inputs: ['image'],
        outputs: ['first'],
        attributes: { perm: { ints: [0, 3, 1, 2] } },
      },
      conv('first', 'w1', 'conv1', 2),
      relu('conv1'),
      conv('conv1', 'w2', 'conv2', 2),
      relu('conv2'),
      conv('conv2', 'w3', 'dead', 2),
      relu('dead'),
    ],
  });
};

const normals = (shape: readonly number[]) => ({
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random.normal),
  shape,
});

/** A preprocessing file that makes images of 24 × 24 for a network that leaves the size free. */
const small = (): string => {
  const path = join(folder, 'small images.json');
  const preset = presetNamed('tf-224')!;
  const resize = { kind: 'exact', height: 24, width: 24 };
  writeFileSync(path, JSON.stringify({ ...preset, name: 'small', resize }));
  return path;
};

const readScore = (path: string): Score => JSON.parse(readFileSync(path, 'utf8'));

const ordinary = ['--area', 'V4', '--species', 'macaque', '--window', '0-100', '--quiet'];

describe('one site, 40 images of four kinds in a zip archive', () => {
  const idOf = (index: number): string => `été n° ${String(index).padStart(2, '0')}, "猫"`;

  it('is imported and scored, whatever the names', async () => {
    const pictures = Array.from({ length: 40 }, async (_, index) => {
      const channels = ([1, 2, 3, 4] as const)[index % 4]!;
      const data = Uint8Array.from({ length: 20 * 14 * channels }, () => random.int(256));
      const raw = { width: 20, height: 14, channels };
      return {
        name: `set/${idOf(index)}.png`,
        parts: [await sharp(data, { raw }).png().toBuffer()],
      };
    });
    const zip = zipParts(await Promise.all(pictures), { compress: true });
    writeFileSync(join(folder, 'my stimuli.zip'), Buffer.concat(zip));
    const trend = normals([1, 3, 40]);
    const data = trend.data.map((value, i) => value + 3 * Math.sin(i % 40));
    writeFileSync(join(folder, 'R 1.npy'), npy({ data, shape: trend.shape }));
    const recording = join(folder, 'rec 猫');
    const from = ['--responses', join(folder, 'R 1.npy'), '--dims', 'site,trial,stimulus'];
    const images = ['--stimuli', join(folder, 'my stimuli.zip'), '--out', recording];
    const { stdout } = await cliDone('data', 'import', 'npy', ...from, ...images, ...ordinary);
    expect(stdout).toContain('site 1 × trial 3 × stimulus 40');
    expect(stdout).toContain(idOf(3));

    const model = writeModel(folder, networkOf('side'), 'réseau 1.onnx');
    const out = join(folder, 'les scores', 'été.json');
    const options = ['--preprocess', small(), '--out', out, '--keep', 'predictions'];
    await cliDone('score', model, '--recording', recording, ...options, '--layers', 'conv2,dead');
    const score = readScore(out);
    expect(findInput(score.provenance, 'model')!.name).toBe('réseau 1.onnx');
    expect(score.layers.map(({ layer, features }) => [layer, features])).toEqual([
      ['conv2', 32 * 6 * 6],
      ['dead', 4 * 3 * 3],
    ]);
    // The mean of the training rows is no prediction, though it correlates (negatively).
    expect(score.layers[1]).toMatchObject({ value: null, raw: null, interval: null, sitesUsed: 0 });
    expect(score.layers[1]!.warnings.at(-1)).toContain('so the layer has no score');
    expect(score.layer).toBe('conv2');
    expect(score.interval!.low).toBeLessThan(score.value);
    expect(listing(join(folder, 'les scores'))).toEqual(['été.json', 'été.json.predictions.npz']);
    const alone = ['--preprocess', small(), '--layers', 'dead', '--quiet'];
    const dead = await cli('score', model, '--recording', recording, ...alone);
    expect(dead).toMatchObject({ code: 2, stdout: '' });
    expect(dead.stderr).toMatch(
      /^ventral: layers: expected at least one layer with a defined score/,
    );
  });

  it('is scored as before where entries of the cache are damaged', async () => {
    const cache = join(folder, 'cache dir', 'fits');
    const entries = listing(cache).filter((name) => name.includes('/'));
    expect(entries.length).toBeGreaterThan(0);
    const [model, recording] = [join(folder, 'réseau 1.onnx'), join(folder, 'rec 猫')];
    const out = join(folder, 'again.json');
    const options = ['--preprocess', small(), '--layers', 'conv2', '--out', out];
    const again = async () => {
      await cliDone('score', model, '--recording', recording, ...options);
      return readScore(out).layers;
    };
    const before = await again();
    entries.forEach((name, index) => {
      const bytes = readFileSync(join(cache, name));
      bytes[bytes.length - 3]! ^= 1;
      writeFileSync(join(cache, name), index % 2 === 0 ? bytes : '');
    });
    expect(await again()).toEqual(before);
    rmSync(cache, { recursive: true });
    expect(await again()).toEqual(before);
  });
});

describe('a grid recording of four images', () => {
  it('is scored by each protocol for grids, and from activations at its fixations', async () => {
    const pictures = Array.from({ length: 4 }, async (_, index) => {
      const data = Uint8Array.from({ length: 60 * 60 * 3 }, () => random.int(256));
      const raw = { width: 60, height: 60, channels: 3 as const };
      return { name: `${index}.png`, parts: [await sharp(data, { raw }).png().toBuffer()] };
    });
    const zip = zipParts(await Promise.all(pictures), { compress: false });
    writeFileSync(join(folder, 'grid.zip'), Buffer.concat(zip));
    // Maps [4, 5, 6] that all trials and, in part, all sites share.
    const [shared, own, trials] = [
      normals([4, 5, 6]),
      normals([4, 5, 6, 3]),
      normals([4, 5, 6, 4, 3]),
    ];
    const data = trials.data.map((value, i) => {
      const place = Math.floor(i / 12);
      return shared.data[place]! + own.data[place * 3 + (i % 3)]! + 0.3 * value;
    });
    writeFileSync(join(folder, 'grid.npy'), npy({ data, shape: trials.shape }));
    const recording = join(folder, 'grid');
    const from = [
      '--responses',
      join(folder, 'grid.npy'),
      '--dims',
      'stimulus,row,column,trial,site',
    ];
    const images = ['--stimuli', join(folder, 'grid.zip'), '--out', recording];
    await cliDone('data', 'import', 'npy', ...from, ...images, ...ordinary);

    const out = join(folder, 'grid.json');
    const against = ['--recording', recording, '--quiet', '--out', out];
    const model = writeModel(folder, networkOf(16), 'grid.onnx');
    const scored = async (...options: string[]): Promise<Score> => {
      await cliDone('score', ...options, ...against);
      return readScore(out);
    };
    const opencv = ['--preprocess', 'imagenet-224-opencv'];
    const usual = await scored(model, ...opencv);
    expect(usual.protocol).toMatchObject({ name: 'ventral', correlation: 'pearson' });
    expect(usual.nestedSelection!.folds).toHaveLength(4);
    const nested = await scored(model, ...opencv, '--protocol', 'linsley2023-nested');
    expect(nested.nestedSelection!.folds).toHaveLength(4);
    const text = await scored(model, ...opencv, '--protocol', 'linsley2023');
    expect(text.nestedSelection).toBeNull();
    expect(nested.ceiling).toBe(text.ceiling);
    expect(text.layers.map(({ layer, features }) => [layer, features])).toEqual([
      ['conv1', 512],
      ['conv2', 512],
    ]);
    const code = await scored(model, ...opencv, '--protocol', 'linsley2023-code');
    expect(code.layers.map(({ layer, features }) => [layer, features])).toEqual([['conv2', 32]]);
    expect(findInput(code.provenance, 'preprocessing')!.settings!.library).toBe('opencv');
    expect(code.value).toBeCloseTo(code.raw / code.ceiling, 12);
    const split = await scored(model, ...opencv, '--protocol', 'grid-cv');
    expect(split.ceiling).toBeGreaterThan(0.95);

    // A layer that holds what the sites share and each one's own predicts them; noise does not.
    const wide = normals([4, 5, 6, 30]);
    const known = Float32Array.from(wide.data, (value, i) => {
      const [place, feature] = [Math.floor(i / 30), i % 30];
      if (feature === 0) return 5 * shared.data[place]!;
      return feature < 4 ? 5 * own.data[place * 3 + feature - 1]! : 0.1 * value;
    });
    const file = join(folder, 'grid features.npz');
    const layers = { noise: wide, known: { data: known, shape: wide.shape } };
    writeFileSync(file, Buffer.concat(npzParts(layers)));
    const given = await scored('--activations', file, '--protocol', 'grid-cv');
    expect(given.layer).toBe('known');
    expect(given.value).toBeGreaterThan(0.9);
    expect(given.layers[0]!.value!).toBeLessThan(0.4);
    expect(given.layers[0]!.features).toBe(30);
  });
});
