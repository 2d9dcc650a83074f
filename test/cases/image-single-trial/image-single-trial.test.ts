import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom, filled, linearSites, writeFeatures, writeMade } from '../made.ts';
import { openCase } from '../run-case.ts';

// Means without trials in several time bins, as most published tables are: refused once by the default protocol, "since there
// is no ceiling to choose one by". The second bin has most signal; the first has most noise, which is larger.

const { work, score } = openCase();
const bins = [
  { start: 30, end: 70 },
  { start: 70, end: 110 },
  { start: 110, end: 150 },
];
/** Parts of signal and noise in each bin. */
const parts = [
  { signal: 0, noise: 3 },
  { signal: 1, noise: 0.5 },
  { signal: 0.5, noise: 1 },
];

const made = async (folder: string, count: number, of = parts) => {
  const random = createRandom(3);
  const { features, signal } = linearSites(random, { images: 300, sites: count, width: 30 });
  const used = bins.slice(0, of.length);
  const responses = filled(
    [300, used.length, count],
    (image, bin, site) =>
      of[bin!]!.signal * signal.data[image! * count + site!]! + of[bin!]!.noise * random.normal(),
  );
  const recording = await writeMade(join(work, folder), responses, {
    dims: ['stimulus', 'time', 'site'],
    timeBins: used,
    sites: Array.from({ length: count }, (_, site) => ({ id: `s${site}`, area: 'IT' })),
  });
  return { recording, activations: writeFeatures(work, { layer: features }) };
};

describe('means without trials in several time bins', () => {
  it('are scored in every bin, and in that in which sites agree most', async () => {
    const { recording, activations } = await made('rec', 6);
    const run = await score('--activations', activations, '--recording', recording);
    expect(run.score.timeBin).toEqual(bins[1]);
    expect(run.score.ceiling).toBe(1);
    // 1 / √(1 + q) for noise of q = noise² / signal², and 1 / √(1 + 30q / 270) for 30 weights fitted to 270 images.
    const raws = run.score.timeCourse!.layers[0]!.raw;
    expect(raws.length).toBe(3);
    expect(Math.abs(raws[0]!)).toBeLessThan(0.1);
    expect(Math.abs(raws[1]! - 0.882)).toBeLessThan(0.03);
    expect(Math.abs(raws[2]! - 0.372)).toBeLessThan(0.08);
    expect(run.score.warnings.join('\n')).toMatch(
      /without a ceiling to choose a time bin by, 70–110 ms is scored, in which sites agree most/,
    );
  });

  it('of one site are scored in the bin in which its responses differ most', async () => {
    const quiet = [
      { signal: 0.1, noise: 0.2 },
      { signal: 1, noise: 0.2 },
    ];
    const { recording, activations } = await made('one', 1, quiet);
    const run = await score('--activations', activations, '--recording', recording);
    expect(run.score.timeBin).toEqual(bins[1]);
    expect(run.score.warnings.join('\n')).toContain('the responses of the one site differ most');
  });
});
