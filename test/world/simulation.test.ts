import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { patchSide } from '../../src/architectures/planted.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { mean, pearson } from '../../src/numeric/statistics.ts';
import { recordingHeaderSchema } from '../../src/records/recording.ts';
import {
  fixationsOf,
  overSitesAndImages,
  type SimulatedRecording,
} from '../../src/world/simulation.ts';
import { createWorld, type World, worldSettings } from '../../src/world/world.ts';

const digest = ({ responses }: SimulatedRecording): string =>
  createHash('sha256').update(new Uint8Array(responses.data.buffer)).digest('hex').slice(0, 16);

let world: World;
let v4: SimulatedRecording;
let it17: SimulatedRecording;
beforeAll(() => {
  world = createWorld(worldSettings(1));
  [v4, it17] = world.recordings as [SimulatedRecording, SimulatedRecording];
});

describe('simulated recordings', () => {
  it('are decided by the seed, to the byte', () => {
    expect([digest(v4), digest(it17)]).toEqual(['1f6144790578a665', 'b0bdbdca61b9e27e']);
    const smaller = worldSettings(1);
    const again = createWorld({ ...smaller, areas: smaller.areas.slice(0, 1) });
    expect(digest(again.recordings[0]!)).toBe(digest(v4));
  });

  it('are proper recordings, joined by stimulus', () => {
    for (const { header, responses, stimuli } of world.recordings) {
      expect(recordingHeaderSchema.parse(header)).toEqual(header);
      const size = { site: header.sites.length, stimulus: 14, time: 5, trial: 8 };
      const grid = { row: header.grid!.rows, column: header.grid!.columns };
      expect(responses.shape).toEqual(header.dims.map((dim) => ({ ...size, ...grid })[dim]));
      expect(stimuli.map(({ id }) => id)).toEqual(world.scenes.map(({ id }) => id));
      expect(new Set(stimuli.map(({ columns }) => columns.object_name)).size).toBeGreaterThan(1);
    }
    expect([v4, it17].map(({ header }) => header.grid!.rows)).toEqual([9, 17]);
  });

  it('say where the patches are: the grid record gives the corners that the features were taken at', () => {
    world.recordings.forEach(({ header }, area) => {
      const { extent, rows, columns, patchSize } = header.grid!;
      const corners = Array.from({ length: rows * columns }, (_, at) => ({
        x: extent!.x + ((at % columns) + 0.5) * (extent!.width / columns) - patchSize!.value / 2,
        y:
          extent!.y +
          (Math.floor(at / columns) + 0.5) * (extent!.height / rows) -
          patchSize!.value / 2,
      }));
      expect(corners).toEqual(fixationsOf(world.settings.areas[area]!));
      expect(Math.max(...corners.map(({ x }) => x)) + patchSide).toBeLessThanOrEqual(168);
      expect(Math.min(...corners.map(({ x }) => x))).toBeGreaterThanOrEqual(0);
    });
  });

  it('fire as Poisson processes: counts average to the rate, Fano factor 1', () => {
    for (const { responses, rates } of world.recordings) {
      let [excess, fano, cells] = [0, 0, 0];
      const trials = 8;
      for (let cell = 0; cell < rates.data.length; cell += 3) {
        const counts = responses.data.subarray(cell * trials, (cell + 1) * trials);
        const centre = mean(counts);
        const variance =
          counts.reduce((sum, count) => sum + (count - centre) ** 2, 0) / (trials - 1);
        excess += centre - rates.data[cell]!;
        fano += variance / rates.data[cell]!;
        cells++;
      }
      expect(Math.abs(excess / cells)).toBeLessThan(0.01);
      expect(fano / cells).toBeCloseTo(1, 1);
    }
  });

  it('have rates that a neuron could have', () => {
    for (const { rates } of world.recordings) {
      const perSecond = rates.data.map((count) => count / 0.04);
      expect(perSecond.reduce((a, b) => Math.min(a, b))).toBeGreaterThanOrEqual(3);
      expect(perSecond.reduce((a, b) => Math.max(a, b))).toBeLessThan(150);
    }
  });
});

describe('truth', () => {
  it('knows the ceiling in closed form, as fresh Poisson trials confirm', () => {
    const random = createRandom('fresh trials');
    for (const { rates, truth } of world.recordings) {
      const [sites, images, rows, columns, bins] = rates.shape as [
        number,
        number,
        number,
        number,
        number,
      ];
      const positions = rows * columns;
      for (const [site, image, bin] of [
        [0, 0, 0],
        [5, 3, 2],
        [20, 13, 4],
      ] as const) {
        const rate = Float64Array.from(
          { length: positions },
          (_, at) => rates.data[((site * images + image) * positions + at) * bins + bin]!,
        );
        const draws = Array.from({ length: 400 }, () => {
          const means = rate.map((value) => {
            let sum = 0;
            for (let trial = 0; trial < 8; trial++) sum += random.poisson(value);
            return sum / 8;
          });
          return pearson(means, rate);
        });
        const known = truth.ceilings.data[(bin * images + image) * sites + site]!;
        expect(Math.abs(mean(draws) - known)).toBeLessThan(0.012);
      }
    }
  });

  it('puts the best time bin where each area peaks', () => {
    const best = world.recordings.map(({ truth }) => {
      const [bins, images, sites] = truth.ceilings.shape as [number, number, number];
      const values = Array.from({ length: bins }, (_, bin) =>
        overSitesAndImages(
          truth.ceilings.data.subarray(bin * images * sites, (bin + 1) * images * sites),
          images,
        ),
      );
      return values.indexOf(Math.max(...values));
    });
    expect(best).toEqual([1, 2]);
  });

  it('lets nobody reach 1: the scene context costs some of every site', () => {
    for (const { truth } of world.recordings) {
      const typical = overSitesAndImages(truth.attainable.data, truth.attainable.shape[0]!);
      expect(typical).toBeGreaterThan(0.88);
      expect(typical).toBeLessThan(0.97);
      expect(truth.attainable.data.reduce((a, b) => Math.max(a, b))).toBeLessThan(1.0000001);
    }
  });
});
