import { describe, expect, it } from 'vitest';
import { shareOfCourse } from '../../src/data/readings.ts';
import { createRandom } from '../../src/numeric/random.ts';

const [rows, trials, sites] = [80, 5, 3] as const;
const made = (valueAt: (row: number, trial: number) => number) => ({
  data: Float64Array.from({ length: rows * trials * sites }, (_, i) =>
    valueAt(Math.floor(i / (trials * sites)), Math.floor(i / sites) % trials),
  ),
  shape: [rows, trials, sites],
});

describe('the share of the variance that the number of a trial explains', () => {
  it('is about 1 / rows of independent trials, and 1 of a course without noise', () => {
    const random = createRandom('share of course');
    expect(shareOfCourse(made((row) => row + random.normal()))).toBeLessThan(0.05);
    expect(shareOfCourse(made((row, trial) => row + trial ** 2))).toBeCloseTo(1, 12);
    // Half and half: the course has the variance of the noise.
    const course = [1, -1, 1, -1, 0].map((each) => each * Math.sqrt(5 / 4));
    const both = made((row, trial) => row + course[trial]! + random.normal());
    expect(Math.abs(shareOfCourse(both) - 1.25 / 2.25)).toBeLessThan(0.1);
  });

  it('passes over missing trials, and is none where nothing varies', () => {
    const missing = made((row, trial) => (trial === 4 && row % 2 === 0 ? Number.NaN : trial));
    expect(shareOfCourse(missing)).toBeGreaterThan(0.9);
    expect(shareOfCourse(made(() => 1))).toBeNaN();
  });
});
