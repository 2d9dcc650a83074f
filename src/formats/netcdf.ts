import type { ArrayData } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Hdf5Dataset, Hdf5File } from '../records/hdf5.ts';
import { datasetAt, numberSlabs, readTextsAt } from './hdf5.ts';

// How stored numbers are to be read: the attributes of the NetCDF Users Guide and the CF conventions (1.11, sections 2.5.1
// and 8.1), which xarray decodes without being asked.

/** What stored numbers mean; NaN stands for missing ones. */
interface Decoding {
  /** What the bits say; null: as they were read. */
  readonly sign: ((stored: number) => number) | null;
  /** What stands for nothing. */
  readonly marks: readonly number[];
  /** Bounds of what is valid, in the stored numbers or in the decoded ones. */
  readonly valid: { readonly low: number; readonly high: number; readonly ofStored: boolean };
  readonly scale: number;
  readonly offset: number;
}

/** netCDF's own fill values, which stand where nothing was written: signed and unsigned; bytes have none. */
const integerFills: Readonly<Record<number, readonly number[]>> = {
  2: [-32_767, 65_535],
  4: [-2_147_483_647, 4_294_967_295],
  8: [Number(-9_223_372_036_854_775_806n), Number(18_446_744_073_709_551_614n)],
};
const floatFill = 9.969209968386869e36;

const fillsOf = ({ type, itemSize }: Hdf5Dataset): readonly number[] =>
  type === 'float' ? [floatFill] : (integerFills[itemSize] ?? []);

const numbersOf = async (file: Hdf5File, path: string, name: string): Promise<number[]> => {
  const value = await file.attribute(path, name);
  if (value === null) return [];
  if (ArrayBuffer.isView(value)) return Array.from(value as ArrayLike<number | bigint>, Number);
  throw inputError({
    where: `${file.name}: ${path}`,
    expected: `numbers in the attribute ${name}`,
    got: `"${value[0] ?? ''}"`,
    mend: 'write the file again',
  });
};

const textOf = async (file: Hdf5File, path: string, name: string): Promise<string | null> => {
  const value = await file.attribute(path, name);
  return Array.isArray(value) ? (value[0] ?? null) : null;
};

/** `_Unsigned`: integers whose bits are to be read with, or without, a sign. */
const signOf = async (
  file: Hdf5File,
  path: string,
  { type, itemSize }: Hdf5Dataset,
): Promise<Decoding['sign']> => {
  const said = type === 'integer' ? await textOf(file, path, '_Unsigned') : null;
  const range = 2 ** (8 * itemSize);
  if (said === 'true') return (stored) => (stored < 0 ? stored + range : stored);
  if (said === 'false') return (stored) => (stored >= range / 2 ? stored - range : stored);
  return null;
};

const validOf = async (file: Hdf5File, path: string, type: Hdf5Dataset['type']) => {
  const [low, high] = await numbersOf(file, path, 'valid_range');
  const [least] = await numbersOf(file, path, 'valid_min');
  const [most] = await numbersOf(file, path, 'valid_max');
  const bounds = [low ?? least ?? -Infinity, high ?? most ?? Infinity] as const;
  // Of packed integers a bound that is none speaks of the unpacked numbers.
  const isWhole = bounds.every((each) => Number.isInteger(each) || !Number.isFinite(each));
  return { low: bounds[0], high: bounds[1], ofStored: type === 'float' || isWhole };
};

/** Null where the numbers mean themselves. */
const decodingOf = async (
  file: Hdf5File,
  path: string,
  dataset: Hdf5Dataset,
  isNetcdf: boolean,
): Promise<Decoding | null> => {
  const [scale = 1] = await numbersOf(file, path, 'scale_factor');
  const [offset = 0] = await numbersOf(file, path, 'add_offset');
  const named = await numbersOf(file, path, '_FillValue');
  const fills = isNetcdf && named.length === 0 ? fillsOf(dataset) : named;
  const missing = await numbersOf(file, path, 'missing_value');
  const valid = await validOf(file, path, dataset.type);
  const sign = await signOf(file, path, dataset);
  const isSingle = dataset.type === 'float' && dataset.itemSize === 4;
  const marks = [...fills, ...missing].map((mark) =>
    isSingle ? Math.fround(mark) : (sign?.(mark) ?? mark),
  );
  const isBound = valid.low > -Infinity || valid.high < Infinity;
  const isPlain = scale === 1 && offset === 0 && marks.length === 0 && sign === null && !isBound;
  return isPlain ? null : { sign, marks, valid, scale, offset };
};

const decode = (
  block: ArrayData,
  { sign, marks, valid, scale, offset }: Decoding,
): Float32Array | Float64Array => {
  const isPacked = scale !== 1 || offset !== 0;
  const decoded =
    block instanceof Float32Array && !isPacked
      ? new Float32Array(block.length)
      : new Float64Array(block.length);
  for (let i = 0; i < block.length; i++) {
    const bits = Number(block[i]!);
    const stored = sign === null ? bits : sign(bits);
    const value = isPacked ? stored * scale + offset : stored;
    const judged = valid.ofStored ? stored : value;
    const isMissing = marks.includes(stored) || judged < valid.low || judged > valid.high;
    decoded[i] = isMissing ? Number.NaN : value;
  }
  return decoded;
};

/** A dataset's numbers as its attributes say. */
export interface DecodedNumbers {
  /** Whether they are float32 as they stand in the file. */
  readonly isSingle: boolean;
  /** Row-major, in blocks of bounded size. */
  readonly blocks: () => AsyncGenerator<ArrayData>;
}

/**
 * The numbers of a dataset: `stored · scale_factor + add_offset`; NaN for `_FillValue`, `missing_value`, what lies outside of
 * `valid_range`, and (of netCDF files, where no `_FillValue` is named) netCDF's own fill value; `_Unsigned` integers.
 * Input error where there is no such dataset.
 */
export const decodedNumbers = async (
  file: Hdf5File,
  path: string,
  isNetcdf: boolean,
): Promise<DecodedNumbers> => {
  const dataset = await datasetAt(file, path);
  const decoding = await decodingOf(file, path, dataset, isNetcdf);
  const isPacked = decoding !== null && (decoding.scale !== 1 || decoding.offset !== 0);
  async function* blocks(): AsyncGenerator<ArrayData> {
    for await (const block of numberSlabs(file, path)) {
      yield decoding === null ? block : decode(block, decoding);
    }
  }
  return { isSingle: dataset.type === 'float' && dataset.itemSize === 4 && !isPacked, blocks };
};

/** Texts of a coordinate, as `readTextsAt`; its numbers decoded first. */
export const decodedTexts = async (file: Hdf5File, path: string): Promise<readonly string[]> => {
  const dataset = await datasetAt(file, path);
  const isNumbers = dataset.type === 'integer' || dataset.type === 'float';
  const decoding = isNumbers ? await decodingOf(file, path, dataset, true) : null;
  const data = decoding === null ? null : await file.read(path);
  if (decoding === null || !ArrayBuffer.isView(data)) return readTextsAt(file, path);
  const stored = data as ArrayData;
  return Array.from(decode(stored, decoding), (value, i) => {
    // 64-bit ids are more exact than float64 where they mean themselves.
    const isExact = !isBig(stored) || Number.isSafeInteger(value) || Number.isNaN(value);
    return isExact ? `${value}` : `${stored[i]}`;
  });
};

const isBig = (data: ArrayData): boolean =>
  data instanceof BigInt64Array || data instanceof BigUint64Array;

const millisecondsOf: readonly (readonly [RegExp, number])[] = [
  [/^(ms|msecs?|millisecs?|milliseconds?)$/i, 1],
  [/^(s|secs?|seconds?)$/i, 1000],
  [/^(us|µs|μs|usecs?|microsecs?|microseconds?)$/i, 1e-3],
  [/^(ns|nanosecs?|nanoseconds?)$/i, 1e-6],
  [/^(min|minutes?)$/i, 60_000],
];

/** Milliseconds in a unit of the `units` of a dataset; 1 where it has none. Input error for what is no duration. */
export const millisecondsPerUnit = async (file: Hdf5File, path: string): Promise<number> => {
  const units = (await textOf(file, path, 'units'))?.trim() ?? '';
  if (units === '' || units === '1') return 1;
  const found = millisecondsOf.find(([pattern]) => pattern.test(units));
  if (found !== undefined) return found[1];
  throw inputError({
    where: `${file.name}: ${path}`,
    expected: 'a unit of time (ms, s, …)',
    got: `"${units}"`,
    mend: 'write the attribute units anew',
  });
};
