import { encodeCsv } from '../../src/formats/csv.ts';
import { npyParts } from '../../src/formats/npy.ts';
import type { NdArray } from '../../src/records/array.ts';
import type { RecordingHeader } from '../../src/records/recording.ts';

export const header: RecordingHeader = {
  kind: 'recording',
  format: 2,
  name: 'small',
  species: 'macaque',
  dims: ['site', 'stimulus', 'trial'],
  sites: [
    { id: 'a', area: 'V4' },
    { id: 'b', area: 'V4' },
  ],
  timeBins: [{ start: 0, end: 100 }],
  grid: null,
  unit: 'spike count',
  licence: null,
  citation: null,
  notes: [],
};

export const grid: RecordingHeader['grid'] = {
  rows: 2,
  columns: 5,
  extent: null,
  patchSize: null,
  pixelsPerDegree: null,
};

export const counting = (...shape: number[]): NdArray<Float64Array> => ({
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  shape,
});

/** The files of a recording: 2 sites, 3 stimuli, 4 trials; what is given replaces a part. */
export const recordingFiles = (
  change: {
    header?: object;
    responses?: NdArray;
    csv?: string;
    images?: Record<string, string>;
  } = {},
): Record<string, Uint8Array | string> => {
  const images = change.images ?? { 'x.png': 'image x', 'y.png': 'image y', 'z.png': 'image zz' };
  const rows = Object.keys(images).map((file) => [file[0]!, file]);
  return {
    'rec/recording.json': JSON.stringify({ ...header, ...change.header }),
    'rec/responses.npy': Buffer.concat(npyParts(change.responses ?? counting(2, 3, 4))),
    'rec/stimuli.csv': change.csv ?? encodeCsv(['stimulus_id', 'file'], rows),
    ...Object.fromEntries(
      Object.entries(images).map(([file, content]) => [`rec/stimuli/${file}`, content]),
    ),
  };
};
