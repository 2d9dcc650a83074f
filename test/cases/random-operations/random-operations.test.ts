import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { base, cli, openCase, preprocess } from '../run-case.ts';

// Noise is added between two convolutions, another one in every run.

const { work } = openCase();
const options = [
  join(import.meta.dirname, 'noisy.onnx'),
  '--recording',
  join(base, 'rec'),
  '--preprocess',
  preprocess,
  '--protocol',
  'image-cv',
];

it('is refused by node, and no number is printed', { timeout: 60_000 }, async () => {
  const out = join(work, 'score.json');
  const { code, stdout, stderr } = await cli('score', ...options, '--out', out, '--quiet');
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('node "noise" (RandomNormalLike): expected a network that is a fixed');
  expect(existsSync(out)).toBe(false);
});
