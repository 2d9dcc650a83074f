import { toFloat64 } from '../numeric/convert.ts';
import type { Float64Nd, NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import {
  checkNpyLength,
  isStrings,
  type NpyHeader,
  npyHeaderLimit,
  npyParts,
  readNpy,
  readNpyHeader,
  type StringArray,
} from './npy.ts';
import type { ByteSource } from './source.ts';
import { openZip } from './zip.ts';
import { zipParts } from './zip-write.ts';

/** Arrays by name, each read when it is asked for. */
export interface Npz {
  /** In the order of the archive. */
  readonly names: readonly string[];
  /** Shape and type without reading the elements, whose number the entry's size must bear out. */
  header(name: string): Promise<NpyHeader>;
  read(name: string): Promise<NdArray | StringArray>;
  /** An array that must hold numbers, in float64. */
  readFloat64(name: string): Promise<Float64Nd>;
  /** An array that must hold text. */
  readStrings(name: string): Promise<StringArray>;
}

const ending = '.npy';

/**
 * Opens an npz archive (stored or deflated, zip64 too). `name` is the file's, for messages.
 * Input error: a damaged or climbing archive, an entry that is no array; on reading, those of `readNpy`.
 */
export const openNpz = async (source: ByteSource, name: string): Promise<Npz> => {
  const zip = await openZip(source, name);
  const stranger = zip.entries.find((entry) => !entry.name.endsWith(ending));
  if (stranger !== undefined || zip.entries.length === 0) {
    const got = stranger === undefined ? 'an empty archive' : `the entry "${stranger.name}"`;
    const mend = 'save it with numpy.savez';
    throw inputError({ where: name, expected: 'arrays (.npy) only', got, mend });
  }
  const entries = new Map(zip.entries.map((entry) => [entry.name.slice(0, -ending.length), entry]));
  const names = [...entries.keys()];
  const entryOf = (array: string) => {
    const entry = entries.get(array);
    if (entry !== undefined) return entry;
    const got = names.slice(0, 8).join(', ');
    const expected = `an array named "${array}"`;
    throw inputError({ where: name, expected, got, mend: 'check the name' });
  };
  const read = async (array: string) =>
    readNpy(await zip.read(entryOf(array)), `${name}: ${array}`);
  const wrongKind = (array: string, expected: string, got: string) =>
    inputError({ where: `${name}: ${array}`, expected, got, mend: 'name another array' });
  return {
    names,
    header: async (array) => {
      const entry = entryOf(array);
      const where = `${name}: ${array}`;
      const header = readNpyHeader(await zip.readStart(entry, npyHeaderLimit), where);
      checkNpyLength(header, entry.size, where);
      return header;
    },
    read,
    readFloat64: async (array) => {
      const found = await read(array);
      if (isStrings(found)) throw wrongKind(array, 'numbers', 'text');
      return toFloat64(found);
    },
    readStrings: async (array) => {
      const found = await read(array);
      if (!isStrings(found)) throw wrongKind(array, 'text', 'numbers');
      return found;
    },
  };
};

/** The parts of an npz archive; the same arrays give the same bytes. Input error from 4 GiB on. */
export const npzParts = (
  arrays: Readonly<Record<string, NdArray | StringArray>>,
  { compress = false }: { compress?: boolean } = {},
): readonly Uint8Array[] =>
  zipParts(
    Object.entries(arrays).map(([name, array]) => ({
      name: `${name}${ending}`,
      parts: npyParts(array),
    })),
    { compress },
  );
