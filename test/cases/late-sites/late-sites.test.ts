import { expect, it } from 'vitest';
import { createRandom, filled, linearSites, writeFeatures, writeMade } from '../made.ts';
import { openCase } from '../run-case.ts';

// Sites 0–9 respond in both bins, sites 10–19 in the second only, to something else. Over the sites that both bins use, the
// layer that drives 0–9 is as good in both (.99); once it fell from .99 to .52, since other sites had come in.

const { work, score } = openCase();
const [images, sites, trials] = [300, 20, 6];

it('a time course is over the sites that all bins use, and says how many each has', async () => {
  const random = createRandom('late sites');
  const size = { images, sites: 10, width: 25 };
  const [early, late] = [linearSites(random, size), linearSites(random, size)];
  const responses = filled([sites, images, trials, 2], (s, i, _t, bin) => {
    const noise = 1.3 * random.normal();
    if (s! < 10) return early.signal.data[i! * 10 + s!]! + noise;
    return bin === 1 ? late.signal.data[i! * 10 + s! - 10]! + noise : noise;
  });
  const recording = await writeMade(work, responses, {
    dims: ['site', 'stimulus', 'trial', 'time'],
    timeBins: [
      { start: 50, end: 90 },
      { start: 90, end: 130 },
    ],
  });
  const activations = writeFeatures(work, { late: late.features, early: early.features });
  const asked = ['--activations', activations, '--recording', recording, '--protocol', 'image-cv'];
  const course = (await score(...asked)).score.timeCourse!;
  const valuesOf = (layer: string) => course.layers.find((each) => each.layer === layer)!.value;
  expect(course.common).toBe(true);
  expect(course.ownSites[1]).toBe(20);
  // None of the late sites passes in the first bin, but by chance.
  expect(course.sites[0]).toBe(course.sites[1]);
  expect(course.sites[0]!).toBeGreaterThanOrEqual(10);
  expect(course.sites[0]!).toBeLessThanOrEqual(12);
  for (const value of valuesOf('early')) expect(Math.abs(value! - 0.99)).toBeLessThan(0.03);
  for (const value of valuesOf('late')) expect(Math.abs(value!)).toBeLessThan(0.15);
  const own = (await score(...asked, '--time-course', 'own')).score.timeCourse!;
  expect(own.common).toBe(false);
  expect(own.sites[1]).toBe(20);
  expect(own.layers.find(({ layer }) => layer === 'early')!.value[1]!).toBeLessThan(0.7);
});
