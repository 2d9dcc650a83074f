import { join } from 'node:path';
import { expect, it } from 'vitest';
import { base, cli, openCase, preprocess } from '../run-case.ts';

// The same weights and running statistics twice: in evaluation mode, and exported in training mode, where what an image
// gives depends on the others that are run with it.

const { pooled: score, work } = openCase();
const options = (name: string) => [
  join(import.meta.dirname, `${name}.onnx`),
  '--recording',
  join(base, 'rec'),
  '--preprocess',
  preprocess,
  '--protocol',
  'image-cv',
];

it('the network in evaluation mode has the right values', { timeout: 60_000 }, async () => {
  const { score: found } = await score(...options('evaluated'));
  expect(found.layers.map(({ layer, raw }) => [layer, raw!.toFixed(3)])).toEqual([
    ['conv1', '0.610'],
    ['conv2', '0.478'],
  ]);
});

it(
  'the one in training mode is refused by node, by score and by saliency',
  { timeout: 60_000 },
  async () => {
    const scored = await cli('score', ...options('trained'), '--quiet');
    expect(scored.code).toBe(2);
    expect(scored.stdout).toBe('');
    const words = 'node "norm" (BatchNormalization): expected a network that is a fixed function';
    expect(scored.stderr).toContain(words);
    expect(scored.stderr).toContain('model.eval()');
    const explained = await cli(
      'saliency',
      join(import.meta.dirname, 'trained.onnx'),
      '--images',
      join(base, 'rec', 'stimuli'),
      '--preprocess',
      preprocess,
      '--class',
      '0',
      '--out',
      join(work, 'maps'),
    );
    expect(explained.code).toBe(2);
    expect(explained.stderr).toContain(words);
  },
);
