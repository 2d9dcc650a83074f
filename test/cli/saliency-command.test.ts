import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readNpy } from '../../src/formats/npy.ts';
import { openNpz } from '../../src/formats/npz.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { inputOf } from '../../src/models/frame.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float32Nd, Float64Nd } from '../../src/records/array.ts';
import type { Preprocessing } from '../../src/records/model.ts';
import type { Pixels } from '../../src/records/ports.ts';
import { type SaliencyRecord, saliencyRecordSchema } from '../../src/records/saliency.ts';
import { bytesOf } from '../human-maps-golden.ts';
import { runOnnx } from '../onnx.ts';
import { temporaryFolder } from '../small-study.ts';
import { cliDone, misused, refused } from './run-cli.ts';
import { useStudy, writeProtocol } from './study.ts';

vi.mock('../../src/node/engine.ts', async (original) =>
  (await import('./shared-engine.ts')).sharing(await original()),
);

const study = useStudy();
const golden = JSON.parse(
  readFileSync(new URL('../golden/saliency.json', import.meta.url), 'utf8'),
) as { readonly model: string };

const preprocessing: Preprocessing = {
  name: 'test',
  resize: { kind: 'none' },
  crop: null,
  interpolation: 'bilinear',
  library: 'pil',
  channels: 'RGB',
  scale: 1 / 255,
  mean: [0.5, 0.4, 0.6],
  std: [0.25, 0.3, 0.2],
};
const picture = (index: number): Pixels => {
  const random = createRandom(`saliency ${index}`);
  const data = Uint8Array.from({ length: 12 * 16 * 3 }, () => random.int(256));
  return { width: 16, height: 12, channels: 3, data };
};
const names = ['a.png', 'b.png', 'c.png'];

let folder: string;
let model: string;
let photos: string;
let settings: string;
beforeAll(async () => {
  folder = temporaryFolder();
  model = join(folder, 'net.onnx');
  writeFileSync(model, bytesOf(golden.model));
  settings = join(folder, 'preprocess.json');
  writeFileSync(settings, JSON.stringify(preprocessing));
  photos = join(folder, 'photos');
  mkdirSync(photos);
  for (const [index, name] of names.entries())
    writeFileSync(join(photos, name), await createNodeImages().encode(picture(index)));
});

const saliency = (out: string, ...options: string[]): string[] => [
  ...['saliency', model, '--images', photos, '--preprocess', settings],
  ...['--out', join(folder, out), ...options],
];
const recordOf = (out: string): SaliencyRecord =>
  saliencyRecordSchema.parse(JSON.parse(readFileSync(join(folder, out, 'saliency.json'), 'utf8')));
const mapOf = (out: string, file: string): Float32Nd =>
  readNpy(readFileSync(join(folder, out, file)), file) as Float32Nd;

const inputOfPicture = (index: number): Float32Nd => {
  const { data, width, height } = picture(index);
  const levels = { data: Float32Array.from(data), shape: [height, width, 3] };
  return inputOf(levels, preprocessing, 'NCHW');
};
const probabilities = async (input: Float32Nd): Promise<Float32Array> =>
  (await runOnnx(bytesOf(golden.model), { x: input })).y!.data;
const scaled = ({ data, shape }: Float32Nd, by: number): Float32Nd => ({
  data: data.map((value) => value * by),
  shape,
});
const sum = ({ data }: Float32Nd): number => data.reduce((total, value) => total + value, 0);

describe('ventral saliency', () => {
  it('writes a map, an overlay and what they are for every image; the class is the top one', async () => {
    const { stdout } = await cliDone(...saliency('top', '--method', 'abs-max'));
    expect(stdout).toContain('net.onnx: abs-max of class logits (tensor ');
    expect(readdirSync(join(folder, 'top')).sort()).toEqual(
      ['a', 'b', 'c'].flatMap((id) => [`${id}.npy`, `${id}.png`]).concat('saliency.json'),
    );
    const record = recordOf('top');
    for (const [index, image] of record.images.entries()) {
      const expected = await probabilities(inputOfPicture(index));
      expect(image).toMatchObject({
        image: names[index],
        class: expected.indexOf(Math.max(...expected)),
        warning: null,
      });
      const map = mapOf('top', image.map);
      expect(map.shape).toEqual([12, 16]);
      expect(map.data).toBeInstanceOf(Float32Array);
      expect([image.low, image.high]).toEqual([Math.min(...map.data), Math.max(...map.data)]);
      expect(image.low).toBeGreaterThanOrEqual(0);
      const bytes = readFileSync(join(folder, 'top', image.overlay));
      const { width, height } = await createNodeImages().decode(bytes, 'overlay');
      expect([width, height]).toEqual([16, 12]);
    }
    expect(record.provenance).toMatchObject({
      run: { seed: 1 },
      inputs: [{ role: 'model' }, { role: 'images' }, { role: 'preprocessing', name: 'test' }],
    });
  });

  it('is the slope of the logit: along the image, against differences of log-probabilities', async () => {
    const slopes: number[][] = [];
    for (const [at, which] of ['2', '7'].entries()) {
      const out = `along-${which}`;
      await cliDone(...saliency(out, '--method', 'gradient-times-input', '--class', which));
      slopes[at] = names.map((_, index) => sum(mapOf(out, recordOf(out).images[index]!.map)));
    }
    for (const [index] of names.entries()) {
      const step = 1e-2;
      const [up, down] = await Promise.all(
        [1 + step, 1 - step].map((by) => probabilities(scaled(inputOfPicture(index), by))),
      );
      const logRatio = (p: Float32Array): number => Math.log(p[2]! / p[7]!);
      const expected = (logRatio(up!) - logRatio(down!)) / (2 * step);
      expect(slopes[0]![index]! - slopes[1]![index]!).toBeCloseTo(expected, 2);
    }
  });

  it('sums to the change from a black image, integrated', async () => {
    const values: number[][] = [];
    for (const [at, which] of ['2', '7'].entries()) {
      const out = `path-${which}`;
      const method = ['--method', 'integrated', '--samples', '200'];
      await cliDone(...saliency(out, '--class', which, ...method));
      expect(recordOf(out).settings).toEqual({
        method: 'integrated',
        steps: 200,
        baseline: 'black',
      });
      values[at] = recordOf(out).images.map(({ map }) => sum(mapOf(out, map)));
    }
    const black = inputOf(
      { data: new Float32Array(12 * 16 * 3), shape: [12, 16, 3] },
      preprocessing,
      'NCHW',
    );
    const logRatio = async (input: Float32Nd): Promise<number> => {
      const p = await probabilities(input);
      return Math.log(p[2]! / p[7]!);
    };
    for (const [index] of names.entries()) {
      const expected = (await logRatio(inputOfPicture(index))) - (await logRatio(black));
      expect(values[0]![index]! - values[1]![index]!).toBeCloseTo(expected, 2);
    }
  });

  it('takes classes from a table, and the same noise for the same seed', async () => {
    const table = join(folder, 'classes.csv');
    writeFileSync(table, 'image,class\nc.png,1\na.png,7\nb,0\n');
    const noisy = ['--class', table, '--method', 'smoothgrad', '--samples', '3'];
    for (const out of ['table', 'again']) await cliDone(...saliency(out, ...noisy));
    await cliDone(...saliency('other', ...noisy, '--seed', '2'));
    expect(recordOf('table').images.map((image) => image.class)).toEqual([7, 0, 1]);
    const data = (out: string) => [...mapOf(out, 'a.npy').data];
    expect(data('again')).toEqual(data('table'));
    expect(data('other')).not.toEqual(data('table'));
  });

  it('is refused in one line', async () => {
    const high = await refused(folder, ...saliency('x', '--class', '10'));
    expect(high.where).toBe('a.png: class');
    expect(high.expected).toBe('a class of the network, 0 to 9');
    expect((await refused(folder, ...saliency('x', '--samples', '3'))).where).toBe('--samples');
    const noise = ['--method', 'integrated', '--noise', '1'];
    expect((await refused(folder, ...saliency('x', ...noise))).where).toBe('--noise');
    expect((await refused(folder, ...saliency('x', '--baseline', 'zero'))).where).toBe(
      '--baseline',
    );
    expect((await refused(folder, ...saliency('x', '--site', 's1'))).got).toBe('no --readout');
    const table = join(folder, 'short.csv');
    writeFileSync(table, 'image,class\nc.png,1\n');
    expect((await refused(folder, ...saliency('x', '--class', table))).got).toBe(
      'none for "a.png"',
    );
    const place = ['saliency', model, '--images', photos, '--out', join(model, 'below')];
    expect((await refused(folder, ...place)).where).toContain('--out');
    expect(await misused(folder, ...saliency('x', '--class', '-1'))).toContain('--class');
  });
});

describe('ventral saliency --readout', () => {
  let score: string;
  let shown: string;
  beforeAll(async () => {
    const { folder: home, recording } = study();
    score = join(home, 'score.json');
    await cliDone(
      ...['score', study().model, '--recording', recording, '--preprocess', 'raw'],
      ...['--protocol', writeProtocol(study(), 'readout.json'), '--layers', 'conv3'],
      ...['--out', score, '--keep', 'readout', '--quiet'],
    );
    shown = join(home, 'shown');
    mkdirSync(shown);
    for (const name of ['i000.png', 'i001.png'])
      writeFileSync(join(shown, name), readFileSync(join(recording, 'stimuli', name)));
  });
  const ofSite = (out: string, ...options: string[]): string[] => [
    ...['saliency', study().model, '--images', shown, '--out', join(folder, out)],
    ...['--readout', score, ...options],
  ];

  /** The readout's prediction for site 2, by the network and the kept file themselves. */
  const predicted = async (input: Float32Nd): Promise<number> => {
    const features = Object.values(
      await runOnnx(readFileSync(study().model), { image: input }),
    )[0]!;
    const path = `${score}.readout.npz`;
    const npz = await openNpz(bytesSource(readFileSync(path)), path);
    const weights = (await npz.read('weights')) as Float64Nd;
    const offset = (await npz.read('offset')) as Float64Nd;
    const sites = weights.shape[1]!;
    expect(weights.shape[0]).toBe(features.data.length);
    return features.data.reduce(
      (total, value, k) => total + value * weights.data[k * sites + 2]!,
      offset.data[2]!,
    );
  };
  const stimulus = async (name: string): Promise<Float32Nd> => {
    const { data, width, height } = await createNodeImages().decode(
      readFileSync(join(shown, name)),
      name,
    );
    const levels = { data: Float32Array.from(data), shape: [height, width, 3] };
    return inputOf(levels, { ...preprocessing, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }, 'NCHW');
  };

  it("shows which pixels drive a site's predicted response", async () => {
    const { stdout } = await cliDone(
      ...ofSite('site', '--site', 's2', '--method', 'gradient-times-input'),
    );
    expect(stdout).toContain('the predicted response of s2, from layer conv3');
    const record = recordOf('site');
    expect(record.of).toMatchObject({ kind: 'site', site: 's2', layer: 'conv3' });
    for (const { image, value, map, class: none } of record.images) {
      expect(none).toBeNull();
      const input = await stimulus(image);
      const expected = await predicted(input);
      expect(Math.abs(value - expected)).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected)));
      const step = 1e-3;
      const slope =
        ((await predicted(scaled(input, 1 + step))) - (await predicted(scaled(input, 1 - step)))) /
        (2 * step);
      expect(Math.abs(sum(mapOf('site', map)) - slope)).toBeLessThan(
        0.02 * Math.max(1, Math.abs(slope)),
      );
    }
  });

  it('is refused in one line for another network, site or option', async () => {
    const unknown = await refused(folder, ...ofSite('x', '--site', 's9'));
    expect(unknown.expected).toBe('one of s0, s1, s2, s3');
    const other = ['saliency', model, '--images', shown, '--out', join(folder, 'x')];
    const wrong = await refused(folder, ...other, '--readout', score, '--site', 's1');
    expect(wrong.got).toContain('another file');
    expect((await refused(folder, ...ofSite('x'))).got).toBe('no --site');
    expect((await refused(folder, ...ofSite('x', '--site', 's1', '--class', '3'))).where).toBe(
      '--class',
    );
    expect(
      (await refused(folder, ...ofSite('x', '--site', 's1', '--preprocess', 'raw'))).where,
    ).toBe('--preprocess');
    const without = join(study().folder, 'alone.json');
    writeFileSync(without, readFileSync(score));
    const alone = ['saliency', study().model, '--images', shown, '--out', join(folder, 'x')];
    const missing = await refused(folder, ...alone, '--readout', without, '--site', 's1');
    expect(missing.mend).toContain('--keep readout');
  });
});
