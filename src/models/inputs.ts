import type { Float32Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { ImageInput, Preprocessing } from '../records/model.ts';
import type { Pixels } from '../records/ports.ts';
import type { FixationGrid } from '../records/recording.ts';
import { patchPixels } from './patches.ts';
import { outputSize, preprocess } from './preprocess.ts';

/** What the model is shown, in order: whole images, or one patch per fixation of each image. */
export interface ModelInputs {
  /** Number of model runs. */
  readonly count: number;
  readonly preprocessing: Preprocessing;
  readonly input: ImageInput;
  /** Null: whole images. */
  readonly patches: FixationGrid | null;
  readonly images: number;
  readonly pixelsOf: (image: number) => Promise<Pixels>;
}

/** Describes the inputs for `images` stimuli. */
export const modelInputs = (parts: Omit<ModelInputs, 'count'>): ModelInputs => ({
  ...parts,
  count: parts.images * (parts.patches === null ? 1 : parts.patches.rows * parts.patches.columns),
});

/** Sizes that follow the images' own ratios may be others than a model takes. */
const checkSize = (
  size: readonly [number, number],
  { input, preprocessing }: ModelInputs,
): void => {
  const { height, width } = input;
  if ((height ?? size[0]) === size[0] && (width ?? size[1]) === size[1]) return;
  throw inputError({
    code: 'image-size-not-taken',
    field: 'preprocess',
    where: `preprocessing ${preprocessing.name}`,
    expected: `images of ${height ?? 'any'}×${width ?? 'any'}, which the model takes`,
    got: `one that comes out as ${size[0]}×${size[1]}`,
    mend: 'name a preset, or export the model with free sizes',
  });
};

async function* views(inputs: ModelInputs): AsyncGenerator<Pixels> {
  for (let image = 0; image < inputs.images; image++) {
    const pixels = await inputs.pixelsOf(image);
    const grid = inputs.patches;
    if (grid === null) yield pixels;
    else
      for (let row = 0; row < grid.rows; row++)
        for (let column = 0; column < grid.columns; column++)
          yield patchPixels(pixels, grid, row, column);
  }
}

/** Size of the first input as the model sees it. */
export const inputSize = async (
  inputs: ModelInputs,
): Promise<{ readonly height: number; readonly width: number }> => {
  for await (const view of views(inputs)) {
    const [height, width] = outputSize(view, inputs.preprocessing);
    checkSize([height, width], inputs);
    return { height, width };
  }
  throw new Error('no stimulus to show');
};

/**
 * Preprocessed batches `[n, channels, H, W]` or `[n, H, W, channels]` of up to `size`, stopping after `limit` inputs.
 */
export async function* batches(
  inputs: ModelInputs,
  size: number,
  limit = inputs.count,
): AsyncGenerator<Float32Nd> {
  const { layout, channels } = inputs.input;
  const total = Math.min(limit, inputs.count);
  let batch: Float32Array | null = null;
  let shape: readonly [number, number] = [0, 0];
  let filled = 0;
  let done = 0;
  const flush = (data: Float32Array, n: number): Float32Nd => {
    const [height, width] = shape;
    const each = height * width * channels;
    return {
      data: data.subarray(0, n * each) as Float32Array,
      shape: layout === 'NCHW' ? [n, channels, height, width] : [n, height, width, channels],
    };
  };
  if (total === 0) return;
  for await (const view of views(inputs)) {
    const next = outputSize(view, inputs.preprocessing);
    checkSize(next, inputs);
    // Images that keep their size or their ratio can change size from one to the next.
    if (batch !== null && filled > 0 && (next[0] !== shape[0] || next[1] !== shape[1])) {
      yield flush(batch, filled);
      batch = null;
    }
    if (batch === null || filled === 0) {
      shape = next;
      batch = new Float32Array(size * next[0] * next[1] * channels);
      filled = 0;
    }
    preprocess(view, inputs.preprocessing, layout, batch, filled * next[0] * next[1] * channels);
    filled++;
    done++;
    if (filled === size || done === total) {
      yield flush(batch, filled);
      batch = null;
      filled = 0;
    }
    if (done === total) return;
  }
}
