import { expect, it } from 'vitest';
import { pearson } from '../../../src/numeric/statistics.ts';
import { createRandom, filled, linearSites, writeFeatures, writeMade } from '../made.ts';
import { openCase } from '../run-case.ts';

// 270 images shown once, 30 shown ten times. The ceiling is that of all rows that are scored: the correlation that the signal
// itself has with these means (about .58), not that of means of ten trials (.9), which once divided a raw score of all.

const { work, score } = openCase();
const [images, sites] = [300, 20];

it('the ceiling of mostly single trials is theirs, not that of the few that repeat', async () => {
  const random = createRandom('few repeated');
  const { features, signal } = linearSites(random, { images, sites, width: 25 });
  const responses = filled([sites, images, 10], (s, i, t) =>
    t === 0 || i! % 10 === 0 ? signal.data[i! * sites + s!]! + 1.5 * random.normal() : Number.NaN,
  );
  const recording = await writeMade(work, responses, { dims: ['site', 'stimulus', 'trial'] });
  const activations = writeFeatures(work, { signal: features });
  const { score: found } = await score(
    ...['--activations', activations, '--recording', recording, '--protocol', 'image-cv'],
  );
  const meanOf = (s: number, i: number): number => {
    const own = responses.data.subarray((s * images + i) * 10, (s * images + i) * 10 + 10);
    const there = own.filter((value) => !Number.isNaN(value));
    return there.reduce((sum, value) => sum + value, 0) / there.length;
  };
  const reached = Array.from({ length: sites }, (_, s) => {
    const column = Array.from({ length: images }, (_image, i) => signal.data[i * sites + s]!);
    return pearson(
      column,
      column.map((_value, i) => meanOf(s, i)),
    );
  }).sort((a, b) => a - b)[sites / 2]!;
  expect(Math.abs(found.ceiling - reached)).toBeLessThan(0.05);
  expect(Math.abs(found.value - found.raw / reached)).toBeLessThan(0.07);
  expect(found.value).toBeGreaterThan(0.8);
  expect(found.value).toBeLessThan(1);
});
