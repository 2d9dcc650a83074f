import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRecording } from '../src/data/open-recording.ts';
import { npzParts } from '../src/formats/npz.ts';
import { writeRecording } from '../src/formats/recording-write.ts';
import { openNetwork } from '../src/models/network.ts';
import { createRandom } from '../src/numeric/random.ts';
import { standardDeviation } from '../src/numeric/statistics.ts';
import { withLearningCurve } from '../src/predictivity.ts';
import type { Float64Nd, FloatNd } from '../src/records/array.ts';
import { stoppedError } from '../src/records/errors.ts';
import { planSchema } from '../src/records/plan.ts';
import type { Ports } from '../src/records/ports.ts';
import type { PlsSettings, Protocol, RidgeSettings } from '../src/records/protocol.ts';
import { knownInput } from '../src/records/provenance.ts';
import { scoreSchema } from '../src/records/score.ts';
import { planScore, reopen, type ScoreRequest, score, writeScore } from '../src/score.ts';
import { protocolNamed } from '../src/scoring/protocols.ts';
import { encodeScore } from '../src/store/score-files.ts';
import { smallNetwork, temporaryFolder, testPorts, writeModel, writeStudy } from './small-study.ts';

const images = 60;
const sites = 4;
let ports: Ports;
let folder: string;
let model: string;
let recording: string;
let protocolFile: string;
let activations: Map<string, FloatNd>;
/** Responses of the sites, `[images, sites]`: linear functions of conv3. */
let linear: Float64Array;

const request = (overrides: Partial<ScoreRequest> = {}): ScoreRequest => ({
  candidate: model,
  preprocess: 'imagenet-224',
  recording,
  protocol: protocolFile,
  layers: null,
  memory: 1e9,
  seed: 1,
  ...overrides,
});

const run = async (asked: ScoreRequest, withPorts = ports) => {
  const job = await planScore(asked, withPorts);
  return { ...job, ...(await score(job, withPorts)) };
};

/** The file's text without the two fields that may differ between runs. */
const timeless = (bytes: Uint8Array): string =>
  new TextDecoder().decode(bytes).replace(/"(seconds|startedAt)": .*/g, '');

beforeAll(async () => {
  ports = await testPorts();
  folder = temporaryFolder();
  model = writeModel(folder, smallNetwork('batch'));
  const protocol: Protocol = {
    ...protocolNamed('image-cv', 'image')!,
    name: 'small',
    regression: {
      ...(protocolNamed('image-cv', 'image')!.regression as PlsSettings),
      components: 20,
    },
    ceiling: { kind: 'none' },
    interval: { level: 0.95, replicates: 100 },
  };
  protocolFile = join(folder, 'protocol.json');
  writeFileSync(protocolFile, JSON.stringify(protocol));
  // First any responses, to learn the activations; then sites that are linear functions of conv3.
  const noise: Float64Nd = {
    data: Float64Array.from({ length: images * sites }, (_, i) => Math.sin(i * i)),
    shape: [images, sites],
  };
  recording = await writeStudy(folder, ports, noise, { dims: ['stimulus', 'site'] }, images);
  const { features } = (await planScore(request(), ports)).handle;
  activations = new Map();
  for (const pass of features.passes)
    for (const source of await features.gather(pass, () => true, hooks))
      for await (const block of source.blocks()) activations.set(source.name, block);
  const conv3 = activations.get('conv3')!;
  const random = createRandom('readout');
  const weights = Float64Array.from({ length: conv3.shape[1]! * sites }, () => random.normal());
  linear = new Float64Array(images * sites);
  for (let i = 0; i < images; i++)
    for (let s = 0; s < sites; s++)
      for (let f = 0; f < conv3.shape[1]!; f++)
        linear[i * sites + s]! += conv3.data[i * conv3.shape[1]! + f]! * weights[f * sites + s]!;
  recording = await writeStudy(
    folder,
    ports,
    { data: linear, shape: [images, sites] },
    { dims: ['stimulus', 'site'] },
    images,
  );
});

const hooks = { progress: () => undefined, checkStop: () => undefined };

describe('ventral score, from stimuli to the best layer', () => {
  it('counts the time of a curve as its own', async () => {
    let clock = 0;
    const slow: Ports = { ...ports, now: () => (clock += 1000) };
    const plan = await planScore(request(), slow);
    const scored = await score(plan, slow);
    const { run } = (await withLearningCurve(plan.handle, scored, slow)).score.provenance;
    expect(run.seconds).toBeGreaterThan(scored.score.provenance.run.seconds!);
  });

  it('finds the layer that the sites are linear functions of, with a raw score of 1', async () => {
    const protocol = JSON.parse(JSON.stringify(protocolNamed('image-cv', 'image')!)) as Protocol;
    const all = join(folder, 'all.json');
    writeFileSync(
      all,
      JSON.stringify({
        ...protocol,
        regression: { ...protocol.regression, components: 32 },
        ceiling: { kind: 'none' },
      }),
    );
    const { score: found } = await run(request({ protocol: all }));
    expect(found.layer).toBe('conv3');
    expect(found.raw).toBeCloseTo(1, 9);
    expect(found.value).toBe(found.raw);
    expect(found.layers.map(({ layer, features }) => [layer, features])).toEqual([
      ['conv1', 400],
      ['conv2', 384],
      ['conv3', 32],
    ]);
    expect(found.layers[0]!.value!).toBeLessThan(0.99);
  });

  it('gives the same file twice, from a cold and from a warm cache', async () => {
    const first = await run(request());
    const warm = await run(request());
    const cold = await run(request(), await testPorts());
    expect(warm.plan.layers.every(({ done }) => done)).toBe(true);
    expect(timeless(encodeScore(warm.score))).toBe(timeless(encodeScore(first.score)));
    expect(timeless(encodeScore(cold.score))).toBe(timeless(encodeScore(first.score)));
    const written: unknown = JSON.parse(new TextDecoder().decode(encodeScore(first.score)));
    expect(scoreSchema.parse(written)).toEqual(first.score);
  });

  it('takes a layer that is too wide for the memory in slices, with the same predictions', async () => {
    const whole = await run(request());
    const sliced = await run(request({ memory: 200_000 }));
    expect(sliced.plan.layers.some(({ slices }) => slices > 1)).toBe(true);
    sliced.score.layers.forEach(({ value }, index) => {
      expect(value!).toBeCloseTo(whole.score.layers[index]!.value!, 9);
    });
  });

  it('scores a model with a fixed batch as it does one with a free batch', async () => {
    const free = await run(request());
    for (const batch of [1, 4]) {
      const path = writeModel(folder, smallNetwork(batch), `batch${batch}.onnx`);
      const fixed = await run(request({ candidate: path }));
      fixed.score.layers.forEach(({ value }, index) => {
        expect(value!).toBeCloseTo(free.score.layers[index]!.value!, 6);
      });
    }
  });

  it('goes on after an interrupt from the layers already done', async () => {
    const interrupted = await testPorts();
    let fits = 0;
    const stopping: Ports = {
      ...interrupted,
      cache: {
        get: interrupted.cache.get,
        put: async (key, value) => {
          await interrupted.cache.put(key, value);
          fits++;
        },
      },
      checkStop: () => {
        if (fits === 1) throw stoppedError();
      },
    };
    const plan = await planScore(request({ memory: 200_000 }), interrupted);
    await expect(score(plan, stopping)).rejects.toMatchObject({ kind: 'stopped' });
    const resumed = await planScore(request({ memory: 200_000 }), interrupted);
    expect(resumed.plan.layers.map(({ done }) => done)).toEqual([true, false, false]);
    const whole = await run(request({ memory: 200_000 }), await testPorts());
    const finished = await score(resumed, interrupted);
    expect(timeless(encodeScore(finished.score))).toBe(timeless(encodeScore(whole.score)));
  });

  it('never serves the fits of another model, image, seed or protocol', async () => {
    await run(request());
    const keys = async (asked: ScoreRequest) =>
      (await planScore(asked, ports)).handle.layers.map(({ key }) => key);
    const same = await keys(request());
    expect(await keys(request())).toEqual(same);
    const path = writeModel(folder, smallNetwork('batch', 1.001), 'other.onnx');
    const changed = [
      await keys(request({ candidate: path })),
      await keys(request({ candidate: model, preprocess: 'tf-224' })),
      await keys(request({ seed: 2 })),
      await keys(request({ protocol: 'image-cv' })).catch(() => ['no trials']),
    ];
    for (const each of changed) for (const key of each) expect(same).not.toContain(key);
  });

  it('carries out a plan that was stored as JSON, on the inputs that it was made with', async () => {
    const job = await planScore(request({ layers: ['conv3'] }), ports);
    const stored = planSchema.parse(JSON.parse(JSON.stringify(job.plan)));
    expect(stored).toEqual(job.plan);
    const again = await reopen(stored, ports);
    expect({ ...again.plan, estimate: null }).toEqual({ ...job.plan, estimate: null });
    expect(timeless(encodeScore((await score(again, ports)).score))).toBe(
      timeless(encodeScore((await score(job, ports)).score)),
    );
    const other = writeModel(folder, smallNetwork('batch', 1.002), 'later.onnx');
    await expect(reopen(stored, ports, { candidate: other })).rejects.toThrow(
      /^model .*\.onnx of the plan: expected the one that was planned with \(SHA-256 [0-9a-f]{12}…\), got another/,
    );
  });

  it('takes networks, recordings and activations that are in memory, with the same numbers', async () => {
    const fromFiles = await run(request());
    const network = await openNetwork({ name: 'in memory', bytes: readFileSync(model) }, ports);
    const { recording: opened } = fromFiles.handle;
    const inMemory = {
      header: opened.header,
      responses: opened.responses,
      stimuli: opened.stimuli,
      image: async ({ file }: { file: string }) =>
        readFileSync(join(opened.folder, 'stimuli', file)),
    };
    const both = await run(request({ candidate: network, recording: inMemory }));
    const valuesOf = (found: typeof both) => found.score.layers.map(({ value }) => value);
    expect(valuesOf(both)).toEqual(valuesOf(fromFiles));
    const { sha256 } = knownInput(both.score.provenance, 'recording');
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    const written = join(folder, 'from-memory');
    await writeRecording(written, inMemory, ports);
    expect(sha256).toBe((await openRecording(written, ports)).hash);
    expect(both.plan.candidate).toMatchObject({ path: null });
    await expect(reopen(both.plan, ports)).rejects.toThrow(
      'model in memory of the plan: expected a path, got an input that was in memory; give the model again',
    );
    const given = { activations: Object.fromEntries(activations) };
    const { image: _, ...imageless } = inMemory;
    const arrays = await run(request({ candidate: given, preprocess: null, recording: imageless }));
    arrays.score.layers.forEach(({ value }, index) => {
      expect(value!).toBeCloseTo(fromFiles.score.layers[index]!.value!, 12);
    });
    await expect(run(request({ recording: imageless }))).rejects.toThrow(
      'without one; give images',
    );
    await expect(run(request({ candidate: given }))).rejects.toThrow(
      'preprocess: expected a network',
    );
  });

  it('stops at a signal, and writes what is to be kept beside the score, or nothing', async () => {
    const job = await planScore(request(), ports);
    await expect(score(job, ports, { signal: { aborted: true } })).rejects.toMatchObject({
      kind: 'stopped',
    });
    const result = await score(job, ports, { signal: { aborted: false }, learningCurve: true });
    expect(result.score.learningCurve).not.toBeNull();
    const out = join(folder, 'library/score.json');
    await writeScore(out, result, ports, { keep: ['readout', 'predictions'] });
    expect(readdirSync(join(folder, 'library')).sort()).toEqual([
      'score.json',
      'score.json.predictions.npz',
      'score.json.readout.npz',
    ]);
    expect(scoreSchema.parse(JSON.parse(readFileSync(out, 'utf8')))).toEqual(result.score);
  });

  it('scores the same activations from a file, joined by stimulus id', async () => {
    const fromModel = await run(request());
    const order = createRandom('order').permutation(images);
    const ids = Array.from(order, (i) => `i${String(i).padStart(3, '0')}`);
    const arrays = Object.fromEntries(
      [...activations].map(([name, { data, shape }]) => {
        const columns = shape[1]!;
        const shuffled = new Float32Array(data.length);
        order.forEach((from, to) => {
          shuffled.set(data.subarray(from * columns, (from + 1) * columns), to * columns);
        });
        return [name, { data: shuffled, shape }];
      }),
    );
    const path = join(folder, 'features.npz');
    const parts = npzParts({ ...arrays, stimulus_id: { strings: ids, shape: [images] } });
    writeFileSync(path, Buffer.concat(parts));
    const fromFile = await run(request({ candidate: { activations: path }, preprocess: null }));
    expect(fromFile.score.provenance).toMatchObject({
      inputs: [
        { role: 'activations', name: 'features.npz' },
        { role: 'recording' },
        { role: 'stimuli', count: images },
        { role: 'protocol' },
      ],
    });
    fromFile.score.layers.forEach(({ value }, index) => {
      expect(value!).toBeCloseTo(fromModel.score.layers[index]!.value!, 12);
    });
  });

  it('scores by ridge, and says which strengths each fold chose', async () => {
    const protocol = JSON.parse(readFileSync(protocolFile, 'utf8')) as Protocol;
    const ridge: RidgeSettings = {
      kind: 'ridge',
      alphas: [1e-6, 1e-4, 1e-2, 1],
      unit: 'mean-square',
      choose: 'leave-one-out',
      perTarget: true,
    };
    const byRidge = async (settings: RidgeSettings) => {
      const path = join(folder, 'ridge.json');
      writeFileSync(path, JSON.stringify({ ...protocol, regression: settings }));
      return run(request({ protocol: path }));
    };
    const { score: found } = await byRidge(ridge);
    expect(found.layer).toBe('conv3');
    expect(found.raw).toBeGreaterThan(0.99);
    const { alphas, regression } = found.layers[2]!;
    expect(regression).toBe('float64 gram');
    expect(alphas).toHaveLength(10);
    // The sites are exactly linear in conv3, so that hardly any penalty is best.
    for (const fold of alphas!)
      expect(fold.every((alpha) => ridge.alphas.slice(0, 2).includes(alpha))).toBe(true);
    const warm = await byRidge(ridge);
    expect(warm.plan.layers.every(({ done }) => done)).toBe(true);
    expect(timeless(encodeScore(warm.score))).toBe(timeless(encodeScore(found)));
    const common = await byRidge({ ...ridge, perTarget: false, alphas: [0.5] });
    expect(common.plan.layers.some(({ done }) => done)).toBe(false);
    expect(common.score.layers[0]!.alphas).toEqual(Array.from({ length: 10 }, () => [0.5]));
    expect((await run(request())).score.layers[0]!.alphas).toBeNull();
  });

  it.each([
    ['PLS', null],
    ['ridge', { kind: 'ridge', unit: 'absolute', choose: 'gcv', perTarget: false }],
  ] as const)('fits a readout on all rows that predicts as %s does', async (name, settings) => {
    const protocol = JSON.parse(readFileSync(protocolFile, 'utf8')) as Protocol;
    const regression = settings === null ? protocol.regression : { ...settings, alphas: [1e-3, 1] };
    const path = join(folder, `readout-${name}.json`);
    writeFileSync(path, JSON.stringify({ ...protocol, regression }));
    const { handle, readout, score: found } = await run(request({ protocol: path }));
    const { weights, offset } = await readout();
    const x = activations.get(found.layer)!;
    const [rows, columns] = x.shape as [number, number];
    expect(weights.shape).toEqual([columns, sites]);
    const { data } = handle.laidOut.scored.responses;
    let residual = 0;
    let total = 0;
    for (let i = 0; i < rows; i++)
      for (let s = 0; s < sites; s++) {
        let predicted = offset[s]!;
        for (let f = 0; f < columns; f++)
          predicted += x.data[i * columns + f]! * weights.data[f * sites + s]!;
        residual += (predicted - data[i * sites + s]!) ** 2;
        total += data[i * sites + s]! ** 2;
      }
    expect(residual / total).toBeLessThan(0.05);
  });

  it('fits all time bins in one pass, each as it would be alone, and scores the one with the best ceiling', async () => {
    const random = createRandom('bins');
    const trials = 4;
    const spread = standardDeviation(linear);
    const noise = [1.5 * spread, 0.3 * spread, spread];
    const data = new Float64Array(images * 3 * trials * sites);
    for (let i = 0; i < images; i++)
      for (let b = 0; b < 3; b++)
        for (let t = 0; t < trials; t++)
          for (let s = 0; s < sites; s++)
            data[((i * 3 + b) * trials + t) * sites + s] =
              linear[i * sites + s]! + noise[b]! * random.normal();
    const binned = await writeStudy(
      temporaryFolder(),
      ports,
      { data, shape: [images, 3, trials, sites] },
      {
        dims: ['stimulus', 'time', 'trial', 'site'],
        timeBins: [50, 90, 130].map((start) => ({ start, end: start + 40 })),
      },
      images,
    );
    const asked = {
      ...request({ recording: binned, protocol: null }),
      ...{ layers: ['conv2', 'conv3'], timeCourseSites: 'own' as const },
    };
    const all = await run(asked);
    expect(all.score.timeBin).toEqual({ start: 90, end: 130 });
    const course = all.score.timeCourse!;
    expect(course.timeBins.map(({ start }) => start)).toEqual([50, 90, 130]);
    expect(course.ceilings[1]).toBe(all.score.ceiling);
    expect(course.ceilings[0]!).toBeLessThan(course.ceilings[2]!);
    expect(course.layers.map(({ layer, value }) => [layer, value[1]])).toEqual(
      all.score.layers.map(({ layer, value }) => [layer, value]),
    );
    const best = await run({ ...asked, timeBins: 'best' });
    expect(best.score.timeCourse).toBeNull();
    best.score.layers.forEach(({ value }, index) => {
      expect(value!).toBeCloseTo(all.score.layers[index]!.value!, 9);
    });
    const protocol = { ...protocolNamed('image-cv', 'image')!, timeBin: { start: 50, end: 90 } };
    const file = join(folder, 'first-bin.json');
    writeFileSync(file, JSON.stringify(protocol));
    const first = await run({ ...asked, protocol: file, timeBins: 'best' });
    first.score.layers.forEach(({ value }, index) => {
      expect(value!).toBeCloseTo(course.layers[index]!.value[0]!, 9);
    });
  });
});
