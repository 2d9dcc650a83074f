import { sizeOf } from '../numeric/array.ts';
import type { ArrayData } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Hdf5Dataset, Hdf5File, Hdf5Range } from '../records/hdf5.ts';

/** Bytes of numbers that are read at a time. */
const slabBytes = 2 ** 25;

const others: readonly (readonly [start: string, what: string, mend: string])[] = [
  [
    'CDF',
    'netCDF-3',
    "write it as netCDF-4: nccopy -k nc4 old.nc new.nc, or xarray's to_netcdf(engine='h5netcdf')",
  ],
  ['MATLAB 5', 'a MATLAB file before version 7.3', 'import it as mat'],
  ['PK', 'a zip archive', 'unpack it; an npz is imported as npz'],
  ['\x93NUMPY', 'a NumPy array', 'import it as npy'],
];

/** Bytes from the start that tell one format from another. */
export const hdf5StartBytes = 8;

/** Input error, by its name, for a file of another known format. HDF5 itself may begin with anything. */
export const checkHdf5Start = (start: Uint8Array, name: string): void => {
  const text = String.fromCharCode(...start);
  const found = others.find(([lead]) => text.startsWith(lead));
  if (found === undefined) return;
  const [, got, mend] = found;
  const expected = 'HDF5 (netCDF-4, NWB, MATLAB 7.3)';
  throw inputError({ code: 'not-hdf5', where: name, expected, got, mend });
};

/** The dataset at a path. Input error where there is none. */
export const datasetAt = async (file: Hdf5File, path: string): Promise<Hdf5Dataset> => {
  const item = await file.item(path);
  if (item?.kind === 'dataset') return item;
  const got = item === null ? 'nothing' : item.kind === 'group' ? 'a group' : item.what;
  throw inputError({
    where: file.name,
    expected: `a dataset at ${path}`,
    got,
    mend: 'check that the file is of the kind that it is imported as',
  });
};

/** Numbers of a dataset; with `ranges`, of its first dimensions. Input error where it holds something else. */
export const readNumbersAt = async (
  file: Hdf5File,
  path: string,
  ranges?: readonly Hdf5Range[],
): Promise<ArrayData> => {
  const data = await file.read(path, ranges);
  if (ArrayBuffer.isView(data)) return data as ArrayData;
  const where = `${file.name}: ${path}`;
  throw inputError({ where, expected: 'numbers', got: 'text', mend: 'name another dataset' });
};

/** All numbers of a dataset, in float64. Input error where there is none. */
export const readFloat64At = async (file: Hdf5File, path: string): Promise<Float64Array> => {
  await datasetAt(file, path);
  return Float64Array.from(await readNumbersAt(file, path), Number);
};

/** Texts of a dataset; whole numbers are written out, since ids are kept as either. Input error for anything else. */
export const readTextsAt = async (file: Hdf5File, path: string): Promise<readonly string[]> => {
  const { type, shape } = await datasetAt(file, path);
  const where = `${file.name}: ${path}`;
  if (type !== 'text' && type !== 'integer' && type !== 'float') {
    throw inputError({ where, expected: 'texts', got: `the type ${type}`, mend: 'check the file' });
  }
  const data = await file.read(path);
  if (ArrayBuffer.isView(data)) return Array.from(data as ArrayData, String);
  // netCDF-3's manner: single letters along a last dimension.
  const width = (shape?.length ?? 1) < 2 ? 1 : shape!.at(-1)!;
  if (width === 1) return data;
  return Array.from({ length: data.length / width }, (_, index) =>
    data
      .slice(index * width, (index + 1) * width)
      .join('')
      .trimEnd(),
  );
};

/**
 * Ranges that cover a dataset in row-major order, each at most some ten megabytes: single indices of the first
 * dimensions, then a run of indices (whole chunks where these fit), then everything.
 */
export function* slabs({
  shape,
  itemSize,
  chunks,
}: Pick<Hdf5Dataset, 'shape' | 'itemSize' | 'chunks'>): Generator<readonly Hdf5Range[]> {
  const extents = shape ?? [0];
  if (sizeOf(extents) === 0) return;
  const bytesBelow = (axis: number): number => sizeOf(extents.slice(axis + 1)) * itemSize;
  let axis = 0;
  while (axis < extents.length - 1 && bytesBelow(axis) > slabBytes) axis++;
  if (extents.length === 0) {
    yield [];
    return;
  }
  const fitting = Math.max(1, Math.floor(slabBytes / bytesBelow(axis)));
  const chunk = chunks?.[axis] ?? 1;
  const run = fitting >= chunk ? fitting - (fitting % chunk) : fitting;
  const leading = extents.slice(0, axis);
  const index = new Array<number>(axis).fill(0);
  for (let row = 0; row < sizeOf(leading); row++) {
    const before = index.map((at): Hdf5Range => [at, at + 1]);
    for (let from = 0; from < extents[axis]!; from += run) {
      yield [...before, [from, Math.min(extents[axis]!, from + run)]];
    }
    for (let k = axis - 1; k >= 0; k--) {
      index[k]!++;
      if (index[k]! < leading[k]!) break;
      index[k] = 0;
    }
  }
}

/** The numbers of a dataset, row-major, in blocks of bounded size. */
export async function* numberSlabs(file: Hdf5File, path: string): AsyncGenerator<ArrayData> {
  for (const ranges of slabs(await datasetAt(file, path))) {
    yield await readNumbersAt(file, path, ranges);
  }
}
