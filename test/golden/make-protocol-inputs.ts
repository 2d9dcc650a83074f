// What test/golden/protocols.py is asked about: random recordings and activations, and what our own seeded generator draws
// for them (folds of stimuli, halves of trials and of images, halves for the choice of a layer, sites that are spared).
//
//     npx tsx test/golden/make-protocol-inputs.ts
//
// Writes test/golden/protocol-inputs.json. Splits are asked of the functions that draw them, so that the Python script
// needs to know nothing of the generator: of halves of trials, by halving an identity matrix. Trials that are dealt anew to
// see what chance gives are not written: the script deals them by itself, and our recordings leave no doubt.

import { writeFileSync } from 'node:fs';
import { createRandom, type Random } from '../../src/numeric/random.ts';
import { halves } from '../../src/numeric/reliability.ts';
import type { Protocol } from '../../src/records/protocol.ts';
import type { Stimulus } from '../../src/records/recording.ts';
import { designOf, heldOutRowsOf } from '../../src/scoring/design.ts';
import { foldsOf } from '../../src/scoring/folds.ts';
import { protocols } from '../../src/scoring/protocols.ts';
import { everySecond, halvesOfImages } from '../../src/scoring/split-half.ts';
import { ventralVersion } from '../../src/version.ts';

const seed = 1;
const splits = 10;
/** Numbers are written as whole thousandths, which are read back to the same bits. */
const thousandths = (value: number): number | null =>
  Number.isNaN(value) ? null : Math.round(value * 1000);

interface Settings {
  readonly grid: readonly [rows: number, columns: number] | null;
  readonly stimuli: number;
  readonly bins: number;
  /** The largest number of trials; null: the recording has no such dimension. */
  readonly trials: number | null;
  /** Whether a site has this trial of a stimulus, at this fixation of it. */
  readonly has: (stimulus: number, trial: number, site: number, place: number) => boolean;
  readonly sites: number;
  /** A site that responds alike to everything, .7 in every trial. */
  readonly dead: number | null;
  readonly columns: readonly ('object_name' | 'alike')[];
  /** Standard deviation of the noise of a trial. */
  readonly noise: (site: number) => number;
  /** What the signal is multiplied by. */
  readonly gain: (bin: number, stimulus: number) => number;
  /** Stimuli that are left out for what they lack: those lists that occur under some protocol. */
  readonly heldOut: readonly (readonly number[])[];
  /** Reliabilities that the owner published. */
  readonly published: readonly (number | null)[] | null;
}

const all = () => true;
const usual = {
  bins: 1,
  trials: 4,
  has: all,
  dead: null,
  columns: [],
  noise: () => 1.5,
  // The second bin is the better one.
  gain: (bin: number) => (bin === 1 ? 1.3 : 1),
  heldOut: [[]],
  published: null,
} as const;
const images = { ...usual, grid: null, stimuli: 60, sites: 6 } as const;
const maps = { ...usual, grid: [5, 5], stimuli: 6, sites: 5 } as const;

/** The trials of each stimulus where they differ, one to six, all of them at least once. */
const unequal = (stimulus: number): number => 1 + ((stimulus * 5) % 6);
/** One stimulus in three is shown more than once. */
const repeated = (stimulus: number): boolean => stimulus % 3 === 1;

const settings: Readonly<Record<string, Settings>> = {
  even: { ...images, bins: 2, sites: 7, dead: 2, columns: ['object_name'] },
  odd: { ...images, trials: 3, columns: ['object_name', 'alike'] },
  unequal: {
    ...images,
    trials: 6,
    // The second trial of a stimulus is missing from one site here and there.
    has: (stimulus, trial, site) =>
      trial < unequal(stimulus) && !(trial === 1 && (stimulus + 7 * site) % 11 === 0),
  },
  single: { ...images, trials: null, columns: ['object_name'] },
  'mostly-single': {
    ...images,
    trials: 5,
    has: (stimulus, trial) => trial === 0 || repeated(stimulus),
  },
  // Those that are repeated drive the sites less than the others.
  otherwise: {
    ...images,
    has: (stimulus, trial) => trial === 0 || repeated(stimulus),
    gain: (_, stimulus) => (repeated(stimulus) ? 0.6 : 1.4),
  },
  // Sites that respond reliably, hardly and not at all; in the first bin none does.
  noisy: {
    ...images,
    bins: 3,
    sites: 14,
    trials: 3,
    noise: (site) => 1.5 + 0.55 * site,
    gain: (bin) => [0, 1, 0.8][bin]!,
  },
  published: { ...images, trials: null, published: [0.9, 0.7, null, 0.5, 0.3, 0.05] },
  // A stimulus that most sites lack, two that two lack, one that one lacks; trials that are lacking too; a site that has none.
  missing: {
    ...images,
    sites: 7,
    has: (stimulus, trial, site) =>
      site !== 6 &&
      !(stimulus === 30 && site > 1) &&
      !(site > 3 && (stimulus === 3 || stimulus === 17)) &&
      !(site === 3 && stimulus === 8) &&
      !(trial > 1 && (stimulus + site) % 13 === 0),
    columns: ['object_name'],
    heldOut: [[30], [3, 8, 17, 30]],
  },
  'grid-even': { ...maps, bins: 2, dead: 1 },
  'grid-odd': { ...maps, trials: 3 },
  'grid-single': { ...maps, trials: null },
  'grid-noisy': { ...maps, bins: 2, sites: 8, trials: 3, noise: (site) => 1.5 + 1.3 * site },
  // Too few images to halve.
  'grid-few': { ...maps, stimuli: 3, sites: 6, noise: (site) => 1.5 + 1.7 * site },
  // An image, a fixation, and most images are missing from a site each.
  'grid-missing': {
    ...maps,
    sites: 7,
    trials: 3,
    has: (stimulus, trial, site, place) =>
      !(site === 5 && stimulus === 1) &&
      !(site === 4 && stimulus === 2 && (place === 7 || (place > 18 && trial === 1))) &&
      !(site === 6 && stimulus > 1),
  },
  'grid-single-missing': {
    ...maps,
    sites: 6,
    trials: null,
    has: (stimulus, _, site, place) =>
      !(site === 5 && stimulus === 1) && !(site === 4 && place % 8 === stimulus),
  },
};

const latents = 8;
const normals = (random: Random, count: number): number[] =>
  Array.from({ length: count }, () => random.normal());

/** What drives sites and layers, by row (stimulus, or fixation of one). */
const driven = (rows: number, name: string): number[][] => {
  const random = createRandom(`latents of ${name}`);
  return Array.from({ length: rows }, () => normals(random, latents));
};

const rowsOf = ({ grid, stimuli }: Pick<Settings, 'grid' | 'stimuli'>): number =>
  stimuli * (grid === null ? 1 : grid[0] * grid[1]);

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** `[rows, features]` of each layer: the latents seen through random weights, with noise of its own. */
const layersOf = (name: string, rows: number) => {
  const z = driven(rows, name);
  const layer = (width: number, noise: number) => {
    const random = createRandom(`layer ${name} ${width}`);
    const weights = Array.from({ length: width }, () => normals(random, latents));
    return {
      shape: [rows, width],
      thousandths: z.flatMap((row) =>
        weights.map((weight) => thousandths(dot(row, weight) + noise * random.normal())),
      ),
    };
  };
  // On images the last is wide enough for the Gram matrix.
  return name === 'image'
    ? { early: layer(30, 3), middle: layer(40, 1), late: layer(70, 2) }
    : { early: layer(30, 3), middle: layer(36, 1) };
};

/** [stimulus, row, column, time, trial, site] without the dimensions that the recording lacks. */
const responsesOf = (name: string, world: Settings): number[] => {
  const { bins, trials, sites, has, dead, grid, stimuli, noise, gain } = world;
  const z = driven(rowsOf(world), grid === null ? 'image' : 'grid');
  const random = createRandom(`responses ${name}`);
  // Sites share the first latents, so that one map is like another.
  const weights = Array.from({ length: sites }, () =>
    normals(random, latents).map((value, k) => (k < 2 ? 1 + 0.3 * value : 0.6 * value)),
  );
  const perStimulus = rowsOf(world) / stimuli;
  return z.flatMap((row, index) =>
    Array.from({ length: bins }, (_, bin) =>
      Array.from({ length: trials ?? 1 }, (_trial, trial) =>
        weights.map((weight, site) => {
          if (site === dead) return 0.7;
          const stimulus = Math.floor(index / perStimulus);
          const signal = gain(bin, stimulus) * dot(row, weight);
          const response = signal + noise(site) * random.normal() + site;
          return has(stimulus, trial, site, index % perStimulus) ? response : Number.NaN;
        }),
      ),
    ).flat(2),
  );
};

const stimuliOf = ({ stimuli, columns }: Settings): Stimulus[] =>
  Array.from({ length: stimuli }, (_, i) => ({
    id: `i${String(i).padStart(3, '0')}`,
    file: `i${String(i).padStart(3, '0')}.png`,
    columns: Object.fromEntries(
      columns.map((column) => [
        column,
        column === 'object_name'
          ? `object ${i % 5}`
          : `i${String(i - (i % 3 === 1 ? 1 : 0)).padStart(3, '0')}`,
      ]),
    ),
  }));

/** Folds as lists of stimuli, by their places among those that are kept. */
const foldsFor = ({ folds }: Protocol, world: Settings, kept: Int32Array): number[][] =>
  foldsOf(folds, kept, stimuliOf(world), seed).map(({ test }) => [...test]);

/** For each stimulus that is left out, those (folds of one stimulus) that a layer is chosen on. */
const choosing = (stimuli: number): number[][] => {
  const tests = Array.from({ length: stimuli }, (_, i) => ({
    name: String(i),
    test: Int32Array.of(i),
  }));
  const design = designOf('half', tests, seed);
  return tests.map((_, fold) => [...heldOutRowsOf(design, fold)].filter((i) => i !== fold));
};

/**
 * Which half each trial falls in, of every split and site: a digit for each row and trial, `0`, `1`, or `.` where it is
 * missing (or left out). Sites that have the same trials share their halves.
 */
const trialHalves = (world: Settings, kept: Int32Array): Record<string, string[]> => {
  const { sites, trials, has, stimuli } = world;
  if (trials === null) return {};
  const places = rowsOf(world) / stimuli;
  const rows = kept.length * places;
  const found = new Map<string, string[]>();
  const bySite = Array.from({ length: sites }, (_, site) => {
    const there = Array.from({ length: rows * trials }, (_, i) => {
      const row = Math.floor(i / trials);
      return has(kept[Math.floor(row / places)]!, i % trials, site, row % places);
    });
    const key = there.map(Number).join('');
    const known = found.get(key);
    if (known !== undefined) return known;
    const identity = Float64Array.from({ length: rows * trials * trials }, (_, i) => {
      const [cell, column] = [Math.floor(i / trials), i % trials];
      return there[cell] ? Number(cell % trials === column) : Number.NaN;
    });
    const drawn = halves({ data: identity, shape: [rows, trials, trials] }, { splits, seed });
    const digits = drawn.first.map((first, split) =>
      Array.from(first.data, (share, i) =>
        share > 0 ? '0' : drawn.second[split]!.data[i]! > 0 ? '1' : '.',
      ).join(''),
    );
    found.set(key, digits);
    return digits;
  });
  return found.size === 1
    ? { all: bySite[0]! }
    : Object.fromEntries(bySite.map((digits, site) => [`s${site}`, digits]));
};

/** All that is drawn for a recording, of which some stimuli may be left out. */
const drawnFor = (world: Settings, heldOut: readonly number[]) => {
  const { grid, stimuli } = world;
  const kept = Int32Array.from({ length: stimuli }, (_, i) => i).filter(
    (i) => !heldOut.includes(i),
  );
  const named = protocols.filter(
    ({ layout, folds }) => layout === (grid === null ? 'image' : 'grid') && folds.kind === 'k-fold',
  );
  return {
    folds: Object.fromEntries(
      named.map((protocol) => [protocol.name, foldsFor(protocol, world, kept)]),
    ),
    choosing: grid === null ? null : choosing(kept.length),
    imageHalves: halvesOfImages(kept, seed).join(''),
    trialHalves: trialHalves(world, kept),
  };
};

const worlds = Object.entries(settings).map(([name, world]) => {
  const { grid, stimuli, bins, trials, sites, heldOut, published } = world;
  const sizes = {
    stimulus: stimuli,
    ...(grid === null ? {} : { row: grid[0], column: grid[1] }),
    time: bins,
    ...(trials === null ? {} : { trial: trials }),
    site: sites,
  };
  return [
    name,
    {
      dims: Object.keys(sizes),
      shape: Object.values(sizes),
      columns: Object.fromEntries(
        world.columns.map((column) => [
          column,
          stimuliOf(world).map(({ columns }) => columns[column]!),
        ]),
      ),
      features: grid === null ? 'image' : 'grid',
      published,
      drawn: Object.fromEntries(heldOut.map((each) => [each.join(), drawnFor(world, each)])),
      thousandths: responsesOf(name, world).map(thousandths),
    },
  ];
});

const inputs = {
  versions: { ventral: ventralVersion },
  seed,
  splits,
  spared: Object.fromEntries(
    Array.from({ length: 14 }, (_, i) => [i + 1, [...everySecond(i + 1, seed)]]),
  ),
  features: { image: layersOf('image', rowsOf(images)), grid: layersOf('grid', rowsOf(maps)) },
  worlds: Object.fromEntries(worlds),
};
writeFileSync(
  new URL('protocol-inputs.json', import.meta.url),
  `${JSON.stringify(inputs).replace(/("(?:thousandths|trialHalves|folds|columns)":)/g, '\n$1')}\n`,
);
