import type { OnnxGraph } from '../graph/encode.ts';
import { createNetworkBuilder, type Kernel } from './builder.ts';
import { gabor, gaussian, luminance, opponentAxes } from './filters.ts';
import { patchSide } from './planted.ts';

const orientations = 6;
const scales = [
  { size: 9, wavelength: 6, sigma: 2.4 },
  { size: 9, wavelength: 4, sigma: 1.8 },
] as const;

const overColours = (kernel: Float64Array, axis: readonly number[]): number[] =>
  axis.flatMap((weight) => Array.from(kernel, (value) => value * weight));

/** Quadrature pairs at 6 orientations and 2 scales, then luminance, red–green and blue–yellow blobs. */
const bank = (): Kernel => {
  const pairs = scales.flatMap((scale) =>
    Array.from({ length: orientations }, (_, k) => (k * Math.PI) / orientations).flatMap(
      (orientation) =>
        [0, Math.PI / 2].flatMap((phase) =>
          overColours(gabor(scale, orientation, phase), luminance),
        ),
    ),
  );
  const blob = gaussian(9, 2.5);
  const blobs = opponentAxes.flatMap((axis) => overColours(blob, axis));
  return { data: [...pairs, ...blobs], shape: [4 * orientations + 3, 3, 9, 9] };
};

/** Sums of quadrature pairs. */
const sums = (): Kernel => {
  const outputs = 2 * orientations;
  const data = Array.from({ length: outputs * (2 * outputs + 3) }, (_, at) => {
    const [output, input] = [Math.floor(at / (2 * outputs + 3)), at % (2 * outputs + 3)];
    return Math.floor(input / 2) === output ? 1 : 0;
  });
  return { data, shape: [outputs, 2 * outputs + 3, 1, 1] };
};

/** The candidate that stops at V1: Gabor filters and opponent blobs (`simple`), energies, energies pooled. */
export const gaborBank = (): OnnxGraph => {
  const net = createNetworkBuilder('gabor-bank', patchSide);
  const channels = 2 * orientations;
  const linear = net.convolve('simple', 'image', bank(), { stride: 4 });
  const energy = net.convolve('complex', net.multiply('squared', linear, linear), sums());
  const pooled = net.convolve(
    'pooled',
    energy,
    { data: new Array<number>(channels * 4).fill(0.25), shape: [channels, 1, 2, 2] },
    { stride: 2, groups: channels },
  );
  return net.finish([linear, pooled]);
};
