import { beforeAll, describe, expect, it } from 'vitest';
import { unstacked } from '../../src/numeric/array.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { pearson } from '../../src/numeric/statistics.ts';
import type { Float64Nd } from '../../src/records/array.ts';
import type { Ports } from '../../src/records/ports.ts';
import type { PlsSettings, Protocol } from '../../src/records/protocol.ts';
import type { Recording } from '../../src/records/recording.ts';
import type { LearningCurve } from '../../src/records/score.ts';
import { predictFolds } from '../../src/regression/regress.ts';
import { onlyColumns, takeColumns } from '../../src/scoring/columns.ts';
import { evaluateLayer } from '../../src/scoring/evaluate.ts';
import { fitLayer } from '../../src/scoring/fit-layer.ts';
import { prepareResampling } from '../../src/scoring/intervals.ts';
import { type LaidOut, layOut } from '../../src/scoring/lay-out.ts';
import { learningCurveOf } from '../../src/scoring/learning-curve.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { responseSource } from '../../src/scoring/site-ceilings.ts';
import { doublings, lengthened, meanOfTrials } from '../../src/scoring/sub-sample.ts';
import { testPorts } from '../small-study.ts';
import { drawAnimal, recordingOf } from './animals.ts';

const images = 500;
const trials = 8;
const noise = 1.5;
const animal = drawAnimal('curve', { sites: 12, shared: 4, own: 0.3 });
const recording = recordingOf(animal, { images, trials, noise });

/** What drives all sites but for what each has of its own: the features of a good network. */
const features = ((): Float64Nd => {
  const latent = createRandom('what the images share');
  return {
    data: Float64Array.from({ length: images * 4 }, () => latent.normal()),
    shape: [images, 4],
  };
})();

const imageCv = protocolNamed('image-cv', 'image')!;
const protocol: Protocol = {
  ...imageCv,
  regression: { ...(imageCv.regression as PlsSettings), components: 4 },
  interval: { level: 0.95, replicates: 50 },
};

let ports: Ports;
let laidOut: LaidOut;
let whole: LearningCurve;
beforeAll(async () => {
  ports = await testPorts();
  laidOut = layOut(protocol, recording, 1, 'best');
  whole = await learningCurve(laidOut);
});

const source = async () => responseSource('latents', features);
const learningCurve = (of: LaidOut, memory = 1e9) =>
  learningCurveOf(of, source, { layer: 'latents', memory, seed: 1 }, ports);
const scoreOf = async ({ layout, scored }: LaidOut) => {
  const sets = { sets: [scored], choosing: [] };
  const { predictions } = await fitLayer(layout, sets, await source(), ports);
  return evaluateLayer(layout, scored, prepareResampling(layout, scored.ceiling, 1), {
    ...{ name: 'latents', features: 4, predictions: unstacked(predictions)[0]! },
    ...{ arithmetic: '', alphas: null, warnings: [] },
  });
};

const withMissing = ({ responses, ...rest }: Recording): Recording => {
  const sites = responses.shape[2]!;
  const data = responses.data.slice();
  // Every third image was shown four times only.
  for (let image = 0; image < images; image += 3)
    data.fill(Number.NaN, (image * trials + 4) * sites, (image + 1) * trials * sites);
  return { ...rest, hash: 'missing', responses: { data, shape: responses.shape } };
};

describe('the score by the number of trials', () => {
  it('rises as Spearman and Brown say where it is raw, and stays where noise is corrected for', async () => {
    const { trials: points } = whole;
    expect(points.map(({ count, draws }) => [count, draws])).toEqual([
      [1, 10],
      [2, 10],
      [4, 10],
      [8, 1],
    ]);
    const single = 1 / (1 + noise ** 2);
    const full = points.at(-1)!;
    for (const { count, raw, ceiling, value } of points) {
      const reliability = lengthened(single, count);
      expect(Math.abs(ceiling! - Math.sqrt(reliability))).toBeLessThan(0.03);
      // √.7 of each signal is in the features; four weights from 450 images cost next to nothing.
      expect(Math.abs(raw! - Math.sqrt(0.7 * reliability))).toBeLessThan(0.035);
      expect(Math.abs(value! - full.value!)).toBeLessThan(0.04);
    }
    expect(points.map(({ raw }) => raw!)).toEqual(points.map(({ raw }) => raw!).toSorted());
    expect(full.raw! - points[0]!.raw!).toBeGreaterThan(0.25);
  });

  it('ends in the score of the layer, also where memory takes a table at a time', async () => {
    const scored = await scoreOf(laidOut);
    for (const points of [whole.trials, whole.sites]) {
      const last = points.at(-1)!;
      expect(last).toMatchObject({ draws: 1, rawSpread: null, valueSpread: null });
      for (const value of ['raw', 'ceiling', 'value'] as const)
        expect(last[value]!).toBeCloseTo(scored[value]!, 12);
    }
    const small = await learningCurve(laidOut, 1);
    small.trials.forEach(({ value, valueSpread }, index) => {
      expect(value!).toBeCloseTo(whole.trials[index]!.value!, 9);
      if (valueSpread !== null) expect(valueSpread).toBeLessThan(0.05);
    });
  });

  it('takes what is there of rows with fewer trials', async () => {
    const { trials: points } = await learningCurve(
      layOut(protocol, withMissing(recording), 1, 'best'),
    );
    for (const { count, ceiling, value } of points) {
      // Noise of means adds up: a third of the images has at most four trials.
      const effective = 3 / (1 / Math.min(count, 4) + 2 / count);
      const known = Math.sqrt(1 / (1 + noise ** 2 / effective));
      expect(Math.abs(ceiling! - known)).toBeLessThan(0.03);
      expect(Math.abs(value! - points.at(-1)!.value!)).toBeLessThan(0.04);
    }
  });

  it('is left out where nothing repeats', async () => {
    const once = recordingOf(animal, { images: 100, trials: 1, noise });
    const none: Protocol = { ...protocol, ceiling: { kind: 'none' } };
    const short = {
      data: features.data.slice(0, 400),
      shape: [100, 4],
    };
    const found = await learningCurveOf(
      layOut(none, once, 1, 'best'),
      async () => responseSource('latents', short),
      { layer: 'latents', memory: 1e9, seed: 1 },
      ports,
    );
    expect(found.trials).toEqual([]);
    expect(found.sites.map(({ count }) => count)).toEqual([1, 2, 4, 8, 12]);
  });
});

describe('the score by the number of sites', () => {
  it('scatters less with more of them', async () => {
    const { sites: points } = whole;
    expect(points.map(({ count }) => count)).toEqual([1, 2, 4, 8, 12]);
    const spreads = points.map(({ valueSpread }) => valueSpread);
    expect(spreads[3]!).toBeLessThan(spreads[0]! / 1.5);
    for (const { value } of points)
      expect(Math.abs(value! - points.at(-1)!.value!)).toBeLessThan(0.05);
  });

  it('comes from regressions on these sites alone', async () => {
    const { layout, scored } = laidOut;
    const chosen = [1, 4, 7];
    const sets = { sets: [{ responses: onlyColumns(scored.responses, chosen, 0) }], choosing: [] };
    const { predictions } = await fitLayer(layout, sets, await source(), ports);
    const alone = await predictFolds(
      ports.engine,
      await source(),
      [takeColumns(scored.responses, chosen)],
      layout.folds,
      protocol.regression,
      { progress: () => undefined, checkStop: () => undefined },
    );
    const among = takeColumns(unstacked(predictions)[0]!, chosen).data;
    alone.predictions[0]!.data.forEach((value, index) => {
      expect(among[index]!).toBeCloseTo(value, 9);
    });
  });

  it('raises a ceiling that is a maximum over other sites', async () => {
    const grid = { rows: 4, columns: 4, extent: null, patchSize: null, pixelsPerDegree: null };
    const flat = recordingOf(animal, { images: 16 * 8, trials: 1, noise: 0.5 });
    const maps: Recording = {
      ...flat,
      header: { ...flat.header, dims: ['stimulus', 'row', 'column', 'site'], grid },
      responses: { data: flat.responses.data, shape: [8, 4, 4, 12] },
      stimuli: flat.stimuli.slice(0, 8),
    };
    const linsley = protocolNamed('linsley2023', 'grid')!;
    const onGrid = layOut({ ...linsley, regression: protocol.regression }, maps, 1, 'best');
    const positions = { data: features.data.slice(0, 16 * 8 * 4), shape: [16 * 8, 4] };
    const found = await learningCurveOf(
      onGrid,
      async () => responseSource('latents', positions),
      { layer: 'latents', memory: 1e9, seed: 1 },
      ports,
    );
    const ceilings = found.sites.map(({ ceiling }) => ceiling!);
    expect(found.sites.map(({ count }) => count)).toEqual([2, 4, 8, 12]);
    expect(ceilings).toEqual(ceilings.toSorted());
    expect(ceilings.at(-1)! - ceilings[0]!).toBeGreaterThan(0.1);
  });
});

describe('sub-samples', () => {
  it('double up to all', () => {
    expect(doublings(1, 9)).toEqual([1, 2, 4, 8, 9]);
    expect(doublings(2, 8)).toEqual([2, 4, 8]);
    expect(doublings(3, 2)).toEqual([]);
  });

  it('draw trials without replacement, alike for the sites of a row', () => {
    const random = createRandom('tables');
    const data = Float64Array.from({ length: 40 * 5 * 2 }, () => random.normal());
    for (let i = 0; i < data.length; i += 2) data[i + 1] = -data[i]!;
    const table = { data, shape: [40, 5, 2] };
    const one = meanOfTrials(table, 2, 1, 0);
    for (let row = 0; row < 40; row++) expect(one.data[2 * row + 1]).toBe(-one.data[2 * row]!);
    expect(meanOfTrials(table, 2, 1, 0)).toEqual(one);
    expect(meanOfTrials(table, 2, 1, 1)).not.toEqual(one);
    const all = meanOfTrials(table, 5, 1, 0);
    const means = Array.from({ length: 40 }, (_, row) =>
      [0, 1, 2, 3, 4].reduce((sum, trial) => sum + data[(row * 5 + trial) * 2]! / 5, 0),
    );
    means.forEach((each, row) => {
      expect(all.data[2 * row]!).toBeCloseTo(each, 12);
    });
    const firsts = Array.from({ length: 40 }, (_, row) => one.data[2 * row]!);
    // √(2 / 5) but for chance.
    expect(Math.abs(pearson(firsts, means) - Math.sqrt(0.4))).toBeLessThan(0.2);
  });
});
