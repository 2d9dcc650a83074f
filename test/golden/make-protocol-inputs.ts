// What test/golden/protocols.py is asked about: random recordings and activations, and the splits that our own seeded
// generator draws for them (folds of stimuli, halves of trials, halves for the choice of a layer).
//
//     npx tsx test/golden/make-protocol-inputs.ts
//
// Writes test/golden/protocol-inputs.json. Splits are asked of the functions that draw them, so that the Python script
// needs to know nothing of the generator: of halves of trials, by halving an identity matrix.

import { writeFileSync } from 'node:fs';
import { createRandom, type Random } from '../../src/numeric/random.ts';
import { halves } from '../../src/numeric/reliability.ts';
import type { Protocol } from '../../src/records/protocol.ts';
import type { Stimulus } from '../../src/records/recording.ts';
import { designOf, leftOutOf } from '../../src/scoring/design.ts';
import { foldsOf } from '../../src/scoring/folds.ts';
import { protocols } from '../../src/scoring/protocols.ts';
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
  /** Whether a site has this trial of a stimulus. */
  readonly has: (stimulus: number, trial: number, site: number) => boolean;
  readonly sites: number;
  /** A site that responds alike to everything, .7 in every trial. */
  readonly dead: number | null;
  readonly columns: readonly ('object_name' | 'alike')[];
}

const images = { grid: null, stimuli: 60, sites: 6 } as const;
const maps = { grid: [5, 5], stimuli: 6, sites: 5 } as const;
const all = () => true;

/** The trials of each stimulus where they differ, one to six, all of them at least once. */
const unequal = (stimulus: number): number => 1 + ((stimulus * 5) % 6);

const settings: Readonly<Record<string, Settings>> = {
  even: { ...images, bins: 2, trials: 4, has: all, sites: 7, dead: 2, columns: ['object_name'] },
  odd: { ...images, bins: 1, trials: 3, has: all, dead: null, columns: ['object_name', 'alike'] },
  unequal: {
    ...images,
    bins: 1,
    trials: 6,
    // The second trial of a stimulus is missing from one site here and there.
    has: (stimulus, trial, site) =>
      trial < unequal(stimulus) && !(trial === 1 && (stimulus + 7 * site) % 11 === 0),
    dead: null,
    columns: [],
  },
  single: { ...images, bins: 1, trials: null, has: all, dead: null, columns: ['object_name'] },
  // Three sets of sites: all stimuli, without two of them, without one.
  missing: {
    ...images,
    bins: 1,
    trials: 4,
    has: (stimulus, _trial, site) =>
      !(site > 3 && (stimulus === 3 || stimulus === 17)) && !(site === 3 && stimulus === 8),
    dead: null,
    columns: ['object_name'],
  },
  'grid-even': { ...maps, bins: 2, trials: 4, has: all, dead: 1, columns: [] },
  'grid-odd': { ...maps, bins: 1, trials: 3, has: all, dead: null, columns: [] },
  'grid-single': { ...maps, bins: 1, trials: null, has: all, dead: null, columns: [] },
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
  const { bins, trials, sites, has, dead, grid, stimuli } = world;
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
          // The second bin is the better one.
          const signal = (bin === 1 ? 1.3 : 1) * dot(row, weight);
          const response = signal + 1.5 * random.normal() + site;
          return has(Math.floor(index / perStimulus), trial, site) ? response : Number.NaN;
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

/** Stimuli that a site has no trial of, comma-separated: sites that agree in them are fitted together. */
const missingFrom = (site: number, { stimuli, trials, has }: Settings): string =>
  Array.from({ length: stimuli }, (_, i) => i)
    .filter((i) => !Array.from({ length: trials ?? 1 }, (_, t) => t).some((t) => has(i, t, site)))
    .join();

/** Folds as lists of stimuli, for each set of missing stimuli that occurs. */
const foldsFor = ({ folds }: Protocol, world: Settings): Record<string, number[][]> => {
  const sets = new Set(Array.from({ length: world.sites }, (_, s) => missingFrom(s, world)));
  return Object.fromEntries(
    [...sets].map((missing) => {
      const gone = new Set(missing === '' ? [] : missing.split(',').map(Number));
      const kept = Int32Array.from({ length: world.stimuli }, (_, i) => i).filter(
        (i) => !gone.has(i),
      );
      const drawn = foldsOf(folds, kept, stimuliOf(world), seed);
      return [missing, drawn.map(({ test }) => Array.from(test, (row) => kept[row]!))];
    }),
  );
};

/** For each stimulus that is left out, those (folds of one stimulus) that a layer is chosen on. */
const choosing = (world: Settings): number[][] => {
  const tests = Array.from({ length: world.stimuli }, (_, i) => ({
    name: String(i),
    test: Int32Array.of(i),
  }));
  const design = designOf('half', tests, seed);
  return tests.map((_, fold) => [...leftOutOf(design, fold)].filter((i) => i !== fold));
};

/**
 * Which half each trial falls in, of every split and site: a digit for each row and trial, `0`, `1`, or `.` where it is
 * missing (or left out). Sites that have the same trials share their halves.
 */
const trialHalves = (world: Settings): Record<string, string[]> => {
  const { sites, trials, has, stimuli } = world;
  if (trials === null) return {};
  const rows = rowsOf(world);
  const found = new Map<string, string[]>();
  const bySite = Array.from({ length: sites }, (_, site) => {
    const there = Array.from({ length: rows * trials }, (_, i) =>
      has(Math.floor(Math.floor(i / trials) / (rows / stimuli)), i % trials, site),
    );
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

const worlds = Object.entries(settings).map(([name, world]) => {
  const { grid, stimuli, bins, trials, sites } = world;
  const named = protocols.filter(
    ({ layout, folds }) => layout === (grid === null ? 'image' : 'grid') && folds.kind === 'k-fold',
  );
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
      folds: Object.fromEntries(
        named.map((protocol) => [protocol.name, foldsFor(protocol, world)]),
      ),
      choosing: grid === null ? null : choosing(world),
      trialHalves: trialHalves(world),
      thousandths: responsesOf(name, world).map(thousandths),
    },
  ];
});

const inputs = {
  versions: { ventral: ventralVersion },
  seed,
  splits,
  features: { image: layersOf('image', rowsOf(images)), grid: layersOf('grid', rowsOf(maps)) },
  worlds: Object.fromEntries(worlds),
};
writeFileSync(
  new URL('protocol-inputs.json', import.meta.url),
  `${JSON.stringify(inputs).replace(/("(?:thousandths|trialHalves|folds|columns)":)/g, '\n$1')}\n`,
);
