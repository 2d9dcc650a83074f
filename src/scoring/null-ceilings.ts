import { createRandom, type Random } from '../numeric/random.ts';
import { ranks } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { CeilingSettings } from '../records/protocol.ts';
import type { FixationGrid } from '../records/recording.ts';
import type { NullCeiling } from '../records/score.ts';
import { bestOtherOf, bestPairOf, type Maps, mapsOf } from './best-maps.ts';
import type { CeilingRows } from './ceilings.ts';
import { meanOfDefined, medianOfDefined, nullable } from './defined.ts';

/** At most this many other images are compared with each image. */
const partners = 20;
/** Surrogates per map. */
const surrogateDraws = 4;

/**
 * What the ceilings that rest on a maximum over sites would be without any shared response to the image: a maximum
 * grows with the number of sites and with the smoothness of the maps. `mismatched`: each site's map against other
 * sites' maps of other images. `surrogate`: all maps replaced by ones of the same values and nearly the same
 * spectrum, by flipping the signs of their cosine coefficients and mapping the ranks back (periodic surrogates
 * underestimate at the edges). Both are aggregated as the ceiling is. Null for ceilings that are reliabilities, and
 * `mismatched` for a single image.
 */
export const nullCeilingOf = (
  settings: CeilingSettings,
  responses: Float64Nd,
  { groups, correlation, grid }: Omit<CeilingRows, 'siteIds' | 'published'>,
  seed: number,
): NullCeiling | null => {
  if (grid === null || (settings.kind !== 'best-other-site' && settings.kind !== 'best-pair'))
    return null;
  const ceilingOf = (maps: Maps, others: Maps): number =>
    settings.kind === 'best-pair'
      ? bestPairOf(maps, others, grid.columns)
      : medianOfDefined(bestOtherOf(maps, others, correlation).filter((c) => !(c <= 0)));
  const random = createRandom(seed).fork('null ceiling');
  const images = groups.map((group) => mapsOf(responses, group, 'pearson'));
  return {
    mismatched: nullable(mismatched(images, ceilingOf, random.fork('mismatched'))),
    surrogate: nullable(surrogate(images, grid, ceilingOf, random.fork('surrogate'))),
  };
};

type CeilingOf = (maps: Maps, others: Maps) => number;

const mismatched = (images: readonly Maps[], ceilingOf: CeilingOf, random: Random): number =>
  meanOfDefined(
    images.map((maps, image) => {
      const others = Array.from(random.permutation(images.length)).filter(
        (other) => other !== image,
      );
      return meanOfDefined(
        others.slice(0, partners).map((other) => ceilingOf(maps, images[other]!)),
      );
    }),
  );

const surrogate = (
  images: readonly Maps[],
  grid: FixationGrid,
  ceilingOf: CeilingOf,
  random: Random,
): number => {
  const rowBasis = cosineBasis(grid.rows);
  const columnBasis = cosineBasis(grid.columns);
  return meanOfDefined(
    images.map((maps) =>
      meanOfDefined(
        Array.from({ length: surrogateDraws }, () => {
          const made = maps.map((map) => surrogateOf(map, rowBasis, columnBasis, random));
          return ceilingOf(made, made);
        }),
      ),
    ),
  );
};

/** Rows of the orthonormal DCT-II of length n: `basis[k·n + i] = √(2/n)·cos(π(2i + 1)k / 2n)`, the first over √2. */
const cosineBasis = (n: number): { readonly n: number; readonly data: Float64Array } => {
  const data = new Float64Array(n * n);
  for (let k = 0; k < n; k++)
    for (let i = 0; i < n; i++)
      data[k * n + i] =
        Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (2 * i + 1) * k) / (2 * n));
  return { n, data };
};

type Basis = ReturnType<typeof cosineBasis>;

/** `rows · map · columnsᵀ` (or with both bases transposed, the inverse). */
const transformed = (map: Float64Array, rows: Basis, columns: Basis, inverse: boolean) => {
  const at = ({ n, data }: Basis, k: number, i: number) => data[inverse ? i * n + k : k * n + i]!;
  const half = new Float64Array(map.length);
  const result = new Float64Array(map.length);
  for (let r = 0; r < rows.n; r++)
    for (let k = 0; k < columns.n; k++) {
      let sum = 0;
      for (let c = 0; c < columns.n; c++) sum += map[r * columns.n + c]! * at(columns, k, c);
      half[r * columns.n + k] = sum;
    }
  for (let k = 0; k < rows.n; k++)
    for (let c = 0; c < columns.n; c++) {
      let sum = 0;
      for (let r = 0; r < rows.n; r++) sum += half[r * columns.n + c]! * at(rows, k, r);
      result[k * columns.n + c] = sum;
    }
  return result;
};

/** A surrogate of a map; where the map has no value it has none, and its mean stands for it. */
const surrogateOf = (map: Float64Array, rows: Basis, columns: Basis, random: Random) => {
  const centre = meanOfDefined(map);
  const whole = map.map((value) => (Number.isNaN(value) ? centre : value));
  const made = signFlipped(whole, rows, columns, random);
  return made.map((value, at) => (Number.isNaN(map[at]!) ? Number.NaN : value));
};

const signFlipped = (
  map: Float64Array,
  rows: Basis,
  columns: Basis,
  random: Random,
): Float64Array => {
  const coefficients = transformed(map, rows, columns, false);
  // The mean (coefficient 0) keeps its sign; the ranks would undo a flip of it anyway.
  for (let k = 1; k < coefficients.length; k++) if (random.int(2) === 1) coefficients[k]! *= -1;
  const noise = transformed(coefficients, rows, columns, true);
  const sorted = map.slice().sort();
  return Float64Array.from(ranks(noise), (rank) => sorted[Math.round(rank) - 1]!);
};
