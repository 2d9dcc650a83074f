import type { Float32Nd } from '../records/array.ts';

// Maps that know no network, for comparison with its saliency.

/**
 * Centre bias: minus the squared distance from the centre, each axis in parts of its length, `[height, width]`. Any
 * Gaussian about the centre in the image's proportions has the same ranks.
 */
export const centreBias = (height: number, width: number): Float32Nd => {
  const data = Float32Array.from({ length: height * width }, (_, i) => {
    const x = ((i % width) + 0.5) / width - 0.5;
    const y = (Math.floor(i / width) + 0.5) / height - 0.5;
    return -(x * x + y * y);
  });
  return { data, shape: [height, width] };
};

/** Y of ITU-R BT.601, as OpenCV's `COLOR_RGB2GRAY`. */
const luma = [0.299, 0.587, 0.114] as const;

/**
 * Edge detector: the length of Sobel's 3 × 3 gradient of the luma, mirrored about the outermost pixels, `[height, width]`
 * (as OpenCV's `Sobel` on float32), from levels `[height, width, 3]` in red, green, blue.
 */
export const edges = ({ data, shape }: Float32Nd): Float32Nd => {
  const [height, width] = shape as readonly [number, number, number];
  const grey = Float64Array.from({ length: height * width }, (_, i) =>
    luma.reduce((sum, weight, channel) => sum + weight * data[3 * i + channel]!, 0),
  );
  const mirrored = (index: number, size: number): number => {
    if (size === 1) return 0;
    return index < 0 ? -index : index >= size ? 2 * size - 2 - index : index;
  };
  const at = (y: number, x: number): number =>
    grey[mirrored(y, height) * width + mirrored(x, width)]!;
  const map = new Float32Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const across = (row: number): number => at(y + row, x + 1) - at(y + row, x - 1);
      const down = (column: number): number => at(y + 1, x + column) - at(y - 1, x + column);
      const dx = across(-1) + 2 * across(0) + across(1);
      const dy = down(-1) + 2 * down(0) + down(1);
      map[y * width + x] = Math.hypot(dx, dy);
    }
  }
  return { data: map, shape: [height, width] };
};
