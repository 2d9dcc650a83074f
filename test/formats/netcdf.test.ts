import { describe, expect, it } from 'vitest';
import { decodedNumbers, decodedTexts, millisecondsPerUnit } from '../../src/formats/netcdf.ts';
import type { ArrayData } from '../../src/records/array.ts';
import type { Hdf5File } from '../../src/records/hdf5.ts';

/** A file of one dataset, `/x`. */
const fileOf = (
  data: ArrayData,
  attributes: Readonly<Record<string, readonly number[] | string>>,
): Hdf5File => ({
  name: 'a.nc',
  size: 1,
  item: async () => ({
    kind: 'dataset',
    type: data instanceof Float32Array || data instanceof Float64Array ? 'float' : 'integer',
    shape: [data.length],
    itemSize: data.BYTES_PER_ELEMENT,
    chunks: null,
    dimensions: [null],
  }),
  attribute: async (_, name) => {
    const value = attributes[name];
    if (value === undefined) return null;
    return typeof value === 'string' ? [value] : Float64Array.from(value);
  },
  read: async () => data.slice(),
  close: async () => undefined,
});

const decoded = async (
  data: ArrayData,
  attributes: Readonly<Record<string, readonly number[] | string>>,
  isNetcdf = true,
): Promise<number[]> => {
  const { blocks } = await decodedNumbers(fileOf(data, attributes), '/x', isNetcdf);
  const numbers: number[] = [];
  for await (const block of blocks()) for (const value of block) numbers.push(Number(value));
  return numbers;
};

// What comes out is the arithmetic of the conventions: stored · scale_factor + add_offset.
describe('numbers of netCDF', () => {
  it('are unpacked, the missing ones named in stored numbers', async () => {
    const packing = { scale_factor: [0.5], add_offset: [10], _FillValue: [-1] };
    expect(await decoded(Int16Array.of(-1, 0, 4), packing)).toEqual([Number.NaN, 10, 12]);
    expect(await decoded(Int16Array.of(7, 8, 9), { missing_value: [7, 9] })).toEqual([
      Number.NaN,
      8,
      Number.NaN,
    ]);
  });

  it('are missing outside of the valid range, which may speak of unpacked numbers', async () => {
    const scale_factor = [0.01];
    const stored = await decoded(Int16Array.of(-5, 50, 200), {
      scale_factor,
      valid_range: [0, 100],
    });
    expect(stored).toEqual([Number.NaN, 0.5, Number.NaN]);
    const unpacked = { scale_factor, valid_min: [0], valid_max: [0.7] };
    expect(await decoded(Int16Array.of(-5, 50, 200), unpacked)).toEqual([
      Number.NaN,
      0.5,
      Number.NaN,
    ]);
  });

  it('have a sign, or none, as _Unsigned says', async () => {
    const bytes = { _Unsigned: 'true', _FillValue: [-1], scale_factor: [2] };
    expect(await decoded(Int8Array.of(-2, 3, -1), bytes)).toEqual([508, 6, Number.NaN]);
    expect(await decoded(Uint8Array.of(254, 3), { _Unsigned: 'false' })).toEqual([-2, 3]);
  });

  it('are missing where netCDF never wrote them, unless the file names another fill', async () => {
    const fill = 9.969209968386869e36;
    expect(await decoded(Float32Array.of(fill, 1), {})).toEqual([Number.NaN, 1]);
    expect(await decoded(Float64Array.of(fill, 1), {})).toEqual([Number.NaN, 1]);
    expect(await decoded(Int16Array.of(-32767, 1), {})).toEqual([Number.NaN, 1]);
    expect(await decoded(Int16Array.of(-32767, 1), {}, false)).toEqual([-32767, 1]);
    expect(await decoded(Int16Array.of(-32767, 1), { _FillValue: [1] })).toEqual([
      -32767,
      Number.NaN,
    ]);
    // xarray writes a fill in float64 beside numbers in float32.
    expect(await decoded(Float32Array.of(-999.9, 1), { _FillValue: [-999.9] })).toEqual([
      Number.NaN,
      1,
    ]);
  });

  it('stay float32 where nothing is unpacked', async () => {
    const { isSingle } = await decodedNumbers(fileOf(Float32Array.of(1), {}), '/x', true);
    expect(isSingle).toBe(true);
    const packed = fileOf(Float32Array.of(1), { scale_factor: [2] });
    expect((await decodedNumbers(packed, '/x', true)).isSingle).toBe(false);
  });

  it('are ids to the last digit', async () => {
    const file = fileOf(BigInt64Array.of(9007199254740993n, 5n), {});
    expect(await decodedTexts(file, '/x')).toEqual(['9007199254740993', '5']);
  });
});

describe('units of time', () => {
  it('are told in milliseconds', async () => {
    const of = (units: string) => millisecondsPerUnit(fileOf(Int32Array.of(1), { units }), '/x');
    expect(await of('ms')).toBe(1);
    expect(await of('seconds')).toBe(1000);
    expect(await of('nanoseconds')).toBe(1e-6);
    await expect(of('seconds since 1970-01-01')).rejects.toThrow('expected a unit of time');
    expect(await millisecondsPerUnit(fileOf(Int32Array.of(1), {}), '/x')).toBe(1);
  });
});
