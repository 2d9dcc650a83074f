import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openCase } from '../run-case.ts';

// Five `preprocessor_config.json` of classes with rules or defaults of their own, on pictures of 24 × 40 and a network that
// passes its input on. The right values were made with PIL and NumPy from the rules in the classes' sources; what their
// steps give is scored as activations of a file.

const { pooled: score } = openCase();
const here = import.meta.dirname;

const right = {
  levit: 0.5007,
  efficientnet: 0.8376,
  dpt: 0.8391,
  perceiver: 0.4926,
  mobilenet_v2: 0.5007,
};

it.each(Object.entries(right))('%s', { timeout: 60_000 }, async (kind, raw) => {
  const run = await score(
    join(here, 'net.onnx'),
    '--layers',
    'same',
    '--recording',
    join(here, 'rec'),
    '--preprocess',
    join(here, `${kind}.json`),
    '--protocol',
    'image-cv',
  );
  expect(Math.abs(run.score.layers[0]!.raw! - raw)).toBeLessThan(6e-5);
});
