import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Score } from '../../../src/records/score.ts';
import { base, openCase, preprocess } from '../run-case.ts';

// A convolution whose values are negative, padded with zeros, pooled by maximum without padding: onnxruntime merges the
// two into a pool that pads with minus infinity (raw of `after` .337), unless the Pad is tapped too. `right.npz`: the
// layer `after` from PyTorch 1.13.

const { pooled: score } = openCase();
const here = (file: string): string => join(import.meta.dirname, file);
const recording = ['--recording', join(base, 'rec'), '--protocol', 'image-cv'];

const rawOf = ({ layers }: Score, name: string): number =>
  layers.find(({ layer }) => layer === name)!.raw!;

describe('a Pad before a MaxPool', () => {
  it('is computed as PyTorch does, whichever layers are tapped', async () => {
    const network = [here('net.onnx'), '--preprocess', preprocess, ...recording];
    const layers = await score(...network);
    const everything = await score(...network, '--layers', '*');
    const given = await score('--activations', here('right.npz'), ...recording);
    const right = rawOf(given.score, 'after');
    expect(right).toBeCloseTo(0.408, 3);
    expect(Math.abs(rawOf(layers.score, 'after') - right)).toBeLessThan(1e-4);
    expect(everything.score.layers.length).toBeGreaterThan(layers.score.layers.length);
    for (const { engineCheck } of [layers.score.provenance, everything.score.provenance]) {
      expect(engineCheck).toMatchObject({ limit: 1e-4, sessions: 1, unoptimised: [] });
      expect(engineCheck!.error).toBeLessThan(1e-5);
    }
    expect(given.score.provenance.engineCheck).toBeNull();
  });
});
