import { expect, it } from 'vitest';
import { createRandom, filled, linearSites, writeFeatures, writeMade } from '../made.ts';
import { openCase } from '../run-case.ts';

// Before the response there is noise alone, by construction. Sites that passed by luck once gave that bin a ceiling of .35.

const { work, score } = openCase();
const [images, sites, trials] = [300, 40, 8];

it('a bin of pure noise has no ceiling and no score, and says from how many sites', async () => {
  const random = createRandom('noise bin');
  const { features, signal } = linearSites(random, { images, sites, width: 25 });
  const responses = filled(
    [sites, images, trials, 2],
    (s, i, _t, bin) => (bin === 1 ? signal.data[i! * sites + s!]! : 0) + 1.5 * random.normal(),
  );
  const recording = await writeMade(work, responses, {
    dims: ['site', 'stimulus', 'trial', 'time'],
    timeBins: [
      { start: 0, end: 40 },
      { start: 70, end: 110 },
    ],
  });
  const activations = writeFeatures(work, { signal: features });
  const { score: found, stdout } = await score(
    ...['--activations', activations, '--recording', recording, '--protocol', 'image-cv'],
  );
  const course = found.timeCourse!;
  expect(course.ceilings[0]).toBeNull();
  expect(course.layers[0]!.value[0]).toBeNull();
  expect(course.ownSites[0]).toBe(0);
  expect(course.ownSites[1]).toBe(40);
  const truth = 1 / Math.sqrt(1 + 2.25 / trials);
  expect(Math.abs(course.ceilings[1]! - truth)).toBeLessThan(0.02);
  expect(Math.abs(course.layers[0]!.value[1]! - 0.985)).toBeLessThan(0.03);
  expect(stdout).toMatch(/sites, common +0 +40/);
});
