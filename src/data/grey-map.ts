import type { Float32Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Pixels } from '../records/ports.ts';

/** The levels of a grey image, `[height, width]`, 0 to 255. Input error where its channels differ. */
export const greyMap = ({ data, width, height }: Pixels, where: string): Float32Nd => {
  const intensities = new Float32Array(width * height);
  for (let i = 0; i < intensities.length; i++) {
    const [red, green, blue] = [data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!];
    if (red !== green || red !== blue)
      throw inputError({
        where,
        expected: 'a grey map',
        got: `a coloured image (${red}, ${green}, ${blue} at column ${i % width}, row ${Math.floor(i / width)})`,
        mend: 'save the numbers, not their colours: a grey PNG or .npy',
      });
    intensities[i] = red;
  }
  return { data: intensities, shape: [height, width] };
};
