// Simulated animals that share a part of their signals, with known correlations.

import { createRandom } from '../../src/numeric/random.ts';
import type { Recording } from '../../src/records/recording.ts';

/** Sites are `shared` · (weights · z) + own: z is the same in all animals. Signals have variance 1. */
export interface Animal {
  readonly name: string;
  /** Of each site, unit length. */
  readonly weights: readonly (readonly number[])[];
  /** Share of each signal's variance that only this site has. */
  readonly own: number;
}

export const drawAnimal = (
  name: string,
  { sites, shared, own }: { sites: number; shared: number; own: number },
): Animal => {
  const random = createRandom(`animal ${name}`);
  const weights = Array.from({ length: sites }, () => {
    const drawn = Array.from({ length: shared }, () => random.normal());
    const length = Math.hypot(...drawn);
    return drawn.map((each) => each / length);
  });
  return { name, weights, own };
};

interface Session {
  readonly images: number;
  readonly trials: number;
  /** Standard deviation of a site's noise in a trial, and of noise that all sites share in it. */
  readonly noise: number;
  readonly common?: number;
  /** Images shown, in order; default all. */
  readonly order?: readonly number[];
}

/** `[stimulus, trial, site]`; image i is the same in all recordings. */
export const recordingOf = (
  { name, weights, own }: Animal,
  { images, trials, noise, common = 0, order }: Session,
): Recording => {
  const random = createRandom(`session ${name}`);
  const factors = weights[0]!.length;
  const latent = createRandom('what the images share');
  const z = Array.from({ length: images * factors }, () => latent.normal());
  const signals = Array.from({ length: images * weights.length }, (_, at) => {
    const [image, site] = [Math.floor(at / weights.length), at % weights.length];
    const drive = weights[site]!.reduce(
      (sum, weight, k) => sum + weight * z[image * factors + k]!,
      0,
    );
    return Math.sqrt(1 - own) * drive + Math.sqrt(own) * random.normal();
  });
  const shown = order ?? Array.from({ length: images }, (_, image) => image);
  const data = new Float64Array(shown.length * trials * weights.length);
  let at = 0;
  for (const image of shown)
    for (let trial = 0; trial < trials; trial++) {
      const together = common * random.normal();
      for (let site = 0; site < weights.length; site++)
        data[at++] = signals[image * weights.length + site]! + noise * random.normal() + together;
    }
  const id = (image: number): string => `i${String(image).padStart(4, '0')}`;
  return {
    header: {
      kind: 'recording',
      format: 2,
      name,
      species: 'simulated',
      dims: ['stimulus', 'trial', 'site'],
      sites: weights.map((_, site) => ({ id: `${name}${site}`, area: 'IT', animal: name })),
      timeBins: [{ start: 70, end: 170 }],
      grid: null,
      unit: 'none',
      licence: null,
      citation: null,
      notes: [],
    },
    responses: { data, shape: [shown.length, trials, weights.length] },
    stimuli: shown.map((image) => ({ id: id(image), file: `${id(image)}.png`, columns: {} })),
    folder: name,
    hash: name,
    warnings: [],
  };
};

/** Solves a x = b by Gaussian elimination with pivots. */
const solve = (a: readonly (readonly number[])[], b: readonly number[]): number[] => {
  const n = b.length;
  const rows = a.map((row, i) => [...row, b[i]!]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++)
      if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
};

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, each, k) => sum + each * b[k]!, 0);

/**
 * Correlation of a site's mean response with the best linear prediction from another animal's mean responses, from the
 * covariances: √(cᵀ Σ⁻¹ c / var). `variance`: of the noise of a mean response, on both sides.
 */
export const knownCorrelation = (
  animal: Animal,
  site: number,
  from: Animal,
  variance: number,
): number => {
  const scale = Math.sqrt((1 - animal.own) * (1 - from.own));
  const c = from.weights.map((weights) => scale * dot(weights, animal.weights[site]!));
  const covariance = from.weights.map((one, i) =>
    from.weights.map(
      (other, j) => (1 - from.own) * dot(one, other) + (i === j ? from.own + variance + 1e-9 : 0),
    ),
  );
  return Math.sqrt(dot(c, solve(covariance, c)) / (1 + variance));
};
