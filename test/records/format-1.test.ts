import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareJson, compareTexts } from '../../bench/compare-json.ts';
import { table } from '../../bench/same-table.ts';
import { compare } from '../../src/analysis/compare.ts';
import { depthProfile } from '../../src/analysis/profile.ts';
import { readRecording } from '../../src/formats/recording.ts';
import { writeRecording } from '../../src/formats/recording-write.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { createNodeHash } from '../../src/node/hash.ts';
import { findInput, knownInput } from '../../src/records/provenance.ts';
import { alignmentLines } from '../../src/report/alignment-report.ts';
import { profileLines } from '../../src/report/profile.ts';
import { scoreLines } from '../../src/report/score-report.ts';
import { siteCeilingLines } from '../../src/report/site-ceiling.ts';
import { encodeAlignment, readAlignment, readSaliency } from '../../src/store/alignment-files.ts';
import { readReadout } from '../../src/store/readout-files.ts';
import {
  encodeProfile,
  encodeScore,
  encodeSiteCeilings,
  readLayerPredictions,
  readPredictions,
  readProfile,
  readScore,
  readSiteCeilings,
} from '../../src/store/score-files.ts';
import { createMemoryFiles } from '../memory-files.ts';
import { temporaryFolder } from '../small-study.ts';

// Written by revision f5ea128: see `format-1/make-files.ts`.
const files = createNodeFiles();
const hash = createNodeHash();
const folder = join(import.meta.dirname, 'format-1');
const at = (name: string): string => join(folder, name);
const json = (name: string) => JSON.parse(readFileSync(at(name), 'utf8'));
const printed: Readonly<Record<string, string>> = json('printed.json');

/** What files of the first format lacked, and has a value for what is not known. */
const later = {
  ...table,
  added: [
    ...table.added,
    ...['place', 'draws', 'common', 'timeCourse.sites', 'ownSites', 'responses'],
    ...['protocol.missing', 'networkLayers', 'halves', 'split'],
  ],
};
const differences = (before: unknown, after: unknown) =>
  compareJson(before, JSON.parse(JSON.stringify(after)), later);
const printedAs = (name: string, lines: readonly string[]) =>
  compareTexts(printed[name]!, lines.join('\n'));

const read = {
  'v4.json': readScore,
  'it.json': readScore,
  'other.json': readScore,
  'profile.json': readProfile,
  'ceiling.json': readSiteCeilings,
  'alignment.json': readAlignment,
  'given.json': readAlignment,
  'saliency/saliency.json': readSaliency,
};

describe('files of the first format', () => {
  it.each(Object.entries(read))('%s is read with the numbers that it has', async (name, by) => {
    const found = await by(at(name), files);
    expect(found.format).toBe(2);
    expect(differences(json(name), found)).toEqual([]);
    for (const { sha256, role } of found.provenance.inputs)
      if (role !== 'preprocessing' && !(found.kind === 'depth-profile' && role === 'score'))
        expect(sha256, role).toMatch(/^[0-9a-f]{64}$/);
  });

  it('are the same when they are written and read again', async () => {
    const again = async <T>(
      found: T,
      encode: (it: T) => Uint8Array,
      by: (path: string, from: ReturnType<typeof createMemoryFiles>) => Promise<T>,
    ) => {
      const written = createMemoryFiles({ x: encode(found) });
      expect(await by('x', written)).toEqual(found);
    };
    await again(await readScore(at('v4.json'), files), encodeScore, readScore);
    await again(await readProfile(at('profile.json'), files), encodeProfile, readProfile);
    await again(
      await readSiteCeilings(at('ceiling.json'), files),
      encodeSiteCeilings,
      readSiteCeilings,
    );
    await again(await readAlignment(at('given.json'), files), encodeAlignment, readAlignment);
    await again(
      await readSaliency(at('saliency/saliency.json'), files),
      encodeAlignment,
      readSaliency,
    );
  });

  it('have their fields under the present names', async () => {
    const [old, score] = [json('v4.json'), await readScore(at('v4.json'), files)];
    expect(score.nestedSelection!.optimism).toBe(old.choice.optimism);
    expect(score.nestedSelection!.scores.alphas).toEqual(old.choice.scores.strengths);
    expect(score.layers[0]!.alphas).toEqual(old.layers[0].strengths);
    expect(score.learningCurve!.trials).toEqual(old.curve.trials);
    expect(score.protocol.regression).toMatchObject({ alphas: [0.01, 0.1, 1] });
    const { images, sites } = old.interval;
    expect(score.interval!.n).toEqual({ images, sites });
    const { difference } = score.nulls!.find(({ name }) => name === 'pixels')!;
    expect(difference!.interval).toMatchObject({
      ...{ level: 0.95, method: difference!.method, n: { images: null, sites: null } },
    });
    const { provenance } = score;
    expect(provenance.run).toMatchObject({ seed: 1, threads: 1, device: 'cpu' });
    expect(provenance.run.startedAt).toBe(old.provenance.startedAt);
    expect(findInput(provenance, 'activations')).toBeUndefined();
    expect(knownInput(provenance, 'stimuli')).toEqual({
      ...{ role: 'stimuli', name: 'v4' },
      ...old.provenance.stimuli,
    });
    expect(findInput(provenance, 'preprocessing')!.settings).toEqual(old.provenance.preprocessing);
    const given = await readAlignment(at('given.json'), files);
    expect(given.metrics.spearman.value).toBe(json('given.json').figures.spearman.value);
    expect(findInput(given.provenance, 'model')!.tensor).toBe(json('given.json').provenance.logit);
    const { areas, candidate, orders } = await readProfile(at('profile.json'), files);
    expect(candidate).toBe('net.onnx');
    expect(areas[0]!.peak.interval).toMatchObject({
      ...{ level: 0.95, method: 'percentile bootstrap over images and sites' },
      n: { images: 24, sites: areas[0]!.resampled.sites },
    });
    expect(orders[0]!.interval!.n).toEqual({ images: 24, sites: 3 });
  });

  it('say that missing responses cost their sites, which is what they did', async () => {
    expect((await readScore(at('v4.json'), files)).protocol.missing).toBe('drop-sites');
  });

  it('are printed with the numbers that were printed then', async () => {
    // Nulls had no p in their table.
    const rest = (lines: readonly string[]) =>
      lines.filter((line) => !/^(stimuli permuted|pixels|random-weight twin) /.test(line));
    const lines = scoreLines(await readScore(at('v4.json'), files));
    expect(
      compareTexts(rest(printed.score!.split('\n')).join('\n'), rest(lines).join('\n')),
    ).toEqual([]);
    expect(
      printedAs('profile', profileLines(await readProfile(at('profile.json'), files))),
    ).toEqual([]);
    const ceilings = await readSiteCeilings(at('ceiling.json'), files);
    expect(printedAs('ceiling', siteCeilingLines(ceilings))).toEqual([]);
    const given = await readAlignment(at('given.json'), files);
    expect(printedAs('given', alignmentLines(given))).toEqual([]);
  });

  it('are compared, and come with what was kept beside them', async () => {
    const contenders = await Promise.all(
      ['v4.json', 'other.json'].map(async (name) => ({
        name,
        score: await readScore(at(name), files),
        heldOut: await readPredictions(at(name), files),
      })),
    );
    const [found] = compare(contenders, 1);
    expect(found!.difference).toBe(json('v4.json').value - json('other.json').value);
    expect(found!.interval!.low).toBeLessThan(found!.difference);
    const { layers, predicted } = (await readLayerPredictions(at('v4.json'), files))!;
    expect(layers).toEqual(['features.0', 'features.3', 'features.6']);
    expect(predicted.shape).toEqual([3, 24, 4]);
    expect((await readReadout(at('v4.json'), files)).siteIds).toHaveLength(4);
  });
});

describe('a profile of scores of the first format', () => {
  const areas = (predictions: 'kept' | 'none') =>
    Promise.all(
      ['v4.json', 'it.json'].map(async (name) => ({
        file: name,
        score: await readScore(at(name), files),
        predictions: predictions === 'none' ? null : await readLayerPredictions(at(name), files),
      })),
    );
  const run = (of: Awaited<ReturnType<typeof areas>>) => depthProfile(of, 50, 1, () => undefined);

  it('has the scores and peaks that it had', async () => {
    const found = run(await areas('none'));
    const old = json('profile.json');
    for (const [index, { values, peak }] of found.areas.entries()) {
      expect(values).toEqual(old.areas[index].values);
      expect(peak.layer).toBe(old.areas[index].peak.layer);
      expect(peak.depth).toBe(old.areas[index].peak.depth);
    }
  });

  it('does not rest on kept predictions that do not tell their folds', async () => {
    await expect(areas('kept').then(run)).rejects.toThrow(
      'v4.json.layer-predictions.npz: expected the fold of each row',
    );
  });
});

describe('a recording of the first format', () => {
  it('is read with the hash that it had', async () => {
    const { header, hash: found } = await readRecording(at('v4'), { files, hash });
    expect(header).toMatchObject({ kind: 'recording', format: 2, name: 'v4' });
    expect(found).toBe(json('v4.json').provenance.recording.sha256);
  });

  it('keeps its hash when it is written anew', async () => {
    const recording = await readRecording(at('v4'), { files, hash });
    const path = join(temporaryFolder(), 'again');
    const image = ({ file }: { file: string }) => files.read(join(at('v4'), 'stimuli', file));
    await writeRecording(path, { ...recording, image }, { files });
    const written = JSON.parse(readFileSync(join(path, 'recording.json'), 'utf8'));
    expect(written).toMatchObject({ kind: 'recording', format: 2 });
    expect(written.version).toBeUndefined();
    expect((await readRecording(path, { files, hash })).hash).toBe(recording.hash);
  });
});
