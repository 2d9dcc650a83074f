import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Float64Nd } from '../../../src/records/array.ts';
import { createRandom, filled, linearSites, writeFeatures, writeMade } from '../made.ts';
import { cli, openCase } from '../run-case.ts';

// 38 of 40 sites lack 3 of 300 images each: 1 % of the responses. Every site is fitted and correlated on the images that it has,
// about .92 as of the whole recording; once only the two complete sites were left.

const { work, score } = openCase();
const [images, sites] = [300, 40];

const made = async (name: string, lacking: number, of = sites) => {
  const random = createRandom('one per cent');
  const { features, signal } = linearSites(random, { images, sites: of, width: 40 });
  const holes = Array.from({ length: of }, (_, s) =>
    s < 2 ? new Set<number>() : new Set(random.permutation(images).slice(0, lacking)),
  );
  const responses: Float64Nd = filled([of, images, 4], (s, i) => {
    const value = signal.data[i! * of + s!]! + random.normal();
    return holes[s!]!.has(i!) ? Number.NaN : value;
  });
  const folder = join(work, name);
  mkdirSync(folder);
  const recording = await writeMade(folder, responses, { dims: ['site', 'stimulus', 'trial'] });
  const activations = writeFeatures(folder, { signal: features });
  return ['--activations', activations, '--recording', recording];
};

describe('a few missing responses', () => {
  it('cost themselves alone', async () => {
    const part = await score(...(await made('part', 3)), '--protocol', 'image-cv');
    const whole = await score(...(await made('whole', 0)), '--protocol', 'image-cv');
    expect(part.score.excludedSites).toEqual([]);
    expect(part.score.layers[0]!.sitesUsed).toBe(40);
    expect(Math.abs(part.score.value - whole.score.value)).toBeLessThan(0.02);
    expect(Math.abs(part.score.value - 0.92)).toBeLessThan(0.03);
    expect(part.score.responses).toEqual({ used: 1 - 114 / 12000, missing: 114 / 12000 });
    expect(part.stdout.split('\n')[1]).toMatch(/^99\.1 % of the responses .* are used, 0\.9 %/);
    expect(whole.stdout).not.toContain('of the responses');
  });

  it('cost no more where the layer is chosen on other folds', async () => {
    const of = async (name: string, lacking: number) =>
      (await score(...(await made(name, lacking, 12)), '--protocol', 'ventral')).score;
    const [part, whole] = [await of('nested', 3), await of('nested whole', 0)];
    expect(part.nestedSelection).not.toBeNull();
    expect(Math.abs(part.value - whole.value)).toBeLessThan(0.02);
  });

  it('of more sets of sites than can be fitted apart are refused, with what else could be done', async () => {
    const args = await made('many', 3, 1000);
    const { code, stderr } = await cli('score', ...args, '--protocol', 'image-cv', '--quiet');
    expect(code).toBe(2);
    expect(stderr).toMatch(/expected at most 50 sets of sites that lack the same responses/);
    expect(stderr).toMatch(/"drop-sites" \(leaves 0\.2 % of the sites\)/);
  });
});
