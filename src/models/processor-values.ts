import * as z from 'zod';
import { inputError } from '../records/errors.ts';
import type { ProcessorKind } from './processor-kinds.ts';

/** For a file of preprocessing that does not parse. */
export const presetRemedy = {
  code: 'preprocessing-file',
  field: 'preprocess',
  mend: 'mend the file, or name a preset',
} as const;

/** A length in pixels. */
export const side = z.int().positive();

const ofThree = (value: z.ZodNumber) =>
  z.preprocess(
    (given) => (typeof given === 'number' ? [given, given, given] : given),
    z.tuple([value, value, value]),
  );

/** A value per colour channel, or one for all. */
export const colours = ofThree(z.number());
export const spreads = ofThree(z.number().positive());

/** A value without the fields of objects that are null, at any depth: files write null for what is not set. */
export const withoutNulls = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      inner === null ? [] : [[key, withoutNulls(inner)]],
    ),
  );
};

/** What of a Hugging Face `preprocessor_config.json` matters to pixels; nulls are taken out before. */
export const processorSchema = z.looseObject({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().optional(),
  size: z.unknown().optional(),
  default_to_square: z.boolean().optional(),
  resample: z.int().optional(),
  crop_pct: z.number().gt(0).optional(),
  do_center_crop: z.boolean().optional(),
  crop_size: z.unknown().optional(),
  do_rescale: z.boolean().optional(),
  rescale_factor: z.number().positive().optional(),
  rescale_offset: z.boolean().optional(),
  do_normalize: z.boolean().optional(),
  image_mean: colours.optional(),
  image_std: spreads.optional(),
  include_top: z.boolean().optional(),
  do_flip_channel_order: z.boolean().optional(),
  do_flip_channels: z.boolean().optional(),
  do_pad: z.boolean().optional(),
  keep_aspect_ratio: z.boolean().optional(),
  ensure_multiple_of: side.optional(),
});

/** A file and the class that reads it; `kind` is null where nobody says which. */
export interface Processor {
  readonly config: z.infer<typeof processorSchema>;
  readonly className: string;
  readonly kind: ProcessorKind | null;
  /** The file, for messages. */
  readonly source: string;
}

/** An input error for a field that says what we do not imitate. */
export const unsupported = (where: string, expected: string, got: unknown) =>
  inputError({
    code: 'preprocessing-not-imitated',
    field: 'preprocess',
    where,
    expected,
    got: JSON.stringify(got) ?? 'nothing',
    mend: 'name a preset or a file of your own',
  });
