import { readFloat64At } from '../formats/hdf5.ts';
import { fileFinder } from '../formats/name-order.ts';
import { baseName, stem } from '../formats/paths.ts';
import { checkMilliseconds } from '../formats/recording-check.ts';
import { inputError } from '../records/errors.ts';
import type { Hdf5, Hdf5File } from '../records/hdf5.ts';
import type { Recording, RecordingHeader, Site, TimeBin } from '../records/recording.ts';
import { checkLength } from './gather.ts';
import { type ImageSet, imagesNamed, openImageSet } from './image-set.ts';
import { zeroPadded } from './import-array.ts';
import { type ImportPorts, readColumns, writeImport } from './import-write.ts';
import { numberColumn, textColumn, unitAreas } from './nwb-table.ts';
import { groupTrials, type Trials, usedAxes } from './presentations.ts';
import { openHdf5 } from './tree.ts';

/** Units of an NWB file and the intervals in which stimuli were shown. Paths as the Files port takes them. */
export interface NwbImport {
  readonly file: string;
  /** Table below `/intervals`: `trials`, … */
  readonly intervals: string;
  /** Column of that table with the names of the images. */
  readonly stimulusColumn: string;
  /** Folder or zip archive of the images. */
  readonly stimuli: string;
  /** Names in that column whose intervals are left out, such as those of blanks; empty ones are left out in any case. */
  readonly skip?: readonly string[];
  /** Milliseconds from the start of an interval, `[start, end)`: spikes are counted in each. */
  readonly bins: readonly TimeBin[];
  /** One area for all units, or the column of `/units`, or of the electrodes that they point to, that has it. */
  readonly area: { readonly name: string } | { readonly column: string };
  readonly species: string;
  /** New or empty folder. */
  readonly out: string;
  readonly name?: string;
  readonly animal?: string;
  readonly licence?: string;
  readonly citation?: string;
  /** CSV of further columns, joined by `stimulus_id`. */
  readonly columns?: string;
}

const mend = 'name a file with spike times of units and a table of intervals';

/** Spike times in seconds, ascending; unit u has those of `[ends[u − 1], ends[u])`. */
interface Spikes {
  readonly times: Float64Array;
  readonly ends: Float64Array;
}

const readSpikes = async (file: Hdf5File): Promise<Spikes> => {
  const times = await readFloat64At(file, '/units/spike_times');
  const ends = await readFloat64At(file, '/units/spike_times_index');
  const isFit = ends.every((end, unit) => end >= (ends[unit - 1] ?? 0) && end <= times.length);
  if (!isFit) {
    throw inputError({
      where: `${file.name}: /units/spike_times_index`,
      expected: `ascending ends of at most ${times.length} spike times`,
      got: `${Array.from(ends.slice(0, 4)).join(', ')}, …`,
      mend,
    });
  }
  for (let unit = 0; unit < ends.length; unit++) {
    times.subarray(ends[unit - 1] ?? 0, ends[unit]).sort();
  }
  return { times, ends };
};

/** How many numbers of an ascending list are below `bound`. */
const countBelow = (ascending: Float64Array, bound: number): number => {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
};

const sitesOf = async (
  file: Hdf5File,
  count: number,
  { area, animal }: NwbImport,
): Promise<Site[]> => {
  const areas =
    'name' in area ? new Array<string>(count).fill(area.name) : await unitAreas(file, area.column);
  if (areas.length !== count) {
    const where = `${file.name}: /units`;
    const got = `${areas.length}`;
    throw inputError({ where, expected: `${count} areas, one for each unit`, got, mend });
  }
  return areas.map((name, index) => ({
    id: `unit${zeroPadded(index, count)}`,
    area: name,
    ...(animal === undefined ? {} : { animal }),
  }));
};

/** Spike counts, stimulus × trial × bin × unit; NaN for trials that were not. */
const countSpikes = (
  { times, ends }: Spikes,
  starts: Float64Array,
  { ids, stimulus, trial, trials }: Trials,
  bins: readonly TimeBin[],
  where: string,
): Float64Array => {
  const units = ends.length;
  const counts = new Float64Array(
    checkLength([ids.length, trials, bins.length, units], where),
  ).fill(Number.NaN);
  for (let unit = 0; unit < units; unit++) {
    const own = times.subarray(ends[unit - 1] ?? 0, ends[unit]);
    for (let shown = 0; shown < starts.length; shown++) {
      // An interval that never began has no spikes to count, not none.
      if (!Number.isFinite(starts[shown]!)) continue;
      if (stimulus[shown]! < 0) continue;
      const row = (stimulus[shown]! * trials + trial[shown]!) * bins.length;
      bins.forEach(({ start, end }, bin) => {
        const from = countBelow(own, starts[shown]! + start / 1000);
        const to = countBelow(own, starts[shown]! + end / 1000);
        counts[(row + bin) * units + unit] = to - from;
      });
    }
  }
  return counts;
};

/** In the place of an image where none was shown. */
const none = '';

/** What tables have where no stimulus was shown: catch trials, aborted ones. */
const isNone = (name: string): boolean =>
  /^(|nan|none|null|n\/a|<na>|-1(\.0)?)$/i.test(name.trim());

/**
 * The image of each interval, `none` where the table names none or the name is to be skipped, and what to note of that. A name
 * that is an image's is one, whatever it looks like. Input error: a name to be skipped that does not occur, no image at all.
 */
const shownImages = (
  set: ImageSet,
  names: readonly string[],
  skip: readonly string[],
  where: string,
): { readonly images: readonly string[]; readonly notes: readonly string[] } => {
  const unused = skip.find((name) => !names.includes(name));
  if (unused !== undefined)
    throw inputError({
      where: 'skip',
      expected: `names of ${where}`,
      got: `"${unused}", which does not occur there`,
      mend: 'check the spelling, or leave it out',
    });
  const find = fileFinder(set.names);
  const isEmpty = (name: string): boolean => isNone(name) && find(name) === null;
  const isShown = names.map((name) => !skip.includes(name) && !isEmpty(name));
  if (!isShown.includes(true))
    throw inputError({
      where,
      expected: 'the names of images',
      got: `${names.length} intervals, none of which has one`,
      mend: 'name the column with the images that were shown',
    });
  const found = imagesNamed(
    set,
    names.filter((_, index) => isShown[index]),
    where,
  );
  let next = 0;
  const counted = (left: (name: string) => boolean): string =>
    `${names.filter(left).length} of ${names.length} intervals`;
  const empty = (name: string): boolean => !skip.includes(name) && isEmpty(name);
  return {
    images: isShown.map((shown) => (shown ? found[next++]! : none)),
    notes: [
      ...(names.some(empty) ? [`${counted(empty)} left out, which have no stimulus`] : []),
      ...skip.map((name) => `${counted((each) => each === name)} left out, which are of "${name}"`),
    ],
  };
};

/**
 * Makes a recording folder out of the spike times of an NWB 2 file (units) and a table of intervals in which stimuli
 * were shown: spikes are counted in bins from the start of each interval, intervals are regrouped to trials of their
 * stimuli, which are ordered by name; intervals without a stimulus are left out and counted in a note. Source: NWB schema 2, `Units` and `TimeIntervals`.
 * Input error: tables or columns that are not there, images that are not there; nothing is left behind then.
 */
export const importNwb = async (
  request: NwbImport,
  ports: ImportPorts & { readonly hdf5: Hdf5 },
): Promise<Recording> => {
  checkMilliseconds(request.bins, 'bins', 'bins');
  const set = await openImageSet(request.stimuli, ports.files);
  const columns = await readColumns(request.columns, ports.files);
  const file = await openHdf5(request.file, ports);
  try {
    const table = `/intervals/${request.intervals}`;
    const where = `${request.file}: ${table}/${request.stimulusColumn}`;
    const starts = await numberColumn(file, table, 'start_time');
    const names = await textColumn(file, table, request.stimulusColumn);
    if (names.length !== starts.length) {
      const got = `${names.length}`;
      throw inputError({ where, expected: `${starts.length} names, one per interval`, got, mend });
    }
    const { images, notes } = shownImages(set, names, request.skip ?? [], where);
    const order = [...new Set(images)].filter((image) => image !== none).sort();
    const trials = groupTrials(images, order);
    const spikes = await readSpikes(file);
    ports.checkStop();
    const sites = await sitesOf(file, spikes.ends.length, request);
    const data = countSpikes(spikes, starts, trials, request.bins, request.file);
    const { dims, shape } = usedAxes([
      ['stimulus', trials.ids.length],
      ['trial', trials.trials],
      ['time', request.bins.length],
      ['site', sites.length],
    ]);
    const header: RecordingHeader = {
      kind: 'recording',
      format: 2,
      name: request.name ?? baseName(request.out),
      species: request.species,
      dims,
      sites,
      timeBins: [...request.bins],
      grid: null,
      unit: 'spike count',
      licence: request.licence ?? null,
      citation: request.citation ?? null,
      notes: [
        `spikes of ${sites.length} units counted from the start of ${images.filter((image) => image !== none).length} intervals (${request.intervals}) of ${baseName(request.file)}`,
        ...notes,
        'trials in the order of the intervals; missing ones at the end',
      ],
    };
    const stimuli = trials.ids.map((image) => ({
      id: stem(image),
      file: image,
      columns: columns(stem(image)),
    }));
    const responses = { data, shape };
    const { out } = request;
    return await writeImport({ out, header, responses, stimuli, set }, ports);
  } finally {
    await file.close();
  }
};
