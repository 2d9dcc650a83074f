/** Red, green, blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/**
 * Viridis (S. van der Walt, N. Smith, 2015: equal steps look equal, also in grey and to the colour-blind), as M. Zucker's
 * polynomial of degree 6, within two levels of the table; rows are powers, columns red, green, blue.
 */
const viridisPowers: readonly Colour[] = [
  [0.2777273272234177, 0.005407344544966578, 0.3340998053353061],
  [0.1050930431085774, 1.404613529898575, 1.384590162594685],
  [-0.3308618287255563, 0.214847559468213, 0.09509516302823659],
  [-4.634230498983486, -5.799100973351585, -19.33244095627987],
  [6.228269936347081, 14.17993336680509, 56.69055260068105],
  [4.776384997670288, -13.74514537774601, -65.35303263337234],
  [-5.435455855934631, 4.645852612178535, 26.3124352495832],
];

/** Colour of a share from 0 (dark violet) to 1 (yellow); beyond them as at the ends. */
export const viridis = (share: number): Colour => {
  const t = Math.max(0, Math.min(1, share));
  const intensity = (channel: 0 | 1 | 2): number => {
    const value = viridisPowers.reduceRight((sum, powers) => sum * t + powers[channel], 0);
    return Math.round(255 * Math.max(0, Math.min(1, value)));
  };
  return [intensity(0), intensity(1), intensity(2)];
};

/** `#rrggbb`. */
export const hex = (colour: Colour): string =>
  `#${colour.map((intensity) => intensity.toString(16).padStart(2, '0')).join('')}`;

/** `count` colours that differ in lightness too, none of them close to white. */
export const seriesColours = (count: number): string[] =>
  Array.from({ length: count }, (_, index) =>
    hex(viridis(count === 1 ? 0.3 : 0.15 + (0.65 * index) / (count - 1))),
  );
