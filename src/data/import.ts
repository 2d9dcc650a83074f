import { readCsv } from '../formats/csv.ts';
import { readNumbers } from '../formats/npy.ts';
import { baseName, stem } from '../formats/paths.ts';
import { readRecording } from '../formats/recording.ts';
import { checkFinite } from '../formats/recording-check.ts';
import { writeRecording } from '../formats/recording-write.ts';
import { decodeText } from '../formats/text.ts';
import { toFloat64 } from '../numeric/convert.ts';
import { inputError } from '../records/errors.ts';
import type { Files, Ports } from '../records/ports.ts';
import {
  type Dimension,
  dimensionSchema,
  type FixationGrid,
  type Recording,
  type RecordingHeader,
  type Stimulus,
  type TimeBin,
} from '../records/recording.ts';
import { type Thumbnail, thumbnailOf } from './alike.ts';
import { type ImageSet, openImageSet } from './image-set.ts';
import { markAlike } from './mark-alike.ts';

/** A response array and its stimuli, to become a recording folder. Paths as the Files port takes them. */
export interface NpyImport {
  /** `.npy` of numbers; NaN marks a missing trial. */
  readonly responses: string;
  /** Dimensions of the array in order, out of stimulus, row, column, time, trial, site. */
  readonly dims: readonly string[];
  /** Folder or zip archive of images: names sorted by code unit are the order of the stimuli, id = stem. */
  readonly stimuli: string;
  readonly area: string;
  readonly species: string;
  /** Milliseconds from stimulus onset; with a dimension `time`, divided evenly into its bins. */
  readonly window: TimeBin | null;
  /** Instead of `window` where there is a dimension `time`: bin i is `[start + i·step, start + (i+1)·step)` ms. */
  readonly time: { readonly start: number; readonly step: number } | null;
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

type ImportPorts = Pick<Ports, 'files' | 'images' | 'hash' | 'progress' | 'checkStop'>;

const parseDims = (
  dims: readonly string[],
  shape: readonly number[],
  source: string,
): Dimension[] => {
  const where = '--dims';
  const named = dims.map((name) => {
    const parsed = dimensionSchema.safeParse(name.trim());
    if (parsed.success) return parsed.data;
    const expected = dimensionSchema.options.join(', ');
    throw inputError({ where, expected, got: `"${name}"`, mend: 'use these names, in any order' });
  });
  const mend = 'name every dimension of the array in order';
  if (named.length !== shape.length) {
    const expected = `${shape.length} names for ${source} (${shape.join(' × ')})`;
    throw inputError({ where, expected, got: `${named.length} (${named.join(', ')})`, mend });
  }
  const wrong = (expected: string) => inputError({ where, expected, got: named.join(', '), mend });
  if (!named.includes('stimulus') || !named.includes('site')) {
    throw wrong('stimulus and site among the names');
  }
  if (new Set(named).size !== named.length) throw wrong('each name once');
  if (named.includes('row') !== named.includes('column')) throw wrong('row and column together');
  return named;
};

const evenBins = (start: number, step: number, count: number): TimeBin[] =>
  Array.from({ length: count }, (_, index) => ({
    start: start + index * step,
    end: start + (index + 1) * step,
  }));

const timeBinsOf = ({ window, time }: NpyImport, count: number | null): TimeBin[] => {
  const wrong = (where: string, expected: string, got: string) =>
    inputError({ where, expected, got, mend: 'say when the responses were counted' });
  if (window !== null && !(window.end > window.start)) {
    throw wrong('--window', 'an end after its start', `${window.start}-${window.end}`);
  }
  if (time !== null && !(time.step > 0)) {
    throw wrong('--time-step', 'milliseconds above 0', `${time.step}`);
  }
  if (time !== null && window !== null) {
    throw wrong('--window', 'a window or --time-start and --time-step', 'both');
  }
  if (time !== null) {
    if (count !== null) return evenBins(time.start, time.step, count);
    throw wrong('--time-start', 'a dimension time', 'dims without it');
  }
  if (window === null) {
    const or = count === null ? '' : ', or --time-start and --time-step';
    throw wrong('--window', `start and end in ms${or}`, 'nothing');
  }
  if (count === null) return [window];
  return evenBins(window.start, (window.end - window.start) / count, count);
};

const padded = (index: number, count: number): string =>
  `${index + 1}`.padStart(`${count}`.length, '0');

const headerOf = (
  request: NpyImport,
  dims: readonly Dimension[],
  shape: readonly number[],
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
    format: 'ventral-recording',
    version: 1,
    name: request.name ?? baseName(request.out),
    species: request.species,
    dims: [...dims],
    sites: Array.from({ length: sites }, (_, index) => ({
      id: `site${padded(index, sites)}`,
      area,
      ...(animal === undefined ? {} : { animal }),
    })),
    timeBins: timeBinsOf(request, sizeOf('time')),
    grid: rows === null || columns === null ? null : { rows, columns, ...placed },
    unit: request.unit ?? '',
    licence: request.licence ?? null,
    citation: request.citation ?? null,
    notes: [`imported from ${baseName(request.responses)} (${dims.join(' × ')})`],
  };
};

type Columns = (id: string) => Readonly<Record<string, string>>;

const readColumns = async (path: string | undefined, files: Files): Promise<Columns> => {
  if (path === undefined) return () => ({});
  const { columns, rows, lines } = readCsv(decodeText(await files.read(path), path), path);
  const mend = 'give a row with stimulus_id to each stimulus';
  const idColumn = columns.indexOf('stimulus_id');
  if (idColumn < 0 || columns.includes('file')) {
    const expected = 'a column stimulus_id, and further ones other than file';
    throw inputError({ where: path, expected, got: columns.join(', '), mend });
  }
  const byId = new Map<string, Readonly<Record<string, string>>>();
  rows.forEach((fields, index) => {
    const id = fields[idColumn]!;
    const where = `${path}: line ${lines[index]}`;
    if (byId.has(id)) {
      throw inputError({ where, expected: 'each stimulus_id once', got: `"${id}" again`, mend });
    }
    const further = columns.map((name, column) => [name, fields[column]!] as const);
    byId.set(id, Object.fromEntries(further.filter((_, column) => column !== idColumn)));
  });
  return (id) => {
    const found = byId.get(id);
    if (found !== undefined) return found;
    throw inputError({ where: path, expected: `a row for stimulus "${id}"`, got: 'none', mend });
  };
};

const stimuliOf = (
  set: ImageSet,
  columns: Columns,
  count: number,
  { responses, stimuli }: NpyImport,
): Stimulus[] => {
  if (set.names.length !== count) {
    const expected = `${count} images, the size of the dimension stimulus of ${responses}`;
    const mend = 'check --dims and the images';
    throw inputError({ where: stimuli, expected, got: `${set.names.length}`, mend });
  }
  return set.names.map((file) => ({ id: stem(file), file, columns: columns(stem(file)) }));
};

/**
 * Makes a recording folder out of a NumPy array and a folder or zip archive of images, and reads it back. Every image
 * is decoded once, so that none is missing or damaged later. Whole numbers become float64.
 * Input error: dims that do not fit, infinite responses, another number of images, equal ids, damaged images;
 * storage error where the disk refuses. Nothing is left behind then.
 */
export const importNpy = async (request: NpyImport, ports: ImportPorts): Promise<Recording> => {
  const { files, images, progress, checkStop } = ports;
  const array = readNumbers(await files.read(request.responses), request.responses);
  const responses =
    array.data instanceof Float32Array
      ? { data: array.data, shape: array.shape }
      : toFloat64(array);
  const dims = parseDims(request.dims, responses.shape, request.responses);
  checkFinite(responses.data, responses.shape, dims, request.responses);
  const header = headerOf(request, dims, responses.shape);
  const set = await openImageSet(request.stimuli, files);
  const count = responses.shape[dims.indexOf('stimulus')]!;
  const stimuli = stimuliOf(set, await readColumns(request.columns, files), count, request);
  const thumbnails: Thumbnail[] = [];
  for (const [index, { file }] of stimuli.entries()) {
    checkStop();
    const pixels = await images.decode(await set.read(file), `${request.stimuli}: ${file}`);
    thumbnails.push(thumbnailOf(pixels));
    progress({ task: 'stimuli', done: index + 1, total: count, unit: 'images' });
  }
  const marked = markAlike(stimuli, thumbnails);
  await writeRecording(
    request.out,
    {
      header: { ...header, notes: [...header.notes, ...marked.notes] },
      responses,
      stimuli: marked.stimuli,
      image: ({ file }) => {
        checkStop();
        return set.read(file);
      },
    },
    ports,
  );
  return readRecording(request.out, ports);
};
