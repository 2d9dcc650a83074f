import { join } from 'node:path';
import { expect, it } from 'vitest';
import { base, cliDone, openCase, preprocess } from '../run-case.ts';

// The same computation twice: with a block kept as a function of the model, and written out (make.py). What the second
// gives is right for both.

const { pooled: score } = openCase();
const file = (name: string): string => join(import.meta.dirname, `${name}.onnx`);
const options = ['--recording', join(base, 'rec'), '--preprocess', preprocess];

it(
  'layers inside functions have the values of those written out',
  {
    timeout: 60_000,
  },
  async () => {
    const values = async (name: string) => {
      const run = await score(file(name), ...options, '--protocol', 'image-cv');
      return run.score.layers.map(({ features, raw }) => [features, raw!.toFixed(3)]);
    };
    const right = [
      [512, '0.496'],
      [288, '0.278'],
      [128, '0.055'],
    ];
    expect(await values('inlined')).toEqual(right);
    expect(await values('functions')).toEqual(right);
  },
);

it('they are called after the calls', async () => {
  const { stdout } = await cliDone('layers', file('functions'), '--json');
  const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  expect(names).toEqual(['stem', 'block1', 'block2']);
});
