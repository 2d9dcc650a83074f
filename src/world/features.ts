import { gabor, gaussian, luminance, opponentAxes } from '../architectures/filters.ts';
import { design, patchSide } from '../architectures/planted.ts';
import type { Pixels } from '../records/ports.ts';

// What drives the simulated sites, written out in plain loops over whole images. The planted network computes the
// same from patches, as an ONNX graph; a test holds the two against each other.

/** A map on the lattice: `value[row · columns + column]`; point (row, column) begins at pixel `stride` · (row, column). */
interface LatticeMap {
  readonly rows: number;
  readonly columns: number;
  readonly value: Float64Array;
}

/** Valid correlation of a plane with a square kernel, at every `stride`-th pixel. */
const filtered = (
  plane: Float64Array,
  width: number,
  height: number,
  kernel: Float64Array,
): LatticeMap => {
  const side = Math.sqrt(kernel.length);
  const rows = Math.floor((height - side) / design.stride) + 1;
  const columns = Math.floor((width - side) / design.stride) + 1;
  const value = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let y = 0; y < side; y++) {
        const from = (row * design.stride + y) * width + column * design.stride;
        for (let x = 0; x < side; x++) sum += kernel[y * side + x]! * plane[from + x]!;
      }
      value[row * columns + column] = sum;
    }
  return { rows, columns, value };
};

/** Σ axis · (R, G, B), channels in [0, 1]. */
const planeOf = ({ data, width, height }: Pixels, axis: readonly number[]): Float64Array =>
  Float64Array.from({ length: width * height }, (_, pixel) => {
    const from = pixel * 3;
    return (axis[0]! * data[from]! + axis[1]! * data[from + 1]! + axis[2]! * data[from + 2]!) / 255;
  });

/** Means of all squares of `side` lattice points. */
const averaged = ({ rows, columns, value }: LatticeMap, side: number): LatticeMap => {
  const [fewerRows, fewerColumns] = [rows - side + 1, columns - side + 1];
  const means = new Float64Array(fewerRows * fewerColumns);
  for (let row = 0; row < fewerRows; row++)
    for (let column = 0; column < fewerColumns; column++) {
      let sum = 0;
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++) sum += value[(row + y) * columns + column + x]!;
      means[row * fewerColumns + column] = sum / (side * side);
    }
  return { rows: fewerRows, columns: fewerColumns, value: means };
};

const orientedEnergy = (plane: Float64Array, pixels: Pixels, orientation: number): LatticeMap => {
  const phases = [0, Math.PI / 2].map((phase) =>
    filtered(plane, pixels.width, pixels.height, gabor(design.gabor, orientation, phase)),
  );
  const [even, odd] = phases as [LatticeMap, LatticeMap];
  const value = even.value.map((response, i) => response ** 2 + odd.value[i]! ** 2);
  return averaged({ ...even, value }, design.energyPool);
};

/** The signals that are multiplied: two orientation tunings in [−1, 1], and light–dark, red–green, blue–yellow. */
export interface SignalMaps {
  readonly rows: number;
  readonly columns: number;
  /** Normalised energy at 0° less 90°, and at 45° less 135°. */
  readonly tunings: readonly [Float64Array, Float64Array];
  readonly colours: readonly [Float64Array, Float64Array, Float64Array];
}

/** The signals of a whole image on the lattice. */
export const signalMaps = (pixels: Pixels): SignalMaps => {
  const light = planeOf(pixels, luminance);
  const energies = design.orientations.map((angle) => orientedEnergy(light, pixels, angle));
  const [e0, e45, e90, e135] = energies.map(({ value }) => value) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const total = e0.map((value, i) => value + e45[i]! + e90[i]! + e135[i]! + design.semisaturation);
  const blob = gaussian(design.blob.size, design.blob.sigma);
  const colours = opponentAxes.map((axis, k) => {
    const { value } = filtered(planeOf(pixels, axis), pixels.width, pixels.height, blob);
    const zero = k === 0 ? design.grey : 0;
    return value.map((signal) => (signal - zero) * design.opponentGains[k]!);
  });
  return {
    rows: energies[0]!.rows,
    columns: energies[0]!.columns,
    tunings: [
      e0.map((e, i) => (e - e90[i]!) / total[i]!),
      e45.map((e, i) => (e - e135[i]!) / total[i]!),
    ],
    colours: colours as [Float64Array, Float64Array, Float64Array],
  };
};

/** Number of features of each kind and of windows of a patch. */
export const featureCounts = { conjunction: 12, pair: 16, windows: 9 } as const;

export type FeatureKind = 'conjunction' | 'pair';

/** Means over `side`² points of the positive parts of `gain · product` and `−gain · product`. */
const pooledSigns = (
  a: Float64Array,
  b: Float64Array,
  starts: readonly [a: number, b: number],
  side: number,
  columns: number,
): [positive: number, negative: number] => {
  let [positive, negative] = [0, 0];
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const product = a[starts[0] + y * columns + x]! * b[starts[1] + y * columns + x]!;
      if (product > 0) positive += product;
      else negative -= product;
    }
  return [positive / (side * side), negative / (side * side)];
};

/** Lattice points along a patch. */
export const latticeSide = Math.floor((patchSide - design.blob.size) / design.stride) + 1;

const windowStarts = (origin: number, columns: number, stride: number): number[] =>
  Array.from({ length: featureCounts.windows }, (_, window) => {
    const [row, column] = [Math.floor(window / 3), window % 3];
    return origin + row * stride * columns + column * stride;
  });

/**
 * The features of one patch whose upper left pixel is (x, y), both multiples of `design.stride`:
 * `[feature, window]`, windows row by row.
 * - `conjunction`: tuning i × colour j (i outer), positive part then negative part;
 * - `pair`: tuning i at one place × tuning j at another, side by side, then one above the other.
 */
export const patchFeatures = (
  kind: FeatureKind,
  { rows, columns, tunings, colours }: SignalMaps,
  x: number,
  y: number,
): Float64Array => {
  const [column, row] = [x / design.stride, y / design.stride];
  if (!Number.isInteger(column) || !Number.isInteger(row) || row < 0 || column < 0)
    throw new RangeError(`patch at (${x}, ${y}) is not on the lattice`);
  if (row + latticeSide > rows || column + latticeSide > columns)
    throw new RangeError(`patch at (${x}, ${y}) leaves the image`);
  const origin = row * columns + column;
  const features = new Float64Array(featureCounts[kind] * featureCounts.windows);
  let feature = 0;
  const put = (
    a: Float64Array,
    b: Float64Array,
    shifts: readonly [a: number, b: number],
    [side, stride]: readonly [number, number],
    gain: number,
  ): void => {
    windowStarts(origin, columns, stride).forEach((start, window) => {
      const starts = [start + shifts[0], start + shifts[1]] as const;
      const signs = pooledSigns(a, b, starts, side, columns);
      features[feature * featureCounts.windows + window] = gain * signs[0];
      features[(feature + 1) * featureCounts.windows + window] = gain * signs[1];
    });
    feature += 2;
  };
  if (kind === 'conjunction')
    for (const tuning of tunings)
      for (const colour of colours)
        put(tuning, colour, [0, 0], design.conjunctionPool, design.conjunctionGain);
  else {
    const middle = design.pairDistance / 2;
    const sideBySide = [middle * columns, middle * columns + design.pairDistance] as const;
    const stacked = [middle, middle + design.pairDistance * columns] as const;
    for (const shifts of [sideBySide, stacked])
      for (const first of tunings)
        for (const second of tunings) put(first, second, shifts, design.pairPool, design.pairGain);
  }
  return features;
};
