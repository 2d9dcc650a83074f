import * as z from 'zod';

/**
 * How the axes of a layer's tensor are to be read, after the batch:
 * `channel-row-column` (convolutional), `row-column-channel` (channels last), `token-channel` (transformer tokens
 * on a grid after `prefixTokens` class or register tokens), `channel` (no space).
 */
export type LayerAxes = 'channel-row-column' | 'row-column-channel' | 'token-channel' | 'channel';

/**
 * How a tensor is brought into the order in which it is read: reshaped to `split` (−1 stands for the images), then
 * transposed by `order`, which puts the images first.
 */
export interface Rearrangement {
  readonly split: readonly number[];
  readonly order: readonly number[];
}

/** What a neuroscientist calls a layer: a tensor of the graph with a name and a place. */
export interface Layer {
  /** Module-like name, unique within the model: `layer1.0.conv1`. */
  readonly name: string;
  /** Tensor in the ONNX graph. */
  readonly tensor: string;
  /** Operation that makes the layer: `Conv`, `Add`, `MatMul`, … */
  readonly operation: string;
  /** Size of what belongs to one image; null where only a run can tell. */
  readonly shape: readonly (number | null)[];
  /** `null`: the tensor is `[N, ...shape]` as it is. */
  readonly rearranged: Rearrangement | null;
  readonly axes: LayerAxes;
  readonly prefixTokens: number;
}

/** The image input of a model. `null` sizes are free. */
export interface ImageInput {
  readonly name: string;
  readonly layout: 'NCHW' | 'NHWC';
  readonly batch: number | null;
  readonly height: number | null;
  readonly width: number | null;
  readonly channels: 1 | 3;
}

const size = z.int().positive();

/**
 * From decoded RGB pixels to the model's input: first crop where there is one, resize, centre crop, then
 * `(value · scale − mean[channel]) / std[channel]`, channels in the order `channels`; `L` is one channel, the grey of PIL's
 * mode L, to which the image is turned before everything else.
 * The product is taken in float64 and rounded to float32 (so `scale` 1/255 is torchvision's division by 255 to the
 * bit); mean and std are rounded to float32, and so are the difference and the quotient.
 * A shorter side of `size` makes the longer one `⌊size · longer / shorter⌋`; a crop beyond the image is black.
 */
export const preprocessingSchema = z.strictObject({
  name: z.string(),
  /** Cropped before the resize: the centre, as shares of the shorter side, rounded down (Perceiver's processor). */
  firstCrop: z
    .strictObject({ height: z.number().positive(), width: z.number().positive() })
    .optional(),
  resize: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('exact'), height: size, width: size }),
    z.strictObject({ kind: z.literal('shorter-side'), size }),
    /** The aspect ratio stays: of the scales that give height or width, the nearer to 1; each side then goes to the nearest multiple. */
    z.strictObject({ kind: z.literal('nearest-scale'), height: size, width: size, multiple: size }),
  ]),
  /** `rounding` of an odd margin's half: to even (torchvision) or down (Hugging Face). */
  crop: z
    .strictObject({
      height: size,
      width: size,
      rounding: z.enum(['half-even', 'floor']).default('half-even'),
    })
    .nullable(),
  interpolation: z.enum(['nearest', 'bilinear', 'bicubic', 'lanczos']),
  /** Whose arithmetic the resizing is bit-equal to. `opencv` knows `bilinear` only. */
  library: z.enum(['pil', 'opencv']),
  channels: z.enum(['RGB', 'BGR', 'L']),
  scale: z.number(),
  mean: z.tuple([z.number(), z.number(), z.number()]),
  std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]),
});
export type Preprocessing = z.infer<typeof preprocessingSchema>;
