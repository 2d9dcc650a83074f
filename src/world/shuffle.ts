import type { Random } from '../numeric/random.ts';
import type { Float32Nd } from '../records/array.ts';

/**
 * Exchanges whole maps between images, the same for all sites, times and trials, so that no image keeps its own:
 * responses `[site, stimulus, …]`, at least two stimuli.
 */
export const exchangeMaps = ({ data, shape }: Float32Nd, random: Random): Float32Nd => {
  const [sites, images] = shape as [number, number];
  const size = data.length / (sites * images);
  const order = random.permutation(images);
  const shuffled = new Float32Array(data.length);
  for (let site = 0; site < sites; site++)
    for (let k = 0; k < images; k++) {
      // One cycle through all images has no fixed point.
      const from = (site * images + order[k]!) * size;
      const to = (site * images + order[(k + 1) % images]!) * size;
      shuffled.set(data.subarray(from, from + size), to);
    }
  return { data: shuffled, shape };
};
