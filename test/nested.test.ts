// Nested choice and overlapping splits, the whole way, against scikit-learn on the same folds.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../src/analysis/compare.ts';
import { npzParts, openNpz } from '../src/formats/npz.ts';
import { bytesSource } from '../src/formats/source.ts';
import { createRandom } from '../src/numeric/random.ts';
import { mean } from '../src/numeric/statistics.ts';
import type { ScoreResult } from '../src/predictivity.ts';
import type { Float64Nd } from '../src/records/array.ts';
import type { Ports } from '../src/records/ports.ts';
import type { PlsSettings, Protocol } from '../src/records/protocol.ts';
import { planScore, score } from '../src/score.ts';
import { designOf, heldOutRowsOf, splitsOf } from '../src/scoring/design.ts';
import { protocolNamed } from '../src/scoring/protocols.ts';
import { temporaryFolder, testPorts, writeStudy } from './small-study.ts';

interface Golden {
  readonly components: number;
  readonly folds: number;
  readonly classes: readonly string[];
  readonly best: Readonly<Record<string, number>>;
  readonly choice: readonly Readonly<Record<string, number>>[];
  readonly chosen: readonly string[];
  readonly nested: number;
  readonly splits: readonly Readonly<Record<string, number>>[];
}

const read = (name: string) => readFileSync(new URL(`golden/${name}`, import.meta.url));
const golden = JSON.parse(read('nested.json').toString()) as Golden;
const names = ['early', 'middle', 'late'];
const rows = golden.classes.length;

let ports: Ports;
let folder: string;
let features: string;
let responses: Float64Nd;

/** Two trials about the golden responses, whose mean they are. */
const twoTrials = (spread: number): Float64Nd => {
  const random = createRandom('trials');
  const [, sites] = responses.shape as [number, number];
  const data = new Float64Array(rows * 2 * sites);
  responses.data.forEach((value, k) => {
    const off = spread * random.normal();
    const at = Math.floor(k / sites) * 2 * sites + (k % sites);
    data[at] = value + off;
    data[at + sites] = value - off;
  });
  return { data, shape: [rows, 2, sites] };
};

const run = async (
  protocol: Protocol,
  repeated: boolean,
): Promise<ScoreResult & { name: string }> => {
  const path = join(folder, `${protocol.name}.json`);
  writeFileSync(path, JSON.stringify(protocol));
  const recording = await writeStudy(
    folder,
    ports,
    repeated ? twoTrials(0.8) : responses,
    { dims: repeated ? ['stimulus', 'trial', 'site'] : ['stimulus', 'site'] },
    rows,
    (image) => ({ object_name: golden.classes[image]! }),
  );
  const request = {
    candidate: { activations: features },
    recording,
    protocol: path,
    layers: null,
    memory: 1e9,
    seed: 1,
  };
  return { ...(await score(await planScore(request, ports), ports)), name: protocol.name };
};

const small = (name: string, change: Partial<Protocol>): Protocol => {
  const base = protocolNamed(name, 'image')!;
  return {
    ...base,
    regression: { ...(base.regression as PlsSettings), components: golden.components },
    interval: { level: 0.95, replicates: 400 },
    ...change,
  };
};

beforeAll(async () => {
  ports = await testPorts();
  folder = temporaryFolder();
  const npz = await openNpz(bytesSource(read('nested.npz')), 'nested.npz');
  responses = await npz.readFloat64('responses');
  const layers = await Promise.all(
    names.map(async (name) => {
      const { data, shape } = await npz.readFloat64(name);
      return [name, { data: Float32Array.from(data), shape }] as const;
    }),
  );
  features = join(folder, 'features.npz');
  writeFileSync(features, Buffer.concat(npzParts(Object.fromEntries(layers))));
});

describe('a nested choice of the layer, against scikit-learn', () => {
  const nested = (): Protocol =>
    small('ventral', {
      folds: {
        kind: 'k-fold',
        count: golden.folds,
        shuffle: false,
        stratifyBy: null,
        groupBy: null,
      },
      ceiling: { kind: 'none' },
    });

  it('chooses the same layers and reaches the same score, and says what the best would gain', async () => {
    const { score: found } = await run(nested(), false);
    expect(found.nestedSelection!.folds.map(({ layer }) => layer)).toEqual(golden.chosen);
    expect(new Set(golden.chosen).size).toBeGreaterThan(1);
    expect(found.value).toBeCloseTo(golden.nested, 9);
    for (const { layer, value } of found.layers) expect(value).toBeCloseTo(golden.best[layer]!, 9);
    expect(found.layer).toBe('early');
    expect(found.nestedSelection!.optimism).toBeCloseTo(golden.best.early! - golden.nested, 9);
    expect(found.interval).toEqual(found.nestedSelection!.scores.interval);
  });

  it('sees the same values for the choice as scikit-learn', async () => {
    const seen: (readonly (number | null)[])[] = [];
    const put = async (key: string, bytes: Uint8Array) => {
      const head = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(10)));
      seen.push(
        (JSON.parse(head) as { value: { selectionValues: number[][] } }).value.selectionValues[0]!,
      );
      await ports.cache.put(key, bytes);
    };
    const cold = { ...ports, cache: { ...ports.cache, get: async () => null, put } };
    const path = join(folder, 'figures.json');
    writeFileSync(path, JSON.stringify(nested()));
    const recording = join(folder, 'recording');
    const request = {
      candidate: { activations: features },
      recording,
      protocol: path,
      layers: null,
      memory: 1e9,
      seed: 1,
    };
    await score(await planScore(request, cold), cold);
    expect(seen).toHaveLength(names.length);
    seen.forEach((nestedSelection, layer) => {
      nestedSelection.forEach((value, fold) => {
        expect(value).toBeCloseTo(golden.choice[fold]![names[layer]!]!, 9);
      });
    });
  });
});

describe('Brain-Score-like splits, against scikit-learn', () => {
  const folds = {
    kind: 'stratified-shuffle-split',
    count: 10,
    testShare: 0.2,
    randomState: 1,
    stratifyBy: 'object_name',
  } as const;

  it('has its splits and medians; r/c and r²/c; the error in the unit of the value', async () => {
    const first = await run(small('brainscore-like-2020', { folds }), true);
    const second = await run(small('brainscore-like-2026', { folds }), true);
    for (const { layer, folds: splits, raw } of first.score.layers) {
      splits.forEach((split, k) => {
        expect(split.raw).toBeCloseTo(golden.splits[k]![layer]!, 9);
      });
      expect(raw).toBeCloseTo(mean(golden.splits.map((split) => split[layer]!)), 9);
    }
    const { raw, ceiling, value } = first.score;
    expect(ceiling).toBeGreaterThan(0.5);
    expect(ceiling).toBeLessThan(1);
    expect(value).toBeCloseTo(raw / ceiling, 12);
    expect(second.score.ceiling).toBe(ceiling);
    expect(second.score.value).toBeCloseTo(raw ** 2 / ceiling, 12);
    const medians = golden.splits.map((split) => split[first.score.layer]!);
    const centre = mean(medians);
    const spread = Math.sqrt(mean(medians.map((each) => (each - centre) ** 2)));
    expect(first.score.standardErrorOverSplits!.unscaled).toBeCloseTo(spread / Math.sqrt(10), 9);
    // One half split of two trials is like another, but for the swap: c hardly spreads.
    expect(first.score.standardErrorOverSplits!.value).toBeGreaterThan(
      spread / Math.sqrt(10) / ceiling,
    );
    expect(second.score.standardErrorOverSplits!.value).toBeGreaterThan(
      ((2 * raw) / ceiling) * (spread / Math.sqrt(10)),
    );
    expect(second.score.interval!.low).toBeLessThan(second.score.value);
    expect(second.score.interval!.high).toBeGreaterThan(second.score.value);
  });

  it('compares within splits: a score with itself is a tie', async () => {
    const {
      score: found,
      predictions,
      name,
    } = await run(small('brainscore-like-2026', { folds }), true);
    expect(predictions.recorded.shape).toEqual([120, 6]);
    expect([...new Set(predictions.folds)]).toHaveLength(10);
    const contender = { name, score: found, heldOut: predictions };
    const [comparison] = compare([contender, { ...contender, name: 'again' }], 1);
    expect(comparison).toMatchObject({
      difference: 0,
      interval: { low: 0, high: 0 },
      p: 1,
      method: 'bootstrap over 51 images and 6 sites',
    });
  });
});

describe('Appendix E of Linsley, Rodriguez et al.', () => {
  const folds = Array.from({ length: 14 }, (_, k) => ({
    name: `image ${k}`,
    test: Int32Array.of(2 * k, 2 * k + 1),
  }));

  it('fits on 7 of 13 images, chooses on the other 6, and sees the held-out one in neither', () => {
    const design = designOf('half', folds, 1);
    expect(design.splits).toHaveLength(14);
    design.inner!.forEach((inner, fold) => {
      expect(inner).toHaveLength(6);
      expect(inner.map((each) => each.fold)).not.toContain(fold);
      expect(inner.every(({ split }) => split === fold)).toBe(true);
      const test = new Set(heldOutRowsOf(design, fold));
      expect(test.size).toBe(2 * 7);
      for (const row of folds[fold]!.test) expect(test.has(row)).toBe(true);
    });
    const halves = design.inner!.map((inner) => inner.map(({ fold }) => fold).join());
    expect(new Set(halves).size).toBeGreaterThan(10);
    expect(designOf('half', folds, 2)).not.toEqual(design);
    expect(designOf('half', folds, 1)).toEqual(design);
  });

  it('of nested pairs, each is left out once for two folds', () => {
    const design = designOf('nested', folds, 1);
    const splits = splitsOf(design, 3, [2]);
    expect(splits).toHaveLength(14 + 91);
    expect(splits.slice(0, 14).every(({ sets }) => sets.join() === '0,1,2')).toBe(true);
    expect(splitsOf(design, 3, [])).toEqual(splits.slice(0, 14));
    expect(splits.slice(14).every(({ sets }) => sets.join() === '2')).toBe(true);
    design.inner!.forEach((inner, fold) => {
      expect(inner.map((each) => each.fold)).toEqual(
        folds.flatMap((_, other) => (other === fold ? [] : [other])),
      );
      for (const { fold: other, split } of inner)
        expect([...design.splits[split]!.heldOut].sort((a, b) => a - b)).toEqual(
          [fold, other].sort((a, b) => a - b),
        );
    });
  });
});
