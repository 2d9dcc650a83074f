import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createMersenne } from '../../src/numeric/mersenne.ts';
import {
  type Share,
  type SklearnSplit,
  shuffleSplits,
  sklearnKFold,
  stratifiedShuffleSplits,
} from '../../src/regression/sklearn-splits.ts';

interface Stream {
  readonly seed: number;
  readonly words: number[];
  readonly samples: number[];
  readonly bounded: number[];
  readonly permutation: number[];
  readonly shuffled: number[];
  readonly long: number;
  readonly last: number;
}
type Sums = readonly [train: number, test: number, trainSum: number, testSum: number];

const golden = JSON.parse(
  readFileSync(new URL('../golden/splits.json', import.meta.url), 'utf8'),
) as {
  readonly streams: Stream[];
  readonly layouts: Record<string, string[]>;
  readonly kFolds: [rows: number, count: number, seed: number, (number[] | number)[]][];
  readonly shuffles: [rows: number, count: number, share: Share, seed: number, Sums[]][];
  readonly stratified: [layout: string, count: number, share: Share, seed: number, Sums[]][];
  readonly writtenOut: [train: number[], test: number[]][];
};

const sumOf = (rows: Int32Array): number =>
  crc32(Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength));
const sums = (splits: readonly SklearnSplit[]) =>
  splits.map(({ train, test }) => [train.length, test.length, sumOf(train), sumOf(test)]);

describe("NumPy's RandomState", () => {
  it.each(golden.streams)('with seed $seed', (stream) => {
    const words = createMersenne(stream.seed);
    expect(stream.words.map(() => words.word())).toEqual(stream.words);
    const random = createMersenne(stream.seed);
    expect(stream.samples.map(() => random.sample())).toEqual(stream.samples);
    const bounds = [1, 2, 7, 8, 1000, 3200, 2 ** 31, 2 ** 32];
    expect(bounds.map((n) => random.int(n))).toEqual(stream.bounded);
    expect([...random.permutation(20)]).toEqual(stream.permutation);
    expect([...random.shuffled(Int32Array.of(5, 3, 9, 9, 1))]).toEqual(stream.shuffled);
    expect(sumOf(random.permutation(2000))).toBe(stream.long);
    expect(random.sample()).toBe(stream.last);
  });

  it('refuses seeds that NumPy refuses', () => {
    for (const seed of [-1, 2 ** 32, 0.5, Number.NaN])
      expect(() => createMersenne(seed)).toThrow('a whole number from 0 to 4294967295');
  });
});

describe("scikit-learn's splits", () => {
  it.each(golden.kFolds)('KFold: %d rows, %d folds, seed %d', (rows, count, seed, tests) => {
    const folds = sklearnKFold(rows, count, seed);
    expect(folds.map(({ test }) => (rows < 200 ? [...test] : sumOf(test)))).toEqual(tests);
  });

  it.each(golden.shuffles)('ShuffleSplit: %d rows, %d splits, %o, seed %d', (...each) => {
    const [rows, count, share, seed, expected] = each;
    expect(sums(shuffleSplits(rows, count, share, seed))).toEqual(expected);
  });

  it.each(golden.stratified)('StratifiedShuffleSplit: %s, %d splits, %o, seed %d', (...each) => {
    const [layout, count, share, seed, expected] = each;
    const found = stratifiedShuffleSplits(golden.layouts[layout]!, count, share, seed);
    expect(sums(found)).toEqual(expected);
  });

  it('StratifiedShuffleSplit, row by row', () => {
    const found = stratifiedShuffleSplits([...'aabbbbbaab'], 2, { test: 0.3 }, 1);
    expect(found.map(({ train, test }) => [[...train], [...test]])).toEqual(golden.writtenOut);
  });

  it('are refused where scikit-learn refuses them', () => {
    expect(() => sklearnKFold(3, 4, 1)).toThrow('2 to 3 folds for 3 rows');
    expect(() => shuffleSplits(10, 1, { test: 1 }, 1)).toThrow('a share of rows between 0 and 1');
    expect(() => shuffleSplits(1, 1, { test: 0.5 }, 1)).toThrow('rows to train on');
    expect(() => stratifiedShuffleSplits(['a', 'a', 'b'], 1, { test: 0.5 }, 1)).toThrow(
      'at least two rows of every class',
    );
    expect(() => stratifiedShuffleSplits([...'aabbcc'], 1, { test: 0.2 }, 1)).toThrow(
      'at least 3 rows on both sides',
    );
  });
});
