import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readNumbersAt, readTextsAt, slabs } from '../../src/formats/hdf5.ts';
import { type MatValue, textsOf } from '../../src/formats/mat.ts';
import { openMatlab73 } from '../../src/formats/matlab73.ts';
import { createNodeHdf5 } from '../../src/node/hdf5.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { storageLine } from '../contracts/contract.ts';
import { endure, mutations, truncations } from '../mutations.ts';
import { readBrainio, readMatlab73 } from '../parsers.ts';
import { inputLine } from './failure.ts';

const pathOf = (name: string): string =>
  fileURLToPath(new URL(`../golden/hdf5/${name}`, import.meta.url));
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(pathOf(name)));
const golden = JSON.parse(
  readFileSync(new URL('../golden/hdf5.json', import.meta.url), 'utf8'),
) as { matlab73: { doubles: number[] }; assembly: { responses: number[] } };

const hdf5 = createNodeHdf5({ seconds: 20 });
const open = async (name: string) => openMatlab73(await hdf5.open(pathOf(name), name));

const numbers = (value: MatValue) => {
  if (value.kind !== 'numbers') throw new Error(value.kind);
  return { shape: value.array.shape, values: Array.from(value.array.data, Number) };
};

describe('openMatlab73', () => {
  it('lists variables with MATLAB’s own shapes, and follows no link out of the file', async () => {
    const file = await open('matlab73.mat');
    const listed = file.variables.map((each) => [each.name, each.class, each.shape.join('×')]);
    expect(listed).toEqual([
      ['complex', 'double', '1×1'],
      ['counts', 'uint8', '2×3'],
      ['doubles', 'double', '3×4×2×5'],
      ['empty', 'double', '0×3'],
      ['flags', 'logical', '1×3'],
      ['paths', 'cell', '1×2'],
      ['record', 'struct', '1×1'],
      ['records', 'struct', '1×2'],
      ['sparse', 'sparse', ''],
      ['title', 'char', '1×7'],
    ]);
    await file.close();
  });

  it('reads numbers row-major, and in blocks column-major', async () => {
    const file = await open('matlab73.mat');
    expect(numbers(await file.read('doubles'))).toEqual({
      shape: [3, 4, 2, 5],
      values: golden.matlab73.doubles,
    });
    const blocks: number[] = [];
    for await (const block of file.blocks('doubles')) blocks.push(...Array.from(block, Number));
    // Rows of 4 · 2 · 5 numbers: down the first column.
    expect(blocks.length).toBe(120);
    expect(blocks.slice(0, 4)).toEqual([0, 40, 80, 10].map((at) => golden.matlab73.doubles[at]));
    expect(numbers(await file.read('empty'))).toEqual({ shape: [0, 3], values: [] });
    expect(numbers(await file.read('flags'))).toEqual({ shape: [1, 3], values: [1, 0, 1] });
  });

  it('reads texts, cells of texts, structs and struct arrays', async () => {
    const file = await open('matlab73.mat');
    expect(await file.read('title')).toEqual({ kind: 'text', rows: ['naïve ✓'] });
    expect(textsOf(await file.read('paths'), 'paths')).toEqual([
      'C:\\set\\b.png',
      'C:\\set\\a.png',
    ]);
    const record = await file.read('record');
    const records = await file.read('records');
    if (record.kind !== 'struct' || records.kind !== 'struct') throw new Error('struct');
    expect(numbers(record.fields.get('a')![0]!).values).toEqual([1.5]);
    expect(records.fields.get('value')!.map((each) => numbers(each).values)).toEqual([[0], [1, 1]]);
  });

  it('refuses sparse and complex arrays, and cells that hold themselves', async () => {
    const file = await open('matlab73.mat');
    expect(await inputLine(() => file.read('sparse'))).toContain('got a sparse one; save full(x)');
    expect(await inputLine(() => file.read('complex'))).toContain('got complex numbers');
    const cyclic = await open('cyclic.mat');
    expect(await inputLine(() => cyclic.read('loop'))).toBe(
      'cyclic.mat: /loop: expected arrays inside of arrays, got one inside of itself; save the file again in MATLAB',
    );
  });
});

describe('the HDF5 port', () => {
  it('reads numbers of either byte order, texts, and ranges; names dimension scales', async () => {
    const file = await hdf5.open(bytesOf('assembly.nc'), 'assembly.nc');
    const item = await file.item('/dicarlo.Made.public');
    expect(item).toMatchObject({
      kind: 'dataset',
      type: 'float',
      shape: [7, 4, 2],
      dimensions: ['presentation', 'neuroid', 'time_bin'],
    });
    expect(await readTextsAt(file, '/region')).toEqual(['V4', 'V4', 'IT', 'IT']);
    const some = await readNumbersAt(file, '/dicarlo.Made.public', [[1, 3]]);
    expect(Array.from(some, Number)).toEqual(golden.assembly.responses.slice(8, 24));
    expect(Array.from(await readNumbersAt(file, '/neuroid'), Number)).toEqual([0, 0, 0, 0]);
    expect(await file.attribute('/neuroid', 'nothing')).toBeNull();
    expect(await file.item('/nothing')).toBeNull();
    await file.close();
  });

  it('names what is missing and what is no HDF5', async () => {
    expect(await storageLine(hdf5.open('/nowhere/x.nc', 'x.nc'))).toContain('/nowhere/x.nc');
    expect(await inputLine(() => hdf5.open(new Uint8Array(5000), 'x.nc'))).toContain(
      'x.nc: expected a whole HDF5 file (MATLAB 7.3, netCDF-4, NWB), got one that cannot be read',
    );
  });

  it('cuts large datasets into ranges that cover each element once', () => {
    const shape = [3, 5, 2000, 1000];
    const ranges = [...slabs({ shape, itemSize: 8, chunks: [1, 2, 500, 500] })];
    const sizes = ranges.map((each) =>
      shape.reduce((n, extent, axis) => {
        const [from, to] = each[axis] ?? [0, extent];
        return n * (to - from);
      }, 1),
    );
    expect(sizes.reduce((a, b) => a + b)).toBe(3 * 5 * 2000 * 1000);
    expect(Math.max(...sizes) * 8).toBeLessThanOrEqual(2 ** 25);
    expect(ranges.slice(0, 3)).toEqual([
      [
        [0, 1],
        [0, 2],
      ],
      [
        [0, 1],
        [2, 4],
      ],
      [
        [0, 1],
        [4, 5],
      ],
    ]);
  });
});

describe('damaged files', () => {
  const readAll = async (bytes: Uint8Array): Promise<void> =>
    readMatlab73(await hdf5.open(bytes, 'x.mat'));

  it('are refused also after one that the library lost its way in', async () => {
    const assembly = bytesOf('assembly.nc');
    const lost = assembly.slice();
    // In the local heap with the names of the links.
    lost[800] = 159;
    await expect(readBrainio({ open: () => hdf5.open(lost, 'x.nc') })).rejects.toThrow();
    expect(await inputLine(() => hdf5.open(assembly.slice(0, -100), 'x.nc'))).toContain(
      'truncated file',
    );
  });

  it('cut after every 97th byte', async () => {
    const cuts = [...truncations(bytesOf('matlab73.mat'))].filter((_, index) => index % 97 === 0);
    const { refused, read } = await endure(cuts, readAll, 30);
    expect([refused, read]).toEqual([cuts.length, 0]);
  });

  it('2,000 mutations', async () => {
    const seeds = ['matlab73.mat', 'cyclic.mat'].map(bytesOf);
    const { refused } = await endure(mutations(seeds, 2000, createRandom('hdf5')), readAll, 30);
    expect(refused).toBeGreaterThan(500);
  });
});
