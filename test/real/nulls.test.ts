// The nulls of a trained network on the V4 session, where `../shared` holds both: what recipes.md §12 expects.

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { importNpy } from '../../src/data/import.ts';
import { planNulls, scoreNulls } from '../../src/nulls.ts';
import type { NullScore, Score } from '../../src/records/score.ts';
import { planScore, score } from '../../src/score.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';
import { temporaryFolder, testPorts } from '../small-study.ts';

const session = sharedPath('data', 'recordings', 'v4-cowley2023-session210325');
const model = sharedPath('data', 'models', 'mobilenet_v1_0.25_128.onnx');

describe.skipIf(session === null || model === null)(
  `MobileNet on the V4 session, beside its nulls${session === null ? ` (${sharedSkipReason})` : ''}`,
  () => {
    let found: Score;
    const named = (name: NullScore['name']): NullScore =>
      found.nulls!.find((each) => each.name === name)!;

    beforeAll(async () => {
      const ports = await testPorts({}, 2);
      const recording = await importNpy(
        {
          responses: `${session}/responses_raw.npy`,
          dims: ['site', 'stimulus', 'trial'],
          stimuli: `${session}/images.zip`,
          area: 'V4',
          species: 'macaque',
          window: { start: 0, end: 100 },
          time: null,
          out: join(temporaryFolder(), 'v4'),
        },
        ports,
      );
      const plan = await planScore(
        {
          candidate: { kind: 'model', path: model!, preprocess: 'tf-224' },
          recording: recording.folder,
          protocol: 'image-cv',
          layers: ['m.Conv_11', 'm.Conv_23'],
          memory: 4e9,
          seed: 1,
        },
        ports,
      );
      const nulls = await planNulls(plan, ports, 20);
      found = (await scoreNulls(nulls, await score(plan, ports), ports)).score;
    });

    it('finds little in permuted stimuli, the higher of two layers taken: the mean of 20 is within .02 of 0', () => {
      const { raw, value, interval, difference } = named('permuted-stimuli');
      expect(Math.abs(raw!)).toBeLessThan(0.02);
      expect(Math.abs(value!)).toBeLessThan(0.025);
      // Single ones scatter by about .02 in raw.
      expect(interval!.high - interval!.low).toBeGreaterThan(0.03);
      expect(interval!.high - interval!.low).toBeLessThan(0.15);
      expect(difference!.p).toBe(1 / 21);
    });

    it('finds the .20 of pixels, far below the network', () => {
      const { raw, difference } = named('pixels');
      expect(raw!).toBeGreaterThan(0.15);
      expect(raw!).toBeLessThan(0.25);
      expect(difference!.interval!.low).toBeGreaterThan(0.25);
    });

    it('finds the random twin below .40, and the network above it', () => {
      const { raw, layer, difference } = named('random-twin');
      expect(raw!).toBeGreaterThan(0.1);
      expect(raw!).toBeLessThan(0.4);
      expect(['m.Conv_11', 'm.Conv_23', null]).toContain(layer);
      // Twins differ: what three of them tell of all is part of the interval.
      expect(difference!.interval!.low).toBeGreaterThan(0.08);
      expect(found.warnings.filter((each) => each.includes('does not beat'))).toEqual([]);
    });
  },
);
