import { describe, expect, it } from 'vitest';
import {
  batchesOf,
  drawsOf,
  fixedStimuli,
  type PermutationKind,
  permutationNull,
  permutedSets,
  rankTest,
  unitsOf,
} from '../../src/controls/permutations.ts';
import { meanTrainingMaps, positionFeatures } from '../../src/controls/position-nulls.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Protocol } from '../../src/records/protocol.ts';
import type { Recording, Stimulus } from '../../src/records/recording.ts';
import { splitsOf } from '../../src/scoring/design.ts';
import { type LaidOut, layOut } from '../../src/scoring/lay-out.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import type { ResponseSet } from '../../src/scoring/response-sets.ts';

const sites = 3;

/** Noise; `side` 0: one response per image. */
const recordingOf = (images: number, side: number): Recording => {
  const random = createRandom('responses');
  const positions = side === 0 ? 1 : side * side;
  return {
    header: {
      kind: 'recording',
      format: 2,
      name: 'noise',
      species: 'none',
      dims: side === 0 ? ['stimulus', 'site'] : ['stimulus', 'row', 'column', 'site'],
      sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
      timeBins: [{ start: 0, end: 100 }],
      grid:
        side === 0
          ? null
          : { rows: side, columns: side, extent: null, patchSize: null, pixelsPerDegree: null },
      unit: 'none',
      licence: null,
      citation: null,
      notes: [],
    },
    responses: {
      data: Float64Array.from({ length: images * positions * sites }, () => random.normal()),
      shape: side === 0 ? [images, sites] : [images, side, side, sites],
    },
    stimuli: Array.from({ length: images }, (_, i) => ({ id: `i${i}`, file: '', columns: {} })),
    folder: '',
    hash: '',
    warnings: [],
  };
};

const uncorrected = (protocol: Protocol): Protocol => ({ ...protocol, ceiling: { kind: 'none' } });

const grid = (images: number, side: number, protocol = protocolNamed('linsley2023', 'grid')!) =>
  layOut(protocol, recordingOf(images, side), 1, 'all');

const rowsOf = ({ recorded: { data, shape } }: ResponseSet): string[] => {
  return Array.from({ length: shape[0]! }, (_, row) =>
    data.subarray(row * sites, (row + 1) * sites).join(),
  );
};

const draws = 20;

const permutations = (
  { layout, scored }: LaidOut,
  kind: PermutationKind,
  seed = 1,
): readonly ResponseSet[] => {
  const units = Int32Array.from(layout.stimuli, (_, place) => place);
  return permutedSets(layout, scored, { kind, draws: [0, draws], units }, seed);
};

describe('permutations', () => {
  it('exchange whole stimuli, the same for all sites, each time otherwise', () => {
    const protocol = uncorrected(protocolNamed('image-cv', 'image')!);
    const laidOut = layOut(protocol, recordingOf(30, 0), 1, 'all');
    const { layout, scored } = laidOut;
    const own = rowsOf(scored);
    const permuted = permutations(laidOut, 'permuted-stimuli');
    expect(permuted).toHaveLength(draws);
    const orders = permuted.map((set) => {
      const rows = rowsOf(set);
      expect(rows.toSorted()).toEqual(own.toSorted());
      return rows.map((row) => own.indexOf(row)).join();
    });
    expect(new Set(orders).size).toBe(draws);
    const other = permutations(laidOut, 'permuted-stimuli', 2);
    expect(other[3]!.recorded).not.toEqual(permuted[3]!.recorded);
    // A draw does not depend on the batch that it is in.
    const units = unitsOf(layout, recordingOf(30, 0).stimuli);
    const batch = { kind: 'permuted-stimuli', draws: [3, 5], units } as const;
    expect(permutedSets(layout, scored, batch, 1)[0]).toEqual(permuted[3]);
  });

  it('are scored on the rows of every split where splits overlap', () => {
    const protocol = uncorrected(protocolNamed('brainscore-like-2020', 'image')!);
    const laidOut = layOut(protocol, recordingOf(30, 0), 1, 'all');
    const { layout } = laidOut;
    const { responses, recorded } = permutations(laidOut, 'permuted-stimuli')[0]!;
    const held = layout.folds.flatMap(({ test }) => [...test]);
    expect(recorded.shape).toEqual([held.length, sites]);
    held.forEach((row, k) => {
      expect(recorded.data[k * sites]).toBe(responses.data[row * sites]);
    });
  });

  it('exchange whole maps on grids, with the ceilings that belong to them', () => {
    const laidOut = grid(6, 5);
    const { scored } = laidOut;
    const { data, shape } = scored.recorded;
    const block = (table: Float64Array, image: number): string =>
      table.subarray(image * 25 * sites, (image + 1) * 25 * sites).join();
    const own = Array.from({ length: 6 }, (_, image) => block(data as Float64Array, image));
    for (const { recorded, ceiling } of permutations(laidOut, 'permuted-maps')) {
      expect(recorded.shape).toEqual(shape);
      const order = own.map((_, image) => own.indexOf(block(recorded.data as Float64Array, image)));
      expect(order.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
      const { perSite } = scored.ceiling;
      order.forEach((from, image) => {
        for (let s = 0; s < sites; s++)
          expect(ceiling.perSite.data[image * sites + s]).toBe(perSite.data[from * sites + s]);
      });
    }
    // Positions change places within their image only.
    for (const set of permutations(laidOut, 'shuffled-positions')) {
      const rows = rowsOf(set);
      expect(rows).not.toEqual(rowsOf(scored));
      for (let image = 0; image < 6; image++)
        expect(rows.slice(image * 25, (image + 1) * 25).toSorted()).toEqual(
          rowsOf(scored)
            .slice(image * 25, (image + 1) * 25)
            .toSorted(),
        );
    }
  });

  it('exchange stimuli that belong together as one, and leave a group without an equal where it is', () => {
    const named = (column: string, values: readonly string[]): Stimulus[] =>
      values.map((value, i) => ({ id: `i${i}`, file: '', columns: { [column]: value } }));
    const protocol = uncorrected(protocolNamed('image-cv', 'image')!);
    const { layout, scored } = layOut(protocol, recordingOf(30, 0), 1, 'all');
    // Two pairs, a group of three, and 23 that are like no other.
    const values = Array.from({ length: 30 }, (_, i) => String(i));
    values[4] = '1';
    values[9] = '2';
    values[20] = '5';
    values[21] = '5';
    const units = unitsOf(layout, named('alike', values));
    expect(fixedStimuli(units)).toBe(3);
    const rows = rowsOf(scored);
    const pairs = [[1, 4] as const, [2, 9] as const];
    let swapped = 0;
    for (const set of permutedSets(
      layout,
      scored,
      { kind: 'permuted-stimuli', draws: [0, draws], units },
      1,
    )) {
      const from = rowsOf(set).map((row) => rows.indexOf(row));
      expect(from.toSorted((a, b) => a - b)).toEqual(rows.map((_, i) => i));
      for (const fixed of [5, 20, 21]) expect(from[fixed]).toBe(fixed);
      for (const [first, second] of pairs) {
        expect(pairs).toContainEqual([from[first], from[second]]);
        if (from[first] !== first) swapped++;
      }
    }
    expect(swapped).toBeGreaterThan(draws / 4);
    // The column that folds are grouped by comes first; no other column means anything.
    expect([...unitsOf(layout, named('kind', values))]).toEqual(rows.map((_, i) => i));
    const { folds } = protocol;
    const grouped = { ...protocol, folds: { ...folds, groupBy: 'kind' } } as Protocol;
    expect(fixedStimuli(unitsOf({ ...layout, protocol: grouped }, named('kind', values)))).toBe(3);
  });

  it('are fitted few at a time at first, then more', () => {
    expect(batchesOf(200, 80)).toEqual([
      [0, 20],
      [20, 60],
      [60, 140],
      [140, 200],
    ]);
    expect(batchesOf(50, 20)).toEqual([
      [0, 20],
      [20, 40],
      [40, 50],
    ]);
    expect(batchesOf(7, 80)).toEqual([[0, 7]]);
    expect(drawsOf('permuted-maps', 200)).toBe(200);
    expect(drawsOf('shuffled-positions', 200)).toBe(20);
  });

  it('are planned with the regressions of a choice where each of them chooses', () => {
    for (const name of ['ventral', 'linsley2023-nested']) {
      const { layout } = grid(6, 5, uncorrected(protocolNamed(name, 'grid')!));
      const all = Array.from({ length: 20 }, (_, set) => set);
      const splits = splitsOf(layout.design!, 20, all);
      expect(splits).toHaveLength(name === 'ventral' ? 6 + 15 : 6);
      for (const { sets } of splits) expect(sets).toEqual(all);
    }
  });

  it('give their mean, the range of single ones and the rank of the score', () => {
    const { layout } = grid(6, 5);
    const aggregated = Array.from({ length: 20 }, (_, k) => ({ value: k / 100, raw: k / 200 }));
    const made = permutationNull(layout, 'permuted-maps', aggregated, 0.185, null);
    expect(made.value).toBeCloseTo(0.095, 12);
    expect(made.raw).toBeCloseTo(0.0475, 12);
    expect(made.draws).toBe(20);
    // t(19, .975) = 2.0930, s = √(35)/100 = .05916.
    expect(made.interval!.high - 0.095).toBeCloseTo(2.093 * 0.05916 * Math.sqrt(1.05), 4);
    expect(made.difference!.value).toBeCloseTo(0.09, 12);
    expect(made.difference!.interval!.low).toBeCloseTo(0.185 - made.interval!.high, 12);
    expect(made.difference!.p).toBe(2 / 21);
    expect(made.difference!.method).toBe(
      'one-sided rank among 20 permutations, of which 1 reach the score',
    );
    expect(made.note).toBeNull();
    const undefinedOnes = [...aggregated, { value: null, raw: null }];
    const less = permutationNull(layout, 'permuted-maps', undefinedOnes, 0.185, 'a note');
    expect(less.difference).toEqual(made.difference);
    expect(less.note).toBe('a note; 1 of 21 permutations have no value');
  });

  it('end when ten have reached the score, and keep the level of the test to the last draw', () => {
    expect(rankTest([], 0)).toBeNull();
    expect(rankTest([null, null], 0)).toBeNull();
    expect(rankTest([0.1, 0.2], 0.3)).toEqual({ p: 1 / 3, draws: 2, reached: 0, settled: false });
    // The tenth is the twelfth draw; what follows does not count.
    const reaching = [1, 1, 0, 1, 1, 1, null, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0];
    expect(rankTest(reaching, 0.5)).toEqual({ p: 10 / 12, draws: 12, reached: 10, settled: true });
    // Under the null the rank of the score among B draws is uniform: the tests of all ranks, each as likely, give the
    // level itself, whether they end early or not.
    const all = Array.from({ length: 201 }, (_, rank) =>
      Array.from({ length: 40 }, (_, world) => {
        const random = createRandom(`${rank} ${world}`);
        const order = random.permutation(200);
        return rankTest(
          Array.from(order, (each) => (each < rank ? 1 : 0)),
          0.5,
        )!.p;
      }),
    ).flat();
    for (const level of [0.01, 0.05, 0.1, 0.5]) {
      const below = all.filter((p) => p <= level).length / all.length;
      expect(below).toBeLessThanOrEqual(level + 0.008);
      expect(below).toBeGreaterThan(level - 0.012);
    }
  });

  it('take an equal for one that reaches the score, to rounding', () => {
    expect(rankTest([0.3 - 1e-12, 0.29], 0.3)!.reached).toBe(1);
  });
});

describe('nulls of position', () => {
  it('take the mean map of the training images', () => {
    const { layout, scored } = grid(4, 2);
    const { data } = scored.recorded;
    const predicted = meanTrainingMaps(layout, scored);
    expect(predicted.shape).toEqual([16, sites]);
    for (let image = 0; image < 4; image++)
      for (let k = 0; k < 4 * sites; k++) {
        const others = [0, 1, 2, 3].filter((other) => other !== image);
        const mean = others.reduce((sum, other) => sum + data[other * 4 * sites + k]!, 0) / 3;
        expect(predicted.data[image * 4 * sites + k]).toBeCloseTo(mean, 12);
      }
  });

  it('know rows and columns by smooth waves that are orthogonal, and nothing of the image', async () => {
    const { layout } = grid(3, 6);
    const features = positionFeatures(layout)!;
    expect(features.layers[0]!.features).toBe(15);
    const [source] = await features.gather(features.passes[0]!, () => true, {
      progress: () => undefined,
      checkStop: () => undefined,
    });
    for await (const { data, shape } of source!.blocks()) {
      expect(shape).toEqual([3 * 36, 15]);
      const at = (row: number, k: number): number => data[row * 15 + k]!;
      for (let a = 0; a < 15; a++) {
        for (let row = 0; row < 36; row++) expect(at(row, a)).toBe(at(row + 36, a));
        for (let b = 0; b <= a; b++) {
          let sum = 0;
          for (let row = 0; row < 36; row++) sum += at(row, a) * at(row, b);
          if (a === b) expect(sum).toBeGreaterThan(8);
          else expect(sum).toBeCloseTo(0, 5);
        }
      }
    }
    const { grid: size } = layout;
    expect(positionFeatures({ ...layout, grid: { ...size!, rows: 1, columns: 1 } })).toBeNull();
    expect(positionFeatures({ ...layout, grid: null })).toBeNull();
  });
});
