import { datasetAt, readTextsAt } from '../formats/hdf5.ts';
import { checkNumeric, type MatFile, textsOf } from '../formats/mat.ts';
import { decodedNumbers } from '../formats/netcdf.ts';
import { isStrings, readNumbers } from '../formats/npy.ts';
import { openNpz } from '../formats/npz.ts';
import { fileSource } from '../formats/source.ts';
import { toFloat64 } from '../numeric/convert.ts';
import type { NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Hdf5, Hdf5File } from '../records/hdf5.ts';
import type { Recording } from '../records/recording.ts';
import { type ArrayImport, type ArraySource, importArray } from './import-array.ts';
import type { ImportPorts } from './import-write.ts';
import { openHdf5, openMatFile } from './tree.ts';

/** `responses`: an `.npy` of numbers; NaN marks a missing trial. */
export type NpyImport = ArrayImport;

/** `responses`: an `.npz`; `array` may be left out where it holds but one. */
export interface NpzImport extends ArrayImport {
  readonly array?: string;
}

/** `responses`: a MATLAB file of version 5 or later; `dims` name its dimensions in MATLAB's order. */
export interface MatImport extends ArrayImport {
  /** A variable, or a field of a struct (`data.resp`). */
  readonly variable: string;
  /** Variable with the names of the images in the order of the array: a cell array of (backslash) paths. */
  readonly names?: string;
}

/** `responses`: an HDF5 file of whatever origin; `dims` name the axes of the dataset in the order of the file. */
export interface Hdf5Import extends ArrayImport {
  /** Path of the dataset in the file. */
  readonly dataset: string;
  /** Path of a dataset with the names of the images in the order of the array. */
  readonly names?: string;
}

const sourceOf = (array: NdArray, name: string): ArraySource => {
  const isSingle = array.data instanceof Float32Array;
  return {
    name,
    shape: array.shape,
    order: 'row-major',
    isSingle,
    blocks: () => [array.data],
    whole: isSingle ? { data: array.data as Float32Array, shape: array.shape } : toFloat64(array),
  };
};

/** Makes a recording folder out of a NumPy array and images: see `importArray`. */
export const importNpy = async (request: NpyImport, ports: ImportPorts): Promise<Recording> => {
  const array = readNumbers(await ports.files.read(request.responses), request.responses, {
    share: true,
  });
  return importArray(request, sourceOf(array, request.responses), null, ports);
};

/** Makes a recording folder out of an array of a NumPy archive and images: see `importArray`. */
export const importNpz = async (request: NpzImport, ports: ImportPorts): Promise<Recording> => {
  const { responses, array } = request;
  const npz = await openNpz(await fileSource(responses, ports.files), responses);
  if (array === undefined && npz.names.length > 1) {
    const got = npz.names.slice(0, 8).join(', ');
    throw inputError({
      code: 'array-not-named',
      field: 'array',
      where: responses,
      expected: 'one array',
      got,
      mend: 'name the one that is meant',
    });
  }
  const name = array ?? npz.names[0]!;
  const read = await npz.read(name);
  const where = `${responses}: ${name}`;
  if (isStrings(read)) {
    const mend = 'name another array';
    throw inputError({ where, expected: 'an array of numbers', got: 'text', mend });
  }
  return importArray(request, sourceOf(read, where), null, ports);
};

/** A variable as a source, its numbers streamed. Input error where it is no full array of real numbers. */
export const matSource = async (file: MatFile, name: string): Promise<ArraySource> => {
  const variable = await file.describe(name);
  checkNumeric(variable, file.name);
  return {
    name: `${file.name}: ${name}`,
    shape: variable.shape,
    order: 'column-major',
    isSingle: variable.class === 'single',
    blocks: () => file.blocks(name),
    whole: null,
  };
};

/**
 * Makes a recording folder out of a variable of a MATLAB file and images: see `importArray`. The numbers are read once,
 * in pieces, and averaged on the way where `bins` are given. The recording has the dimensions in NumPy's order, the
 * reverse of MATLAB's, so that nothing is moved.
 */
export const importMat = async (
  request: MatImport,
  ports: ImportPorts & { readonly hdf5: Hdf5 },
): Promise<Recording> => {
  const { responses, variable, names } = request;
  const file = await openMatFile(responses, ports);
  try {
    const where = `${responses}: ${names}`;
    const list = names === undefined ? null : textsOf(await file.read(names), where);
    const source = await matSource(file, variable);
    return await importArray(request, source, list === null ? null : { list, where }, ports);
  } finally {
    await file.close();
  }
};

const hdf5Source = async (file: Hdf5File, path: string): Promise<ArraySource> => {
  const { type, shape } = await datasetAt(file, path);
  const name = `${file.name}: ${path}`;
  if ((type !== 'integer' && type !== 'float') || shape === null) {
    const got = shape === null ? 'an empty dataset' : `the type ${type}`;
    const mend = 'name another dataset';
    throw inputError({ where: name, expected: 'an array of real numbers', got, mend });
  }
  const isNetcdf = (await file.attribute('/', '_NCProperties')) !== null;
  const { isSingle, blocks } = await decodedNumbers(file, path, isNetcdf);
  return { name, shape, order: 'row-major', isSingle, blocks, whole: null };
};

/**
 * Makes a recording folder out of a dataset of an HDF5 file and images: see `importArray`. The axes stay in the order of the
 * file, as h5py and h5ls show them (MATLAB shows them reversed); packed numbers and fill values are read as netCDF's
 * attributes say. Input error: no dataset of numbers at that path.
 */
export const importHdf5 = async (
  request: Hdf5Import,
  ports: ImportPorts & { readonly hdf5: Hdf5 },
): Promise<Recording> => {
  const { responses, dataset, names } = request;
  const file = await openHdf5(responses, ports);
  try {
    const own =
      names === undefined
        ? null
        : { list: await readTextsAt(file, names), where: `${responses}: ${names}` };
    return await importArray(request, await hdf5Source(file, dataset), own, ports);
  } finally {
    await file.close();
  }
};
