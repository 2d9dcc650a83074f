import {
  isListedOtherwise,
  type NameOrder,
  orderText,
  readNameOrder,
  sortedNames,
} from '../formats/name-order.ts';
import { baseName } from '../formats/paths.ts';
import { checkFinite, checkMilliseconds } from '../formats/recording-check.ts';
import type { NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Recording, RecordingHeader, TimeBin } from '../records/recording.ts';
import { type Dimension, dimensionSchema, type FixationGrid } from '../records/recording.ts';
import {
  allOffsets,
  type Blocks,
  binIndices,
  checkLength,
  evenSpans,
  gather,
  type Offsets,
  type TimeSampling,
} from './gather.ts';
import { type ImageSet, imagesNamed, openImageSet } from './image-set.ts';
import {
  checkCount,
  type ImportPorts,
  readColumns,
  stimuliOf,
  writeImport,
} from './import-write.ts';

/** A response array and its stimuli, to become a recording folder. Paths as the Files port takes them. */
export interface ArrayImport {
  /** The file of the array. */
  readonly responses: string;
  /**
   * Dimensions of the array in order, out of stimulus, row, column, time, trial, site; without site it is of one. Axes of
   * length 1 may be left unnamed.
   */
  readonly dims: readonly string[];
  /** Folder or zip archive of images; id = stem. */
  readonly stimuli: string;
  /**
   * Order of the stimuli in the array: `name` (by code unit), `number` (by the numbers in the names) or a file of names.
   * May be left out where the first two are one, or where the array's own file gives the names.
   */
  readonly order?: string;
  readonly area: string;
  readonly species: string;
  /** Milliseconds from stimulus onset; with a dimension `time`, divided evenly into its bins. */
  readonly window: TimeBin | null;
  /** Instead of `window` where there is a dimension `time`: sample i is `[start + i·step, start + (i+1)·step)` ms. */
  readonly time: TimeSampling | null;
  /** With `time`: the samples are averaged in these bins; without, each sample is a bin. */
  readonly bins?: readonly TimeBin[];
  /** New or empty folder. */
  readonly out: string;
  /** Default: the last part of `out`. */
  readonly name?: string;
  readonly unit?: string;
  readonly animal?: string;
  readonly licence?: string;
  readonly citation?: string;
  /** CSV of further columns, joined by its column `stimulus_id`. */
  readonly columns?: string;
  /** Where fixations fall, for arrays with row and column; default: the whole image, evenly divided. */
  readonly grid?: Pick<FixationGrid, 'extent' | 'patchSize' | 'pixelsPerDegree'>;
}

/** An array in whatever file, its numbers not read yet. */
export interface ArraySource {
  /** File and array, for messages. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Order in which `blocks` come; NumPy's or MATLAB's. */
  readonly order: 'row-major' | 'column-major';
  /** Whether the numbers are float32. */
  readonly isSingle: boolean;
  blocks(): Blocks;
  /** The array where it is at hand and needs no change. */
  readonly whole: Recording['responses'] | null;
}

/** Input error, of the field `dims`, where names do not fit the array. */
export const parseDims = (
  dims: readonly string[],
  shape: readonly number[],
  source: string,
): Dimension[] => {
  const of = { code: 'dims-do-not-fit', field: 'dims', where: 'dims' } as const;
  const named = dims.map((name) => {
    const parsed = dimensionSchema.safeParse(name.trim());
    if (parsed.success) return parsed.data;
    const expected = dimensionSchema.options.join(', ');
    const mend = 'use these names, in any order';
    throw inputError({ ...of, expected, got: `"${name}"`, mend });
  });
  const mend = 'name every dimension of the array in order';
  if (named.length !== shape.length) {
    const expected = `${shape.length} names for ${source} (${shape.join(' × ')})`;
    throw inputError({ ...of, expected, got: `${named.length} (${named.join(', ')})`, mend });
  }
  const wrong = (expected: string) => inputError({ ...of, expected, got: named.join(', '), mend });
  if (!named.includes('stimulus')) throw wrong('stimulus among the names');
  if (new Set(named).size !== named.length) throw wrong('each name once');
  if (named.includes('row') !== named.includes('column')) throw wrong('row and column together');
  return named;
};

/** Bins of the recording, and for each sample of the array its bin. */
interface Timing {
  readonly bins: readonly TimeBin[];
  readonly indices: readonly number[];
}

const timingOf = ({ window, time, bins }: ArrayImport, count: number | null): Timing => {
  const mend = 'say when the responses were counted';
  const wrong = (field: string, expected: string, got: string) =>
    inputError({ code: 'times-do-not-fit', field, where: field, expected, got, mend });
  if (window !== null && !(window.end > window.start)) {
    throw wrong('window', 'an end after its start', `${window.start}-${window.end}`);
  }
  if (time !== null && !(time.step > 0)) {
    throw wrong('time.step', 'milliseconds above 0', `${time.step}`);
  }
  if (time !== null && window !== null) {
    throw wrong('window', 'a window or start and step of the samples', 'both');
  }
  if (time === null && bins !== undefined) {
    throw wrong('bins', 'start and step of the samples with it', 'neither');
  }
  if (time !== null) {
    if (count === null) throw wrong('time.start', 'a dimension time', 'dims without it');
    const spans = evenSpans(time, count);
    if (bins === undefined) return { bins: spans, indices: spans.map((_, index) => index) };
    return { bins, indices: binIndices(spans, bins, 'bins', 'bins') };
  }
  if (window === null) {
    const or = count === null ? '' : ', or start and step of the samples';
    throw wrong('window', `start and end in ms${or}`, 'nothing');
  }
  if (count === null) return { bins: [window], indices: [] };
  const spans = evenSpans(
    { start: window.start, step: (window.end - window.start) / count },
    count,
  );
  return { bins: spans, indices: spans.map((_, index) => index) };
};

/** An array without axes of length 1 that are not named: MATLAB makes a column of a list, and some keep a row. */
const withoutSingles = (source: ArraySource, named: number): ArraySource => {
  const shape = source.shape.filter((size) => size !== 1);
  if (source.shape.length <= named || shape.length !== named) return source;
  return { ...source, shape, whole: reshaped(source.whole, shape) };
};

/** What is said of an array, and the array with an axis for its one site where it has none. */
const withSite = (
  source: ArraySource,
  dims: readonly Dimension[],
): { readonly source: ArraySource; readonly dims: readonly Dimension[] } => {
  if (dims.includes('site')) return { source, dims };
  // The axis that runs slowest, in either order.
  const isRowMajor = source.order === 'row-major';
  const shape = isRowMajor ? [1, ...source.shape] : [...source.shape, 1];
  return {
    source: { ...source, shape, whole: reshaped(source.whole, shape) },
    dims: isRowMajor ? ['site', ...dims] : [...dims, 'site'],
  };
};

const reshaped = (whole: ArraySource['whole'], shape: readonly number[]): ArraySource['whole'] =>
  whole === null ? null : ({ data: whole.data, shape } as Recording['responses']);

/** Number `index`, from 1 on, as long as the last of `count`. */
export const zeroPadded = (index: number, count: number): string =>
  `${index + 1}`.padStart(`${count}`.length, '0');

const headerOf = (
  request: ArrayImport,
  dims: readonly Dimension[],
  shape: readonly number[],
  timeBins: readonly TimeBin[],
  notes: readonly string[],
): RecordingHeader => {
  const sizeOf = (dimension: Dimension): number | null => shape[dims.indexOf(dimension)] ?? null;
  const [rows, columns, sites] = [sizeOf('row'), sizeOf('column'), sizeOf('site')!];
  const { area, animal } = request;
  if (request.grid !== undefined && rows === null) {
    const expected = 'dims with row and column';
    const mend = 'name these dimensions or leave the grid out';
    throw inputError({ where: 'grid', expected, got: dims.join(', '), mend });
  }
  const placed = request.grid ?? { extent: null, patchSize: null, pixelsPerDegree: null };
  return {
    kind: 'recording',
    format: 2,
    name: request.name ?? baseName(request.out),
    species: request.species,
    dims: [...dims],
    sites: Array.from({ length: sites }, (_, index) => ({
      id: `site${zeroPadded(index, sites)}`,
      area,
      ...(animal === undefined ? {} : { animal }),
    })),
    timeBins: [...timeBins],
    grid: rows === null || columns === null ? null : { rows, columns, ...placed },
    unit: request.unit ?? '',
    licence: request.licence ?? null,
    citation: request.citation ?? null,
    notes: [...notes],
  };
};

const strideOf = (shape: readonly number[], axis: number): number =>
  shape.slice(axis + 1).reduce((product, size) => product * size, 1);

const arrange = async (
  source: ArraySource,
  dims: readonly Dimension[],
  timing: Timing,
  checkStop: () => void,
): Promise<Recording['responses']> => {
  const time = dims.indexOf('time');
  const shape = source.shape.map((size, axis) => (axis === time ? timing.bins.length : size));
  const isAveraged = timing.indices.some((bin, sample) => bin !== sample);
  if (source.whole !== null && !isAveraged) return source.whole;
  const length = checkLength(shape, source.name);
  // MATLAB's order is NumPy's with the axes turned around, and so is the result.
  const axes = source.shape.map((_, axis) => axis);
  if (source.order === 'column-major') axes.reverse();
  const turned = axes.map((axis) => shape[axis]!);
  const offsets = axes.map((axis, at): Offsets => {
    const stride = strideOf(turned, at);
    return axis === time
      ? Int32Array.from(timing.indices, (bin) => (bin < 0 ? -1 : bin * stride))
      : allOffsets(source.shape[axis]!, stride);
  });
  const { isSingle } = source;
  const data = await gather(source.blocks(), { offsets, length, isSingle }, checkStop);
  return { data, shape: turned } as NdArray<Float32Array | Float64Array>;
};

/** Names that the array's own file gives. */
interface OwnNames {
  readonly list: readonly string[];
  readonly where: string;
}

const codeUnits =
  'stimuli are sorted by code unit, as Python sorts paths (capital letters first); where folders are listed without regard to case their order is another, which a list of the names can give';

/** What orders the images; null where names have but one order. Input error where two do. */
const orderOf = async (
  { order }: ArrayImport,
  own: OwnNames | null,
  files: ImportPorts['files'],
): Promise<NameOrder | null> => {
  if (order === undefined) return own;
  if (own === null) return readNameOrder(order, files);
  throw inputError({
    code: 'order-twice',
    field: 'order',
    where: 'order',
    expected: 'one order of the images',
    got: `two, ${order} and the names of ${own.where}`,
    mend: 'leave one out',
  });
};

const imagesIn = (
  set: ImageSet,
  order: NameOrder | null,
  { source, count }: { readonly source: string; readonly count: number },
): string[] => {
  if (order !== null && typeof order === 'object') {
    const images = imagesNamed(set, order.list, order.where);
    checkCount(images, count, { source, images: order.where });
    return images;
  }
  checkCount(set.names, count, { source, images: set.source });
  return sortedNames(set.names, order, set.source);
};

/**
 * Makes a recording folder out of an array and a folder or zip archive of images, and reads it back. `own` are the names
 * of the images in the order of the array, as the array's file gives them; without, names are sorted.
 * Every image is decoded once, so that none is missing or damaged later. Whole numbers become float64.
 * Input error: dims or bins that do not fit, infinite responses, another number of images, equal ids, names that sort in
 * two ways while no order was given, damaged images;
 * storage error where the disk refuses. Nothing is left behind then.
 */
export const importArray = async (
  request: ArrayImport,
  given: ArraySource,
  own: OwnNames | null,
  ports: ImportPorts,
): Promise<Recording> => {
  const { files, checkStop } = ports;
  const squeezed = withoutSingles(given, request.dims.length);
  const named = parseDims(request.dims, squeezed.shape, squeezed.name);
  const { source, dims } = withSite(squeezed, named);
  const time = dims.indexOf('time');
  const timing = timingOf(request, time < 0 ? null : source.shape[time]!);
  const timed = request.time === null ? 'window' : 'time';
  checkMilliseconds(timing.bins, timed, timed);
  const responses = await arrange(source, dims, timing, checkStop);
  const kept = source.order === 'column-major' ? dims.toReversed() : dims;
  checkFinite(responses.data, responses.shape, kept, source.name);
  const set = await openImageSet(request.stimuli, files);
  const order = await orderOf(request, own, files);
  const count = source.shape[dims.indexOf('stimulus')]!;
  const images = imagesIn(set, order, { source: source.name, count });
  const notes = [
    `imported from ${baseName(request.responses)} (${named.join(' × ')}${named.includes('site') ? '' : ', one site'})`,
  ];
  if (request.bins !== undefined) {
    notes.push(`samples of ${request.time!.step} ms averaged in ${timing.bins.length} time bins`);
  }
  if (request.order !== undefined) notes.push(`stimuli in ${orderText(order!)}`);
  else if (own === null && isListedOtherwise(images)) notes.push(codeUnits);
  const header = headerOf(request, kept, responses.shape, timing.bins, notes);
  const stimuli = stimuliOf(images, await readColumns(request.columns, files));
  return writeImport({ out: request.out, header, responses, stimuli, set }, ports);
};
