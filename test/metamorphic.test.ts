// What must not change a score: the order of stimuli, sites, trials, dimensions and layers; names; batches and memory; units;
// a layer or a site that says nothing. The whole way each time: recording folder, pictures, network, score.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { npzParts } from '../src/formats/npz.ts';
import { readRecording } from '../src/formats/recording.ts';
import { createRandom } from '../src/numeric/random.ts';
import type { Float32Nd } from '../src/records/array.ts';
import type { Ports } from '../src/records/ports.ts';
import type { Protocol } from '../src/records/protocol.ts';
import type { Dimension } from '../src/records/recording.ts';
import type { LayerScore, Score } from '../src/records/score.ts';
import { planScore, score } from '../src/score.ts';
import { layOut } from '../src/scoring/lay-out.ts';
import { protocolNamed } from '../src/scoring/protocols.ts';
import {
  blocks,
  gridImages,
  images,
  networkOf,
  picture,
  type Study,
  sites,
  writeOtherwise,
} from './metamorphic-study.ts';
import { temporaryFolder, testPorts, writeModel } from './small-study.ts';

let ports: Ports;
let network: string;
beforeAll(async () => {
  ports = await testPorts();
  network = writeModel(temporaryFolder(), networkOf({}));
});

const pls = { ...(protocolNamed('image-cv', 'image')!.regression as object), components: 8 };
const ridge = {
  kind: 'ridge',
  alphas: [0.001, 0.01, 0.1, 1, 10],
  unit: 'mean-square',
  choose: 'leave-one-out',
  perTarget: true,
};

const named = (name: string, layout: 'image' | 'grid', change: object): Protocol => ({
  ...protocolNamed(name, layout)!,
  regression: pls as Protocol['regression'],
  interval: { level: 0.95, replicates: 2 },
  ...change,
});
const folds = { kind: 'k-fold', count: blocks, shuffle: true, stratifyBy: null, groupBy: 'block' };
const raw = named('image-cv', 'image', { folds, ceiling: { kind: 'none' } });
const byRidge: Protocol = { ...raw, regression: ridge as Protocol['regression'] };
const converged: Protocol = {
  ...raw,
  regression: { ...pls, stopping: 'converged' } as Protocol['regression'],
};
const manySplits = { kind: 'split-half', splits: 100, minimumReliability: 0.1 };
const ceiled = named('image-cv', 'image', { folds, ceiling: manySplits });
const nested: Protocol = { ...ceiled, ceiling: { kind: 'none' }, layerChoice: 'nested' };
const onGrid = named('linsley2023', 'grid', {});
const nestedOnGrid: Protocol = { ...onGrid, layerChoice: 'nested' };
const asReleased = named('linsley2023-code', 'grid', {});

interface Run {
  readonly model?: string;
  readonly activations?: string;
}

const scored = async (protocol: Protocol, study: Study, run: Run = {}): Promise<Score> => {
  const path = join(temporaryFolder(), 'protocol.json');
  writeFileSync(path, JSON.stringify(protocol));
  // A cache of its own: what was finished for another order must not be taken.
  const entries = new Map<string, Uint8Array>();
  const cache: Ports['cache'] = {
    ...ports.cache,
    get: async (key) => entries.get(key) ?? null,
    put: async (key, bytes) => void entries.set(key, bytes),
  };
  const plan = await planScore(
    {
      candidate:
        run.activations === undefined
          ? { kind: 'model', path: run.model ?? network, preprocess: 'imagenet-224' }
          : { kind: 'activations', path: run.activations },
      recording: await writeOtherwise({ ...study, isGrid: protocol.layout === 'grid' }, ports),
      protocol: path,
      layers: null,
      memory: 1e9,
      seed: 1,
    },
    { ...ports, cache },
  );
  return (await score(plan, { ...ports, cache })).score;
};

const within = (value: number | null, tolerance: number) =>
  value === null ? null : expect.closeTo(value, -Math.log10(2 * tolerance));

/**
 * Where scikit-learn's power iteration stops depends on the site that it starts from, a property of its tolerance: up to
 * .005 in a site, .012 in a fold.
 */
const stopping = 0.01;

/** Of each site, the halves of the images (1, 2, or 3 for both) that its ceiling is of. */
const halvesOfCeilings = async (study: Study): Promise<number[]> => {
  const recording = await readRecording(await writeOtherwise(study, ports), ports);
  return [...layOut(ceiled, recording, 1, 'all').scored.ceiling.basis!.from];
};

const expectLayer = (found: LayerScore, expected: LayerScore, tolerance: number): void => {
  const close = (value: number | null) => within(value, tolerance);
  expect({ raw: found.raw, value: found.value, ceiling: found.ceiling }).toEqual({
    raw: close(expected.raw),
    value: close(expected.value),
    ceiling: close(expected.ceiling),
  });
  const bySite = new Map(expected.sites.map((site) => [site.site, site]));
  for (const { site, ...values } of found.sites) {
    const { raw: r, ceiling, value } = bySite.get(site)!;
    expect(values).toEqual({ raw: close(r), ceiling: close(ceiling), value: close(value) });
  }
  const sorted = ({ folds: all }: LayerScore) => all.map((fold) => fold.raw!).sort((a, b) => a - b);
  // A fold has six images.
  const ofFolds = tolerance === stopping ? 3 * stopping : tolerance;
  expect(sorted(found)).toEqual(sorted(expected).map((value) => within(value, ofFolds)));
};

/** The same score but for rounding: every layer's values, those of each site by name, those of the folds in any order. */
const expectSame = (
  found: Score,
  expected: Score,
  tolerance: number,
  rename = (n: string) => n,
) => {
  expect(found.layer).toBe(rename(expected.layer));
  expect(found.value).toEqual(within(expected.value, tolerance));
  const byName = new Map(expected.layers.map((layer) => [rename(layer.layer), layer]));
  expect(found.layers.map(({ layer }) => layer).sort()).toEqual([...byName.keys()].sort());
  for (const layer of found.layers) expectLayer(layer, byName.get(layer.layer)!, tolerance);
  if (expected.nestedSelection === null) return;
  const layersOf = ({ nestedSelection }: Score, of: (layer: string) => string) =>
    nestedSelection!.folds.map(({ layer }) => of(layer)).sort();
  expect(layersOf(found, (layer) => layer)).toEqual(layersOf(expected, rename));
  expectLayer(found.nestedSelection!.scores, expected.nestedSelection.scores, tolerance);
};

const known = new Map<Protocol, Promise<Score>>();
/** The score of the recording as it is. */
const plain = (protocol: Protocol): Promise<Score> => {
  const made = known.get(protocol) ?? scored(protocol, {});
  known.set(protocol, made);
  return made;
};

const shuffled = (count: number, key: string): number[] => [
  ...createRandom(key).permutation(count),
];

/** Rounding of sums in another order. */
const rounding = 1e-9;
/** Halves drawn anew, 100 of them. */
const redrawn = 0.01;

describe('the recording as it is', () => {
  it('scores well enough that a mistake would show', async () => {
    for (const protocol of [raw, byRidge, ceiled]) {
      const { layers } = await plain(protocol);
      expect(layers).toHaveLength(3);
      expect(new Set(layers.map((layer) => layer.raw!.toFixed(2))).size).toBe(3);
      expect(Math.max(...layers.map((layer) => layer.raw!))).toBeGreaterThan(0.4);
    }
    const { ceiling } = await plain(ceiled);
    expect(ceiling).toBeGreaterThan(0.8);
    expect(ceiling).toBeLessThan(0.98);
  });
});

describe('stimuli in another order', () => {
  const order = shuffled(images, 'images');
  const onGridOrder = shuffled(gridImages, 'grid images');

  it.each([
    ['PLS', raw],
    ['ridge', byRidge],
    ['a nested choice', nested],
  ])('score the same by %s', async (_, protocol) => {
    expectSame(await scored(protocol, { images: order }), await plain(protocol), rounding);
  });

  it.each([
    ['the best other site', onGrid],
    ['a nested choice', nestedOnGrid],
    ['the best pair', asReleased],
  ])('score the same on a grid, with %s', async (_, protocol) => {
    expectSame(await scored(protocol, { images: onGridOrder }), await plain(protocol), rounding);
  });

  it('have ceilings that differ by the halves drawn only', async () => {
    // Which images choose a site is drawn by their order: our sites respond so well that any half of them would.
    for (const study of [{}, { images: order }])
      expect(await halvesOfCeilings(study)).toEqual(Array(sites).fill(3));
    expectSame(await scored(ceiled, { images: order }), await plain(ceiled), redrawn);
  });
});

describe('sites in another order', () => {
  const order = shuffled(sites, 'sites');

  it.each([
    ['ridge', byRidge, rounding],
    ['PLS that converges', converged, 1e-6],
    ['PLS that stops where scikit-learn does', raw, stopping],
    ['PLS, with ceilings of the same halves', ceiled, stopping],
    ['PLS on a grid', onGrid, stopping],
  ])('score the same by %s', async (_, protocol, tolerance) => {
    expectSame(await scored(protocol, { sites: order }), await plain(protocol), tolerance);
  });

  it('keep their ceilings to the last digits: trials are halved alike for all', async () => {
    const found = await scored(ceiled, { sites: order });
    const ceilings = new Map(
      (await plain(ceiled)).layers[0]!.sites.map(({ site, ceiling }) => [site, ceiling]),
    );
    for (const { site, ceiling } of found.layers[0]!.sites)
      expect(ceiling).toEqual(within(ceilings.get(site)!, rounding));
  });
});

describe('trials in another order', () => {
  const order = [2, 0, 3, 1];

  it('have the same means, and ceilings that differ by the halves drawn only', async () => {
    expectSame(await scored(raw, { trials: order }), await plain(raw), rounding);
    expectSame(await scored(ceiled, { trials: order }), await plain(ceiled), redrawn);
    expectSame(await scored(onGrid, { trials: order }), await plain(onGrid), rounding);
  });
});

describe('what is only written otherwise', () => {
  it('dimensions in another order score the same', async () => {
    const dims: Dimension[] = ['site', 'trial', 'stimulus'];
    expectSame(await scored(ceiled, { dims }), await plain(ceiled), 1e-15);
    const turned: Dimension[] = ['column', 'site', 'stimulus', 'row', 'trial'];
    expectSame(await scored(onGrid, { dims: turned }), await plain(onGrid), 1e-15);
  });

  it('stimuli of other names score the same', async () => {
    const idOf = (image: number) => `picture-${String(images - image).padStart(3, '0')}`;
    expectSame(await scored(ceiled, { idOf }), await plain(ceiled), 1e-15);
  });

  it('layers of other names score the same', async () => {
    const names = ['zz', 'aa', 'mm'];
    const model = writeModel(temporaryFolder(), networkOf({ names }));
    const rename = (name: string) => names[['stem', 'middle', 'dense'].indexOf(name)] ?? name;
    for (const protocol of [ceiled, nested])
      expectSame(await scored(protocol, {}, { model }), await plain(protocol), 1e-15, rename);
  });
});

describe('batches', () => {
  it.each([
    1,
    5,
    images,
    images + 3,
  ])('of fixed size %i, the last one part-filled, score the same', async (batch) => {
    const model = writeModel(temporaryFolder(), networkOf({ batch }));
    expectSame(await scored(raw, {}, { model }), await plain(raw), 1e-6);
  });

  it('do so on a grid, whose patches are images of their own', async () => {
    const model = writeModel(temporaryFolder(), networkOf({ batch: 7 }));
    expectSame(await scored(onGrid, {}, { model }), await plain(onGrid), 1e-6);
  });
});

describe('units', () => {
  it.each([
    ['a thousand times as large', (r: number) => 1000 * r],
    ['shifted, each site by its own offset', (r: number, site: number) => r + 50 * site - 20],
  ])('%s score the same', async (_, unit) => {
    for (const protocol of [byRidge, ceiled, onGrid])
      expectSame(await scored(protocol, { unit }), await plain(protocol), 1e-8);
  });

  it('of each site its own score the same where sites are fitted one by one', async () => {
    const unit = (r: number, site: number) => r * 10 ** site;
    expectSame(await scored(byRidge, { unit }), await plain(byRidge), 1e-8);
  });
});

describe('what says nothing', () => {
  const features = (
    width: number,
    value: (image: number, feature: number) => number,
  ): Float32Nd => ({
    data: Float32Array.from({ length: images * width }, (_, i) =>
      value(Math.floor(i / width), i % width),
    ),
    shape: [images, width],
  });
  const seen = (width: number, key: string): Float32Nd => {
    const random = createRandom(key);
    return features(
      width,
      (image, feature) => picture(image).data[feature * 3]! + 30 * random.normal(),
    );
  };
  const write = (layers: Readonly<Record<string, Float32Nd>>): string => {
    const path = join(temporaryFolder(), 'features.npz');
    writeFileSync(path, Buffer.concat(npzParts(layers)));
    return path;
  };
  const one = seen(60, 'one');
  const two = seen(90, 'two');

  it('a layer that is constant has no score, and changes none', async () => {
    const flat = features(20, () => 3);
    for (const protocol of [raw, byRidge, nested]) {
      const before = await scored(protocol, {}, { activations: write({ one, two }) });
      const after = await scored(protocol, {}, { activations: write({ flat, one, two }) });
      expect(after.layers[0]).toMatchObject({ layer: 'flat', value: null, raw: null });
      expectSame({ ...after, layers: after.layers.slice(1) }, before, 1e-15);
    }
  });

  it('features that are constant change no score', async () => {
    const padded = features(70, (image, feature) =>
      feature < 60 ? one.data[image * 60 + feature]! : 5,
    );
    for (const protocol of [raw, byRidge]) {
      const before = await scored(protocol, {}, { activations: write({ one }) });
      const after = await scored(protocol, {}, { activations: write({ one: padded }) });
      expectSame(after, before, protocol === byRidge ? 1e-8 : 1e-6);
    }
  });

  it('features in another unit score the same', async () => {
    const larger = features(60, (image, feature) => 1024 * one.data[image * 60 + feature]!);
    for (const protocol of [raw, byRidge]) {
      const before = await scored(protocol, {}, { activations: write({ one }) });
      expectSame(await scored(protocol, {}, { activations: write({ one: larger }) }), before, 1e-8);
    }
  });

  it('a site that is constant is left out by name, and changes no score', async () => {
    for (const protocol of [raw, ceiled, onGrid, asReleased]) {
      const found = await scored(protocol, { dead: true });
      expect(found.excludedSites).toContainEqual({
        site: 'dead',
        image: null,
        reason: 'constant response',
      });
      expectSame(found, await plain(protocol), 1e-15);
    }
  });
});
