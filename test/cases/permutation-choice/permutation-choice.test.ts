// Layers of noise that know nothing of the responses: the best of eight was held against permutations of that one layer,
// so that 28 % of such worlds had p ≤ .05. Each permutation has to choose its layer as the score does.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  allChosen,
  drawnSets,
  nothingChosen,
  withLayer,
} from '../../../src/controls/chosen-draws.ts';
import { type PermutationBasis, permutationNulls } from '../../../src/controls/permutation-run.ts';
import { npzParts } from '../../../src/formats/npz.ts';
import { heldSource } from '../../../src/models/features.ts';
import { createRandom, type Random } from '../../../src/numeric/random.ts';
import { mean, standardDeviation } from '../../../src/numeric/statistics.ts';
import type { Features } from '../../../src/records/activations.ts';
import type { Ports } from '../../../src/records/ports.ts';
import type { Protocol } from '../../../src/records/protocol.ts';
import type { Recording } from '../../../src/records/recording.ts';
import { fitLayer } from '../../../src/scoring/fit-layer.ts';
import { layOut } from '../../../src/scoring/lay-out.ts';
import { protocolNamed } from '../../../src/scoring/protocols.ts';
import { plainEngine } from '../../plain-engine.ts';
import { testPorts, writeStudy } from '../../small-study.ts';
import { openCase } from '../run-case.ts';

const images = 20;
const sites = 1;
const width = 3;
const layers = 8;

const noise = (random: Random, count: number): Float32Array =>
  Float32Array.from({ length: count }, () => random.normal());

const recordingOf = (random: Random): Recording => ({
  header: {
    kind: 'recording',
    format: 2,
    name: 'noise',
    species: 'none',
    dims: ['stimulus', 'site'],
    sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
    timeBins: [{ start: 0, end: 100 }],
    grid: null,
    unit: 'none',
    licence: null,
    citation: null,
    notes: [],
  },
  responses: {
    data: Float64Array.from(noise(random, images * sites)),
    shape: [images, sites],
  },
  stimuli: Array.from({ length: images }, (_, i) => ({ id: `i${i}`, file: '', columns: {} })),
  folder: '',
  hash: '',
  warnings: [],
});

const featuresOf = (random: Random): Features => {
  const sizes = Array.from({ length: layers }, (_, k) => {
    const name = `layer${k}`;
    return { name, tensor: name, features: width };
  });
  const data = new Map(sizes.map(({ name }) => [name, noise(random, images * width)]));
  return {
    layers: sizes,
    passes: [{ layers: sizes, slices: 1 }],
    seconds: 0,
    modelBytes: 0,
    identity: {},
    warnings: [],
    gather: async (pass, wanted) =>
      pass.layers
        .filter(wanted)
        .map(({ name }) =>
          heldSource(name, { data: data.get(name)!.slice(), shape: [images, width] }),
        ),
  };
};

const protocolOf = (layerChoice: Protocol['layerChoice'], folds: number): Protocol => {
  const base = protocolNamed('image-cv', 'image')!;
  return {
    ...base,
    layerChoice,
    ceiling: { kind: 'none' },
    folds: { kind: 'k-fold', count: folds, shuffle: true, stratifyBy: null, groupBy: null },
    regression: { ...base.regression, components: 1 } as Protocol['regression'],
  };
};

/** The score of one world as the protocol has it, and its null. */
const world = async (protocol: Protocol, seed: number, ports: Ports) => {
  const random = createRandom(`noise world ${seed}`);
  const recording = recordingOf(random);
  const laidOut = layOut(protocol, recording, seed, 'all');
  const basis: PermutationBasis = {
    ...{ laidOut, features: featuresOf(random), stimuli: recording.stimuli },
    ...{ seed, asked: 200, memory: 1e9 },
  };
  const { layout, scored } = laidOut;
  let chosen = nothingChosen(layout, [scored]);
  const hooks = { checkStop: ports.checkStop, progress: () => undefined };
  for (const source of await basis.features.gather(basis.features.passes[0]!, () => true, hooks)) {
    const fit = await fitLayer(layout, drawnSets(layout, [scored]), source, ports);
    chosen = withLayer(layout, [scored], chosen, fit);
  }
  const score = allChosen(layout, [scored], chosen).draws[0]!.value!;
  const keeper = { get: async () => null, put: async () => undefined };
  const [permuted] = await permutationNulls(basis, score, keeper, ports);
  return { score, null: permuted!.value!, p: permuted!.difference!.p };
};

const worlds = async (protocol: Protocol, count: number) => {
  const ports = await testPorts({ engine: plainEngine() });
  const found: Awaited<ReturnType<typeof world>>[] = [];
  for (let seed = 0; seed < count; seed++) found.push(await world(protocol, seed, ports));
  return found;
};

/** 5 % and two standard errors of a share of `count` worlds. */
const limit = (count: number): number => 0.05 + 2 * Math.sqrt((0.05 * 0.95) / count);

const share = (found: Awaited<ReturnType<typeof worlds>>): number =>
  found.filter(({ p }) => p <= 0.05).length / found.length;

/** What permutations reach is what other noise reaches: score and null differ by no more than two standard errors. */
const expectSameMean = (found: Awaited<ReturnType<typeof worlds>>): void => {
  const differences = found.map((each) => each.score - each.null);
  const error = standardDeviation(differences) / Math.sqrt(differences.length);
  expect(Math.abs(mean(differences))).toBeLessThan(2 * error);
};

describe('layers of noise beside their permutations', () => {
  it('have p ≤ .05 in no more than 5 % of 400 worlds, the best of eight layers taken', async () => {
    const found = await worlds(protocolOf('best', 2), 400);
    expect(share(found)).toBeLessThanOrEqual(limit(400));
    expect(share(found)).toBeGreaterThan(0.02);
    expectSameMean(found);
    // The gain of the choice, which permutations of one layer do not have.
    expect(mean(found.map((each) => each.null))).toBeGreaterThan(0.15);
  });

  it('have p ≤ .05 in no more than 5 % of 60 worlds, a layer chosen for each fold', async () => {
    const found = await worlds(protocolOf('nested', 3), 60);
    expect(share(found)).toBeLessThanOrEqual(limit(60));
    expectSameMean(found);
  });

  const { work, score } = openCase();

  it('are told from chance by one lucky layer alone, and not where it was chosen among eight', async () => {
    const count = 40;
    const ports = await testPorts();
    const random = createRandom('case 0');
    const responses = { data: Float64Array.from(noise(random, count * 4)), shape: [count, 4] };
    const recording = await writeStudy(
      work,
      ports,
      responses,
      { dims: ['stimulus', 'site'] },
      count,
    );
    const activations = join(work, 'noise.npz');
    const arrays = Object.fromEntries(
      Array.from({ length: layers }, (_, k) => [
        `layer${k}`,
        { data: noise(random, count * 10), shape: [count, 10] },
      ]),
    );
    writeFileSync(activations, Buffer.concat(npzParts(arrays)));
    const protocol = join(work, 'protocol.json');
    writeFileSync(protocol, JSON.stringify({ ...protocolOf('best', 4), name: 'noise' }));
    const run = async (...args: readonly string[]) => {
      const found = await score(
        ...['--activations', activations, '--recording', recording, '--protocol', protocol],
        ...['--nulls', '--permutations', '60', ...args],
      );
      return { ...found, permuted: found.score.nulls![0]! };
    };
    // Few of 60 permutations of layer3 reach it; of the best of eight layers, ten of the first draws do.
    const one = await run('--layers', 'layer3');
    expect(one.permuted.difference!.p).toBeLessThan(0.05);
    expect(one.permuted.draws).toBe(60);
    expect(Math.abs(one.permuted.value!)).toBeLessThan(0.05);
    const all = await run();
    expect(all.score.layer).toBe('layer3');
    expect(all.score.value).toBeCloseTo(one.score.value, 9);
    const { draws } = all.permuted;
    const p = all.permuted.difference!.p;
    // It ends at the draw with which ten had reached the score.
    const ended = Math.round(10 / p);
    expect(p).toBe(10 / ended);
    expect(ended).toBeLessThanOrEqual(draws!);
    expect(p).toBeGreaterThan(0.1);
    // What the choice among eight layers of noise gains.
    expect(all.permuted.value! - one.permuted.value!).toBeGreaterThan(0.1);
    const text = `p ${p.toFixed(3)}`;
    expect(all.stdout).toContain(
      `stimuli permuted (mean of ${draws}): ${text}, one-sided rank among permutations, ended when 10 of ${ended} had reached the score`,
    );
    expect(all.score.warnings).toContain(
      `the score is within what responses of permuted stimuli give: one-sided ${text} (one-sided rank among permutations, ended when 10 of ${ended} had reached the score)`,
    );
  });
});
