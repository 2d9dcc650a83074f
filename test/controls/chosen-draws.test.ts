import { describe, expect, it } from 'vitest';
import { allChosen, drawnSets, nothingChosen, withLayer } from '../../src/controls/chosen-draws.ts';
import { permutedSets } from '../../src/controls/permutations.ts';
import { heldSource } from '../../src/models/features.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Ports } from '../../src/records/ports.ts';
import type { Protocol } from '../../src/records/protocol.ts';
import type { Recording } from '../../src/records/recording.ts';
import { chooseLayers } from '../../src/scoring/choose-layers.ts';
import { bestLayer, evaluateLayer } from '../../src/scoring/evaluate.ts';
import { fitLayer } from '../../src/scoring/fit-layer.ts';
import { prepareResampling } from '../../src/scoring/intervals.ts';
import { layOut } from '../../src/scoring/lay-out.ts';
import type { Layout } from '../../src/scoring/layout.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import type { ResponseSet } from '../../src/scoring/response-sets.ts';
import { getDraws, putDraws } from '../../src/store/draws-cache.ts';
import { plainEngine } from '../plain-engine.ts';

const [images, side, sites, width] = [6, 3, 3, 8];
const rows = images * side * side;
const names = ['a', 'b', 'c'];

const random = createRandom('chosen draws');
const noise = (count: number) => Float32Array.from({ length: count }, () => random.normal());
const features = new Map(names.map((name) => [name, noise(rows * width)]));

const recording: Recording = {
  header: {
    kind: 'recording',
    format: 2,
    name: 'noise',
    species: 'none',
    dims: ['stimulus', 'row', 'column', 'site'],
    sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
    timeBins: [{ start: 0, end: 100 }],
    grid: { rows: side, columns: side, extent: null, patchSize: null, pixelsPerDegree: null },
    unit: 'none',
    licence: null,
    citation: null,
    notes: [],
  },
  responses: {
    data: Float64Array.from(noise(rows * sites)),
    shape: [images, side, side, sites],
  },
  stimuli: Array.from({ length: images }, (_, i) => ({ id: `i${i}`, file: '', columns: {} })),
  folder: '',
  hash: '',
  warnings: [],
};

const laidOutBy = (name: string) => {
  const protocol = protocolNamed(name, 'grid')!;
  const regression = { ...protocol.regression, components: 2 } as Protocol['regression'];
  const { ceiling } = protocolNamed('linsley2023', 'grid')!;
  return layOut({ ...protocol, regression, ceiling }, recording, 1, 'all');
};

const ports: Pick<Ports, 'engine' | 'progress' | 'checkStop'> = {
  engine: plainEngine(),
  progress: () => undefined,
  checkStop: () => undefined,
};

const fitted = (layout: Layout, name: string, sets: readonly ResponseSet[]) => {
  const source = heldSource(name, { data: features.get(name)!.slice(), shape: [rows, width] });
  return fitLayer(layout, drawnSets(layout, sets), source, ports);
};

/** One set by the score's own functions. */
const scoredAlone = async (layout: Layout, set: ResponseSet) => {
  const resampling = prepareResampling(layout, set.ceiling, 1);
  const candidates = [];
  for (const name of names) {
    const { predictions, selectionValues, ...rest } = await fitted(layout, name, [set]);
    const table = { data: predictions.data, shape: predictions.shape.slice(1) };
    const scores = evaluateLayer(layout, set, resampling, {
      ...rest,
      ...{ name, predictions: table, alphas: null },
    });
    candidates.push({ scores, selectionValues: selectionValues?.[0] ?? null, predictions: table });
  }
  const best = bestLayer(candidates.map(({ scores }) => scores));
  const chosen = chooseLayers(layout, set, resampling, candidates, best.value);
  const { value, raw } = chosen?.nestedSelection.scores ?? best;
  const layers = chosen?.nestedSelection.folds.map(({ layer }) => layer) ?? [best.layer];
  return { value, raw, layers };
};

describe('the score of several draws', () => {
  it('is what each would score alone: the best layer, one for each fold, or one by half of the images', async () => {
    const taken = new Set<string>();
    for (const name of ['grid-cv', 'linsley2023', 'ventral', 'linsley2023-nested']) {
      const { layout, scored } = laidOutBy(name);
      const units = Int32Array.from({ length: images }, (_, i) => i);
      const sets = permutedSets(layout, scored, { kind: 'permuted-maps', draws: [0, 4], units }, 1);
      let soFar = nothingChosen(layout, sets);
      for (const layer of names)
        soFar = withLayer(layout, sets, soFar, await fitted(layout, layer, sets));
      const { draws, perFold, layers } = allChosen(layout, sets, soFar);
      expect([layers, perFold]).toEqual([3, null]);
      for (const [draw, set] of sets.entries()) {
        const alone = await scoredAlone(layout, set);
        expect(draws[draw]!.value).toBeCloseTo(alone.value!, 9);
        expect(draws[draw]!.raw).toBeCloseTo(alone.raw!, 9);
        for (const layer of alone.layers) taken.add(layer);
      }
    }
    expect([...taken].toSorted()).toEqual(names);
  });

  it('is kept between layers as it is', async () => {
    const entries = new Map<string, Uint8Array>();
    const cache = {
      get: async (key: string) => entries.get(key) ?? null,
      put: async (key: string, value: Uint8Array) => void entries.set(key, value),
    };
    const { layout, scored } = laidOutBy('ventral');
    expect(await getDraws(cache, 'key')).toBeNull();
    for (const soFar of [
      nothingChosen(layout, [scored]),
      withLayer(
        layout,
        [scored],
        nothingChosen(layout, [scored]),
        await fitted(layout, 'a', [scored]),
      ),
    ]) {
      await putDraws(cache, 'key', soFar);
      expect(await getDraws(cache, 'key')).toEqual(soFar);
      const done = allChosen(layout, [scored], soFar);
      await putDraws(cache, 'key', done);
      expect(await getDraws(cache, 'key')).toEqual(done);
    }
  });

  it('is none where no layer has a value for a fold', () => {
    const { layout, scored } = laidOutBy('ventral');
    const { draws } = allChosen(layout, [scored], nothingChosen(layout, [scored]));
    expect(draws).toEqual([{ value: null, raw: null }]);
  });
});
