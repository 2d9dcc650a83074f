import { describe, expect, it } from 'vitest';
import { reachedByChance } from '../../src/controls/null-warnings.ts';
import { ofDraws } from '../../src/controls/twins.ts';
import type { NullScore } from '../../src/records/score.ts';

const draw = (value: number, p: number, overrides: Partial<NullScore> = {}): NullScore => ({
  name: 'random-twin',
  value,
  raw: value / 2,
  interval: {
    ...{ low: 0, high: 1, level: 0.95, method: 'bootstrap over images and sites' },
    ...{ n: { images: 60, sites: 6 }, approximate: false },
  },
  layer: 'conv3',
  draws: null,
  difference: {
    value: 0.5 - value,
    interval: {
      ...{ low: 0.5 - value - 0.03, high: 0.5 - value + 0.06, level: 0.95, method: 'bootstrap' },
      ...{ n: { images: 60, sites: 6 }, approximate: false },
    },
    p,
    method: 'bootstrap over 60 images and 6 sites',
  },
  note: null,
  ...overrides,
});

describe('several draws of a random twin', () => {
  it('are one null: their mean, the range of single ones, the difference with both errors', () => {
    // Twins of one network scored .24, .27 and .29.
    const found = ofDraws([draw(0.24, 0.001), draw(0.27, 0.02), draw(0.29, 0.004)]);
    expect(found.value).toBeCloseTo(0.8 / 3, 12);
    expect(found.raw).toBeCloseTo(0.4 / 3, 12);
    expect(found.draws).toBe(3);
    expect(found.layer).toBe('conv3');
    // t(2, .975) = 4.3027, s = .025166.
    const half = 4.3027 * 0.025166;
    expect(found.interval!.high - found.value!).toBeCloseTo(half * Math.sqrt(4 / 3), 4);
    expect(found.interval).toMatchObject({ n: { images: 60, sites: 6 }, approximate: true });
    const { difference } = found;
    expect(difference!.value).toBeCloseTo(0.5 - 0.8 / 3, 12);
    const below = difference!.value - difference!.interval!.low;
    const above = difference!.interval!.high - difference!.value;
    expect(below).toBeCloseTo(Math.hypot(0.03, half / Math.sqrt(3)), 4);
    expect(above).toBeCloseTo(Math.hypot(0.06, half / Math.sqrt(3)), 4);
    expect(difference!.p).toBe(0.02);
    expect(difference!.method).toBe('bootstrap over 60 images and 6 sites, mean of 3 draws');
  });

  it('say which layers were the best of each, and leave out what one of them lacks', () => {
    const found = ofDraws([
      draw(0.2, 0.1, { note: 'a note' }),
      draw(0.3, 0.1, { layer: 'conv1' }),
      draw(0.25, 0.1, { difference: null }),
    ]);
    expect(found.layer).toBeNull();
    expect(found.note).toBe('a note; best layers conv3, conv1, conv3');
    expect(found.difference).toBeNull();
    const few = ofDraws([draw(0.2, 0.1, { interval: null }), draw(0.3, 0.1, { interval: null })]);
    expect(few.interval).toBeNull();
  });
});

describe('a score that permutations reach', () => {
  it('is told so, of stimuli and maps, above one in twenty', () => {
    const permuted = (name: NullScore['name'], p: number): NullScore =>
      draw(0, p, { name, draws: 200 });
    expect(reachedByChance([permuted('permuted-stimuli', 0.05)])).toEqual([]);
    expect(reachedByChance([permuted('shuffled-positions', 0.5), draw(0.2, 0.5)])).toEqual([]);
    expect(reachedByChance([permuted('permuted-maps', 0.06)])).toEqual([
      'the score is within what responses of permuted maps give: one-sided p 0.060 (bootstrap over 60 images and 6 sites)',
    ]);
  });
});
