import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { kFold, leaveOneGroupOut, orderByFold } from '../../src/regression/folds.ts';
import { inputLine } from '../formats/failure.ts';

const base = { rows: 23, count: 5, shuffle: true, strata: null, seed: 3 } as const;

describe('kFold', () => {
  it('partitions the rows into folds whose sizes differ by at most one', () => {
    const folds = kFold(base);
    const all = folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 23 }, (_, row) => row));
    expect(folds.map(({ test }) => test.length).sort()).toEqual([4, 4, 5, 5, 5]);
    for (const { test } of folds) expect([...test]).toEqual([...test].sort((a, b) => a - b));
  });

  it('repeats itself for a seed and changes with it', () => {
    expect(kFold(base)).toEqual(kFold(base));
    expect(kFold({ ...base, seed: 4 })).not.toEqual(kFold(base));
  });

  it('takes consecutive rows where it does not shuffle', () => {
    const folds = kFold({ ...base, rows: 7, count: 3, shuffle: false });
    expect(folds.map(({ test }) => [...test])).toEqual([
      [0, 1, 2],
      [3, 4],
      [5, 6],
    ]);
  });

  it.each([true, false])('spreads every class evenly, shuffled: %s', (shuffle) => {
    const strata = Array.from({ length: 103 }, (_, row) =>
      row < 60 ? 'often' : row < 90 ? 'less' : `rare ${row % 4}`,
    );
    const folds = kFold({ rows: 103, count: 10, shuffle, strata, seed: 'classes' });
    for (const name of new Set(strata)) {
      const counts = folds.map(
        ({ test }) => [...test].filter((row) => strata[row] === name).length,
      );
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
    const sizes = folds.map(({ test }) => test.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  it('refuses fewer rows than folds', () => {
    expect(() => kFold({ ...base, rows: 4 })).toThrow(/2 to 4 folds for 4 rows, got 5/);
    expect(() => kFold({ ...base, count: 1 })).toThrow(/folds/);
  });
});

describe('kFold with groups', () => {
  const foldsOfRows = (folds: ReturnType<typeof kFold>): Map<number, number> =>
    new Map(folds.flatMap(({ test }, fold) => [...test].map((row) => [row, fold] as const)));
  const random = createRandom('groups');

  it.each([
    0, 1, 2, 3, 4, 5, 6, 7,
  ])('never parts a group, and keeps sizes even (draw %i)', (draw) => {
    const rows = 150 + random.int(60);
    const count = 2 + random.int(9);
    // Some groups of up to six rows, scattered; most rows stand alone.
    const groups = Array.from({ length: rows }, (_, row) =>
      random.next() < 0.3 ? `group ${random.int(18)}` : `row ${row}`,
    );
    const strata = Array.from({ length: rows }, () => `class ${random.int(4)}`);
    const folds = kFold({ rows, count, shuffle: draw % 2 === 0, strata, groups, seed: draw });
    const foldOf = foldsOfRows(folds);
    expect(foldOf.size).toBe(rows);
    const places = new Map<string, Set<number>>();
    groups.forEach((group, row) => {
      places.set(group, (places.get(group) ?? new Set()).add(foldOf.get(row)!));
    });
    expect([...places.values()].every(({ size }) => size === 1)).toBe(true);
    const sizes = folds.map(({ test }) => test.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(4);
    for (const name of new Set(strata)) {
      const counts = folds.map(
        ({ test }) => [...test].filter((row) => strata[row] === name).length,
      );
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
    }
  });

  it('is the ungrouped partition where every row is its own group', () => {
    const groups = Array.from({ length: base.rows }, (_, row) => `${row}`);
    expect(kFold({ ...base, groups })).toEqual(kFold(base));
  });

  it('evens out with single rows what a large group leaves uneven', () => {
    const groups = Array.from({ length: 40 }, (_, row) => (row < 8 ? 'large' : `${row}`));
    const folds = kFold({ rows: 40, count: 5, shuffle: true, strata: null, groups, seed: 1 });
    expect(folds.map(({ test }) => test.length)).toEqual([8, 8, 8, 8, 8]);
    const huge = groups.map((group, row) => (row < 20 ? 'large' : group));
    const uneven = kFold({
      rows: 40,
      count: 5,
      shuffle: true,
      strata: null,
      groups: huge,
      seed: 1,
    });
    expect(uneven.map(({ test }) => test.length).sort((a, b) => a - b)).toEqual([5, 5, 5, 5, 20]);
  });

  it('refuses fewer groups than folds, and groups for other rows', async () => {
    const groups = Array.from({ length: 23 }, (_, row) => `${row % 4}`);
    expect(await inputLine(() => kFold({ ...base, groups }))).toContain(
      'expected 2 to 4 folds for 4 groups, got 5',
    );
    expect(await inputLine(() => kFold({ ...base, groups: ['a'] }))).toContain(
      'expected a group for each of 23 rows, got 1',
    );
  });
});

describe('leaveOneGroupOut', () => {
  it('makes one fold of each group, named by it', () => {
    const folds = leaveOneGroupOut(['b', 'a', 'b', 'c']);
    expect(folds.map(({ name, test }) => [name, ...test])).toEqual([
      ['b', 0, 2],
      ['a', 1],
      ['c', 3],
    ]);
  });

  it('refuses a single group', () => {
    expect(() => leaveOneGroupOut(['a', 'a'])).toThrow(/two groups/);
  });
});

describe('orderByFold', () => {
  it('makes each fold a range and puts rows without a fold last', () => {
    const { order, ranges } = orderByFold(5, [
      { name: 'x', test: Int32Array.of(3, 4) },
      { name: 'y', test: Int32Array.of(0) },
    ]);
    expect([...order]).toEqual([3, 4, 0, 1, 2]);
    expect(ranges).toEqual([
      [0, 2],
      [2, 3],
    ]);
  });

  it('refuses rows held out twice, rows that do not exist, and empty folds', () => {
    const fold = (...rows: number[]) => ({ name: 'f', test: Int32Array.from(rows) });
    expect(() => orderByFold(3, [fold(1), fold(1)])).toThrow(/row 1 a second time/);
    expect(() => orderByFold(3, [fold(3)])).toThrow(/got row 3/);
    expect(() => orderByFold(3, [fold()])).toThrow(/got none/);
  });
});
