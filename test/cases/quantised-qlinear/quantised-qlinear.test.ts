import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { base, cliDone, openCase, preprocess } from '../run-case.ts';

// Two QLinearConv, and the same network in 32 bits (real.onnx). The quantised one had no layers once, and its 8-bit tensors
// could not be tapped.

const here = (file: string): string => join(import.meta.dirname, file);
const recording = ['--recording', join(base, 'rec'), '--protocol', 'image-cv'];

describe('a network quantised to 8 bits', () => {
  const { pooled } = openCase();

  it('has layers, dequantised, that score as those in 32 bits', async () => {
    const real = await pooled(here('real.onnx'), '--preprocess', preprocess, ...recording);
    const found = await pooled(here('quantised.onnx'), '--preprocess', preprocess, ...recording);
    expect(found.score.layers.map(({ layer }) => layer)).toEqual(['conv1', 'conv2']);
    expect(found.score.layers.map(({ features }) => features)).toEqual(
      real.score.layers.map(({ features }) => features),
    );
    for (const [index, right] of [0.496, 0.281].entries()) {
      expect(Math.abs(real.score.layers[index]!.raw! - right)).toBeLessThan(0.001);
      expect(Math.abs(found.score.layers[index]!.raw! - right)).toBeLessThan(0.01);
    }
  });

  it('has them among all tensors', async () => {
    const more = [...recording, '--layers', '*'];
    const { score } = await pooled(here('quantised.onnx'), '--preprocess', preprocess, ...more);
    // conv2 is the network's output, which it dequantises itself.
    expect(score.layers.map(({ layer }) => layer)).toEqual(['conv1', 'conv2']);
    expect(Math.abs(score.layers[0]!.raw! - 0.496)).toBeLessThan(0.01);
    expect(Math.abs(score.layers[1]!.raw! - 0.281)).toBeLessThan(0.01);
  });

  it('has no twin with random weights, which is said', async () => {
    const { stdout } = await cliDone(
      ...['score', here('quantised.onnx'), '--preprocess', preprocess, ...recording],
      ...['--nulls', '--permutations', '20', '--quiet'],
    );
    expect(stdout).toContain('random-weight twin: not applicable');
  });
});
