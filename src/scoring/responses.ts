import type { Float64Nd } from '../records/array.ts';
import type { Dimension, Recording } from '../records/recording.ts';

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
