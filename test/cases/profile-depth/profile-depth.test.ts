import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Profile } from '../../../src/records/profile.ts';
import { base, cliDone, openCase, preprocess } from '../run-case.ts';

// ten.onnx has ten convolutions in a row, conv0 to conv9. Scored by three of them, their depth was 0, .5 and 1: their place
// among the three. conv0 is 0 and conv9 is 1 whatever is scored.

const model = join(import.meta.dirname, 'ten.onnx');

describe('the depth of a layer', () => {
  const { work } = openCase();
  let runs = 0;
  const profiled = async (layers: string, ...given: string[]): Promise<Profile> => {
    const scores: string[] = [];
    for (const area of ['V4', 'IT']) {
      const out = join(work, `${area}-${runs}.json`);
      const more = ['--recording', join(work, area), '--protocol', 'image-cv', '--layers', layers];
      await cliDone('score', ...given, ...more, '--out', out, '--quiet');
      scores.push(out);
    }
    const out = join(work, `profile-${runs++}.json`);
    const { stdout } = await cliDone('profile', ...scores, '--out', out, '--quiet');
    expect(stdout).toContain('1 the last');
    return JSON.parse(readFileSync(out, 'utf8')) as Profile;
  };
  const network = [model, '--preprocess', preprocess];
  const depthOf = ({ layers }: Profile, layer: string): number =>
    layers.find((each) => each.layer === layer)!.depth;

  beforeAll(() => {
    for (const area of ['V4', 'IT']) {
      cpSync(join(base, 'rec'), join(work, area), { recursive: true });
      const path = join(work, area, 'recording.json');
      writeFileSync(path, readFileSync(path, 'utf8').replaceAll('"IT"', `"${area}"`));
    }
  });

  it('is its place in the network, whichever layers were scored', async () => {
    const three = await profiled('conv2,conv4,conv6', ...network);
    expect(three.networkLayers).toBe(10);
    expect(three.warnings.join()).not.toContain('relative to the layers scored');
    ['conv2', 'conv4', 'conv6'].forEach((layer, index) => {
      expect(depthOf(three, layer)).toBeCloseTo((2 * index + 2) / 9, 12);
    });
    const two = await profiled('conv6,conv9', ...network);
    expect(depthOf(two, 'conv6')).toBeCloseTo(6 / 9, 12);
    expect(depthOf(two, 'conv9')).toBe(1);
  });

  it('is the same where every tensor is scored, with the others between', async () => {
    const every = await profiled('*', ...network);
    expect(every.layers.length).toBeGreaterThan(10);
    expect(every.networkLayers).toBe(10);
    for (let k = 0; k < 10; k++) expect(depthOf(every, `conv${k}`)).toBeCloseTo(k / 9, 12);
    const depths = every.layers.map(({ depth }) => depth);
    expect(depths).toEqual([...depths].sort((a, b) => a - b));
  });
});
