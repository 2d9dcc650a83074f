import type { OnnxGraph } from '../graph/graph.ts';
import { gabor, gaussian, luminance, opponentAxes } from './filters.ts';
import { convolve, finished, type Kernel, networkOf, rectify } from './operations.ts';
import { patchSide } from './planted.ts';

const scales = [
  { size: 9, wavelength: 6, sigma: 2.4 },
  { size: 9, wavelength: 4, sigma: 1.8 },
] as const;
const orientations = [0, 1, 2, 3].map((k) => (k * Math.PI) / 4);
const phases = [0, 1, 2, 3].map((k) => (k * Math.PI) / 2);
/** Every scale at every orientation. */
const bands = scales.length * orientations.length;
const simpleCells = bands * phases.length + 2 * opponentAxes.length;

const overColours = (kernel: Float64Array, axis: readonly number[]): number[] =>
  axis.flatMap((weight) => Array.from(kernel, (value) => value * weight));

/** Four phases of each band, then both signs of luminance, red–green and blue–yellow blobs. */
const filters = (): Kernel => {
  const oriented = scales.flatMap((scale) =>
    orientations.flatMap((orientation) =>
      phases.flatMap((phase) => overColours(gabor(scale, orientation, phase), luminance)),
    ),
  );
  const blob = gaussian(9, 2.5);
  const blobs = opponentAxes.flatMap((axis) =>
    [1, -1].flatMap((sign) =>
      overColours(
        blob,
        axis.map((weight) => sign * weight),
      ),
    ),
  );
  return { data: [...oriented, ...blobs], shape: [simpleCells, 3, 9, 9] };
};

/** Sums over the phases of each band: [Hubel & Wiesel 1962]'s complex cells. */
const overPhases = (): Kernel => {
  const data = Array.from({ length: bands * simpleCells }, (_, at) =>
    Math.floor((at % simpleCells) / phases.length) === Math.floor(at / simpleCells) ? 1 : 0,
  );
  return { data, shape: [bands, simpleCells, 1, 1] };
};

/**
 * The candidate that stops at V1: rectified Gabor filters and opponent blobs (`simple`), their sums over phase
 * (`complex`), and these averaged over neighbours (`pooled`).
 */
export const gaborBank = (): OnnxGraph => {
  const net = networkOf('gabor-bank', patchSide);
  const simple = rectify(net, 'simple', convolve(net, 'simple', 'image', filters(), { stride: 4 }));
  const complex = rectify(net, 'complex', convolve(net, 'complex', simple, overPhases()));
  const squares: Kernel = {
    data: new Array<number>(bands * 4).fill(0.25),
    shape: [bands, 1, 2, 2],
  };
  const pooled = convolve(net, 'pooled', complex, squares, { stride: 2, groups: bands });
  return finished(net, [rectify(net, 'pooled', pooled)]);
};
