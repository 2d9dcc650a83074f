import type { ArrayData } from './array.ts';

/** What an HDF5 dataset holds: `text` of any length, `reference` to other objects, `other` what is not read. */
export type Hdf5Type = 'integer' | 'float' | 'text' | 'reference' | 'other';

export interface Hdf5Dataset {
  readonly kind: 'dataset';
  readonly type: Hdf5Type;
  /** Row-major; null for an empty dataset, without a shape. */
  readonly shape: readonly number[] | null;
  /** Bytes per element. */
  readonly itemSize: number;
  /** The extent of a chunk; null where the dataset is stored in one piece. */
  readonly chunks: readonly number[] | null;
  /** Names of the dimension scales attached to each dimension, as netCDF-4 has them; null where there is none. */
  readonly dimensions: readonly (string | null)[];
}

export interface Hdf5Group {
  readonly kind: 'group';
  readonly names: readonly string[];
}

/** Links that lead out of the file are not followed. */
export interface Hdf5Stranger {
  readonly kind: 'stranger';
  readonly what: string;
}

export type Hdf5Item = Hdf5Dataset | Hdf5Group | Hdf5Stranger;

/** Indices `[from, to)` along one dimension. */
export type Hdf5Range = readonly [from: number, to: number];

/** An open file. Whatever is damaged or lies is refused with one input error; a file that does harm is closed. */
export interface Hdf5File {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** What is at a path, or null where nothing is. */
  item(path: string): Promise<Hdf5Item | null>;
  /** Null where there is no such attribute. */
  attribute(path: string, name: string): Promise<ArrayData | readonly string[] | null>;
  /**
   * Elements of a dataset, row-major, whole or by ranges of its first dimensions: numbers in the file's type, texts, or
   * the paths that references lead to.
   */
  read(path: string, ranges?: readonly Hdf5Range[]): Promise<ArrayData | readonly string[]>;
  close(): Promise<void>;
}

/** Reads HDF5, and so MATLAB 7.3, netCDF-4 and NWB. */
export interface Hdf5 {
  /** A file by its path, or its bytes (which are given away). Storage error where there is no such file. */
  open(source: string | Uint8Array, name: string): Promise<Hdf5File>;
}
