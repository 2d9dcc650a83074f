import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Dimension, Recording } from '../records/recording.ts';
import type { ExcludedSite } from '../records/score.ts';

/**
 * The responses of one time bin as a table. Rows are image-major: image 0's fixations row by row, then image 1's;
 * in the image layout a row is an image.
 */
export interface ResponseTable {
  /** `[rows, trials, sites]`; NaN marks a missing trial. */
  readonly trials: Float64Nd;
  /** `[rows, sites]`, mean over the trials that are there. */
  readonly mean: Float64Nd;
  /** Stimulus (index into `recording.stimuli`) of each row. */
  readonly imageOfRow: Int32Array;
  /** Site (index into `recording.header.sites`) of each column. */
  readonly sites: Int32Array;
}

/** Which stimuli and sites can be used, the same for all layers and time bins. */
export interface Usable {
  readonly stimuli: Int32Array;
  readonly sites: Int32Array;
  readonly excludedSites: readonly ExcludedSite[];
  readonly warnings: readonly string[];
}

const axis = (recording: Recording, dimension: Dimension): { size: number; stride: number } => {
  const { shape } = recording.responses;
  const index = recording.header.dims.indexOf(dimension);
  if (index < 0) return { size: 1, stride: 0 };
  return {
    size: shape[index]!,
    stride: shape.slice(index + 1).reduce((product, size) => product * size, 1),
  };
};

/** Number of trials of the recording (the largest over stimuli). */
export const trialCount = (recording: Recording): number => axis(recording, 'trial').size;

/** Reads one time bin of a recording as a table of the given stimuli and sites. */
export const responseTable = (
  recording: Recording,
  bin: number,
  stimuli: Int32Array,
  sites: Int32Array,
): ResponseTable => {
  const [stimulus, row, column, time, trial, site] = (
    ['stimulus', 'row', 'column', 'time', 'trial', 'site'] as const
  ).map((dimension) => axis(recording, dimension)) as [Axis, Axis, Axis, Axis, Axis, Axis];
  const positions = row.size * column.size;
  const rows = stimuli.length * positions;
  const trials = new Float64Array(rows * trial.size * sites.length);
  const mean = new Float64Array(rows * sites.length);
  const imageOfRow = new Int32Array(rows);
  const { data } = recording.responses;
  for (let r = 0; r < rows; r++) {
    const image = stimuli[Math.floor(r / positions)]!;
    const position = r % positions;
    imageOfRow[r] = image;
    const base =
      image * stimulus.stride +
      Math.floor(position / column.size) * row.stride +
      (position % column.size) * column.stride +
      bin * time.stride;
    for (let s = 0; s < sites.length; s++) {
      let sum = 0;
      let count = 0;
      for (let t = 0; t < trial.size; t++) {
        const value = data[base + t * trial.stride + sites[s]! * site.stride]!;
        trials[(r * trial.size + t) * sites.length + s] = value;
        if (Number.isNaN(value)) continue;
        sum += value;
        count++;
      }
      mean[r * sites.length + s] = count === 0 ? Number.NaN : sum / count;
    }
  }
  return {
    trials: { data: trials, shape: [rows, trial.size, sites.length] },
    mean: { data: mean, shape: [rows, sites.length] },
    imageOfRow,
    sites,
  };
};

type Axis = ReturnType<typeof axis>;

const range = (count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, index) => index);

/**
 * Sites and stimuli that a regression over all sites jointly can use. A stimulus that more than half of the
 * (not empty) sites miss is left out; then every site that still misses a response, or whose responses are
 * constant in every bin, is left out and listed.
 * Input error: nothing is left.
 */
export const findUsable = (recording: Recording): Usable => {
  const { header } = recording;
  const allStimuli = range(recording.stimuli.length);
  const allSites = range(header.sites.length);
  const tables = header.timeBins.map((_, bin) =>
    responseTable(recording, bin, allStimuli, allSites),
  );
  const missing = missingCounts(tables, allStimuli.length, allSites.length);
  const empty = allSites.filter((site) =>
    allStimuli.every((stimulus) => missing[stimulus * allSites.length + site]! > 0),
  );
  const recorded = allSites.filter((site) => !empty.includes(site));
  const stimuli = allStimuli.filter((stimulus) => {
    const lost = recorded.filter((site) => missing[stimulus * allSites.length + site]! > 0).length;
    return lost * 2 <= recorded.length;
  });
  const incomplete = recorded.filter((site) =>
    stimuli.some((stimulus) => missing[stimulus * allSites.length + site]! > 0),
  );
  const complete = recorded.filter((site) => !incomplete.includes(site));
  const constant = complete.filter((site) =>
    tables.every((table) => isConstant(table, stimuli, site, allSites.length)),
  );
  const sites = complete.filter((site) => !constant.includes(site));
  const because = (indices: Int32Array, reason: string): ExcludedSite[] =>
    Array.from(indices, (site) => ({ site: header.sites[site]!.id, image: null, reason }));
  const excludedSites = [
    ...because(empty, 'no response at all'),
    ...because(incomplete, 'no response to some stimuli'),
    ...because(constant, 'constant response'),
  ];
  if (sites.length === 0 || stimuli.length === 0)
    throw inputError({
      where: `${recording.folder}: responses.npy`,
      expected: 'at least one site that responds to every stimulus and varies',
      got: excludedSites
        .slice(0, 3)
        .map(({ site, reason }) => `${site}: ${reason}`)
        .join('; '),
      mend: 'check the dims and the missing values (ventral data inspect)',
    });
  const dropped = allStimuli.length - stimuli.length;
  return {
    stimuli,
    sites,
    excludedSites,
    warnings:
      dropped > 0 ? [`stimuli that most sites have no response to are left out: ${dropped}`] : [],
  };
};

const missingCounts = (
  tables: readonly ResponseTable[],
  stimuli: number,
  sites: number,
): Int32Array => {
  const counts = new Int32Array(stimuli * sites);
  for (const { mean, imageOfRow } of tables)
    for (let row = 0; row < imageOfRow.length; row++)
      for (let site = 0; site < sites; site++)
        if (Number.isNaN(mean.data[row * sites + site]!))
          counts[imageOfRow[row]! * sites + site]! += 1;
  return counts;
};

const isConstant = (
  { mean, imageOfRow }: ResponseTable,
  stimuli: Int32Array,
  site: number,
  sites: number,
): boolean => {
  const kept = new Set(stimuli);
  let first = Number.NaN;
  for (let row = 0; row < imageOfRow.length; row++) {
    if (!kept.has(imageOfRow[row]!)) continue;
    const value = mean.data[row * sites + site]!;
    if (Number.isNaN(first)) first = value;
    else if (value !== first) return false;
  }
  return true;
};
