import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom, filled, linearSites, writeFeatures, writeMade } from '../made.ts';
import { openCase } from '../run-case.ts';

// The ceiling is that of the mean of all trials: 1 / √(1 + 2.25 / n), with the noise known; a layer that drives the sites
// reaches what the signal itself does. Once the halves of 3 trials had one each, and the ceiling was that of 2.

const { work, score } = openCase();
const [images, sites] = [400, 30];

describe('odd numbers of trials', () => {
  it.each([3, 4, 5])('%i trials have their own ceiling', async (trials) => {
    const random = createRandom('odd trials');
    const { features, signal } = linearSites(random, { images, sites, width: 30 });
    const responses = filled(
      [sites, images, trials],
      (s, i) => signal.data[i! * sites + s!]! + 1.5 * random.normal(),
    );
    const folder = join(work, String(trials));
    mkdirSync(folder);
    const recording = await writeMade(folder, responses, { dims: ['site', 'stimulus', 'trial'] });
    const activations = writeFeatures(folder, { signal: features });
    const found = await score(
      ...['--activations', activations, '--recording', recording, '--protocol', 'image-cv'],
    );
    expect(Math.abs(found.score.ceiling - 1 / Math.sqrt(1 + 2.25 / trials))).toBeLessThan(0.02);
    expect(Math.abs(found.score.value - 0.97)).toBeLessThan(0.03);
  });
});
