// The V4 session of Cowley et al. and the four MobileNets, where `../shared` holds them: what recipes.md §12 expects.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { importNpy } from '../../src/data/import.ts';
import { readStimulus } from '../../src/data/stimuli.ts';
import { npyParts } from '../../src/formats/npy.ts';
import type { Ports } from '../../src/records/ports.ts';
import type { Protocol } from '../../src/records/protocol.ts';
import type { Recording } from '../../src/records/recording.ts';
import { planScore, type ScoreRequest, score } from '../../src/score.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { encodeScore } from '../../src/store/score-files.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';
import { temporaryFolder, testPorts } from '../small-study.ts';

const session = sharedPath('data', 'recordings', 'v4-cowley2023-session210325');
const models = sharedPath('data', 'models');
const byRidge: Protocol = {
  ...protocolNamed('image-cv', 'image')!,
  name: 'image-cv-ridge',
  regression: {
    kind: 'ridge',
    alphas: [0.01, 0.1, 0.316, 1, 3.16, 10, 100],
    unit: 'mean-square',
    choose: 'leave-one-out',
    perTarget: false,
  },
};

describe.skipIf(session === null || models === null)(
  `the V4 session under image-cv${session === null ? ` (${sharedSkipReason})` : ''}`,
  () => {
    let ports: Ports;
    let folder: string;
    let recording: Recording;
    let pixels: number;
    let ridge: string;

    const request = (path: string, layers: readonly string[] | null): ScoreRequest => ({
      candidate: { kind: 'model', path, preprocess: 'tf-224' },
      recording: recording.folder,
      protocol: 'image-cv',
      layers,
      memory: 4e9,
      seed: 1,
    });
    const scored = async (asked: ScoreRequest, withPorts = ports) =>
      score(await planScore(asked, withPorts), withPorts);

    beforeAll(async () => {
      ports = await testPorts({}, 2);
      folder = temporaryFolder();
      recording = await importNpy(
        {
          responses: `${session}/responses_raw.npy`,
          dims: ['site', 'stimulus', 'trial'],
          stimuli: `${session}/images.zip`,
          area: 'V4',
          species: 'macaque',
          window: { start: 0, end: 100 },
          time: null,
          out: join(folder, 'v4'),
        },
        ports,
      );
      pixels = await scorePixels('image-cv');
      ridge = join(folder, 'ridge.json');
      writeFileSync(ridge, JSON.stringify(byRidge));
    });

    /** Grey values of the stimuli as they are, by activations from a file. */
    const scorePixels = async (protocol: string): Promise<number> => {
      const size = 112 * 112;
      const grey = new Float32Array(recording.stimuli.length * size);
      for (const [row, stimulus] of recording.stimuli.entries()) {
        const { data } = await readStimulus(recording, stimulus, ports);
        for (let i = 0; i < size; i++) grey[row * size + i] = data[3 * i]!;
      }
      const path = join(folder, 'pixels.npy');
      const parts = npyParts({ data: grey, shape: [recording.stimuli.length, size] });
      writeFileSync(path, Buffer.concat(parts));
      const { score: found } = await scored({
        ...request(path, null),
        candidate: { kind: 'activations', path },
        protocol,
      });
      return found.raw;
    };

    it('finds the reliability and the pixels of the recipes', async () => {
      // Split-half reliability ≈ .76, so a ceiling of about its root; pixels .20 (PLS).
      expect(pixels).toBeGreaterThan(0.15);
      expect(pixels).toBeLessThan(0.25);
    });

    it.each([
      ['mobilenet_v1_0.25_128', ['m.Conv_11', 'm.Conv_21', 'm.Conv_23']],
      ['mobilenet_v1_0.5_160', ['m.Conv_23']],
      ['mobilenet_v1_0.75_192', ['m.Conv_23']],
      ['mobilenet_v2_1.0_224', ['m.Conv_41']],
    ])('scores %s far above pixels', async (name, layers) => {
      const { score: found } = await scored(request(`${models}/${name}.onnx`, layers));
      expect(found.ceiling).toBeGreaterThan(0.84);
      expect(found.ceiling).toBeLessThan(0.9);
      expect(found.raw).toBeGreaterThan(0.5);
      expect(found.raw).toBeLessThan(0.62);
      expect(found.raw).toBeGreaterThan(2 * pixels);
      expect(found.interval!.low).toBeLessThan(found.value);
      expect(found.interval!.high).toBeGreaterThan(found.value);
    });

    it('chooses late layers without a look at the fold, at little cost', async () => {
      const layers = ['m.Conv_11', 'm.Conv_21', 'm.Conv_23'];
      const asked = request(`${models}/mobilenet_v1_0.25_128.onnx`, layers);
      const { score: found } = await scored({ ...asked, protocol: null });
      expect(found.protocol.name).toBe('ventral');
      const { folds, optimism } = found.nestedSelection!;
      expect(folds).toHaveLength(10);
      expect(folds.every(({ layer }) => layer !== 'm.Conv_11')).toBe(true);
      expect(Math.abs(optimism!)).toBeLessThan(0.03);
      expect(found.raw).toBeGreaterThan(0.5);
      expect(found.raw).toBeLessThan(0.62);
    });

    it('scores by ridge somewhat higher than by partial least squares, pixels too', async () => {
      // scikit-learn's RidgeCV finds .25 in pixels (recipes.md says .28), and .58 are expected of the best layer.
      const greys = await scorePixels(ridge);
      expect(greys).toBeGreaterThan(pixels + 0.02);
      expect(greys).toBeLessThan(0.3);
      const asked = request(`${models}/mobilenet_v1_0.25_128.onnx`, ['m.Conv_23']);
      const { score: found } = await scored({ ...asked, protocol: ridge });
      expect(found.raw).toBeGreaterThan(0.55);
      expect(found.raw).toBeLessThan(0.62);
      const alphas = found.layers[0]!.alphas!;
      expect(alphas).toHaveLength(10);
      for (const [alpha] of alphas) {
        expect(alpha).toBeGreaterThan(0.1);
        expect(alpha).toBeLessThan(10);
      }
    });

    it('gives the same file in a second run, without the cache of the first', async () => {
      const asked = request(`${models}/mobilenet_v1_0.25_128.onnx`, ['m.Conv_23', 'm.Conv_25']);
      const text = async (withPorts: Ports) =>
        new TextDecoder()
          .decode(encodeScore((await scored(asked, withPorts)).score))
          .replace(/"(seconds|startedAt)": .*/g, '');
      const first = await text(await testPorts({}, 2));
      expect(await text(await testPorts({}, 2))).toBe(first);
    });
  },
);
