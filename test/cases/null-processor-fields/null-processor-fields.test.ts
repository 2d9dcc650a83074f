import { join } from 'node:path';
import { expect, it } from 'vitest';
import { base, openCase } from '../run-case.ts';

// `saved.json` has every field of a fast processor, those that are not set as null; `plain.json` says the same without them.
// The values are those of the same network with the same preprocessing in ../training-batchnorm.

const { pooled: score } = openCase();

it.each(['plain', 'saved'])('%s.json', { timeout: 60_000 }, async (name) => {
  const { score: found } = await score(
    join(import.meta.dirname, '..', 'training-batchnorm', 'evaluated.onnx'),
    '--recording',
    join(base, 'rec'),
    '--preprocess',
    join(import.meta.dirname, `${name}.json`),
    '--protocol',
    'image-cv',
  );
  const raws = found.layers.map(({ layer, raw }) => [layer, raw!.toFixed(3)]);
  expect(raws).toEqual([
    ['conv1', '0.610'],
    ['conv2', '0.478'],
  ]);
});
