// What readouts are worth, from the moments of the basis: exactly, for the pool's images and the population's sites.

import type { Random } from '../../src/numeric/random.ts';
import { mean, median } from '../../src/numeric/statistics.ts';
import { design } from './design.ts';
import type { Readout } from './fits.ts';
import { covarianceOf, type Population } from './population.ts';
import { product, type World } from './world.ts';

export interface Truth {
  /** Of each network. */
  readonly values: readonly [number, number];
  readonly raws: readonly [number, number];
  readonly ceiling: number;
  /** Median over sites of paired differences. */
  readonly effect: number;
}

/** A network's readouts, one for each fold: the layer that was chosen, `[size, features]`, and its weights. */
export interface ReadoutOfFold {
  readonly layer: Float64Array;
  readonly readout: Readout;
}

const columnOf = (table: Float64Array, columns: number, column: number): Float64Array => {
  const result = new Float64Array(table.length / columns);
  for (let k = 0; k < result.length; k++) result[k] = table[k * columns + column]!;
  return result;
};

/** Weights on the basis, one column for each site. */
const onBasis = ({ layer, readout: { weights, offset } }: ReadoutOfFold): Float64Array[] => {
  const all = product(layer, weights, weights.length / offset.length, offset.length);
  return Array.from(offset, (_, site) => columnOf(all, offset.length, site));
};

/** A layer's covariances over the pool, and with the responses of every site `[features, sites]`. */
const momentsOf = ({ moments, tuning, sites, size }: Population, layer: Float64Array) => {
  const [triangle] = moments as readonly [Float64Array];
  const features = layer.length / size;
  const columns = Array.from({ length: features }, (_, k) =>
    productWith(triangle, columnOf(layer, features, k)),
  );
  const inside = columns.flatMap((left, i) =>
    columns.slice(i).map((_, k) => dotOf(left, columnOf(layer, features, i + k))),
  );
  const across = product(
    columns.flatMap((column) => [...column]),
    tuning,
    size,
    sites,
  );
  return { covariance: Float64Array.from(inside), across };
};

/**
 * Images as rows: for each fold the median over all sites of the population of the correlation with the noise-free responses
 * over the pool; the mean over folds. `readouts` are of all sites of the population.
 */
export const truthOfImages = (
  population: Population,
  trials: number,
  readouts: readonly [readonly ReadoutOfFold[], readonly ReadoutOfFold[]],
): Truth => {
  const { sites, noise } = population;
  const ceilings = noise.map((each) => Math.sqrt(1 / (1 + each ** 2 / trials)));
  const known = new Map(
    [...new Set(readouts.flat().map(({ layer }) => layer))].map((layer) => [
      layer,
      momentsOf(population, layer),
    ]),
  );
  const perFold = readouts.map((folds) =>
    folds.map(({ layer, readout: { weights } }) => {
      const { covariance, across } = known.get(layer)!;
      return correlationsOf(weights, covariance, across, sites);
    }),
  );
  const over = (which: number, scale: (s: number) => number): number =>
    mean(perFold[which]!.map((values) => median(values.map((r, s) => r * scale(s)))));
  const ofSite = (which: number, s: number): number => mean(perFold[which]!.map((r) => r[s]!));
  return {
    values: [over(0, () => 1), over(1, () => 1)],
    raws: [over(0, (s) => ceilings[s]!), over(1, (s) => ceilings[s]!)],
    ceiling: median(ceilings),
    effect: median(Array.from({ length: sites }, (_, s) => ofSite(0, s) - ofSite(1, s))),
  };
};

/** Of each site's weights on features of this covariance, with responses of unit variance. */
const correlationsOf = (
  weights: Float64Array,
  covariance: Float64Array,
  across: Float64Array,
  sites: number,
): number[] => {
  const variance = new Float64Array(sites);
  const products = new Float64Array(sites);
  const features = weights.length / sites;
  for (let i = 0, at = 0; i < features; i++) {
    for (let s = 0; s < sites; s++)
      products[s] = products[s]! + weights[i * sites + s]! * across[i * sites + s]!;
    for (let j = i; j < features; j++, at++) {
      const each = (i === j ? 1 : 2) * covariance[at]!;
      for (let s = 0; s < sites; s++)
        variance[s] = variance[s]! + each * weights[i * sites + s]! * weights[j * sites + s]!;
    }
  }
  return Array.from(products, (own, s) => own / Math.sqrt(variance[s]!));
};

/**
 * Grids: the mean over folds and over images drawn from the pool of the median over these sites of the correlation within
 * the image. `readouts` are of the recorded sites.
 */
export const truthOfGrids = (
  { moments, tuning, sites: all, noise }: Population,
  { sites }: Pick<World, 'sites'>,
  trials: number,
  readouts: readonly [readonly ReadoutOfFold[], readonly ReadoutOfFold[]],
  random: Random,
): Truth => {
  const tunings = Array.from(sites, (site) => columnOf(tuning, all, site));
  const weights = readouts.map((folds) => folds.map(onBasis));
  const sums = { values: [0, 0], raws: [0, 0], ceiling: 0, effect: 0 };
  const r = [new Float64Array(sites.length), new Float64Array(sites.length)] as const;
  const signals = new Float64Array(sites.length);
  const sides = tunings.map((each) => new Float64Array(each.length));
  // Readouts of different folds hardly differ beside images: each image is shown to two of them.
  const folds = 2;
  let image = 0;
  for (let draw = 0; draw < design.drawnForGrids; draw++) {
    // Each image and its mirror image, which are beside each other in the pool.
    image = draw % 2 === 0 ? 2 * random.int(moments.length / 2) : image + 1;
    const covariance = moments[image]!;
    tunings.forEach((each, s) => {
      productInto(sides[s]!, covariance, each);
      signals[s] = dotOf(each, sides[s]!);
    });
    const ceilings = signals.map((v, s) => Math.sqrt(v / (v + noise[sites[s]!]! ** 2 / trials)));
    sums.ceiling += median(ceilings);
    for (let k = 0; k < folds; k++) {
      const fold = random.int(readouts[0].length);
      weights.forEach((network, which) => {
        const own = network[fold]!;
        const values = r[which as 0 | 1];
        for (let s = 0; s < own.length; s++) {
          const variance = covarianceOf(covariance, own[s]!, own[s]!) * signals[s]!;
          values[s] = dotOf(own[s]!, sides[s]!) / Math.sqrt(variance);
        }
        sums.values[which]! += median(values) / folds;
        sums.raws[which]! += median(values.map((each, s) => each * ceilings[s]!)) / folds;
      });
      sums.effect += median(r[0].map((each, s) => each - r[1][s]!)) / folds;
    }
  }
  const n = design.drawnForGrids;
  return {
    values: [sums.values[0]! / n, sums.values[1]! / n],
    raws: [sums.raws[0]! / n, sums.raws[1]! / n],
    ceiling: sums.ceiling / n,
    effect: sums.effect / n,
  };
};

const dotOf = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
};

/** C·a for the upper triangle of C. */
const productInto = (
  result: Float64Array,
  triangle: Float32Array | Float64Array,
  a: Float64Array,
): void => {
  const size = a.length;
  result.fill(0);
  for (let i = 0, at = 0; i < size; i++) {
    result[i] = result[i]! + triangle[at++]! * a[i]!;
    for (let j = i + 1; j < size; j++) {
      const value = triangle[at++]!;
      result[i] = result[i]! + value * a[j]!;
      result[j] = result[j]! + value * a[i]!;
    }
  }
};

const productWith = (triangle: Float32Array | Float64Array, a: Float64Array): Float64Array => {
  const result = new Float64Array(a.length);
  productInto(result, triangle, a);
  return result;
};
