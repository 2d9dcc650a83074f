import { beforeEach, describe, expect, it } from 'vitest';
import type { MapPorts } from '../../src/data/fixation-maps.ts';
import { fixationMap, fixationsFromCsv } from '../../src/data/fixations.ts';
import { openHumanMaps } from '../../src/data/human-maps.ts';
import { npyParts } from '../../src/formats/npy.ts';
import { zipParts } from '../../src/formats/zip-write.ts';
import { createNodeHdf5 } from '../../src/node/hdf5.ts';
import { createNodeImages } from '../../src/node/images.ts';
import type { NdArray } from '../../src/records/array.ts';
import type { HumanMap, HumanMaps } from '../../src/records/human-map.ts';
import { inputLine } from '../formats/failure.ts';
import { bytesOf, difference, floatsOf, humanMapsGolden } from '../human-maps-golden.ts';
import { createMemoryFiles, createMemoryHash, type MemoryFiles } from '../memory-files.ts';

const images = createNodeImages();
let files: MemoryFiles;
let ports: MapPorts;
beforeEach(() => {
  files = createMemoryFiles();
  ports = { files, images, hash: createMemoryHash(files), hdf5: createNodeHdf5() };
});

const png = (width: number, height: number, level: (i: number) => number): Promise<Uint8Array> =>
  images.encode({
    width,
    height,
    channels: 3,
    data: Uint8Array.from({ length: width * height * 3 }, (_, i) => level(i)),
  });
const grey = (i: number): number => Math.floor(i / 3) % 251;
const put = (path: string, bytes: Uint8Array | string): Promise<void> =>
  files.write(path, [typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes]);
const npy = (array: NdArray): Uint8Array => new Uint8Array(Buffer.concat(npyParts(array)));
const open = (maps: string, over: string | null = null, sigma = 2): Promise<HumanMaps> =>
  openHumanMaps({ maps, images: over, root: 'cache', fixationSigma: sigma }, ports);
const all = async (source: HumanMaps): Promise<HumanMap[]> => {
  const found: HumanMap[] = [];
  for await (const map of source.read()) found.push(map);
  return found;
};
const refusal = (maps: string, over: string | null = null): Promise<string> =>
  inputLine(async () => all(await open(maps, over)));

describe('fixations', () => {
  const { fixations } = humanMapsGolden;

  it('are blurred as SciPy does, and counted where they lie beside the image', () => {
    const { height, width, sigma, points } = fixations;
    const path = { x: points.map(([x]) => x), y: points.map(([, y]) => y) };
    const { map, outside } = fixationMap(path, height, width, sigma);
    const most = Math.max(...map.data);
    const scaled = { ...map, data: map.data.map((value) => value / most) };
    expect(difference(scaled, floatsOf(fixations.map))).toBeLessThan(1e-6);
    expect(outside).toBe(fixations.outside);
  });

  it('come as a table, one map for each person, joined with images by name', async () => {
    await put('photos/a.png', await png(20, 10, grey));
    await put('photos/b.png', await png(8, 8, grey));
    await put(
      'looks.csv',
      'image,subject,x,y,duration\nb.png,p1,2,3,200\na.png,p1,4,5,1\na.png,p2,30,5,1\na.png,p2,12,5,1\nc.png,p1,1,1,1\n',
    );
    const source = await open('looks.csv', 'photos');
    expect(source).toMatchObject({ name: 'looks.csv', count: 2, hasSubjects: true });
    expect(source.warnings).toEqual(['1 of 3 lists of fixations are of other images']);
    const [a, b] = await all(source);
    expect(a).toMatchObject({ id: 'a.png', label: null });
    expect(a!.warning).toBe('1 fixations beside the image are left out');
    expect(a!.subjects).toHaveLength(2);
    expect(a!.map.data[5 * 20 + 4]).toBeCloseTo(1 + Math.exp(-64 / 8), 5);
    expect(a!.subjects![1]!.data[5 * 20 + 12]).toBeCloseTo(1, 6);
    expect(b!.map.shape).toEqual([8, 8]);
  });

  it('have a unit that the numbers may contradict', async () => {
    await put('photos/a.png', await png(20, 10, grey));
    await put('shares.csv', 'image,subject,x,y\na.png,p1,0.25,0.5\na.png,p2,1,0\n');
    expect(await refusal('shares.csv', 'photos')).toContain(
      'shares.csv: expected coordinates in pixels, got numbers between 0 and 1 throughout',
    );
    const settings = { maps: 'shares.csv', images: 'photos', root: 'cache', fixationSigma: 1 };
    const unit = { ...settings, fixationUnit: 'shares' as const };
    const [map] = await all(await openHumanMaps(unit, ports));
    const [first, second] = map!.subjects!;
    expect(first!.data.indexOf(Math.max(...first!.data))).toBe(5 * 20 + 5);
    expect(second!.data.indexOf(Math.max(...second!.data))).toBe(19);
    expect(map!.warning).toBeNull();
    await put('degrees.csv', 'image,subject,x,y\na.png,p1,-3,2\na.png,p1,4,-1\n');
    expect((await open('degrees.csv', 'photos')).warnings).toEqual([
      '50 % of the coordinates of fixations are negative: pixels are counted from the upper left corner, not from the centre',
    ]);
  });

  it('are refused where a number, a column or the images are missing', async () => {
    await put('photos/a.png', await png(4, 4, grey));
    await put('looks.csv', 'image,subject,x,y\na.png,p1,1,\n');
    expect(await refusal('looks.csv', 'photos')).toContain(
      'looks.csv: line 2: expected numbers in',
    );
    expect(await refusal('looks.csv')).toContain('expected the images that people looked at');
    await put('looks.csv', 'image,x,y\na.png,1,1\n');
    expect(await refusal('looks.csv', 'photos')).toContain('columns image, subject, x, y');
    await put('looks.csv', 'image,subject,x,y\nb.png,p1,2,1\n');
    expect(await refusal('looks.csv', 'photos')).toContain(
      'photos: a.png: expected fixations on it',
    );
    expect(fixationsFromCsv('image,subject,x,y\n"d/e.png",1,2,3\n', 'f')[0]!.image).toBe('e.png');
  });
});

describe('a folder of maps', () => {
  beforeEach(async () => {
    await put('set/images/a.png', await png(6, 4, grey));
    await put('set/images/b.png', await png(5, 5, grey));
    await put('set/maps/a.png', await png(6, 4, grey));
    await put(
      'set/maps/b.npy',
      npy({ data: Float64Array.from({ length: 50 }, (_, i) => i), shape: [2, 5, 5] }),
    );
    await put('set/labels.csv', 'image,class\nb.png,7\na,3\n');
  });

  it('gives maps from PNG and npy, single people where they are there, and labels', async () => {
    const source = await open('set/');
    expect(source).toMatchObject({ name: 'set', count: 2, hasSubjects: false, warnings: [] });
    const [a, b] = await all(source);
    expect(a).toMatchObject({ id: 'a.png', label: 3, subjects: null });
    expect([...a!.map.data]).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(b!.label).toBe(7);
    expect(b!.subjects).toHaveLength(2);
    expect([...b!.map.data]).toEqual(Array.from({ length: 25 }, (_, i) => 25 + 2 * i));
  });

  it('may be a zip archive, with a folder around everything and what macOS puts in', async () => {
    const names = files.tree().filter((path) => path.startsWith('set/') && !path.endsWith('/'));
    const entries = await Promise.all(
      [...names, 'set/maps/.DS_Store'].map(async (name) => ({
        name,
        parts: [name.endsWith('.DS_Store') ? new Uint8Array(3) : await files.read(name)],
      })),
    );
    const clutter = { name: '__MACOSX/set/images/._a.png', parts: [new Uint8Array(9)] };
    await files.write('set.zip', zipParts([clutter, ...entries], { compress: true }));
    const [zipped, folder] = [await open('set.zip'), await open('set')];
    expect(zipped.sha256).toBe(folder.sha256);
    expect((await all(zipped)).map(({ label }) => label)).toEqual([3, 7]);
  });

  it('has another hash where a label, an image or a map is another', async () => {
    const before = (await open('set')).sha256;
    await put('set/labels.csv', 'image,class\nb.png,8\na,3\n');
    const after = (await open('set')).sha256;
    expect(after).not.toBe(before);
    await put('set/maps/a.png', await png(6, 4, (i) => grey(i) + 1));
    expect((await open('set')).sha256).not.toBe(after);
  });

  it('is refused, naming the file, where sizes or names do not fit', async () => {
    await put('set/maps/a.png', await png(4, 6, grey));
    expect(await refusal('set')).toContain(
      "set: maps/a.png: expected a map of the image's size, 6×4, got 4×6",
    );
    await put('set/maps/a.png', await png(6, 4, (i) => i % 3));
    expect(await refusal('set')).toContain('set: maps/a.png: expected a grey map');
    await files.remove('set/maps/a.png');
    expect(await refusal('set')).toContain('none (1 maps for 2 images)');
    await put('set/maps/c.png', await png(6, 4, grey));
    expect(await refusal('set')).toContain('set: maps/c.png: expected an image of this name');
  });

  it('is refused where a map holds no finite numbers, or a label none', async () => {
    await put(
      'set/maps/b.npy',
      npy({ data: new Float32Array(25).fill(Number.NaN), shape: [5, 5] }),
    );
    expect(await refusal('set')).toContain('set: maps/b.npy: expected finite numbers');
    await put('set/maps/b.npy', npy({ data: new Float32Array(25), shape: [25] }));
    expect(await refusal('set')).toContain('one of 1 dimensions');
    await put('set/labels.csv', 'image,class\nb.png,-1\na,3\n');
    expect(await refusal('set')).toContain('set: labels.csv: line 2: expected a whole number');
    await put('set/labels.csv', 'image,class\nb.png,1\n');
    expect(await refusal('set')).toContain('a class for each of 2 images');
  });

  it('is refused where there is nothing of the kind', async () => {
    await put('other/readme.txt', 'nothing');
    expect(await refusal('other')).toContain('expected images/, maps/ or TFRecord shards in it');
    expect(await refusal('clickme')).toContain('nothing at cache/human-maps/clickme');
    expect(await refusal('../clickme')).toContain('nothing there');
    expect(await refusal('set', 'photos')).toContain('which comes with its images');
  });
});

describe('ClickMe shards', () => {
  const shard = bytesOf(humanMapsGolden.records.shard);

  it('are read in the order of their numbers, under the name that they were fetched by', async () => {
    for (const number of [10, 2]) {
      await put(`cache/human-maps/clickme/val/val-${number}.tfrecords`, shard);
    }
    const source = await open('clickme');
    expect(source).toMatchObject({ name: 'clickme', count: null, hasSubjects: false });
    const maps = await all(source);
    expect(maps.map(({ id }) => id)).toEqual(
      ['val-2', 'val-10'].flatMap((name) => [1, 2, 3].map((n) => `${name}.tfrecords#${n}`)),
    );
    expect(maps.map(({ label }) => label)).toEqual([3, 999, 0, 3, 999, 0]);
    const { map, pixels } = maps[0]!;
    expect(map.shape).toEqual([32, 32]);
    expect([pixels.width, pixels.height]).toEqual([32, 32]);
    // The generator's spot: brightest at row 8, column 10, but for the JPEG.
    expect(map.data[8 * 32 + 10]).toBeGreaterThan(240);
    expect(map.data[30 * 32 + 30]).toBeLessThan(15);
  });

  it('name the shard and the record that is damaged', async () => {
    await put('val-0.tfrecords', shard.subarray(0, shard.length - 30));
    expect(await refusal('val-0.tfrecords')).toContain(
      'val-0.tfrecords: record 3: expected a whole',
    );
    const changed = shard.slice();
    changed[shard.length - 40]! ^= 4;
    await put('val-0.tfrecords', changed);
    expect(await refusal('val-0.tfrecords')).toContain('record 3: expected content that matches');
  });
});
