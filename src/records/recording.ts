import * as z from 'zod';
import type { NdArray } from './array.ts';

/** Dimensions of the response array, in any order; `stimulus` and `site` are always there. */
export const dimensionSchema = z.enum(['stimulus', 'row', 'column', 'time', 'trial', 'site']);
export type Dimension = z.infer<typeof dimensionSchema>;

/** Milliseconds from stimulus onset, `[start, end)`. */
export const timeBinSchema = z.strictObject({ start: z.number(), end: z.number() });
export type TimeBin = z.infer<typeof timeBinSchema>;

export const sameBin = (a: TimeBin, b: TimeBin): boolean => a.start === b.start && a.end === b.end;

export const siteSchema = z.strictObject({
  id: z.string().min(1),
  area: z.string().min(1),
  animal: z.string().optional(),
  /** Reliability of the mean responses as the recording's owner published it (ceiling `published`). */
  reliability: z.number().max(1).optional(),
});
export type Site = z.infer<typeof siteSchema>;

/**
 * Where the fixations of a grid fall on the image: `extent` in pixels of the stimulus (null: the whole image,
 * evenly divided). `patchSize` is the side of the square seen at one fixation (null: a grid cell);
 * degrees need `pixelsPerDegree`.
 */
export const fixationGridSchema = z.strictObject({
  rows: z.int().positive(),
  columns: z.int().positive(),
  extent: z
    .strictObject({
      x: z.number(),
      y: z.number(),
      width: z.number().positive(),
      height: z.number().positive(),
    })
    .nullable(),
  patchSize: z
    .strictObject({ value: z.number().positive(), unit: z.enum(['pixel', 'degree']) })
    .nullable(),
  pixelsPerDegree: z.number().positive().nullable(),
});
export type FixationGrid = z.infer<typeof fixationGridSchema>;

/** `recording.json`: the record without its numbers. Responses are in `responses.npy`, stimuli in `stimuli.csv`. */
export const recordingHeaderSchema = z.strictObject({
  kind: z.literal('recording'),
  format: z.literal(2),
  name: z.string().min(1),
  species: z.string().min(1),
  dims: z.array(dimensionSchema).min(2),
  sites: z.array(siteSchema).min(1),
  timeBins: z.array(timeBinSchema).min(1),
  grid: fixationGridSchema.nullable(),
  /** What a number is: `spikes per second`, `spike count`, … */
  unit: z.string(),
  licence: z.string().nullable(),
  citation: z.string().nullable(),
  /** How it was made, in words: channel split, flips, simulation. */
  notes: z.array(z.string()),
});
export type RecordingHeader = z.infer<typeof recordingHeaderSchema>;

/**
 * Column of `stimuli.csv` that the import writes where images are nearly equal: the id of the first stimulus that each
 * one is alike (its own where there is none). Without it no two are taken to be alike.
 */
export const alikeColumn = 'alike';

/** One stimulus: `file` is a path below the recording's `stimuli/`; `columns` are further columns of `stimuli.csv`. */
export interface Stimulus {
  readonly id: string;
  readonly file: string;
  readonly columns: Readonly<Record<string, string>>;
}

/**
 * A recording in memory. `responses.shape[k]` is the size of `header.dims[k]`; NaN marks a missing trial.
 * The layout is `grid` where `header.grid` is given (one response per fixation), else `image`.
 */
export interface Recording {
  readonly header: RecordingHeader;
  readonly responses: NdArray<Float32Array | Float64Array>;
  readonly stimuli: readonly Stimulus[];
  /** Folder it was read from; of a recording in memory its name. */
  readonly folder: string;
  /** Of a recording in memory: the image file of a stimulus, null where it has none. Absent: files below `folder`. */
  readonly imageOf?: (stimulus: Stimulus) => Promise<Uint8Array | null>;
  /** SHA-256 over `recording.json` (as format 1 writes it), `responses.npy` and `stimuli.csv`. */
  readonly hash: string;
  /** Warnings of the reader that a user should see (equal stimuli, …). */
  readonly warnings: readonly string[];
}

export type RecordingLayout = 'image' | 'grid';
export const layoutOf = (recording: Recording): RecordingLayout =>
  recording.header.grid === null ? 'image' : 'grid';
