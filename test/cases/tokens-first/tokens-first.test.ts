import { join } from 'node:path';
import { expect, it } from 'vitest';
import { base, openCase, preprocess } from '../run-case.ts';

// Tokens, or time steps, on the first axis and the images behind them. The right values are those of PyTorch 1.13: a
// hook on the layer, its output after the ReLU with the images put first, scored with --activations (make.py).

const { pooled: score } = openCase();

const scored = async (name: string) => {
  const run = await score(
    join(import.meta.dirname, `${name}.onnx`),
    '--recording',
    join(base, 'rec'),
    '--preprocess',
    preprocess,
    '--protocol',
    'image-cv',
  );
  return new Map(run.score.layers.map((layer) => [layer.layer, layer]));
};

it.each([
  ['a free batch', 'tokens'],
  ['a batch of 8', 'tokens-8'],
  ['a batch of 16, as many as there are tokens', 'tokens-16'],
])('tokens first, %s: all 640 features of an image', { timeout: 60_000 }, async (_, name) => {
  const layers = await scored(name);
  expect(layers.get('fc1')?.features).toBe(640);
  expect(layers.get('fc1')?.raw).toBeCloseTo(0.673, 3);
  expect(layers.get('patches')?.raw).toBeCloseTo(0.745, 3);
  expect([...layers.values()].map(({ features }) => features)).toEqual([192, 192, 192, 640, 192]);
});

it('time steps first: those of an image are its features', { timeout: 60_000 }, async () => {
  const layers = await scored('steps');
  expect(layers.get('it')?.features).toBe(288);
  expect(layers.get('it')?.raw).toBeCloseTo(0.462, 3);
});
