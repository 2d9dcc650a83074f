import type { Pixels } from '../records/ports.ts';

/**
 * Where a crop begins when the margin is odd, and on which side odd padding is larger:
 * `half-even`: `int(round((size − crop) / 2))` with Python's rounding of halves to even, as torchvision;
 * `floor`: `(size − crop) // 2`, as Hugging Face's image processors.
 */
export type CropRounding = 'half-even' | 'floor';

/** First source index of a centred crop of `crop` out of `size`; negative where it is padded. */
export const cropStart = (size: number, crop: number, rounding: CropRounding): number => {
  const margin = size - crop;
  // Padding first, then nothing is left to crop: torchvision pads ⌊d/2⌋ before, Hugging Face ⌈d/2⌉.
  if (margin < 0)
    return rounding === 'half-even' ? -Math.floor(-margin / 2) : Math.floor(margin / 2);
  const low = Math.floor(margin / 2);
  return rounding === 'half-even' && margin % 2 === 1 && low % 2 === 1 ? low + 1 : low;
};

/** Centre crop; where the crop is larger than the image, the rest is black (0). */
export const centreCrop = (
  pixels: Pixels,
  width: number,
  height: number,
  rounding: CropRounding,
): Pixels => {
  if (pixels.width === width && pixels.height === height) return pixels;
  const left = cropStart(pixels.width, width, rounding);
  const top = cropStart(pixels.height, height, rounding);
  const data = new Uint8Array(width * height * 3);
  const [fromX, toX] = [Math.max(0, left), Math.min(pixels.width, left + width)];
  for (let y = 0; y < height; y++) {
    const row = top + y;
    if (row < 0 || row >= pixels.height) continue;
    const source = pixels.data.subarray(
      (row * pixels.width + fromX) * 3,
      (row * pixels.width + toX) * 3,
    );
    data.set(source, (y * width + fromX - left) * 3);
  }
  return { width, height, channels: 3, data };
};
