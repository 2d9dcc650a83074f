import * as z from 'zod';
import type { Preprocessing } from '../records/model.ts';
import { parseAs } from '../records/parse.ts';
import { colours, presetRemedy, side, spreads, unsupported } from './processor-values.ts';

const timmSchema = z.looseObject({
  input_size: z.tuple([z.literal(3), side, side]),
  interpolation: z.enum(['nearest', 'bilinear', 'bicubic', 'lanczos']).default('bicubic'),
  crop_pct: z.number().gt(0).default(0.875),
  crop_mode: z.enum(['center', 'squash']).default('center'),
  mean: colours.default([0.485, 0.456, 0.406]),
  std: spreads.default([0.229, 0.224, 0.225]),
});

/**
 * timm's `transforms_imagenet_eval`: resize to ⌊size / crop_pct⌋, crop the centre, normalise. Fields that are null must
 * have been left out. Input error: fields of the wrong type, a crop of another kind.
 */
export const fromTimm = (value: unknown, source: string, name: string): Preprocessing => {
  const config = parseAs(timmSchema, value, source, presetRemedy);
  const [, height, width] = config.input_size;
  const [tall, wide] = [height, width].map((size) => Math.floor(size / config.crop_pct));
  if (config.crop_mode === 'center' && height !== width) {
    const expected = 'a square input with crop_mode center';
    throw unsupported(`${source}: input_size`, expected, config.input_size);
  }
  return {
    name,
    resize:
      config.crop_mode === 'center'
        ? { kind: 'shorter-side', size: tall! }
        : { kind: 'exact', height: tall!, width: wide! },
    crop: { height, width, rounding: 'half-even' },
    interpolation: config.interpolation,
    library: 'pil',
    channels: 'RGB',
    scale: 1 / 255,
    mean: config.mean,
    std: config.std,
  };
};
