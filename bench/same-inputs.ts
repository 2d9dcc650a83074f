// What the jobs of `same.ts` start from, written anew for each side by the same code: small recordings with time bins,
// trials, missing trials and sites of noise, features, protocols.

import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';

const root = join(import.meta.dirname, '..');
const base = join(root, 'test/cases/base');

/** mulberry32 and the Box–Muller transform: normal deviates that no change of the sources moves. */
const normals = (seed: number): (() => number) => {
  let state = seed;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
};

/** An array as a NumPy file. */
const npy = (data: Float64Array, shape: readonly number[]): Uint8Array => {
  const head = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padded = `${head.padEnd(Math.ceil((head.length + 11) / 64) * 64 - 11)}\n`;
  const magic = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length, 0]);
  return Buffer.concat([magic, Buffer.from(padded, 'latin1'), Buffer.from(data.buffer)]);
};

interface Made {
  readonly name: string;
  readonly seed: number;
  readonly areas: readonly string[];
  readonly stimuli: number;
  /** Rows and columns of fixations; null: one response per image. */
  readonly side: number | null;
  readonly bins: number;
  readonly trials: number;
  /** Every so many-th response is missing; 0: none. */
  readonly missing: number;
  /** Further columns of `stimuli.csv`. */
  readonly columns: readonly string[];
}

const plain = { side: null, bins: 1, trials: 1, missing: 0, columns: [] };
const recordings: readonly Made[] = [
  {
    ...plain,
    name: 'grid-trials',
    seed: 11,
    areas: Array(6).fill('V4'),
    stimuli: 10,
    side: 5,
    bins: 3,
    trials: 4,
  },
  {
    ...plain,
    name: 'grid-missing',
    seed: 12,
    areas: ['V4', 'V4', 'IT', 'IT', 'IT'],
    stimuli: 8,
    side: 4,
    trials: 5,
    missing: 97,
  },
  { ...plain, name: 'grid-means', seed: 13, areas: Array(5).fill('IT'), stimuli: 10, side: 5 },
  {
    ...plain,
    name: 'image-bins',
    seed: 14,
    areas: ['V4', 'V4', 'IT', 'IT', 'IT'],
    stimuli: 60,
    bins: 3,
    trials: 5,
    missing: 41,
    columns: ['object_name', 'alike'],
  },
  {
    ...plain,
    name: 'image-means',
    seed: 15,
    areas: Array(4).fill('IT'),
    stimuli: 60,
    columns: ['object_name'],
  },
];

const picture = 32;
const fixated = { x: 4, y: 4, width: 24, height: 24 };

const headerOf = ({ name, areas, side, bins }: Made): object => ({
  format: 'ventral-recording',
  version: 1,
  name,
  species: 'simulated',
  dims: ['site', 'stimulus', ...(side === null ? [] : ['row', 'column']), 'time', 'trial'],
  sites: areas.map((area, s) => ({ id: `s${s}`, area })),
  timeBins: Array.from({ length: bins }, (_, t) => ({ start: 50 + 40 * t, end: 90 + 40 * t })),
  grid:
    side === null
      ? null
      : {
          rows: side,
          columns: side,
          extent: fixated,
          patchSize: { value: 12, unit: 'pixel' },
          pixelsPerDegree: null,
        },
  unit: 'a.u.',
  licence: null,
  citation: null,
  notes: [],
});

/** Mean colours (0 to 1) of the window around the centre of each fixation, or of the quarters of the image. */
const coloursOf = (pixels: Uint8Array, side: number | null): number[][] => {
  const meanOf = (x: number, y: number, half: number): number[] =>
    [0, 1, 2].map((channel) => {
      let sum = 0;
      let count = 0;
      for (let row = Math.max(0, y - half); row < Math.min(picture, y + half); row++)
        for (let column = Math.max(0, x - half); column < Math.min(picture, x + half); column++) {
          sum += pixels[(row * picture + column) * 3 + channel]!;
          count++;
        }
      return sum / count / 255;
    });
  if (side === null) return [[8, 24].flatMap((y) => [8, 24].flatMap((x) => meanOf(x, y, 8)))];
  const centre = (k: number): number => Math.round(fixated.x + ((k + 0.5) * fixated.width) / side);
  return Array.from({ length: side * side }, (_, place) =>
    meanOf(centre(place % side), centre(Math.floor(place / side)), 6),
  );
};

/** Responses (site, stimulus, place, time, trial): weighted colours and noise; the last site is noise alone. */
const responsesOf = (made: Made, colours: readonly number[][][]): Float64Array => {
  const { areas, bins, trials, missing } = made;
  const normal = normals(made.seed);
  const places = colours[0]!.length;
  const values: number[] = [];
  areas.forEach((_, site) => {
    const weights = Array.from({ length: colours[0]![0]!.length }, normal);
    for (const image of colours)
      for (let place = 0; place < places; place++) {
        const drive = weights.reduce((sum, weight, k) => sum + weight * image[place]![k]!, 0);
        for (let bin = 0; bin < bins; bin++)
          for (let trial = 0; trial < trials; trial++) {
            const gain = site === areas.length - 1 ? 0 : 4 - Math.abs(bin - 1);
            const value = gain * drive + 0.4 * normal();
            const gone = missing > 0 && trial > 1 && values.length % missing === 0;
            values.push(gone ? Number.NaN : value);
          }
      }
  });
  return Float64Array.from(values);
};

const writeRecording = async (folder: string, made: Made): Promise<void> => {
  const to = join(folder, made.name);
  await mkdir(join(to, 'stimuli'), { recursive: true });
  const names = (await readdir(join(base, 'rec/stimuli'))).sort().slice(0, made.stimuli);
  const colours: number[][][] = [];
  const rows = [['stimulus_id', 'file', ...made.columns].join(',')];
  const columns: Readonly<Record<string, (k: number) => string>> = {
    object_name: (k) => `object-${k % 4}`,
    alike: (k) => `group-${Math.floor(k / 3)}`,
  };
  for (const [k, name] of names.entries()) {
    const file = join(base, 'rec/stimuli', name);
    await cp(file, join(to, 'stimuli', name));
    const pixels = await sharp(file).removeAlpha().toColourspace('srgb').raw().toBuffer();
    colours.push(coloursOf(pixels, made.side));
    rows.push(
      [name.slice(0, -4), name, ...made.columns.map((each) => columns[each]!(k))].join(','),
    );
  }
  const side = made.side === null ? [] : [made.side, made.side];
  const shape = [made.areas.length, made.stimuli, ...side, made.bins, made.trials];
  await writeFile(join(to, 'recording.json'), JSON.stringify(headerOf(made)));
  await writeFile(join(to, 'stimuli.csv'), `${rows.join('\n')}\n`);
  await writeFile(join(to, 'responses.npy'), npy(responsesOf(made, colours), shape));
};

const ridge = {
  kind: 'ridge',
  alphas: [0.01, 0.1, 1],
  unit: 'mean-square',
  choose: 'gcv',
  perTarget: true,
};
const pls = {
  kind: 'pls',
  components: 8,
  tolerance: 1e-6,
  maxIterations: 500,
  stopping: 'converged',
  gram: 'float64',
};
const shared = {
  description: '',
  timeBin: 'best-ceiling',
  interval: { level: 0.9, replicates: 200 },
};

/** Protocols without a name of their own: combinations that no named one has. */
const protocols: Readonly<Record<string, object>> = {
  'image-ridge': {
    ...shared,
    layout: 'image',
    sampling: { kind: 'image', features: 'pool' },
    regression: ridge,
    folds: { kind: 'k-fold', count: 4, shuffle: true, stratifyBy: null, groupBy: 'object_name' },
    correlation: 'spearman',
    ceiling: { kind: 'split-half', splits: 6, minimumReliability: 0.2 },
    aggregation: 'sites',
    layerChoice: 'nested',
  },
  'image-other-site': {
    ...shared,
    layout: 'image',
    sampling: { kind: 'image', features: 'flatten' },
    timeBin: { start: 90, end: 130 },
    regression: { ...ridge, perTarget: false, choose: 'leave-one-out' },
    folds: { kind: 'k-fold', count: 6, shuffle: false, stratifyBy: null, groupBy: null },
    correlation: 'pearson',
    ceiling: { kind: 'best-other-site' },
    aggregation: 'sites',
    layerChoice: 'best',
  },
  'grid-ridge-map': {
    ...shared,
    layout: 'grid',
    sampling: { kind: 'feature-map', normalise: 'none', averageChannelsAbove: null },
    regression: ridge,
    folds: { kind: 'leave-one-image-out' },
    correlation: 'pearson',
    ceiling: { kind: 'split-half', splits: 6, minimumReliability: 0.1 },
    aggregation: 'images-of-sites',
    layerChoice: 'nested',
  },
  'grid-pls-sites': {
    ...shared,
    layout: 'grid',
    sampling: { kind: 'patches' },
    timeBin: { start: 50, end: 90 },
    regression: pls,
    folds: { kind: 'k-fold', count: 5, shuffle: true, stratifyBy: null, groupBy: null },
    correlation: 'spearman',
    ceiling: { kind: 'none' },
    aggregation: 'images-of-sites',
    layerChoice: 'nested',
  },
};

/** Data of other people beside the repository; null where they are absent. */
export const sharedData = join(root, '../shared/data');

/** Writes all inputs in a new folder. */
export const writeInputs = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true });
  for (const made of recordings) await writeRecording(folder, made);
  for (const [name, fields] of Object.entries(protocols))
    await writeFile(join(folder, `${name}.json`), JSON.stringify({ name, ...fields }));
  await cp(join(base, 'rec'), join(folder, 'image-trials'), { recursive: true });
  await cp(join(base, 'features.npy'), join(folder, 'features.npy'));
  await cp(join(root, 'test/golden/activations/cnn.onnx'), join(folder, 'cnn.onnx'));
  const preprocess = JSON.parse(await readFile(join(base, 'p32.json'), 'utf8'));
  await writeFile(
    join(folder, 'cnn.json'),
    JSON.stringify({ ...preprocess, size: { height: 24, width: 20 } }),
  );
  await symlink(sharedData, join(folder, 'shared'));
};
