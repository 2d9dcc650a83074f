// Every named protocol, the whole way, against a second implementation of it in NumPy, SciPy and scikit-learn that was
// written from the documentation (test/golden/protocols.py): trials even, odd, unequal and single, most stimuli shown once,
// missing stimuli, fixations and trials, dead and unreliable sites, several time bins, one of them noise.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { npzParts } from '../src/formats/npz.ts';
import type { NdArray } from '../src/records/array.ts';
import type { Ports } from '../src/records/ports.ts';
import type { Dimension } from '../src/records/recording.ts';
import type { LayerScore, Score, TimeCourse } from '../src/records/score.ts';
import { planScore, score } from '../src/score.ts';
import { defaultProtocol, protocolNamed } from '../src/scoring/protocols.ts';
import { temporaryFolder, testPorts, writeStudy } from './small-study.ts';

interface Table {
  readonly shape: readonly number[];
  readonly thousandths: readonly (number | null)[];
}

interface World extends Table {
  readonly dims: readonly Dimension[];
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly features: 'image' | 'grid';
  readonly published: readonly (number | null)[] | null;
}

interface Inputs {
  readonly seed: number;
  readonly features: Readonly<Record<string, Readonly<Record<string, Table>>>>;
  readonly worlds: Readonly<Record<string, World>>;
}

/** null where not defined. */
type Value = number | null;
type Metrics = { readonly raw: Value; readonly value: Value };
type Ceiled = Metrics & { readonly ceiling: Value };

interface LayerValues extends Ceiled {
  readonly folds?: readonly Metrics[];
  readonly sites: Readonly<Record<string, Ceiled>>;
}

interface Expected {
  readonly bin: number;
  readonly layer: string;
  readonly layers: Readonly<Record<string, LayerValues>>;
  readonly timeCourse: {
    readonly ceilings: readonly Value[];
    readonly sites: readonly number[];
    readonly ownSites: readonly number[];
    readonly layers: Readonly<Record<string, readonly Metrics[]>>;
  };
  readonly choice:
    | (LayerValues & { layers: readonly string[]; best: number; optimism: number })
    | null;
  /** Null ceiling of best other sites. */
  readonly mismatched?: number;
  readonly standardErrorOverSplits?: { readonly value: number; readonly unscaled: number };
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8'));
const inputs = read('protocol-inputs.json') as Inputs;
const golden = (read('protocols.json') as { scores: Record<string, Record<string, Expected>> })
  .scores;

const numbersOf = ({ thousandths }: Table): Float64Array =>
  Float64Array.from(thousandths, (value) => (value === null ? Number.NaN : value / 1000));

let ports: Ports;
beforeAll(async () => {
  ports = await testPorts();
});

const writeFeatures = (folder: string, { features, shape, dims }: World): string => {
  const stimuli = shape[0]!;
  const grid = dims.includes('row') ? shape.slice(1, 3) : [];
  const rows = [stimuli, ...grid].reduce((product, size) => product * size, 1);
  const arrays = Object.entries(inputs.features[features]!).map(
    ([layer, table]): [string, NdArray] => {
      const width = table.shape[1]!;
      // Recordings of fewer stimuli are of the first ones.
      const data = Float32Array.from(numbersOf(table).subarray(0, rows * width));
      return [layer, { data, shape: [stimuli, ...grid, width] }];
    },
  );
  const path = join(folder, 'features.npz');
  writeFileSync(path, Buffer.concat(npzParts(Object.fromEntries(arrays))));
  return path;
};

const ridge = {
  kind: 'ridge',
  alphas: [0.1, 1, 10, 100, 1000],
  unit: 'absolute',
  choose: 'leave-one-out',
  perTarget: true,
} as const;

/** What a name with more words than a protocol's changes of it. */
const changes = {
  'image-cv-ridge': { regression: ridge },
  'image-cv-drop-stimuli': { missing: 'drop-stimuli' },
  'image-cv-published': { ceiling: { kind: 'published', minimumReliability: 0.1 } },
} as const;

/** A named protocol or a changed one, with few draws for its interval, which has no second implementation. */
const protocolOf = (name: string, { dims }: World, folder: string): string => {
  const layout = dims.includes('row') ? 'grid' : 'image';
  const change = changes[name as keyof typeof changes];
  const named =
    name === 'ventral'
      ? defaultProtocol(layout, dims.includes('trial'))
      : protocolNamed(change === undefined ? name : 'image-cv', layout)!;
  const protocol = {
    ...named,
    ...(change === undefined ? {} : { name, ...change }),
    interval: { ...named.interval, replicates: 20 },
  };
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(protocol));
  return path;
};

/** Recordings and activations that are written already, by world. */
const written = new Map<string, Promise<{ folder: string; recording: string; features: string }>>();

const writeWorld = async (world: World) => {
  const folder = temporaryFolder();
  const { shape, dims, columns, published } = world;
  const bins = shape[dims.indexOf('time')]!;
  const recording = await writeStudy(
    folder,
    ports,
    { data: numbersOf(world), shape },
    {
      dims: [...dims],
      ...(published === null
        ? {}
        : {
            sites: published.map((reliability, s) => ({
              id: `s${s}`,
              area: 'IT',
              ...(reliability === null ? {} : { reliability }),
            })),
          }),
      timeBins: Array.from({ length: bins }, (_, b) => ({ start: 100 * b, end: 100 * (b + 1) })),
      grid: dims.includes('row')
        ? {
            rows: shape[1]!,
            columns: shape[2]!,
            extent: null,
            patchSize: null,
            pixelsPerDegree: null,
          }
        : null,
    },
    shape[0]!,
    (image) => Object.fromEntries(Object.entries(columns).map(([key, of]) => [key, of[image]!])),
  );
  return { folder, recording, features: writeFeatures(folder, world) };
};

const scored = async (name: string, protocol: string): Promise<Score> => {
  const world = inputs.worlds[name]!;
  const made = written.get(name) ?? writeWorld(world);
  written.set(name, made);
  const { folder, recording, features } = await made;
  const request = {
    candidate: { kind: 'activations' as const, path: features },
    recording,
    protocol: protocolOf(protocol, world, folder),
    layers: null,
    memory: 1e9,
    seed: inputs.seed,
  };
  return (await score(await planScore(request, ports), ports)).score;
};

const close = (value: Value): unknown => (value === null ? null : expect.closeTo(value, 9));
const closeValues = ({ raw, value }: Metrics) => ({ raw: close(raw), value: close(value) });

const expectLayer = (found: LayerScore, expected: LayerValues): void => {
  expect({ raw: found.raw, value: found.value, ceiling: found.ceiling }).toEqual({
    ...closeValues(expected),
    ceiling: close(expected.ceiling),
  });
  expect(found.sites.map(({ site }) => site)).toEqual(Object.keys(expected.sites));
  for (const { site, ...values } of found.sites) {
    const { ceiling, ...rest } = expected.sites[site]!;
    expect({ site, ...values }).toEqual({ site, ...closeValues(rest), ceiling: close(ceiling) });
  }
  if (expected.folds === undefined) return;
  expect(found.folds.map(({ raw, value }) => ({ raw, value }))).toEqual(
    expected.folds.map(closeValues),
  );
};

/** What does not depend on the ceiling's size: correlations, the bin, and so regressions, folds and usable sites. */
const expectRaw = (found: Score, expected: Expected): void => {
  expect(found.timeBin.start).toBe(100 * expected.bin);
  for (const layer of found.layers) {
    const { raw, sites, folds } = expected.layers[layer.layer]!;
    expect(layer.raw).toEqual(close(raw));
    for (const site of layer.sites) expect(site.raw).toEqual(close(sites[site.site]!.raw));
    if (folds !== undefined)
      expect(layer.folds.map((fold) => fold.raw)).toEqual(folds.map((fold) => close(fold.raw)));
  }
};

const expectCourse = (found: TimeCourse, expected: Expected['timeCourse']): void => {
  expect(found).toMatchObject({
    ceilings: expected.ceilings.map(close),
    sites: expected.sites,
    ownSites: expected.ownSites,
  });
  for (const { layer, raw, value } of found.layers) {
    const course = expected.layers[layer]!;
    expect({ raw, value }).toEqual({
      raw: course.map((bin) => close(bin.raw)),
      value: course.map((bin) => close(bin.value)),
    });
  }
};

const expectAll = (found: Score, expected: Expected): void => {
  expectRaw(found, expected);
  expect(found.layer).toBe(expected.layer);
  for (const layer of found.layers) expectLayer(layer, expected.layers[layer.layer]!);
  if (found.timeCourse !== null) expectCourse(found.timeCourse, expected.timeCourse);
  if (expected.choice !== null) {
    const { nestedSelection } = found;
    expect(nestedSelection!.folds.map(({ layer }) => layer)).toEqual(expected.choice.layers);
    expectLayer(nestedSelection!.scores, expected.choice);
    expect(nestedSelection).toMatchObject({
      best: close(expected.choice.best),
      optimism: close(expected.choice.optimism),
    });
    expect(found.value).toEqual(close(expected.choice.value));
  }
  if (expected.mismatched !== undefined)
    expect(found.nullCeiling!.mismatched).toEqual(close(expected.mismatched));
  if (expected.standardErrorOverSplits !== undefined)
    expect(found.standardErrorOverSplits).toEqual({
      value: close(expected.standardErrorOverSplits.value),
      unscaled: close(expected.standardErrorOverSplits.unscaled),
    });
};

describe.each(
  Object.entries(golden).flatMap(([world, of]) => Object.keys(of).map((name) => [world, name])),
)('recording %s, %s, by a second implementation', (world, protocol) => {
  const expected = golden[world!]![protocol!]!;
  let found: Score;

  it('correlates alike', async () => {
    found = await scored(world!, protocol!);
    expectRaw(found, expected);
  });

  it('divides, chooses and aggregates alike', () => expectAll(found, expected));
});
