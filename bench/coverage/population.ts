// A population of images and sites, with two networks that are each other's mirror image. Everything is linear in a basis
// of functions of latent variables, [common, first's own, second's own, first's nuisance, second's nuisance], so that moments
// of the basis over the pool of images say exactly what any readout is worth.

import { createRandom, type Random } from '../../src/numeric/random.ts';
import { design } from './design.ts';

export interface Population {
  readonly layout: 'image' | 'grid';
  /** Functions of the basis. */
  readonly size: number;
  /** Rows of an image. */
  readonly positions: number;
  /** The basis at the rows of one new image, `[positions, size]`. */
  readonly draw: (random: Random) => Float64Array;
  /** Noise-free responses are basis · tuning, `[size, sites]`; unit variance over the pool. */
  readonly tuning: Float64Array;
  readonly sites: number;
  /** Standard deviation of a single trial's noise, of each site. */
  readonly noise: Float64Array;
  /** Covariances of the basis over the positions of an image, upper triangles; one, over all images, where these are rows. */
  readonly moments: readonly Float32Array[] | readonly Float64Array[];
  /** `[size, features]`: layers of the first and of the second network, the latter with a handicap. */
  readonly layersOf: (which: 0 | 1, handicap: number) => readonly Float64Array[];
}

const count = ([linear, nonlinear]: readonly [number, number]): number => linear + nonlinear;

/** Where the parts of the basis begin. */
const partsOf = (layout: 'image' | 'grid') => {
  const { common, own, nuisance } = design[layout];
  const first = count(common);
  const second = first + count(own);
  const firstNuisance = second + count(own);
  const secondNuisance = firstNuisance + nuisance;
  return { first, second, firstNuisance, secondNuisance, size: secondNuisance + nuisance };
};

const normals = (length: number, random: Random): Float64Array =>
  Float64Array.from({ length }, () => random.normal());

/** Unit vectors `[vectors, size]`. */
const directions = (vectors: number, size: number, random: Random): Float64Array => {
  const all = normals(vectors * size, random);
  for (let v = 0; v < vectors; v++) {
    const own = all.subarray(v * size, (v + 1) * size);
    const length = Math.hypot(...own);
    for (let k = 0; k < size; k++) own[k] = own[k]! / length;
  }
  return all;
};

/** Half-wave rectified normal: mean and standard deviation. */
const [reluMean, reluSpread] = [Math.sqrt(1 / (2 * Math.PI)), Math.sqrt(0.5 - 1 / (2 * Math.PI))];

/** Linear: the latent variables. Nonlinear: their projections, rectified and standardised. */
const expand = (
  latents: Float64Array,
  projections: Float64Array,
  into: Float64Array,
  at: number,
): void => {
  const linear = latents.length;
  into.set(latents, at);
  for (let k = 0; k * linear < projections.length; k++) {
    let sum = 0;
    for (let j = 0; j < linear; j++) sum += projections[k * linear + j]! * latents[j]!;
    into[at + linear + k] = (Math.max(0, sum) - reluMean) / reluSpread;
  }
};

/** Smooth maps: a latent variable at each of side × side positions, from a few cosine waves that fall off with frequency. */
const waveTable = (side: number, waves: number) => {
  const table: number[][] = [];
  for (let a = 0; a < waves; a++)
    for (let b = 0; b < waves; b++) {
      const weight = 1 / (1 + a * a + b * b);
      table.push(
        Array.from({ length: side * side }, (_, position) => {
          const [y, x] = [Math.floor(position / side), position % side];
          return (
            weight *
            Math.cos((Math.PI * a * (y + 0.5)) / side) *
            Math.cos((Math.PI * b * (x + 0.5)) / side)
          );
        }),
      );
    }
  const power = table[0]!.map((_, position) =>
    Math.sqrt(table.reduce((sum, wave) => sum + wave[position]! ** 2, 0)),
  );
  return table.map((wave) => Float64Array.from(wave, (value, k) => value / power[k]!));
};

/** Latent variables `[positions, latents]` of an image. */
const drawLatents = (
  layout: 'image' | 'grid',
): ((latents: number, random: Random) => Float64Array) => {
  if (layout === 'image') return normals;
  const { side, waves } = design.grid;
  const table = waveTable(side, waves);
  const positions = side * side;
  return (latents, random) => {
    const data = new Float64Array(positions * latents);
    // Images differ in contrast.
    const contrast = Math.exp(0.3 * random.normal());
    for (let latent = 0; latent < latents; latent++)
      for (const wave of table) {
        const amplitude = contrast * random.normal();
        for (let k = 0; k < positions; k++)
          data[k * latents + latent] = data[k * latents + latent]! + amplitude * wave[k]!;
      }
    return data;
  };
};

const drawerOf = (layout: 'image' | 'grid', random: Random) => {
  const { common, own, nuisance } = design[layout];
  const parts = partsOf(layout);
  const latentsOf = drawLatents(layout);
  const projections = {
    common: directions(common[1], common[0], random),
    own: directions(own[1], own[0], random),
  };
  const positions = layout === 'image' ? 1 : design.grid.side ** 2;
  const latents = common[0] + 2 * own[0] + 2 * nuisance;
  return {
    positions,
    draw: (stream: Random): Float64Array => {
      const drawn = latentsOf(latents, stream);
      const basis = new Float64Array(positions * parts.size);
      for (let k = 0; k < positions; k++) {
        const z = drawn.subarray(k * latents, (k + 1) * latents);
        const row = basis.subarray(k * parts.size, (k + 1) * parts.size);
        const [c, o] = [common[0], own[0]];
        expand(z.subarray(0, c), projections.common, row, 0);
        expand(z.subarray(c, c + o), projections.own, row, parts.first);
        expand(z.subarray(c + o, c + 2 * o), projections.own, row, parts.second);
        row.set(z.subarray(c + 2 * o), parts.firstNuisance);
      }
      return basis;
    },
  };
};

/** Basis `[positions, size]` with the parts of both networks exchanged. */
const mirrored = (layout: 'image' | 'grid', basis: Float64Array): Float64Array => {
  const { first, second, firstNuisance, secondNuisance, size } = partsOf(layout);
  const result = basis.slice();
  for (let at = 0; at < basis.length; at += size) {
    const row = basis.subarray(at, at + size);
    result.set(row.subarray(second, firstNuisance), at + first);
    result.set(row.subarray(first, second), at + second);
    result.set(row.subarray(secondNuisance), at + firstNuisance);
    result.set(row.subarray(firstNuisance, secondNuisance), at + secondNuisance);
  }
  return result;
};

/** Covariances over rows `[rows, size]`, upper triangle row by row. */
export const covarianceTriangle = (rows: Float64Array, size: number): Float64Array => {
  const n = rows.length / size;
  const means = new Float64Array(size);
  for (let i = 0; i < n; i++)
    for (let a = 0; a < size; a++) means[a] = means[a]! + rows[i * size + a]! / n;
  const triangle = new Float64Array((size * (size + 1)) / 2);
  const row = new Float64Array(size);
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < size; a++) row[a] = rows[i * size + a]! - means[a]!;
    for (let a = 0, at = 0; a < size; a++) {
      const left = row[a]! / n;
      for (let b = a; b < size; b++, at++) triangle[at] = triangle[at]! + left * row[b]!;
    }
  }
  return triangle;
};

/** The same of the mirror image. */
const mirroredTriangle = (layout: 'image' | 'grid', triangle: Float64Array): Float64Array => {
  const { size } = partsOf(layout);
  const place = mirrored(
    layout,
    Float64Array.from({ length: size }, (_, k) => k),
  );
  const indexOf = (a: number, b: number): number => {
    const [i, j] = a < b ? [a, b] : [b, a];
    return i * size - (i * (i - 1)) / 2 + (j - i);
  };
  const result = new Float64Array(triangle.length);
  for (let a = 0; a < size; a++)
    for (let b = a; b < size; b++) result[indexOf(a, b)] = triangle[indexOf(place[a]!, place[b]!)]!;
  return result;
};

/** aᵀCb for the upper triangle of C. */
export const covarianceOf = (
  triangle: Float32Array | Float64Array,
  a: Float64Array,
  b: Float64Array,
): number => {
  const size = a.length;
  let sum = 0;
  for (let i = 0, at = 0; i < size; i++) {
    sum += triangle[at++]! * a[i]! * b[i]!;
    for (let j = i + 1; j < size; j++) sum += triangle[at++]! * (a[i]! * b[j]! + a[j]! * b[i]!);
  }
  return sum;
};

/** Half of the sites, and their mirror images. */
const drawTuning = (layout: 'image' | 'grid', random: Random): Float64Array => {
  const { sites } = design.pool;
  const { first, second, firstNuisance, size } = partsOf(layout);
  const { low, high } = design.commonShare;
  const tuning = new Float64Array(size * sites);
  for (let s = 0; s < sites; s += 2) {
    const column = new Float64Array(size);
    const share = low + (high - low) * random.next();
    const lean = random.next();
    const weights = [share, (1 - share) * lean, (1 - share) * (1 - lean)];
    [
      [0, first],
      [first, second],
      [second, firstNuisance],
    ].forEach(([from, to], part) => {
      const own = directions(1, to! - from!, random);
      own.forEach((value, k) => {
        column[from! + k] = Math.sqrt(weights[part]!) * value;
      });
    });
    const other = mirrored(layout, column);
    for (let k = 0; k < size; k++) {
      tuning[k * sites + s] = column[k]!;
      tuning[k * sites + s + 1] = other[k]!;
    }
  }
  return tuning;
};

/** How strongly a layer holds each part: an early one mostly what is linear, a late one some of everything. */
const gains = (layout: 'image' | 'grid', layer: number, random: Random): Float64Array => {
  const { common, own, nuisance } = design[layout];
  const part = ([linear, nonlinear]: readonly [number, number]): number[] => [
    ...Array.from({ length: linear }, () => (layer === 2 && random.next() < 0.4 ? 0.2 : 1)),
    ...Array.from({ length: nonlinear }, () =>
      layer === 0 || (layer === 2 && random.next() < 0.4) ? 0.2 : 1,
    ),
  ];
  return Float64Array.from([
    ...part(common),
    ...part(own),
    ...new Array<number>(nuisance).fill([0.7, 0.5, 0.3][layer]!),
  ]);
};

export const populationOf = (layout: 'image' | 'grid'): Population => {
  const random = createRandom(`population ${layout}`);
  const { common, own, nuisance, features } = design[layout];
  const parts = partsOf(layout);
  const { size } = parts;
  const { positions, draw } = drawerOf(layout, random);
  const ownSize = count(common) + count(own) + nuisance;
  const mixing = [0, 1, 2].map((layer) => ({
    gain: gains(layout, layer, random),
    directions: directions(features, ownSize, random),
  }));
  const tuning = drawTuning(layout, random);
  const stream = createRandom(`pool ${layout}`);
  // Every image and its mirror image, so that neither network is better.
  const half = Array.from({ length: design.pool.images / 2 }, () => draw(stream));
  const moments =
    layout === 'image'
      ? [
          covarianceTriangle(
            joined(half.flatMap((basis) => [basis, mirrored(layout, basis)])),
            size,
          ),
        ]
      : half.flatMap((basis) => {
          const triangle = covarianceTriangle(basis, size);
          return [triangle, mirroredTriangle(layout, triangle)].map((each) =>
            Float32Array.from(each),
          );
        });
  const { sites } = design.pool;
  const mean = meanOf(moments);
  for (let s = 0; s < sites; s++) {
    const column = Float64Array.from({ length: size }, (_, k) => tuning[k * sites + s]!);
    const spread = Math.sqrt(covarianceOf(mean, column, column));
    for (let k = 0; k < size; k++) tuning[k * sites + s] = column[k]! / spread;
  }
  const { low, high } = design.reliability;
  const noise = new Float64Array(sites);
  for (let s = 0; s < sites; s += 2) {
    const reliability = low + (high - low) * random.next();
    noise[s] = Math.sqrt((1 - reliability) / reliability);
    noise[s + 1] = noise[s]!;
  }
  return {
    ...{ layout, size, positions, draw, tuning, sites, noise, moments },
    layersOf: (which, handicap) =>
      mixing.map(({ gain, directions: own_ }) => {
        const layer = new Float64Array(size * features);
        const places = [
          ...Array.from({ length: count(common) }, (_, k) => k),
          ...Array.from(
            { length: count(own) },
            (_, k) => (which === 0 ? parts.first : parts.second) + k,
          ),
          ...Array.from(
            { length: nuisance },
            (_, k) => (which === 0 ? parts.firstNuisance : parts.secondNuisance) + k,
          ),
        ];
        places.forEach((place, k) => {
          const added = k >= ownSize - nuisance ? handicap : 0;
          for (let j = 0; j < features; j++)
            layer[place * features + j] = (gain[k]! + added) * own_[j * ownSize + k]!;
        });
        return layer;
      }),
  };
};

const joined = (parts: readonly Float64Array[]): Float64Array => {
  const result = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
};

const meanOf = (all: Population['moments']): Float64Array => {
  const mean = new Float64Array(all[0]!.length);
  for (const each of all)
    for (let k = 0; k < mean.length; k++) mean[k] = mean[k]! + each[k]! / all.length;
  return mean;
};
