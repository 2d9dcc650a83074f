// One world: images, sites and trials drawn from a population, as a recording; what two networks show for its images; and
// the responses of all sites of the population to the same images, recorded with noise of their own.

import { createRandom, type Random } from '../../src/numeric/random.ts';
import type { Float32Nd, Float64Nd } from '../../src/records/array.ts';
import type { Recording } from '../../src/records/recording.ts';
import { type Cell, design } from './design.ts';
import type { Population } from './population.ts';

export interface World {
  readonly recording: Recording;
  /** Site of the population of each recorded site. */
  readonly sites: Int32Array;
  /** Basis `[rows, size]`. */
  readonly basis: Float64Array;
  /** Of each network, its layers `[rows, features]`. */
  readonly features: readonly (readonly Float32Nd[])[];
  /** Mean responses `[rows, sites of the population]`. */
  readonly everywhere: () => Float64Nd;
}

/** A · B for `[m, k]` and `[k, n]`. */
export const product = (
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  k: number,
  n: number,
): Float64Array => {
  const m = a.length / k;
  const result = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++) {
      const factor = a[i * k + l]!;
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) result[i * n + j] = result[i * n + j]! + factor * b[l * n + j]!;
    }
  return result;
};

export const worldOf = (cell: Cell, population: Population, seed: number): World => {
  const { size, positions, tuning, noise } = population;
  const random = createRandom(`world ${seed}`).fork(cell.name);
  const drawn = Array.from({ length: cell.images }, () => population.draw(random));
  const rows = cell.images * positions;
  const basis = new Float64Array(rows * size);
  drawn.forEach((each, image) => {
    basis.set(each, image * positions * size);
  });
  const sites = sitesOf(cell, population, random);
  const signal = product(basis, tuning, size, population.sites);
  const shared = Math.sqrt(design.sharedNoise);
  const alone = Math.sqrt(1 - design.sharedNoise);
  const trials = new Float64Array(rows * cell.trials * cell.sites);
  for (let row = 0, at = 0; row < rows; row++)
    for (let t = 0; t < cell.trials; t++) {
      const common = shared * random.normal();
      for (const site of sites)
        trials[at++] =
          signal[row * population.sites + site]! +
          noise[site]! * (common + alone * random.normal());
    }
  const { features } = design[cell.layout];
  const others = random.fork('population');
  return {
    recording: recordingOf(cell, trials),
    sites,
    basis,
    features: ([0, 1] as const).map((which) =>
      population.layersOf(which, which === 0 ? 0 : cell.handicap).map((layer) => ({
        data: Float32Array.from(product(basis, layer, size, features)),
        shape: [rows, features],
      })),
    ),
    everywhere: () => {
      const data = signal.slice();
      const scale = noise.map((each) => each / Math.sqrt(cell.trials));
      for (let row = 0; row < rows; row++) {
        const common = shared * others.normal();
        for (let s = 0; s < population.sites; s++)
          data[row * population.sites + s] =
            data[row * population.sites + s]! + scale[s]! * (common + alone * others.normal());
      }
      return { data, shape: [rows, population.sites] };
    },
  };
};

/** Grids are about their sites: each has its mirror image among them, so that neither network is better. */
const sitesOf = ({ layout, sites }: Cell, population: Population, random: Random): Int32Array => {
  if (layout === 'image')
    return Int32Array.from({ length: sites }, () => random.int(population.sites));
  const pairs = Array.from({ length: sites / 2 }, () => 2 * random.int(population.sites / 2));
  return Int32Array.from(pairs.flatMap((site) => [site, site + 1]));
};

const recordingOf = ({ layout, images, sites, trials }: Cell, data: Float64Array): Recording => {
  const { side } = design.grid;
  const onGrid = layout === 'grid';
  return {
    ...{ folder: 'world', hash: '', warnings: [] },
    header: {
      ...{ kind: 'recording', format: 2, name: 'world', species: 'none' },
      dims: ['stimulus', ...(onGrid ? (['row', 'column'] as const) : []), 'trial', 'site'],
      sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
      timeBins: [{ start: 0, end: 100 }],
      grid: onGrid
        ? { rows: side, columns: side, extent: null, patchSize: null, pixelsPerDegree: null }
        : null,
      ...{ unit: 'none', licence: null, citation: null, notes: [] },
    },
    responses: { data, shape: [images, ...(onGrid ? [side, side] : []), trials, sites] },
    stimuli: Array.from({ length: images }, (_, i) => ({ id: `i${i}`, file: '', columns: {} })),
  };
};
