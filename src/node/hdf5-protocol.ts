import type { ArrayData } from '../records/array.ts';
import type { Hdf5Item, Hdf5Range } from '../records/hdf5.ts';

// What the caller's thread and the HDF5 thread say to each other.

export type Hdf5Command =
  | { readonly kind: 'open'; readonly source: string | Uint8Array }
  | { readonly kind: 'item'; readonly file: number; readonly path: string }
  | {
      readonly kind: 'attribute';
      readonly file: number;
      readonly path: string;
      readonly name: string;
    }
  | {
      readonly kind: 'read';
      readonly file: number;
      readonly path: string;
      readonly ranges: readonly Hdf5Range[];
    }
  | { readonly kind: 'close'; readonly file: number };

export interface Hdf5Answers {
  open: { readonly file: number; readonly size: number };
  item: Hdf5Item | null;
  attribute: ArrayData | readonly string[] | null;
  read: ArrayData | readonly string[];
  close: null;
}

/** The thread adds one here when it is ready, and one for each piece of a file that it reads: signs of life. */
export type Signs = Int32Array;

export interface Hdf5Request {
  readonly call: number;
  readonly command: Hdf5Command;
}

export type Hdf5Reply =
  | { readonly call: number; readonly answer: Hdf5Answers[keyof Hdf5Answers] }
  /** `fatal`: the library is in no state to go on. */
  | {
      readonly call: number;
      readonly failure: string;
      readonly fatal: boolean;
      /** A filter that the library does not have, and the dataset that is stored with it. */
      readonly filter: { readonly path: string; readonly name: string } | null;
    };
