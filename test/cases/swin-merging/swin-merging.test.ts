import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openCase, preprocess } from '../run-case.ts';

// Patch merging by a reshape and a permutation (timm's Swin), under `feature-map` sampling. What is behind it is a map of
// 4×4 still. The recording is driven by the last layer, as PyTorch 1.13 computes it (make.py); that layer scored with
// --activations gives .917 after the protocol's min-max over each image (.924 without).

const { score } = openCase();
const scored = (...args: readonly string[]) =>
  score(
    join(import.meta.dirname, 'net.onnx'),
    '--recording',
    join(import.meta.dirname, 'rec'),
    '--preprocess',
    preprocess,
    '--protocol',
    'linsley2023-code',
    ...args,
  );

it(
  'layers behind the merging keep their maps, and the best is among them',
  {
    timeout: 60_000,
  },
  async () => {
    const { score: found, stderr } = await scored();
    expect(found.layers.map(({ layer, features }) => [layer, features])).toEqual([
      ['patches', 32],
      ['early', 32],
      ['Add', 32],
      ['reduction', 40],
      ['deep', 40],
      ['Add_1', 40],
    ]);
    expect(found.layers.find(({ layer }) => layer === 'patches')?.raw).toBeCloseTo(0.85, 3);
    expect(found.layer).toBe('Add_1');
    expect(found.raw).toBeCloseTo(0.917, 3);
    expect(stderr).not.toContain('without a spatial map');
  },
);
