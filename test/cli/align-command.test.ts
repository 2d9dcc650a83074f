import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { alignmentProtocols } from '../../src/alignment/protocols.ts';
import { readCsv } from '../../src/formats/csv.ts';
import { npyParts, readNpy } from '../../src/formats/npy.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { createRandom, type Random } from '../../src/numeric/random.ts';
import { ranks } from '../../src/numeric/statistics.ts';
import { type Alignment, alignmentSchema } from '../../src/records/alignment.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import type { Pixels } from '../../src/records/ports.ts';
import { bytesOf, humanMapsGolden } from '../human-maps-golden.ts';
import { temporaryFolder } from '../small-study.ts';
import { cliDone, misused, refused } from './run-cli.ts';

vi.mock('../../src/node/engine.ts', async (original) =>
  (await import('./shared-engine.ts')).sharing(await original()),
);

const golden = JSON.parse(
  readFileSync(new URL('../golden/saliency.json', import.meta.url), 'utf8'),
) as { readonly model: string };
const [height, width, count] = [12, 16, 24];
const idOf = (index: number): string => `p${String(index).padStart(2, '0')}`;

/** Smooth, so that its edges and its saliency have something to do with each other. */
const picture = (index: number): Pixels => {
  const random = createRandom(`align ${index}`);
  const [a, b, c] = [random.next() * 6, random.next() * 6, 1 + random.next()];
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    const wave = Math.sin((c * x) / 3 + a + channel) + Math.cos((c * y) / 2 + b);
    return Math.round(127 + 50 * wave + 10 * random.normal());
  });
  return { width, height, channels: 3, data };
};

let folder: string;
let cache: string;
let model: string;
const npy = (map: Float32Nd): Buffer => Buffer.concat(npyParts(map));

/** A folder of the pictures with these maps; null leaves a map of zeros. */
const writeSet = async (name: string, mapOf: (index: number) => Float32Nd): Promise<string> => {
  const path = join(folder, name);
  for (const part of ['images', 'maps']) mkdirSync(join(path, part), { recursive: true });
  for (let index = 0; index < count; index++) {
    const image = await createNodeImages().encode(picture(index));
    writeFileSync(join(path, 'images', `${idOf(index)}.png`), image);
    writeFileSync(join(path, 'maps', `${idOf(index)}.npy`), npy(mapOf(index)));
  }
  return path;
};
const own = (index: number): Float32Nd =>
  readNpy(readFileSync(join(folder, 'own', `${idOf(index)}.npy`)), 'map') as Float32Nd;
const zeros: Float32Nd = { data: new Float32Array(height * width), shape: [height, width] };
const changed = ({ data, shape }: Float32Nd, change: (value: number) => number): Float32Nd => ({
  data: data.map(change),
  shape,
});

const aligning = (maps: string, ...options: string[]): string[] => [
  ...['align', model, '--maps', maps, '--preprocess', 'imagenet-224', ...options],
];
const aligned = async (maps: string, ...options: string[]): Promise<Alignment> => {
  const out = join(folder, 'out.json');
  await cliDone(...aligning(maps, '--out', out, ...options));
  return alignmentSchema.parse(JSON.parse(readFileSync(out, 'utf8')));
};

beforeAll(async () => {
  folder = temporaryFolder();
  cache = temporaryFolder();
  process.env.VENTRAL_CACHE = cache;
  model = join(folder, 'net.onnx');
  writeFileSync(model, bytesOf(golden.model));
  const images = join(await writeSet('zeros', () => zeros), 'images');
  await cliDone(
    ...['saliency', model, '--images', images, '--preprocess', 'imagenet-224'],
    ...['--method', 'abs-max', '--out', join(folder, 'own')],
  );
});

/** Maps of people, each the same ranks and noise of the person's own: `[people, height, width]`. */
const watched = ({ data }: Float32Nd, people: number, random: Random): Float32Nd => {
  const shared = ranks(data).map((rank) => rank / data.length);
  const maps = Float32Array.from(
    { length: people * data.length },
    (_, i) => shared[i % data.length]! + 0.3 * random.normal(),
  );
  return { data: maps, shape: [people, height, width] };
};

describe('ventral align', () => {
  it('gives 1 to maps that are its own saliency, and -1 where these are turned upside down', async () => {
    const same = await aligned(await writeSet('same', own));
    expect(same).toMatchObject({ kind: 'human-alignment', raw: 1, value: null, ceiling: null });
    expect(same.metrics).toMatchObject({ dice: { raw: 1 }, iou: { raw: 1 } });
    expect(same.images).toHaveLength(count);
    const opposite = await writeSet('opposite', (index) => changed(own(index), (value) => -value));
    const { stdout } = await cliDone(...aligning(opposite, '--ceiling', '0.5'));
    // Half the ceiling of a perfect agreement the wrong way round: nothing is clipped or made positive.
    expect(stdout).toMatch(/^network +-1\.000 +-2\.000 +\[-2\.000, -2\.000\] +0\.000 +0\.000$/m);
    expect(stdout).toContain('ceiling: 0.5, as given');
  });

  it('knows what it rests on, and writes the same twice', async () => {
    const set = await writeSet('twice', (index) => changed(own(index), (value) => value ** 2 + 1));
    const csv = join(folder, 'images.csv');
    const first = await aligned(set, '--csv', csv);
    const again = await aligned(set);
    const timeless = ({ provenance: { run, ...rest }, ...found }: Alignment) =>
      JSON.stringify([found, rest, { ...run, seconds: null, startedAt: null }]);
    expect(timeless(again)).toBe(timeless(first));
    expect(first.provenance).toMatchObject({
      run: { seed: 1 },
      inputs: [
        { role: 'model', name: 'net.onnx' },
        { role: 'human-maps', name: 'twice', count },
        { role: 'preprocessing', settings: { library: 'pil' } },
        { role: 'protocol', name: 'human-maps' },
      ],
    });
    const { rows } = readCsv(readFileSync(csv, 'utf8'), csv);
    expect(rows.map((row) => row[0])).toEqual(first.images.map(({ image }) => image));
    expect(rows[3]![2]).toBe(String(first.images[3]!.network.spearman));
    expect(first.interval).toMatchObject({ method: 'bootstrap over images', n: { images: count } });
  });

  it('computes no image a second time, and another seed or map anew', async () => {
    const name = 'kept';
    const set = await writeSet(name, (index) =>
      changed(own(index), (value) => value + index + 0.5),
    );
    const entries = () =>
      readdirSync(cache, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
        .length;
    const before = entries();
    await aligned(set, '--limit', '10');
    expect(entries() - before).toBe(10);
    const first = await aligned(set);
    expect(entries() - before).toBe(count);
    const again = await aligned(set);
    expect(entries() - before).toBe(count);
    expect(again.metrics).toEqual(first.metrics);
    expect(again.provenance.inputs).toEqual(first.provenance.inputs);
    await writeSet(name, (index) =>
      changed(own(index), (value) => value + index + (index > 4 ? 1.5 : 0.5)),
    );
    await aligned(set);
    expect(entries() - before).toBe(count + count - 5);
    await aligned(set, '--seed', '2', '--limit', '3');
    expect(entries() - before).toBe(count + count - 5 + 3);
  });

  it('lists the controls, and tells a map that is one of them', async () => {
    const centred = await writeSet('centred', () => ({
      data: Float32Array.from({ length: height * width }, (_, i) => {
        const [x, y] = [((i % width) + 0.5) / width, (Math.floor(i / width) + 0.5) / height];
        return Math.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2));
      }),
      shape: [height, width],
    }));
    const { controls, raw } = await aligned(centred);
    expect(controls.map(({ name }) => name)).toEqual(['centre bias', 'edge detector']);
    expect(controls[0]!.metrics!.spearman.raw).toBeGreaterThan(0.999);
    expect(Math.abs(controls[1]!.metrics!.spearman.raw)).toBeLessThan(0.5);
    expect(raw).toBeLessThan(0.5);
  });

  it('leaves out maps that say nothing, with the reason', async () => {
    const some = await writeSet('some', (index) =>
      index === 4 ? zeros : index === 7 ? changed(zeros, () => 3) : own(index),
    );
    const found = await aligned(some);
    expect(found.raw).toBe(1);
    expect(found.images).toHaveLength(count - 2);
    expect(found.excludedImages).toEqual([
      { image: 'p04.png', reason: 'the human map is 0 everywhere' },
      { image: 'p07.png', reason: 'the human map is constant' },
    ]);
    const none = await refused(folder, ...aligning(join(folder, 'zeros')));
    expect(none.got).toBe(
      '24 images, of which the first is left out: the human map is 0 everywhere',
    );
  });

  it('divides by what the true map would reach, from halves of the people', async () => {
    const random = createRandom('subjects');
    const people = await writeSet('people', (index) => {
      return watched(own(index), 6, random);
    });
    const found = await aligned(people);
    const { spearman, dice } = found.metrics;
    expect(found.protocol.ceiling).toEqual({ kind: 'split-subjects', splits: 10 });
    expect(spearman.halves).toBeGreaterThan(0.3);
    expect(spearman.ceiling).toBeCloseTo(
      Math.sqrt((2 * spearman.halves!) / (1 + spearman.halves!)),
      12,
    );
    // The network's saliency is what the people share.
    expect(Math.abs(spearman.value! - 1)).toBeLessThan(0.02);
    expect(spearman.value).toBeCloseTo(spearman.raw / spearman.ceiling!, 12);
    expect(dice.halves).toBeGreaterThan(0.1);
    expect(dice).toMatchObject({ ceiling: null, value: null, interval: null });
    const { stdout } = await cliDone(...aligning(people, '--limit', '3'));
    expect(stdout).toMatch(/^half of the people against the other +0\.\d+ +0\.\d+ +0\.\d+$/m);
    expect(stdout).toMatch(/^ceiling +0\.\d+ +1\.000$/m);
    expect(stdout).toContain('what the true map would reach with 6 people, from halves of them');
    expect(stdout).toContain('the first 3 images only');
    expect(stdout).toContain('t over images, n = 3, approximate');
  });

  it('has no score where the people disagree, and says so', async () => {
    const apart = await writeSet('apart', (index) => {
      const { data } = own(index);
      const both = Float32Array.from({ length: 2 * data.length }, (_, i) =>
        i < data.length ? data[i]! : -data[i - data.length]! / 2,
      );
      return { data: both, shape: [2, height, width] };
    });
    const { stdout } = await cliDone(...aligning(apart, '--limit', '3'));
    expect(stdout).toMatch(/^half of the people against the other +-1\.000 +-?[\d.]+ +[\d.]+$/m);
    expect(stdout).not.toMatch(/^ceiling /m);
    expect(stdout).toMatch(/^network +1\.000 +\[/m);
    expect(stdout).toContain('halves of the people do not agree, so that there is no score;');
    expect(stdout).toContain('interval of Spearman');
  });

  it('counts images of a single person, whose ceiling follows from the others', async () => {
    const random = createRandom('single');
    const mixed = await writeSet('mixed', (index) => {
      return watched(own(index), index % 3 === 0 ? 1 : 3, random);
    });
    const { images, metrics } = await aligned(mixed);
    expect(images.map(({ split }) => split!.people).slice(0, 4)).toEqual([1, 3, 3, 1]);
    expect(images[0]!.split!.halves.spearman).toBeNull();
    const meanRaw = images.reduce((sum, { network }) => sum + network.spearman!, 0) / count;
    expect(metrics.spearman.raw).toBeCloseTo(meanRaw, 12);
    expect(Math.abs(metrics.spearman.value! - 1)).toBeLessThan(0.03);
    const { stdout } = await cliDone(...aligning(mixed, '--limit', '6'));
    expect(stdout).toContain('with 1 to 3 people');
  });

  it('takes the labelled class and other saliency where a protocol says so', async () => {
    const set = await writeSet('labelled', own);
    const path = join(folder, 'protocol.json');
    const settings = {
      class: 'label',
      saliency: { method: 'gradient' },
      ceiling: { kind: 'none' },
    };
    writeFileSync(path, JSON.stringify({ ...alignmentProtocols[0], name: 'mine', ...settings }));
    const missing = await refused(folder, ...aligning(set, '--protocol', path));
    expect(missing.where).toBe('p00.png: label');
    const lines = Array.from({ length: count }, (_, index) => `${idOf(index)}.png,${index % 10}`);
    writeFileSync(join(set, 'labels.csv'), `image,class\n${lines.join('\n')}\n`);
    const found = await aligned(set, '--protocol', path);
    expect(found.images.map((image) => image.class)).toEqual(lines.map((_, index) => index % 10));
    expect(found.raw).toBeLessThan(0.9);
    writeFileSync(
      join(set, 'labels.csv'),
      `image,class\n${lines.join('\n').replace('p05.png,5', 'p05.png,10')}\n`,
    );
    const high = await refused(folder, ...aligning(set, '--protocol', path));
    expect(high.where).toBe('p05.png: class');
    expect(high.expected).toBe('a class of the network, 0 to 9');
  });

  it('compares with fixations', async () => {
    const lists = ['image,subject,x,y'];
    const random = createRandom('looks');
    for (let index = 0; index < count; index++)
      for (let candidate = 0; candidate < 4; candidate++)
        for (let k = 0; k < 5; k++)
          lists.push(
            `${idOf(index)}.png,${candidate},${8 + 2 * random.normal()},${6 + 2 * random.normal()}`,
          );
    const table = join(folder, 'looks.csv');
    writeFileSync(table, `${lists.join('\n')}\n`);
    const path = join(folder, 'near.json');
    writeFileSync(path, JSON.stringify({ ...alignmentProtocols[0], fixationSigma: 1.5 }));
    const options = ['--images', join(folder, 'zeros', 'images'), '--protocol', path];
    const { controls, metrics } = await aligned(table, ...options);
    expect(metrics.spearman.halves).toBeGreaterThan(0.5);
    expect(controls[0]!.metrics!.spearman.raw).toBeGreaterThan(0.7);
  });
});

describe('ventral align on ClickMe shards', () => {
  const shard = bytesOf(humanMapsGolden.records.shard);

  it('follows clickme-2022, and names the record whose class the network does not have', async () => {
    const place = join(cache, 'human-maps', 'clickme', 'val');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'val-0.tfrecords'), shard);
    const found = await aligned('clickme', '--limit', '1');
    expect(found.protocol).toMatchObject({
      name: 'clickme-2022',
      saliency: { method: 'abs-max' },
      ceiling: { kind: 'given', spearman: 0.65753 },
    });
    expect(found.images).toMatchObject([{ image: 'val-0.tfrecords#1', class: 3, split: null }]);
    expect(found.value).toBeCloseTo(found.raw / 0.65753, 12);
    expect(found.interval).toBeNull();
    const high = await refused(folder, ...aligning('clickme'));
    expect(high.where).toBe('val-0.tfrecords#2: class');
    expect(high.got).toBe('999');
  });

  it('names the record that is cut off or changed', async () => {
    const path = join(folder, 'cut.tfrecords');
    writeFileSync(path, shard.subarray(0, 50));
    expect((await refused(folder, ...aligning(path))).where).toBe(`${path}: record 1`);
  });
});

describe('ventral align is refused in one line', () => {
  it('what cannot be', async () => {
    const set = await writeSet('fine', own);
    const path = join(folder, 'split.json');
    writeFileSync(path, JSON.stringify(alignmentProtocols[0]));
    const split = await refused(folder, ...aligning(set, '--protocol', path));
    expect(split.got).toBe('maps whose people are not known apart, or single people only');
    writeFileSync(path, JSON.stringify({ ...alignmentProtocols[0], percentile: 100 }));
    expect((await refused(folder, ...aligning(set, '--protocol', path))).where).toContain(
      'percentile',
    );
    expect((await refused(folder, ...aligning(set, '--protocol', 'mine'))).expected).toContain(
      'clickme-2022',
    );
    expect((await refused(folder, ...aligning(join(folder, 'gone')))).got).toContain(
      'nothing there',
    );
    expect((await refused(folder, ...aligning(set, '--out', model))).where).toContain('--out');
    expect(await misused(folder, ...aligning(set, '--ceiling', '1.2'))).toContain(
      'above 0, up to 1',
    );
    writeFileSync(join(set, 'maps', 'p03.npy'), npy({ data: new Float32Array(20), shape: [4, 5] }));
    const size = await refused(folder, ...aligning(set));
    expect(size.where).toContain('maps/p03.npy');
    expect(size.got).toBe('5×4');
  });
});
