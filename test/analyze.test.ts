import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { profile } from '../src/analyze.ts';
import { plantedNetwork } from '../src/architectures/planted.ts';
import { writeRecording } from '../src/formats/recording-write.ts';
import { encodeModel } from '../src/graph/encode.ts';
import type { Ports } from '../src/records/ports.ts';
import { planScore, score } from '../src/score.ts';
import {
  encodeScore,
  layerPredictionParts,
  layerPredictionsPath,
} from '../src/store/score-files.ts';
import { createWorld, type World, worldSettings } from '../src/world/world.ts';
import { temporaryFolder, testPorts } from './small-study.ts';

/** Both areas of the demo's world with some of the sites, at 5 × 5 fixations. */
const smallWorld = (): World => {
  const settings = worldSettings(1);
  const areas = settings.areas.map((plan) => ({ ...plan, sites: 10, fixations: 5, step: 28 }));
  // More of V4's kind, under another name: other sites, the same depth.
  return createWorld({ ...settings, areas: [...areas, { ...areas[0]!, area: 'V4 again' }] });
};

let folder: string;
let ports: Ports;

/** Scores the network that holds the driving features of all areas, and keeps its layers' predictions. */
const scoreArea = async (world: World, index: number, model: string): Promise<void> => {
  const { header, responses, stimuli } = world.recordings[index]!;
  const area = header.sites[0]!.area;
  const recording = join(folder, area);
  const image = (_: unknown, at: number) => ports.images.encode(world.scenes[at]!.pixels);
  await writeRecording(recording, { header, responses, stimuli, image }, ports);
  const plan = await planScore(
    {
      candidate: { kind: 'model', path: model, preprocess: 'raw' },
      ...{ recording, protocol: 'grid-cv', layers: ['tuning', '*.pool'] },
      ...{ memory: 1e9, seed: 1, timeBins: 'best' },
    },
    ports,
  );
  const found = await score(plan, ports);
  const path = join(folder, `${area}.json`);
  writeFileSync(path, encodeScore(found.score));
  writeFileSync(
    layerPredictionsPath(path),
    Buffer.concat(layerPredictionParts(found.layerPredictions())),
  );
};

beforeAll(async () => {
  ports = await testPorts();
  folder = temporaryFolder();
  const model = join(folder, 'planted.onnx');
  writeFileSync(model, encodeModel(plantedNetwork()));
  const world = smallWorld();
  for (const index of world.recordings.keys()) await scoreArea(world, index, model);
});

const profileOf = (...areas: string[]) =>
  profile({ scores: areas.map((area) => join(folder, `${area}.json`)), seed: 1 }, ports);

describe('the profile of the planted network', () => {
  it('puts V4 before IT: for certain by the peak, and by the centre of mass', async () => {
    const found = await profileOf('V4', 'IT');
    expect(found.layers.map(({ layer }) => layer)).toEqual([...['tuning', 'v4.pool', 'it.pool']]);
    expect(found.areas.map(({ peak }) => peak.layer)).toEqual(['v4.pool', 'it.pool']);
    const [peak, centre] = found.orders;
    expect(peak!.earlier).toBeGreaterThan(0.99);
    expect(peak!.adjusted).toBeLessThan(0.01);
    // Every layer tells of both areas, so that their centres lie close together.
    expect(centre!.difference!).toBeGreaterThan(0);
    expect(centre!.earlier).toBeGreaterThan(0.7);
    for (const { resampled } of found.areas)
      expect(resampled).toEqual({
        ...{ what: 'images and sites', images: 14, sites: 10, approximate: true },
      });
  });

  it('gives no order to two samples of V4 sites', async () => {
    const found = await profileOf('V4', 'V4 again');
    const [peak, centre] = found.orders;
    expect(peak!.tie).toBeGreaterThan(0.9);
    expect(peak!.adjusted).toBe(1);
    expect(centre!.adjusted).toBeGreaterThan(0.05);
  });
});
