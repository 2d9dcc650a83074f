/** Rec. 601 luminance of red, green and blue. */
export const luminance: readonly number[] = [0.299, 0.587, 0.114];

/** Luminance, red–green and blue–yellow as weights of red, green and blue. */
export const opponentAxes: readonly (readonly number[])[] = [
  luminance,
  [1, -1, 0],
  [-0.5, -0.5, 1],
];

export interface GaborSettings {
  /** Side of the square kernel in pixels. */
  readonly size: number;
  /** Of the carrier, in pixels. */
  readonly wavelength: number;
  /** Standard deviation of the envelope, in pixels. */
  readonly sigma: number;
}

/**
 * A Gabor filter `[size, size]`: exp(−r²/2σ²) · cos(2π u/λ − phase), u = x cos θ + y sin θ from the kernel's centre,
 * less its weighted mean so that uniform light gives 0, divided by its Euclidean norm. Stripes that vary along
 * `orientation` (radians, x to the right, y down) drive it best.
 */
export const gabor = (
  { size, wavelength, sigma }: GaborSettings,
  orientation: number,
  phase: number,
): Float64Array => {
  const centre = (size - 1) / 2;
  const envelope = new Float64Array(size * size);
  const kernel = new Float64Array(size * size);
  let [weight, sum] = [0, 0];
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [dx, dy] = [x - centre, y - centre];
      const along = dx * Math.cos(orientation) + dy * Math.sin(orientation);
      const at = y * size + x;
      envelope[at] = Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
      kernel[at] = envelope[at]! * Math.cos((2 * Math.PI * along) / wavelength - phase);
      weight += envelope[at]!;
      sum += kernel[at]!;
    }
  let square = 0;
  for (let i = 0; i < kernel.length; i++) {
    kernel[i]! -= (envelope[i]! * sum) / weight;
    square += kernel[i]! ** 2;
  }
  return kernel.map((value) => value / Math.sqrt(square));
};

/** A Gaussian `[size, size]` that sums to 1; `sigma` in pixels. */
export const gaussian = (size: number, sigma: number): Float64Array => {
  const centre = (size - 1) / 2;
  const kernel = Float64Array.from({ length: size * size }, (_, i) => {
    const [dx, dy] = [(i % size) - centre, Math.floor(i / size) - centre];
    return Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
  });
  const sum = kernel.reduce((total, value) => total + value, 0);
  return kernel.map((value) => value / sum);
};
