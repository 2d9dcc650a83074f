import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { shareOfCourse } from '../../src/data/readings.ts';
import { readNumbers } from '../../src/formats/npy.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';

const [rows, trials, sites] = [80, 5, 3] as const;
const made = (valueAt: (row: number, trial: number) => number) => ({
  data: Float64Array.from({ length: rows * trials * sites }, (_, i) =>
    valueAt(Math.floor(i / (trials * sites)), Math.floor(i / sites) % trials),
  ),
  shape: [rows, trials, sites],
});

const session = sharedPath('data', 'recordings', 'v4-cowley2023-session210325');

describe.skipIf(session === null)(
  `a real session${session === null ? ` (${sharedSkipReason})` : ''}`,
  () => {
    it('is remarked on where trials and sites are exchanged, and only there', () => {
      const path = `${session}/responses_raw.npy`;
      const { data, shape } = readNumbers(readFileSync(path), path);
      const [units, images, repeats] = shape as readonly [number, number, number];
      const read = (rows: readonly [number, number, number], strides: readonly number[]) => ({
        data: Float64Array.from({ length: data.length }, (_, i) => {
          const [row, trial, site] = [
            Math.floor(i / (rows[1] * rows[2])),
            Math.floor(i / rows[2]) % rows[1],
            i % rows[2],
          ];
          return Number(data[row * strides[0]! + trial * strides[1]! + site * strides[2]!]);
        }),
        shape: rows,
      });
      const right = read([images, repeats, units], [repeats, 1, images * repeats]);
      expect(shareOfCourse(right)).toBeLessThan(0.05);
      const wrong = read([images, units, repeats], [repeats, images * repeats, 1]);
      expect(shareOfCourse(wrong)).toBeGreaterThan(0.4);
    });
  },
);

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
