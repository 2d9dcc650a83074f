import { type CsvTable, readCsv } from '../formats/csv.ts';
import { readTextsAt } from '../formats/hdf5.ts';
import { decodedNumbers, decodedTexts, millisecondsPerUnit } from '../formats/netcdf.ts';
import { baseName } from '../formats/paths.ts';
import { checkFinite, checkMilliseconds } from '../formats/recording-check.ts';
import { decodeText } from '../formats/text.ts';
import { inputError } from '../records/errors.ts';
import type { Hdf5, Hdf5Dataset, Hdf5File } from '../records/hdf5.ts';
import type { Recording, RecordingHeader, Site, Stimulus, TimeBin } from '../records/recording.ts';
import { binIndices, checkLength, gather, type Offsets } from './gather.ts';
import { type ImageSet, imagesNamed, openImageSet } from './image-set.ts';
import { type ImportPorts, writeImport } from './import-write.ts';
import { constantColumn, groupTrials, type Trials, usedAxes } from './presentations.ts';
import { openHdf5 } from './tree.ts';

/** A BrainIO (Brain-Score) assembly and its stimulus set. Paths as the Files port takes them. */
export interface BrainioImport {
  /** netCDF-4 file of the assembly. */
  readonly assembly: string;
  /** CSV of the stimulus set, with `stimulus_id` or `image_id`, and `filename`. */
  readonly stimuli: string;
  /** Zip archive or folder of the images. */
  readonly images: string;
  readonly species: string;
  /** Regions to take; default: all. Of an assembly without `region` the one area of all its sites. */
  readonly areas?: readonly string[];
  /** Average these bins of the assembly's; default: its own bins. */
  readonly bins?: readonly TimeBin[];
  /** For an assembly without time bins: when the responses were counted, in ms. */
  readonly window?: TimeBin;
  /** New or empty folder. */
  readonly out: string;
  readonly name?: string;
  readonly unit?: string;
  readonly licence?: string;
  readonly citation?: string;
}

const presentationNames = ['presentation', 'event'];
const idNames = ['stimulus_id', 'image_id'];
const fileNames = ['filename', 'image_file_name', 'image_path_within_store'];
/** What a presentation has and its stimulus has not. */
const ofTrials = /^(repetition|presentation|event|session|trial|index|.*_time|.*_id|id)$/;

const mend = 'give a BrainIO assembly (netCDF-4) and its stimulus set';

/** The data variable and all coordinates along one dimension. */
interface Assembly {
  readonly file: Hdf5File;
  readonly variable: string;
  readonly data: Hdf5Dataset;
  /** Names of its dimensions; `event` is called `presentation`. */
  readonly axes: readonly string[];
  /** Names of the coordinate variables along each dimension. */
  readonly coordinates: ReadonlyMap<string, readonly string[]>;
}

const axisName = (name: string | null): string =>
  name !== null && presentationNames.includes(name) ? 'presentation' : (name ?? '?');

const dimensionsOf = (name: string, { dimensions }: Hdf5Dataset): string[] =>
  // A coordinate that is named like its dimension is the scale itself.
  dimensions.length === 1 && dimensions[0] === null
    ? [axisName(name)]
    : dimensions.map((dimension) => axisName(dimension));

const openAssembly = async (file: Hdf5File): Promise<Assembly> => {
  const root = await file.item('/');
  const coordinates = new Map<string, string[]>();
  let found: Omit<Assembly, 'file' | 'coordinates'> | null = null;
  for (const name of root?.kind === 'group' ? root.names : []) {
    const item = await file.item(`/${name}`);
    if (item?.kind !== 'dataset' || item.shape === null) continue;
    const axes = dimensionsOf(name, item);
    const isNumbers = item.type === 'float' || item.type === 'integer';
    if (isNumbers && axes.includes('presentation') && axes.includes('neuroid')) {
      found = { variable: name, data: item, axes };
    } else if (axes[0] !== '?') {
      coordinates.set(axes[0]!, [...(coordinates.get(axes[0]!) ?? []), name]);
    }
  }
  if (found !== null) return { file, coordinates, ...found };
  throw inputError({
    where: file.name,
    expected: 'a variable with the dimensions presentation and neuroid',
    got: `${root?.kind === 'group' ? root.names.slice(0, 8).join(', ') : 'nothing'}`,
    mend,
  });
};

/** The values of the first of `names` that is a coordinate along `axis`, or null. */
const coordinate = async (
  { file, coordinates }: Assembly,
  axis: string,
  names: readonly string[],
): Promise<readonly string[] | null> => {
  const there = coordinates.get(axis) ?? [];
  const name = names.find((each) => there.includes(each));
  return name === undefined ? null : decodedTexts(file, `/${name}`);
};

const needed = async (
  assembly: Assembly,
  axis: string,
  names: readonly string[],
): Promise<readonly string[]> => {
  const values = await coordinate(assembly, axis, names);
  if (values !== null) return values;
  throw inputError({
    where: assembly.file.name,
    expected: `a coordinate ${names.join(' or ')} along ${axis}`,
    got: (assembly.coordinates.get(axis) ?? []).join(', ') || 'none',
    mend,
  });
};

/** Input error where an id comes again. */
const checkOnce = (ids: readonly string[], where: string): void => {
  const known = new Set<string>();
  for (const id of ids) {
    if (known.has(id))
      throw inputError({ where, expected: 'each id once', got: `"${id}" again`, mend });
    known.add(id);
  }
};

/** Sites to keep, and for every neuroid its place among them or −1. */
interface Sites {
  readonly sites: readonly Site[];
  readonly places: Int32Array;
}

/** The region of every neuroid. Input error where neither the assembly nor the request has it. */
const regionsOf = async (
  assembly: Assembly,
  neuroids: number,
  areas: readonly string[] | null,
): Promise<readonly string[]> => {
  const regions = await coordinate(assembly, 'neuroid', ['region']);
  if (regions !== null) return regions;
  const [area, ...others] = areas ?? [];
  if (area !== undefined && others.length === 0) return new Array<string>(neuroids).fill(area);
  throw inputError({
    where: assembly.file.name,
    expected:
      area === undefined
        ? 'a coordinate region along neuroid'
        : 'a coordinate region along neuroid, which says the area of each site, or one area of all',
    got:
      area === undefined
        ? (assembly.coordinates.get('neuroid') ?? []).join(', ')
        : `the areas ${areas!.join(', ')}`,
    mend: 'give the one area in which all sites lie (areas)',
  });
};

const sitesOf = async (assembly: Assembly, areas: readonly string[] | null): Promise<Sites> => {
  const ids = await needed(assembly, 'neuroid', ['neuroid_id']);
  checkOnce(ids, `${assembly.file.name}: neuroid_id`);
  const regions = await regionsOf(assembly, ids.length, areas);
  const animals = await coordinate(assembly, 'neuroid', ['animal', 'subject']);
  const unknown = areas?.find((area) => !regions.includes(area));
  if (unknown !== undefined) {
    throw inputError({
      code: 'area-missing',
      field: 'areas',
      where: 'areas',
      expected: [...new Set(regions)].join(', '),
      got: unknown,
      mend: 'take regions that the assembly has',
    });
  }
  const sites: Site[] = [];
  const places = Int32Array.from(ids, (id, index) => {
    const area = regions[index]!;
    if (areas !== null && !areas.includes(area)) return -1;
    const animal = animals?.[index];
    sites.push({ id, area, ...(animal === undefined ? {} : { animal }) });
    return sites.length - 1;
  });
  return { sites, places };
};

interface Times {
  readonly timeBins: readonly TimeBin[];
  /** For every time bin of the assembly its place, or −1. */
  readonly places: Int32Array;
}

/** Input error for a field that the assembly leaves without effect. */
const checkTimeOptions = (hasBins: boolean, { bins, window }: BrainioImport): void => {
  if (hasBins && window !== undefined) {
    throw inputError({
      code: 'window-with-bins',
      field: 'window',
      where: 'window',
      expected: 'an assembly without time bins',
      got: 'one that has them',
      mend: 'leave the window out, or average its bins in others',
    });
  }
  if (!hasBins && bins !== undefined) {
    throw inputError({
      code: 'bins-without-times',
      field: 'bins',
      where: 'bins',
      expected: 'an assembly with a dimension time_bin',
      got: 'one without',
      mend: 'say in which window the responses were counted',
    });
  }
};

/** Times in the unit that they are written in, `ms` where none is said, to the microsecond. */
const inMilliseconds = async (
  file: Hdf5File,
  name: string,
  values: readonly string[],
): Promise<number[]> => {
  const perUnit = await millisecondsPerUnit(file, `/${name}`);
  return values.map((value) =>
    perUnit === 1 ? Number(value) : Math.round(Number(value) * perUnit * 1000) / 1000,
  );
};

const timesOf = async (assembly: Assembly, request: BrainioImport): Promise<Times> => {
  const hasBins = assembly.axes.includes('time_bin');
  checkTimeOptions(hasBins, request);
  if (!hasBins) {
    if (request.window !== undefined) {
      return { timeBins: [request.window], places: new Int32Array() };
    }
    throw inputError({
      code: 'times-missing',
      field: 'window',
      where: assembly.file.name,
      expected: 'a dimension time_bin',
      got: assembly.axes.join(', '),
      mend: 'say in which window the responses were counted',
    });
  }
  const starts = await needed(assembly, 'time_bin', ['time_bin_start']);
  const ends = await needed(assembly, 'time_bin', ['time_bin_end']);
  const [first, last] = [
    await inMilliseconds(assembly.file, 'time_bin_start', starts),
    await inMilliseconds(assembly.file, 'time_bin_end', ends),
  ];
  const spans = first.map((start, index) => ({ start, end: last[index]! }));
  const wrong = spans.findIndex(({ start, end }) => !(start < end));
  if (wrong >= 0) {
    throw inputError({
      where: `${assembly.file.name}: time_bin ${wrong}`,
      expected: 'a start below its end, in ms',
      got: `"${starts[wrong]}" and "${ends[wrong]}"`,
      mend,
    });
  }
  const { bins } = request;
  if (bins === undefined) return { timeBins: spans, places: Int32Array.from(spans, (_, i) => i) };
  return { timeBins: bins, places: Int32Array.from(binIndices(spans, bins, 'bins', 'bins')) };
};

/** The stimulus set: ids, images and further columns. */
interface StimulusTable {
  readonly ids: readonly string[];
  readonly files: readonly string[];
  readonly columns: readonly Readonly<Record<string, string>>[];
}

const pick = ({ columns }: CsvTable, names: readonly string[], where: string): number => {
  const found = names.map((name) => columns.indexOf(name)).find((index) => index >= 0);
  if (found !== undefined) return found;
  const got = columns.slice(0, 8).join(', ');
  throw inputError({ where, expected: `a column ${names.join(' or ')}`, got, mend });
};

const readStimulusTable = async (
  path: string,
  set: ImageSet,
  { files }: Pick<ImportPorts, 'files'>,
): Promise<StimulusTable> => {
  const text = decodeText(await files.read(path), path);
  // pandas writes its index as a column without a name.
  const table = readCsv(text.startsWith(',') ? `index${text}` : text, path);
  const [id, file] = [pick(table, idNames, path), pick(table, fileNames, path)];
  const names = table.rows.map((fields) => fields[file]!);
  const ids = table.rows.map((fields) => fields[id]!);
  checkOnce(ids, `${path}: ${table.columns[id]}`);
  const further = table.columns
    .map((name, index) => [name, index] as const)
    .filter(([name, index]) => index !== id && index !== file && !reserved.includes(name));
  return {
    ids,
    files: imagesNamed(set, names, path),
    columns: table.rows.map((fields) =>
      Object.fromEntries(further.map(([name, index]) => [name, fields[index]!])),
    ),
  };
};

/** Columns that the recording folder has itself. */
const reserved = ['stimulus_id', 'file', 'index'];

/** Further coordinates of the presentations that each stimulus keeps throughout: `object_name`, … */
const readKept = async (
  assembly: Assembly,
  shown: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> => {
  const kept = new Map<string, ReadonlyMap<string, string>>();
  for (const name of assembly.coordinates.get('presentation') ?? []) {
    if (ofTrials.test(name) || reserved.includes(name)) continue;
    const item = await assembly.file.item(`/${name}`);
    if (item?.kind !== 'dataset' || item.type !== 'text') continue;
    const column = constantColumn(shown, await readTextsAt(assembly.file, `/${name}`));
    if (column !== null) kept.set(name, column);
  }
  return kept;
};

const stimuliOf = (
  { ids }: Trials,
  table: StimulusTable,
  kept: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Stimulus[] => {
  const rows = new Map(table.ids.map((id, index) => [id, index]));
  return ids.map((id) => {
    const row = rows.get(id)!;
    const own = Object.fromEntries([...kept].map(([name, column]) => [name, column.get(id)!]));
    return { id, file: table.files[row]!, columns: { ...own, ...table.columns[row]! } };
  });
};

const checkShown = (shown: readonly string[], table: StimulusTable, path: string): void => {
  const known = new Set(table.ids);
  const missing = shown.find((id) => !known.has(id));
  if (missing === undefined) return;
  throw inputError({
    where: path,
    expected: 'a row for every stimulus of the assembly',
    got: `none for "${missing}"`,
    mend,
  });
};

const strideOf = (shape: readonly number[], axis: number): number =>
  shape.slice(axis + 1).reduce((product, size) => product * size, 1);

const readResponses = async (
  assembly: Assembly,
  trials: Trials,
  { sites, places: sitePlaces }: Sites,
  { timeBins, places: timePlaces }: Times,
  checkStop: () => void,
): Promise<Pick<Recording, 'responses'> & Pick<RecordingHeader, 'dims'>> => {
  const { file, variable, data, axes } = assembly;
  const where = `${file.name}: ${variable}`;
  const full = [trials.ids.length, trials.trials, timeBins.length, sites.length];
  const length = checkLength(full, where);
  const [perStimulus, perTrial, perBin] = [0, 1, 2].map((axis) => strideOf(full, axis));
  const known: Readonly<Record<string, Offsets>> = {
    presentation: trials.stimulus.map((stimulus, index) =>
      stimulus < 0 ? -1 : stimulus * perStimulus! + trials.trial[index]! * perTrial!,
    ),
    neuroid: sitePlaces,
    time_bin: timePlaces.map((bin) => (bin < 0 ? -1 : bin * perBin!)),
  };
  const offsets = axes.map((axis, index): Offsets => {
    const size = data.shape![index]!;
    const found = known[axis] ?? (size === 1 ? new Int32Array(1) : undefined);
    if (found?.length === size) return found;
    throw inputError({
      where,
      expected: 'presentation, neuroid and time_bin, with coordinates as long as they are',
      got: axes.map((name, at) => `${name} ${data.shape![at]}`).join(' × '),
      mend,
    });
  });
  const { isSingle, blocks } = await decodedNumbers(file, `/${variable}`, true);
  const { dims, shape } = usedAxes([
    ['stimulus', full[0]!],
    ['trial', full[1]!],
    ['time', full[2]!],
    ['site', full[3]!],
  ]);
  const numbers = await gather(blocks(), { offsets, length, isSingle }, checkStop);
  checkFinite(numbers, shape, dims, where);
  return { dims, responses: { data: numbers, shape } };
};

/**
 * Makes a recording folder out of a BrainIO assembly (netCDF-4: presentation × neuroid × time_bin) and its stimulus set:
 * presentations are regrouped to trials of their stimuli, in the order of the stimulus set; areas come from `region`
 * (where there is none, the request), animals from `animal`, `object_name` and the like become columns of the stimuli. Packed numbers, fill values and units of
 * time are read as their attributes say. The numbers are read in pieces.
 * Input error: another layout, stimuli without rows or images; nothing is left behind then.
 */
export const importBrainio = async (
  request: BrainioImport,
  ports: ImportPorts & { readonly hdf5: Hdf5 },
): Promise<Recording> => {
  const set = await openImageSet(request.images, ports.files);
  const table = await readStimulusTable(request.stimuli, set, ports);
  const file = await openHdf5(request.assembly, ports);
  try {
    const assembly = await openAssembly(file);
    const shown = await needed(assembly, 'presentation', idNames);
    checkShown(shown, table, request.stimuli);
    const trials = groupTrials(shown, table.ids);
    const sites = await sitesOf(assembly, request.areas ?? null);
    const times = await timesOf(assembly, request);
    checkMilliseconds(
      times.timeBins,
      `${request.assembly}: time_bin (it may lack the attribute units)`,
    );
    const read = await readResponses(assembly, trials, sites, times, ports.checkStop);
    const header: RecordingHeader = {
      kind: 'recording',
      format: 2,
      name: request.name ?? baseName(request.out),
      species: request.species,
      dims: read.dims,
      sites: [...sites.sites],
      timeBins: [...times.timeBins],
      grid: null,
      unit: request.unit ?? '',
      licence: request.licence ?? null,
      citation: request.citation ?? null,
      notes: [
        `imported from ${baseName(request.assembly)} (${assembly.axes.join(' × ')}), ${shown.length} presentations`,
        'trials in the order of presentation; missing ones at the end',
      ],
    };
    const stimuli = stimuliOf(trials, table, await readKept(assembly, shown));
    const { out } = request;
    return await writeImport({ out, header, responses: read.responses, stimuli, set }, ports);
  } finally {
    await file.close();
  }
};
