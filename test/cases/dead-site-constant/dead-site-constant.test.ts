import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNpy } from '../../../src/formats/npy.ts';
import type { Float64Nd } from '../../../src/records/array.ts';
import { filled, writeMade } from '../made.ts';
import { base, openCase } from '../run-case.ts';

// A site that always answers .7 is constant, also where sums of 4, 5 and 6 times .7, divided, differ in the last bit. It once
// raised the median reliability and the best other site of others; right are the values of the recording without it.

const { work, score } = openCase();

const responsesOf = (dead: boolean): Float64Nd => {
  const array = readNpy(readFileSync(join(base, 'responses.npy')), 'responses.npy');
  if (!('data' in array)) throw new Error('the base responses are numbers');
  const values = array.data as Float64Array;
  return filled([dead ? 7 : 6, 60, 6], (s, i, t) => {
    if (i! % 3 === 0 && t! >= 4) return Number.NaN;
    if (i! % 3 === 1 && t! >= 5) return Number.NaN;
    return s === 6 ? 0.7 : values[(s! * 60 + i!) * 6 + t!]!;
  });
};

describe('a dead site', () => {
  it.each(['brainscore-like-2020', 'image-cv'])('is left out as constant: %s', async (protocol) => {
    const values: number[][] = [];
    for (const dead of [true, false]) {
      const recording = await writeMade(join(work, `${protocol} ${dead}`), responsesOf(dead), {
        dims: ['site', 'stimulus', 'trial'],
      });
      const { score: found } = await score(
        ...['--activations', join(base, 'features.npy'), '--recording', recording],
        ...['--protocol', protocol],
      );
      expect(found.excludedSites.map(({ reason }) => reason)).toEqual(
        dead ? ['constant response'] : [],
      );
      values.push([found.value, found.raw, found.ceiling]);
    }
    expect(values[0]).toEqual(values[1]);
    if (protocol === 'brainscore-like-2020')
      expect(Math.abs(values[1]![0]! - 0.9)).toBeLessThan(0.01);
  });
});
