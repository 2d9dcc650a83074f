import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hsic, linearCka } from '../../src/kernels/cka.ts';
import { rowGram } from '../../src/kernels/row-gram.ts';
import {
  type CeilingBounds,
  ceilingBounds,
  compareDissimilarities,
  dissimilarities,
  type RankComparison,
} from '../../src/kernels/similarity.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { kendallTauA } from '../../src/numeric/kendall.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { mean } from '../../src/numeric/statistics.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import type { Engine } from '../../src/records/ports.ts';
import { quiet, sourceOf } from '../regression/problems.ts';

interface Layer {
  readonly shape: number[];
  readonly data: number[];
  readonly correlation: number[];
  readonly 'squared-euclidean': number[];
}
interface Alignment {
  readonly layers: [number, number];
  readonly biased: { hsic: number; cka: number };
  readonly unbiased: { hsic: number; cka: number };
}
interface SubjectSet {
  readonly subjects: number[][];
  readonly 'first two': Record<RankComparison, number>;
  readonly ceilings: Record<RankComparison, CeilingBounds>;
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/similarity.json', import.meta.url), 'utf8'),
) as { layers: Layer[]; alignments: Alignment[]; sets: SubjectSet[] };
const comparisons: readonly RankComparison[] = ['spearman', 'kendall-a', 'pearson'];

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 2 });
});
afterAll(() => engine.close());

const gramOf = (x: Float32Nd, width?: number) => rowGram(engine, sourceOf(x, width), quiet);
const layerOf = ({ shape, data }: Layer): Float32Nd => ({ data: Float32Array.from(data), shape });

const random = createRandom('similarity');
const normals = (rows: number, columns: number): Float32Nd => ({
  data: Float32Array.from({ length: rows * columns }, () => random.normal()),
  shape: [rows, columns],
});
const close = (found: ArrayLike<number>, expected: ArrayLike<number>, digits: number) => {
  expect(found.length).toBe(expected.length);
  for (let k = 0; k < found.length; k++) expect(found[k]!).toBeCloseTo(expected[k]!, digits);
};

describe('agrees with the definitions', () => {
  it.each(golden.layers)('on the dissimilarities of layers of shape $shape', async (layer) => {
    for (const width of [undefined, 3]) {
      const gram = await gramOf(layerOf(layer), width);
      close(dissimilarities(gram, 'correlation'), layer.correlation, 10);
      const distances = dissimilarities(gram, 'squared-euclidean');
      const wanted = layer['squared-euclidean'];
      close(
        distances.map((distance, k) => distance / wanted[k]!),
        wanted.map(() => 1),
        10,
      );
    }
  });

  it.each(golden.alignments)('on HSIC and CKA of layers $layers', async (row) => {
    const [a, b] = await Promise.all(
      row.layers.map(async (index) => (await gramOf(layerOf(golden.layers[index]!))).centred),
    );
    for (const estimate of ['biased', 'unbiased'] as const) {
      expect(hsic(a!, b!, estimate) / row[estimate].hsic).toBeCloseTo(1, 9);
      expect(linearCka(a!, b!, estimate)).toBeCloseTo(row[estimate].cka, 10);
    }
  });

  it.each(golden.sets)('on comparisons and ceilings', (set) => {
    const subjects = set.subjects.map((subject) => Float64Array.from(subject));
    for (const comparison of comparisons) {
      const first = compareDissimilarities(subjects[0]!, subjects[1]!, comparison);
      expect(first).toBeCloseTo(set['first two'][comparison], 12);
      const { lower, upper } = ceilingBounds(subjects, comparison);
      expect(lower).toBeCloseTo(set.ceilings[comparison].lower, 12);
      expect(upper).toBeCloseTo(set.ceilings[comparison].upper, 12);
    }
  });
});

describe('dissimilarities', () => {
  it('by correlation do not change with the gain and offset of a row', async () => {
    const x = normals(12, 40);
    const gains = x.data.map(
      (value, k) => value * 2 ** (Math.floor(k / 40) % 5) + (k % 480 < 40 ? 8 : 0),
    );
    const before = dissimilarities(await gramOf(x), 'correlation');
    const after = dissimilarities(await gramOf({ data: gains, shape: x.shape }), 'correlation');
    close(after, before, 5);
  });

  it('by distance do not change with an offset of a feature, and are 0 between equal rows', async () => {
    const x = normals(10, 16);
    x.data.copyWithin(16, 0, 16);
    const shifted = x.data.map((value, k) => value + (k % 16));
    const before = dissimilarities(await gramOf(x), 'squared-euclidean');
    const after = dissimilarities(
      await gramOf({ data: shifted, shape: x.shape }),
      'squared-euclidean',
    );
    close(after, before, 5);
    expect(before[0]).toBeLessThan(1e-12);
    expect(dissimilarities(await gramOf(x), 'correlation')[0]).toBeLessThan(1e-12);
  });

  it('by correlation are not defined for a row that does not vary', async () => {
    const x = normals(6, 16);
    x.data.fill(0.3, 16, 32);
    const found = dissimilarities(await gramOf(x), 'correlation');
    // Pairs (0, 1), then (1, 2) to (1, 5).
    expect([...found].map(Number.isNaN).flatMap((is, k) => (is ? [k] : []))).toEqual([
      0, 5, 6, 7, 8,
    ]);
  });
});

describe('ceiling bounds', () => {
  const noisy = (subjects: number, noise: number): Float64Array[] => {
    const truth = Float64Array.from({ length: 66 }, () => random.normal());
    return Array.from({ length: subjects }, () =>
      truth.map((value) => value + noise * random.normal()),
    );
  };

  it('are 1 for equal subjects, and enclose the true structure', () => {
    const truth = Float64Array.from({ length: 66 }, () => random.normal());
    for (const comparison of comparisons) {
      const equal = ceilingBounds([truth, truth.slice(), truth.slice()], comparison);
      expect(equal.lower).toBeCloseTo(1, 12);
      expect(equal.upper).toBeCloseTo(1, 12);
    }
    const subjects = Array.from({ length: 8 }, () => truth.map((value) => value + random.normal()));
    const { lower, upper } = ceilingBounds(subjects, 'spearman');
    const reached = mean(
      subjects.map((subject) => compareDissimilarities(truth, subject, 'spearman')),
    );
    expect(reached).toBeGreaterThan(lower);
    expect(reached).toBeLessThan(upper);
  });

  it('are never exceeded by any candidate, nor is the lower above the upper', () => {
    for (let draw = 0; draw < 20; draw++) {
      const subjects = noisy(2 + (draw % 5), 0.5 + draw / 5);
      for (const comparison of ['spearman', 'pearson'] as const) {
        const { lower, upper } = ceilingBounds(subjects, comparison);
        expect(lower).toBeLessThan(upper);
        const candidates = [...subjects, ...noisy(3, 1)];
        for (const candidate of candidates) {
          const reached = mean(
            subjects.map((subject) => compareDissimilarities(candidate, subject, comparison)),
          );
          expect(reached).toBeLessThanOrEqual(upper + 1e-12);
        }
      }
    }
  });

  it('need two subjects, and the same pairs', () => {
    const one = Float64Array.of(1, 2, 3);
    expect(() => ceilingBounds([one], 'spearman')).toThrow('at least two subjects, got 1');
    expect(() => compareDissimilarities(one, Float64Array.of(1, 2), 'pearson')).toThrow(
      '3 pairs on both sides, got 2',
    );
  });
});

describe('linear CKA', () => {
  it('does not change with rotation, scale and offset, and is 1 for a layer with itself', async () => {
    const x = normals(30, 8);
    // A Householder reflection of the features, times three, plus one.
    const axis = Float64Array.from({ length: 8 }, () => random.normal());
    const size = axis.reduce((sum, value) => sum + value * value, 0);
    const turned = new Float32Array(x.data.length);
    for (let i = 0; i < 30; i++) {
      let along = 0;
      for (let j = 0; j < 8; j++) along += x.data[i * 8 + j]! * axis[j]!;
      for (let j = 0; j < 8; j++)
        turned[i * 8 + j] = 3 * (x.data[i * 8 + j]! - (2 * along * axis[j]!) / size) + 1;
    }
    const other = (await gramOf(normals(30, 20))).centred;
    const k = (await gramOf(x)).centred;
    const l = (await gramOf({ data: turned, shape: x.shape })).centred;
    for (const estimate of ['biased', 'unbiased'] as const) {
      expect(linearCka(k, l, estimate)).toBeCloseTo(1, 6);
      expect(linearCka(k, other, estimate)).toBeCloseTo(linearCka(l, other, estimate), 6);
      expect(linearCka(k, other, estimate)).toBeCloseTo(linearCka(other, k, estimate), 12);
    }
  });

  it('of independent wide layers is near 1 when biased and near 0 when not', async () => {
    const found: number[] = [];
    for (let draw = 0; draw < 8; draw++) {
      const k = (await gramOf(normals(20, 2000))).centred;
      const l = (await gramOf(normals(20, 2000))).centred;
      expect(linearCka(k, l, 'biased')).toBeGreaterThan(0.95);
      found.push(linearCka(k, l, 'unbiased'));
    }
    expect(Math.abs(mean(found))).toBeLessThan(0.08);
  });

  it('is not defined for a dead layer, and needs the same rows and enough of them', () => {
    const some = Float64Array.from({ length: 25 }, (_, k) => Math.min(Math.floor(k / 5), k % 5));
    expect(linearCka(some, new Float64Array(25), 'biased')).toBeNaN();
    expect(() => linearCka(some, new Float64Array(16), 'biased')).toThrow('the same rows');
    const small = Float64Array.of(2, 0, 1, 0, 1, 0, 1, 0, 3);
    expect(linearCka(small, small, 'biased')).toBeCloseTo(1, 12);
    expect(() => linearCka(small, small, 'unbiased')).toThrow('at least 4');
  });
});

describe('kendallTauA', () => {
  it('is the mean product of signs over pairs, ties or not', () => {
    for (let draw = 0; draw < 60; draw++) {
      const n = 2 + (draw % 23);
      const levels = 1 + (draw % 7) * 3;
      const list = () => Float64Array.from({ length: n }, () => random.int(levels));
      const [x, y] = [list(), list()];
      let sum = 0;
      for (let i = 0; i < n; i++)
        for (let j = 0; j < i; j++) sum += Math.sign(x[i]! - x[j]!) * Math.sign(y[i]! - y[j]!);
      expect(kendallTauA(x, y)).toBeCloseTo(sum / ((n * (n - 1)) / 2), 12);
    }
    expect(kendallTauA([1], [1])).toBeNaN();
    expect(kendallTauA([1, 2, Number.NaN], [1, 2, 3])).toBeNaN();
  });
});
