import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { plantedNetwork } from '../src/architectures/planted.ts';
import { permutedSets } from '../src/controls/permutations.ts';
import { npyParts } from '../src/formats/npy.ts';
import { npzParts } from '../src/formats/npz.ts';
import { writeRecording } from '../src/formats/recording-write.ts';
import { encodeModel } from '../src/graph/encode.ts';
import { openNetwork } from '../src/models/network.ts';
import { randomTwin } from '../src/models/twin.ts';
import { planNulls, scoreNulls } from '../src/nulls.ts';
import { createRandom } from '../src/numeric/random.ts';
import { stoppedError } from '../src/records/errors.ts';
import type { Ports } from '../src/records/ports.ts';
import type { PlsSettings, Protocol } from '../src/records/protocol.ts';
import { type NullScore, type Score, scoreSchema } from '../src/records/score.ts';
import { nullLines, nullPlanLine } from '../src/report/null-report.ts';
import { planScore, type ScoreRequest, score } from '../src/score.ts';
import { protocolNamed } from '../src/scoring/protocols.ts';
import { encodeScore } from '../src/store/score-files.ts';
import { createWorld, worldSettings } from '../src/world/world.ts';
import { smallNetwork, temporaryFolder, testPorts, writeModel, writeStudy } from './small-study.ts';

let ports: Ports;
let folder: string;
beforeAll(async () => {
  ports = await testPorts();
  folder = temporaryFolder();
});

/** With few permutations: their number is tested where it matters. */
const run = async (request: ScoreRequest, withPorts = ports, permutations = 20) => {
  const job = await planScore(request, withPorts);
  const nulls = await planNulls(job.handle, withPorts, permutations);
  const found = await score(job, withPorts, { nulls });
  return { nulls, score: found.score };
};

const named = ({ nulls }: Pick<Score, 'nulls'>, name: NullScore['name']): NullScore =>
  nulls!.find((each) => each.name === name)!;

const beaten = (each: NullScore): boolean => each.difference!.interval!.low > 0;

const timeless = (found: Score): string =>
  new TextDecoder().decode(encodeScore(found)).replace(/"(seconds|startedAt)": .*/g, '');

describe('the nulls of a score on a grid', () => {
  let found: Score;

  /** The demo's V4, small, with a map added to each site that is the same for all images. */
  const writeWorld = async (): Promise<string> => {
    const settings = worldSettings(3);
    const [v4] = settings.areas;
    const { scenes, recordings } = createWorld({
      scenes: { ...settings.scenes, count: 10 },
      areas: [
        {
          ...v4!,
          sites: 8,
          fixations: 6,
          step: 24,
          trials: 6,
          course: [1],
          timeBins: [v4!.timeBins[1]!],
        },
      ],
    });
    const [{ header, responses, stimuli }] = recordings as [(typeof recordings)[0]];
    const [sites, images, side] = [8, stimuli.length, 6];
    const random = createRandom('maps');
    const spikes = Float64Array.from(responses.data);
    for (let s = 0; s < sites; s++) {
      const [x, y] = [random.int(side), random.int(side)];
      for (let i = 0; i < images; i++)
        for (let position = 0; position < side * side; position++) {
          const [row, column] = [Math.floor(position / side), position % side];
          const bump = Math.exp(-((row - y) ** 2 + (column - x) ** 2) / 8);
          const at = ((s * images + i) * side * side + position) * 6;
          for (let t = 0; t < 6; t++) spikes[at + t]! += 0.5 * bump;
        }
    }
    const path = join(folder, 'world');
    await writeRecording(
      path,
      {
        header,
        responses: { data: spikes, shape: responses.shape },
        stimuli,
        image: (_, index) => ports.images.encode(scenes[index]!.pixels),
      },
      ports,
      { replace: true },
    );
    return path;
  };

  beforeAll(async () => {
    const model = join(folder, 'planted.onnx');
    writeFileSync(model, encodeModel(plantedNetwork()));
    const preprocess = join(folder, 'as-they-are.json');
    writeFileSync(
      preprocess,
      JSON.stringify({
        name: 'as-they-are',
        resize: { kind: 'none' },
        crop: null,
        interpolation: 'bilinear',
        library: 'pil',
        channels: 'RGB',
        scale: 1 / 255,
        mean: [0, 0, 0],
        std: [1, 1, 1],
      }),
    );
    const result = await run({
      candidate: model,
      preprocess,
      recording: await writeWorld(),
      protocol: 'grid-cv',
      layers: ['v4.pool'],
      memory: 2e9,
      seed: 1,
    });
    found = result.score;
  });

  it('are those of the layout, in order', () => {
    expect(found.nulls!.map(({ name }) => name)).toEqual([
      'permuted-maps',
      'shuffled-positions',
      'mean-map',
      'position',
      'pixels',
      'random-twin',
    ]);
  });

  it('find the map that images have in common, which the planted network beats', () => {
    for (const name of ['mean-map', 'position'] as const) {
      const { value, interval, difference } = named(found, name);
      expect(value!).toBeGreaterThan(0.05);
      expect(interval!.low).toBeGreaterThan(0);
      expect(difference!.value).toBeCloseTo(found.value - value!, 9);
      expect(difference!.method).toBe(
        't over 10 images, corrected for shared training images, about these sites',
      );
      expect(difference!.interval!.low).toBeGreaterThan(0);
      expect(difference!.interval!.high).toBeLessThan(1.2 * found.value);
      expect(difference!.p).toBeLessThan(0.05);
    }
    expect(named(found, 'position').note).toBe('PLS with 15 components, as many as features');
  });

  it('find nothing in positions that were shuffled, and the network above every permutation', () => {
    const shuffled = named(found, 'shuffled-positions');
    expect(Math.abs(shuffled.value!)).toBeLessThan(0.05);
    for (const each of [shuffled, named(found, 'permuted-maps')]) {
      expect(each.layer).toBeNull();
      expect(each.draws).toBe(20);
      expect(each.difference!.p).toBe(1 / 21);
      expect(each.difference!.interval!.low).toBeGreaterThan(0);
    }
    expect(shuffled.note).toBe('a check on the sanity of the rest, on which no test rests');
  });

  it('let the planted network beat pixels and its twin, and warn of nothing', () => {
    for (const name of ['pixels', 'random-twin'] as const)
      expect([name, beaten(named(found, name))]).toEqual([name, true]);
    const twin = named(found, 'random-twin');
    expect(twin.layer).toBe('v4.pool');
    expect(twin.draws).toBe(3);
    expect(twin.interval!.method).toBe('range of single ones of 3 draws');
    expect(found.warnings.filter((warning) => warning.includes('beat'))).toEqual([]);
  });
});

describe('the nulls of a score on images', () => {
  const images = 60;
  const sites = 6;
  let protocol: string;
  let recording: string;
  let model: string;

  const request = (overrides: Partial<ScoreRequest> = {}): ScoreRequest => ({
    candidate: model,
    preprocess: 'imagenet-224',
    recording,
    protocol,
    layers: null,
    memory: 1e9,
    seed: 1,
    ...overrides,
  });

  beforeAll(async () => {
    model = writeModel(folder, smallNetwork('batch'));
    const base = protocolNamed('image-cv', 'image')!;
    const small: Protocol = {
      ...base,
      name: 'small',
      regression: { ...(base.regression as PlsSettings), components: 20 },
      ceiling: { kind: 'none' },
      interval: { level: 0.95, replicates: 100 },
    };
    protocol = join(folder, 'protocol.json');
    writeFileSync(protocol, JSON.stringify(small));
    const random = createRandom('sites');
    // First any responses, to learn the activations of conv3; then sites that are linear functions of them.
    const noise = Float64Array.from({ length: images * sites }, () => random.normal());
    const dims = ['stimulus', 'site'] as const;
    const write = (data: Float64Array): Promise<string> =>
      writeStudy(folder, ports, { data, shape: [images, sites] }, { dims: [...dims] }, images);
    recording = await write(noise);
    const { features } = (await planScore(request({ layers: ['conv3'] }), ports)).handle;
    const [source] = await features.gather(features.passes[0]!, () => true, {
      progress: () => undefined,
      checkStop: () => undefined,
    });
    const linear = new Float64Array(images * sites);
    for await (const { data, shape } of source!.blocks()) {
      const weights = Float64Array.from({ length: shape[1]! * sites }, () => random.normal());
      for (let i = 0; i < images; i++)
        for (let s = 0; s < sites; s++)
          for (let f = 0; f < shape[1]!; f++)
            linear[i * sites + s]! += data[i * shape[1]! + f]! * weights[f * sites + s]!;
    }
    recording = await write(linear);
  });

  it('are permutations near 0, pixels and the twin, which a network that the sites are made of beats', async () => {
    const { score: found, nulls } = await run(request());
    expect(found.nulls!.map(({ name }) => name)).toEqual([
      'permuted-stimuli',
      'pixels',
      'random-twin',
    ]);
    const permuted = named(found, 'permuted-stimuli');
    expect(Math.abs(permuted.raw!)).toBeLessThan(0.1);
    expect(permuted.layer).toBeNull();
    expect(permuted.difference!.p).toBe(1 / 21);
    expect(permuted.difference!.method).toBe(
      'one-sided rank among 20 permutations, of which 0 reach the score',
    );
    expect(permuted.interval!.method).toBe('range of single ones of 20 permutations');
    const twin = named(found, 'random-twin');
    expect(twin.difference!.method).toBe('bootstrap over 60 images and 6 sites, mean of 3 draws');
    expect(beaten(twin)).toBe(true);
    expect(beaten(named(found, 'pixels'))).toBe(true);
    expect(named(found, 'pixels').layer).toBe('pixels');
    expect(scoreSchema.parse(JSON.parse(new TextDecoder().decode(encodeScore(found))))).toEqual(
      found,
    );
    expect(nullPlanLine(nulls)).toMatch(
      /^nulls: up to 20 permutations of 3 layers, pixels \(1 layer\), random-twin \(3 draws of 3 layers\); at most about \d+ MB of memory and \d+ s more$/,
    );
    const lines = nullLines(found);
    expect(lines.find((line) => line.startsWith('random-weight twin'))).toContain(
      twin.difference!.value.toFixed(3),
    );
  });

  it('are carried out once: a second run finds all of them done, and gives the same file', async () => {
    const cold = await testPorts();
    const first = await run(request(), cold);
    const again = await run(request(), cold);
    for (const { draws } of again.nulls.rivals)
      for (const { layers } of draws) expect(layers.every(({ done }) => done)).toBe(true);
    expect(again.nulls.estimate.seconds).toBe(0);
    expect(timeless(again.score)).toBe(timeless(first.score));
  });

  it('go on after an interrupt from what was finished', async () => {
    const kept = await testPorts();
    const plan = await planScore(request(), kept);
    const found = await score(plan, kept);
    let puts = 0;
    let stopAt = 2;
    const stopping: Ports = {
      ...kept,
      cache: {
        get: kept.cache.get,
        put: async (key, value) => {
          await kept.cache.put(key, value);
          puts++;
        },
      },
      checkStop: () => {
        // After two of three layers of the permutations, and then after the rest, pixels, and a layer of the first twin.
        if (puts === stopAt) throw stoppedError();
      },
    };
    for (; stopAt <= 5; stopAt += 3)
      await expect(
        scoreNulls(await planNulls(plan.handle, kept, 20), found, stopping),
      ).rejects.toMatchObject({ kind: 'stopped' });
    expect(puts).toBe(5);
    const rest = await planNulls(plan.handle, kept, 20);
    const done = rest.rivals.map(({ name, draws }) => [
      name,
      ...draws.map(({ layers }) => layers.map((layer) => layer.done)),
    ]);
    const none = [false, false, false];
    expect(done).toEqual([
      ['pixels', [true]],
      ['random-twin', [true, false, false], none, none],
    ]);
    const finished = await scoreNulls(rest, found, kept);
    expect(timeless(finished.score)).toBe(timeless((await run(request())).score));
  });

  it('warn of a network that is no better than its twin: a twin itself', async () => {
    const twin = await randomTwin(await openNetwork(model, ports), 5, ports);
    const path = writeModel(folder, twin.network!.bytes, 'twin.onnx');
    const { score: found } = await run(request({ candidate: path }));
    expect(beaten(named(found, 'random-twin'))).toBe(false);
    const warning = found.warnings.find((each) => each.includes('its twins with random weights'))!;
    expect(warning).toMatch(
      /^the network does not beat its twins with random weights: difference -?0\.\d{3}, 95 % interval \[-0\.\d{3}, -?0\.\d{3}\]$/,
    );
  });

  it('say of activations from a file that they have no twin, and of which pixels they speak', async () => {
    const path = join(folder, 'noise.npy');
    const random = createRandom('activations');
    const data = Float32Array.from({ length: images * 30 }, () => random.normal());
    writeFileSync(path, Buffer.concat(npyParts({ data, shape: [images, 30] })));
    const { score: found, nulls } = await run(
      request({ candidate: { activations: path }, preprocess: null }),
    );
    expect(named(found, 'random-twin')).toEqual({
      name: 'random-twin',
      value: null,
      raw: null,
      interval: null,
      layer: null,
      draws: null,
      difference: null,
      note: 'not applicable to activations from a file',
    });
    expect(nullPlanLine(nulls)).toContain(
      'random-twin (not applicable to activations from a file)',
    );
    const pixels = named(found, 'pixels');
    expect(pixels.note).toBe('preprocessing imagenet-224');
    expect(pixels.value).not.toBeNull();
    // Noise beats nothing.
    expect(found.warnings.some((each) => each.startsWith('the network does not beat pixels'))).toBe(
      true,
    );
    expect(nullLines(found).join('\n')).toMatch(/^random-weight twin( +–){7}$/m);
  });

  it('score a permutation as they would a recording in which the responses were exchanged', async () => {
    const own = JSON.parse(readFileSync(protocol, 'utf8')) as Protocol;
    const elsewhere = temporaryFolder();
    const random = createRandom('exchanged');
    const activations = join(folder, 'three.npz');
    const layers = ['a', 'b', 'c'].map((name) => {
      const data = Float32Array.from({ length: images * 30 }, () => random.normal());
      return [name, { data, shape: [images, 30] }] as const;
    });
    writeFileSync(activations, Buffer.concat(npzParts(Object.fromEntries(layers))));
    // Two equal trials: every ceiling is 1.
    const responses = Float64Array.from({ length: images * sites }, () => random.normal());
    const write = (order: ArrayLike<number>) => {
      const data = Float64Array.from({ length: images * 2 * sites }, (_, k) => {
        const image = order[Math.floor(k / (2 * sites))]!;
        return responses[image * sites + (k % sites)]!;
      });
      const dims = ['stimulus', 'trial', 'site'] as const;
      return writeStudy(
        elsewhere,
        ports,
        { data, shape: [images, 2, sites] },
        { dims: [...dims] },
        images,
      );
    };
    const brainScore = protocolNamed('brainscore-like-2020', 'image')!;
    const kinds: readonly Protocol[] = [
      { ...own, name: 'best' },
      {
        ...own,
        name: 'nested',
        layerChoice: 'nested',
        ceiling: protocolNamed('ventral', 'image')!.ceiling,
      },
      {
        ...brainScore,
        name: 'overlapping',
        folds: { ...brainScore.folds, count: 4 } as Protocol['folds'],
      },
    ];
    for (const kind of kinds) {
      const path = join(folder, `${kind.name}.json`);
      writeFileSync(path, JSON.stringify(kind));
      const candidate = { activations };
      const plan = await planScore(
        request({
          candidate,
          preprocess: null,
          protocol: path,
          recording: await write(Uint8Array.from({ length: images }, (_, i) => i)),
        }),
        ports,
      );
      const found = await score(plan, ports);
      const nulls = await scoreNulls(await planNulls(plan.handle, ports, 1), found, ports);
      // The order of draw 0, from a table that says where each row was.
      const { layout, scored } = plan.handle.laidOut;
      const places = {
        data: Float64Array.from({ length: images * sites }, (_, k) => Math.floor(k / sites)),
        shape: [images, sites],
      };
      const units = Int32Array.from({ length: images }, (_, i) => i);
      const [set] = permutedSets(
        layout,
        { ...scored, responses: places },
        { kind: 'permuted-stimuli', draws: [0, 1], units },
        1,
      );
      const order = Array.from({ length: images }, (_, i) => set!.responses.data[i * sites]!);
      expect(order).not.toEqual([...units]);
      const other = await planScore(
        request({ candidate, preprocess: null, protocol: path, recording: await write(order) }),
        ports,
      );
      const permuted = await score(other, ports);
      const [null_] = nulls.score.nulls!;
      expect([kind.name, null_!.draws, null_!.interval]).toEqual([kind.name, 1, null]);
      expect(null_!.value).toBeCloseTo(permuted.score.value, 9);
      expect(null_!.raw).toBeCloseTo(permuted.score.raw, 9);
      expect(Math.abs(found.score.value - permuted.score.value)).toBeGreaterThan(1e-3);
    }
  });

  it('follow a nested choice of the layer, and ridge', async () => {
    const own = JSON.parse(readFileSync(protocol, 'utf8')) as Protocol;
    const path = join(folder, 'nested.json');
    const regression = {
      kind: 'ridge',
      alphas: [0.01, 1],
      unit: 'mean-square',
      choose: 'leave-one-out',
      perTarget: false,
    };
    writeFileSync(path, JSON.stringify({ ...own, layerChoice: 'nested', regression }));
    const { score: found } = await run(request({ protocol: path }));
    expect(found.nestedSelection).not.toBeNull();
    const twin = named(found, 'random-twin');
    expect(twin.difference!.value).toBeCloseTo(found.value - twin.value!, 12);
    expect(beaten(twin)).toBe(true);
    expect(Math.abs(named(found, 'permuted-stimuli').raw!)).toBeLessThan(0.1);
  });
});
