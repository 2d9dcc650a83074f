import { join } from 'node:path';
import { expect, it } from 'vitest';
import { base, openCase, preprocess } from '../run-case.ts';

// Windows, and the pixels of patches (MobileViT), folded into the axis of the images. The right values are those of
// PyTorch 1.13: the output of `inner` after its ReLU, one row per image, scored with --activations (make.py).

const { pooled: score } = openCase();

it.each([
  ['windows', 'windows', 0.662, ['patches', 'inner', 'Add']],
  ['pixels of patches', 'unfolded', 0.74, ['stem', 'inner', 'Add']],
] as const)(
  '%s in the batch belong to their images',
  { timeout: 60_000 },
  async (_, name, raw, names) => {
    const run = await score(
      join(import.meta.dirname, `${name}.onnx`),
      '--recording',
      join(base, 'rec'),
      '--preprocess',
      preprocess,
      '--protocol',
      'image-cv',
    );
    const { layers } = run.score;
    expect(layers.map(({ layer }) => layer)).toEqual(names);
    expect(layers.map(({ features }) => features)).toEqual([512, 768, 512]);
    expect(layers[1]!.raw).toBeCloseTo(raw, 3);
  },
);
