import { join } from 'node:path';
import { expect, it } from 'vitest';
import { base, openCase } from '../run-case.ts';

// Features in double precision, as they are and with 1,000,000 added, which no regression with an intercept sees.

const { pooled: score } = openCase();

it('an offset changes nothing', { timeout: 60_000 }, async () => {
  const run = await score(
    '--activations',
    join(import.meta.dirname, 'features.npz'),
    '--recording',
    join(base, 'rec'),
    '--protocol',
    'image-cv',
  );
  const [asIs, shifted] = run.score.layers;
  expect([asIs!.layer, shifted!.layer]).toEqual(['as_is', 'shifted']);
  expect(Math.abs(asIs!.raw! - 0.892)).toBeLessThan(6e-4);
  expect(Math.abs(shifted!.raw! - asIs!.raw!)).toBeLessThan(1e-6);
});
