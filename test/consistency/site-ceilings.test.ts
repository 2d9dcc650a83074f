import { beforeAll, describe, expect, it } from 'vitest';
import { onSharedStimuli } from '../../src/consistency/shared-stimuli.ts';
import { ceilingBetween, ceilingWithin } from '../../src/consistency/site-ceilings.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { median } from '../../src/numeric/statistics.ts';
import type { Ports } from '../../src/records/ports.ts';
import type { Protocol } from '../../src/records/protocol.ts';
import type { Recording } from '../../src/records/recording.ts';
import { siteCeilingSchema } from '../../src/records/site-ceiling.ts';
import { layOut } from '../../src/scoring/lay-out.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { testPorts } from '../small-study.ts';
import { type Animal, drawAnimal, knownCorrelation, recordingOf } from './animals.ts';

const images = 400;
const trials = 6;
const shared = 3;
/** Trial noise of a site with a signal of variance 1. */
const noise = 1.2;

let ports: Ports;
beforeAll(async () => {
  ports = await testPorts();
});

const protocol: Protocol = {
  ...protocolNamed('image-cv', 'image')!,
  interval: { level: 0.95, replicates: 100 },
};

const candidateOf = (recording: Recording, by = protocol) => ({
  recording,
  laidOut: layOut(by, recording, 1, 'best'),
});

/** Half of the variance of A's signals is its own, so that √½ is the best that anything of B could do. */
const a: Animal = drawAnimal('A', { sites: 8, shared, own: 0.5 });
const b: Animal = drawAnimal('B', { sites: 10, shared, own: 0 });
const [recordingA, recordingB] = [a, b].map((animal) =>
  recordingOf(animal, { images, trials, noise }),
) as [Recording, Recording];

describe('sites of one animal from those of another', () => {
  it('come to what the shared signal allows, raw and corrected', async () => {
    const found = await ceilingBetween(candidateOf(recordingA), candidateOf(recordingB), 1, ports);
    expect(siteCeilingSchema.parse(found)).toEqual(found);
    const known = median(
      a.weights.map((_, site) => knownCorrelation(a, site, b, (noise * noise) / trials)),
    );
    // Ten weights from 360 images: the correlation of an estimated regression stays a little below.
    expect(found.raw.value!).toBeLessThan(known + 0.03);
    expect(found.raw.value!).toBeGreaterThan(known - 0.04);
    const reliability = 1 / (1 + (noise * noise) / trials);
    expect(found.ceiling!).toBeCloseTo(Math.sqrt(reliability), 1);
    expect(found.value.value!).toBeCloseTo(found.raw.value! / Math.sqrt(reliability), 1);
    expect(Math.abs(found.corrected!.value! - Math.SQRT1_2)).toBeLessThan(0.04);
    for (const { value, interval } of [found.raw, found.value, found.corrected!]) {
      expect(interval!.low).toBeLessThan(value!);
      expect(interval!.high).toBeGreaterThan(value!);
      expect(interval!.high - interval!.low).toBeLessThan(0.25);
    }
    expect(found.corrected!.interval!.low).toBeLessThan(Math.SQRT1_2);
    expect(found.regression).toMatch(/^PLS, 10 components/);
    expect(found.sites).toHaveLength(8);
  });

  it('stay below 1 the other way, where what A has of its own stands in the way', async () => {
    const back = await ceilingBetween(candidateOf(recordingB), candidateOf(recordingA), 1, ports);
    const known = median(
      b.weights.map((_, site) => knownCorrelation(b, site, a, (noise * noise) / trials)),
    );
    expect(Math.abs(back.raw.value! - known)).toBeLessThan(0.04);
    expect(back.predictor!.sites).toBe(8);
    // What A has of its own is reliable, and so no noise to be corrected for.
    const without = median(b.weights.map((_, site) => knownCorrelation(b, site, a, 0)));
    expect(Math.abs(back.corrected!.value! - without)).toBeLessThan(0.04);
  });

  it('are aggregated over images and sites on grids, with a t interval over images', async () => {
    const grid = { rows: 4, columns: 4, extent: null, patchSize: null, pixelsPerDegree: null };
    const onGrid = ({ header, responses, stimuli, ...rest }: Recording): Recording => ({
      ...rest,
      header: { ...header, dims: ['stimulus', 'row', 'column', 'trial', 'site'], grid },
      responses: { data: responses.data, shape: [16, 4, 4, ...responses.shape.slice(1)] },
      stimuli: stimuli.slice(0, 16),
    });
    const session = { images: 16 * 16, trials, noise: 0.5 };
    const gridCv = protocolNamed('grid-cv', 'grid')!;
    const [mapsA, mapsB] = [a, b].map((animal) => onGrid(recordingOf(animal, session))) as [
      Recording,
      Recording,
    ];
    const found = await ceilingBetween(
      candidateOf(mapsA, gridCv),
      candidateOf(mapsB, gridCv),
      1,
      ports,
    );
    // Within an image correlations of 16 positions scatter by .13, and average over 16 images and 8 sites.
    expect(Math.abs(found.corrected!.value! - Math.SQRT1_2)).toBeLessThan(0.1);
    expect(found.corrected!.interval).toMatchObject({ method: 't over images', n: { images: 16 } });
    expect(found.corrected!.value!).toBeGreaterThan(found.raw.value!);
    const [other] = onSharedStimuli(mapsA, mapsB, protocol);
    expect(other.stimuli).toHaveLength(16);
    expect(() => onSharedStimuli(mapsA, recordingA, protocol)).toThrow(
      /expected a 4×4 grid, as in A/,
    );
  });

  it('predict with what they have where each lacks a few responses, in any unit', async () => {
    const changed = (change: (value: number, image: number, site: number) => number): Recording => {
      const { data, shape } = recordingB.responses;
      const [, count = 0, sites = 0] = shape;
      const values = Float64Array.from(data, (value, at) =>
        change(value, Math.floor(at / (count * sites)), at % sites),
      );
      return { ...recordingB, responses: { data: values, shape } };
    };
    const from = async (recording: Recording) =>
      (await ceilingBetween(candidateOf(recordingA), candidateOf(recording), 1, ports)).raw.value!;
    const whole = await from(recordingB);
    const lacking = changed((value, image, site) => (image % 100 === site ? Number.NaN : value));
    expect(Math.abs((await from(lacking)) - whole)).toBeLessThan(0.02);
    const within = await ceilingWithin(candidateOf(lacking), 1, ports);
    expect(within.warnings).toContain(
      '10 predicting sites lack some responses, for which their mean stands',
    );
    expect(within.raw.value!).toBeGreaterThan(0.7);
    expect(await from(changed((value) => 2 ** 500 * value))).toBeCloseTo(whole, 12);
  });

  it('are joined by stimulus id, whatever the order', async () => {
    const order = [...createRandom('order').permutation(images)].slice(0, 300);
    const other = recordingOf(b, { images, trials, noise, order });
    const [one, two] = onSharedStimuli(recordingA, other, protocol);
    expect(one.stimuli.map(({ id }) => id)).toEqual(two.stimuli.map(({ id }) => id));
    expect(one.stimuli).toHaveLength(300);
    const joined = await ceilingBetween(candidateOf(one), candidateOf(two), 1, ports);
    // Of other images it would be 0; that it is what the animals share shows that they are the same.
    expect(joined.raw.value!).toBeGreaterThan(0.5);
    expect(joined.stimuli).toBe(300);
    const misplaced = { ...two, stimuli: one.stimuli, responses: recordingB.responses };
    expect(() => onSharedStimuli(recordingA, { ...misplaced, stimuli: [] }, protocol)).toThrow(
      /expected stimuli of/,
    );
  });
});

describe('a site from the other sites of its recording', () => {
  it('comes to what their signals allow', async () => {
    const found = await ceilingWithin(candidateOf(recordingB), 1, ports);
    expect(found.predictor).toBeNull();
    const others = (site: number): Animal => ({
      ...b,
      weights: b.weights.filter((_, other) => other !== site),
    });
    const known = median(
      b.weights.map((_, site) => knownCorrelation(b, site, others(site), (noise * noise) / trials)),
    );
    expect(Math.abs(found.raw.value! - known)).toBeLessThan(0.04);
    expect(found.corrected!.value!).toBeGreaterThan(0.95);
    expect(found.corrected!.value!).toBeLessThan(1.03);
    expect(found.regression).toMatch(/^PLS, 9 components/);
  });

  it('is helped by noise that sites share in a trial, but not where trials are kept apart', async () => {
    const strangers = drawAnimal('strangers', { sites: 6, shared: 6, own: 1 });
    const recording = recordingOf(strangers, { images: 300, trials, noise, common: 1.5 });
    const found = await ceilingWithin(candidateOf(recording), 1, ports);
    expect(found.raw.value!).toBeGreaterThan(0.2);
    const independent = recordingOf(strangers, { images: 300, trials, noise });
    const none = await ceilingWithin(candidateOf(independent), 1, ports);
    expect(Math.abs(none.raw.value!)).toBeLessThan(0.15);
    expect(Math.abs(found.corrected!.value!)).toBeLessThan(0.15);
    expect(found.corrected!.interval!.low).toBeLessThan(0);
  });

  it('has no correction without repeated trials, and needs another site', async () => {
    const single = { ...protocol, ceiling: { kind: 'none' } } as const;
    const once = recordingOf(b, { images: 200, trials: 1, noise });
    const found = await ceilingWithin(candidateOf(once, single), 1, ports);
    expect(found.corrected).toBeNull();
    expect(found.raw).toEqual(found.value);
    expect(found.warnings.join()).toMatch(/not every response has two trials/);
    const alone = recordingOf(
      { ...b, weights: b.weights.slice(0, 1) },
      { images: 100, trials, noise },
    );
    await expect(ceilingWithin(candidateOf(alone), 1, ports)).rejects.toThrow(
      /at least two usable/,
    );
  });
});
