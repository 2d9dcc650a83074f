import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import type { Protocol } from '../../src/records/protocol.ts';
import type { Recording } from '../../src/records/recording.ts';
import { omissionsOf } from '../../src/scoring/design.ts';
import { layOut } from '../../src/scoring/lay-out.ts';
import { permutationCount, permutationNull, permutedSets } from '../../src/scoring/permutations.ts';
import { meanMaps, positionFeatures } from '../../src/scoring/position-nulls.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import type { ResponseSet } from '../../src/scoring/response-sets.ts';

const sites = 3;

/** Noise; `side` 0: one response per image. */
const recordingOf = (images: number, side: number): Recording => {
  const random = createRandom('responses');
  const positions = side === 0 ? 1 : side * side;
  return {
    header: {
      format: 'ventral-recording',
      version: 1,
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

describe('permutations', () => {
  it('exchange whole stimuli, the same for all sites, each time otherwise', () => {
    const protocol = uncorrected(protocolNamed('image-cv', 'image')!);
    const { layout, scored } = layOut(protocol, recordingOf(30, 0), 1, 'all');
    const own = rowsOf(scored);
    const permuted = permutedSets(layout, scored, 1);
    expect(permuted).toHaveLength(permutationCount);
    const orders = permuted.map((set) => {
      const rows = rowsOf(set);
      expect(rows.toSorted()).toEqual(own.toSorted());
      return rows.map((row) => own.indexOf(row)).join();
    });
    expect(new Set(orders).size).toBe(permutationCount);
    expect(permutedSets(layout, scored, 1)[3]!.recorded).toEqual(permuted[3]!.recorded);
    expect(permutedSets(layout, scored, 2)[3]!.recorded).not.toEqual(permuted[3]!.recorded);
  });

  it('are scored on the rows of every split where splits overlap', () => {
    const protocol = uncorrected(protocolNamed('brainscore-like-2020', 'image')!);
    const { layout, scored } = layOut(protocol, recordingOf(30, 0), 1, 'all');
    const { responses, recorded } = permutedSets(layout, scored, 1)[0]!;
    const held = layout.folds.flatMap(({ test }) => [...test]);
    expect(recorded.shape).toEqual([held.length, sites]);
    held.forEach((row, k) => {
      expect(recorded.data[k * sites]).toBe(responses.data[row * sites]);
    });
  });

  it('exchange whole maps on grids, with the ceilings that belong to them', () => {
    const { layout, scored } = grid(6, 5);
    const { data, shape } = scored.recorded;
    const block = (table: Float64Array, image: number): string =>
      table.subarray(image * 25 * sites, (image + 1) * 25 * sites).join();
    const own = Array.from({ length: 6 }, (_, image) => block(data as Float64Array, image));
    const permuted = permutedSets(layout, scored, 1);
    expect(permuted).toHaveLength(2 * permutationCount);
    for (const { recorded, ceiling } of permuted.slice(0, permutationCount)) {
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
    for (const set of permuted.slice(permutationCount)) {
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

  it('are planned with as many regressions as they have, none of them for a choice of layers', () => {
    for (const name of ['ventral', 'linsley2023-nested']) {
      const { layout } = grid(6, 5, uncorrected(protocolNamed(name, 'grid')!));
      expect(layout.design!.inner).not.toBeNull();
      const held = omissionsOf(layout.design!, 40, []).map(({ blocks }) => blocks.length);
      expect(held).toEqual(Array.from({ length: 6 }, () => (name === 'ventral' ? 1 : 3)));
    }
  });

  it('give their mean, the range of single ones and the rank of the score', () => {
    const { layout } = grid(6, 5);
    const values = Array.from({ length: 40 }, (_, k) => (k < 20 ? k / 100 : 9));
    const figures = { layer: 'a', raw: values.map((value) => value / 2), value: values };
    const made = permutationNull(layout, figures, 'permuted-maps', { value: 0.185, layer: 'a' });
    expect(made.value).toBeCloseTo(0.095, 12);
    expect(made.raw).toBeCloseTo(0.0475, 12);
    // t(19, .975) = 2.0930, s = √(35)/100 = .05916.
    expect(made.interval!.high - 0.095).toBeCloseTo(2.093 * 0.05916 * Math.sqrt(1.05), 4);
    expect(made.difference!.value).toBeCloseTo(0.09, 12);
    expect(made.difference!.interval!.low).toBeCloseTo(0.185 - made.interval!.high, 12);
    expect(made.difference!.p).toBe(2 / 21);
  });
});

describe('nulls of position', () => {
  it('take the mean map of the training images', () => {
    const { layout, scored } = grid(4, 2);
    const { data } = scored.recorded;
    const predicted = meanMaps(layout, scored);
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
