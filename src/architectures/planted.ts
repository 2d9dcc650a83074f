import type { OnnxGraph } from '../graph/graph.ts';
import { type GaborSettings, gabor, gaussian, luminance, opponentAxes } from './filters.ts';
import {
  convolve,
  divide,
  finished,
  type Kernel,
  multiply,
  networkOf,
  rectify,
} from './operations.ts';

/** Side of the patch that the candidate networks see, in pixels. */
export const patchSide = 32;

/**
 * The constants of the driving features, shared by this network and by the simulated sites, which compute the same
 * features on their own (`world/features.ts`). All maps lie on one lattice of `stride` pixels.
 */
export const design = {
  stride: 2,
  orientations: [0, Math.PI / 4, Math.PI / 2, (3 * Math.PI) / 4],
  gabor: { size: 9, wavelength: 6, sigma: 2.4 } satisfies GaborSettings,
  /** Side of the square over which energy is averaged, in lattice points. */
  energyPool: 3,
  /** Added to the summed energy before division, so that noise alone does not count. */
  semisaturation: 0.04,
  /** A blob covers what the pooled energy sees: 9 + (3 − 1) · 2 pixels. */
  blob: { size: 13, sigma: 3.5 },
  /** Mean luminance that counts as neither light nor dark. */
  grey: 0.45,
  /** Factors of the opponent signals and of the two kinds of products, so that features have similar spreads. */
  opponentGains: [3, 3, 3],
  conjunctionGain: 4,
  pairGain: 4,
  /** Distance of the two members of a pair, in lattice points. */
  pairDistance: 4,
  /** Windows `[size, stride]` that pool each kind of feature to 3 × 3. */
  conjunctionPool: [4, 3],
  pairPool: [2, 2],
} as const;

const repeated = (kernel: ArrayLike<number>, weights: readonly number[]): number[] =>
  weights.flatMap((weight) => Array.from(kernel, (value) => value * weight));

/** Even and odd Gabor filters of the luminance, orientation by orientation. */
const quadrature = (): Kernel => {
  const { size } = design.gabor;
  const data = design.orientations.flatMap((orientation) =>
    [0, Math.PI / 2].flatMap((phase) =>
      repeated(gabor(design.gabor, orientation, phase), luminance),
    ),
  );
  return { data, shape: [2 * design.orientations.length, 3, size, size] };
};

/** `weights[output][input]` as a convolution of one lattice point. */
const pointwise = (weights: readonly (readonly number[])[]): Kernel => ({
  data: weights.flat(),
  shape: [weights.length, weights[0]!.length, 1, 1],
});

/** Even² + odd², averaged over a square. */
const energy = (): Kernel => {
  const { energyPool: side, orientations } = design;
  const count = orientations.length;
  const data = orientations.flatMap((_, k) =>
    Array.from({ length: 2 * count }, (_, input) =>
      new Array<number>(side * side).fill(Math.floor(input / 2) === k ? 1 / side ** 2 : 0),
    ).flat(),
  );
  return { data, shape: [count, 2 * count, side, side] };
};

const blobs = (): { kernel: Kernel; bias: number[] } => {
  const { size, sigma } = design.blob;
  const blob = gaussian(size, sigma);
  const data = opponentAxes.flatMap((axis, k) =>
    repeated(
      blob,
      axis.map((weight) => weight * design.opponentGains[k]!),
    ),
  );
  const bias = [-design.grey * design.opponentGains[0], 0, 0];
  return { kernel: { data, shape: [3, 3, size, size] }, bias };
};

/** Rows `gain · x` and `−gain · x` for each of `count` inputs: rectified, the two signs of a product. */
const bothSigns = (count: number, gain: number): Kernel =>
  pointwise(
    Array.from({ length: 2 * count }, (_, k) =>
      Array.from({ length: count }, (_, input) =>
        input === Math.floor(k / 2) ? (k % 2 === 0 ? gain : -gain) : 0,
      ),
    ),
  );

const averageEach = (channels: number, side: number): Kernel => ({
  data: new Array<number>(channels * side * side).fill(1 / side ** 2),
  shape: [channels, 1, side, side],
});

/** Members of the pairs of tunings: (i, j) for i, j in 0, 1, side by side, then one above the other. */
const pairMember = (which: 'first' | 'second'): Kernel => {
  const side = design.pairDistance + 1;
  const middle = design.pairDistance / 2;
  const far = which === 'first' ? 0 : design.pairDistance;
  const rows = [false, true].flatMap((vertical) =>
    [0, 1].flatMap((i) =>
      [0, 1].flatMap((j) => {
        const [row, column] = vertical ? [far, middle] : [middle, far];
        const data = new Array<number>(2 * side * side).fill(0);
        data[(which === 'first' ? i : j) * side * side + row * side + column] = 1;
        return data;
      }),
    ),
  );
  return { data: rows, shape: [8, 2, side, side] };
};

/**
 * The candidate that holds the driving features of the simulated sites: oriented energy, divisively normalised;
 * its conjunctions with colour (`v4`) and with itself a few pixels away (`it`).
 */
export const plantedNetwork = (): OnnxGraph => {
  const net = networkOf('planted', patchSide);
  const simple = convolve(net, 'simple', 'image', quadrature(), { stride: design.stride });
  const complex = convolve(net, 'complex', multiply(net, 'simple', simple, simple), energy());
  const pool = convolve(net, 'normaliser', complex, pointwise([[1, 1, 1, 1]]), {
    bias: [design.semisaturation],
  });
  const normalised = divide(net, 'normalised', complex, pool);
  const tuning = convolve(
    net,
    'tuning',
    normalised,
    pointwise([
      [1, 0, -1, 0],
      [0, 1, 0, -1],
    ]),
  );
  const { kernel, bias } = blobs();
  const colour = convolve(net, 'colour', 'image', kernel, { stride: design.stride, bias });

  const byTuning = pointwise([0, 0, 0, 1, 1, 1].map((i) => (i === 0 ? [1, 0] : [0, 1])));
  const byColour = pointwise(
    [0, 1, 2, 0, 1, 2].map((j) => [0, 1, 2].map((k) => (k === j ? 1 : 0))),
  );
  const products = multiply(
    net,
    'v4.product',
    convolve(net, 'v4.tuning', tuning, byTuning),
    convolve(net, 'v4.colour', colour, byColour),
  );
  const conjunction = rectify(
    net,
    'v4.conjunction',
    convolve(net, 'v4.conjunction', products, bothSigns(6, design.conjunctionGain)),
  );
  const [side, stride] = design.conjunctionPool;
  const v4 = convolve(net, 'v4.pool', conjunction, averageEach(12, side), { stride, groups: 12 });

  const pairs = multiply(
    net,
    'it.product',
    convolve(net, 'it.first', tuning, pairMember('first')),
    convolve(net, 'it.second', tuning, pairMember('second')),
  );
  const pair = rectify(
    net,
    'it.pair',
    convolve(net, 'it.pair', pairs, bothSigns(8, design.pairGain)),
  );
  const [pairSide, pairStride] = design.pairPool;
  const it = convolve(net, 'it.pool', pair, averageEach(16, pairSide), {
    stride: pairStride,
    groups: 16,
  });
  // Rectifying what is positive changes nothing; it ends a stage, as everywhere else.
  return finished(net, [rectify(net, 'v4.pool', v4), rectify(net, 'it.pool', it)]);
};
