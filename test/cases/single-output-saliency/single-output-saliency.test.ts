import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNumbers } from '../../../src/formats/npy.ts';
import { decodeModel } from '../../../src/graph/decode.ts';
import { createNodeImages } from '../../../src/node/images.ts';
import type { SaliencyRecord } from '../../../src/records/saliency.ts';
import { base, cli, cliDone, openCase, preprocess } from '../run-case.ts';

// y = w2 · mean over places of relu(conv(x, w1)), 4×4 at steps of 4, as [batch, 1] (one.onnx) and [batch] (none.onnx). Its
// gradient is worked out here. Both were refused once, for want of two classes.

const here = (file: string): string => join(import.meta.dirname, file);
const image = 'im000.png';

const weightsOf = (): readonly (readonly number[])[] => {
  const { initialisers } = decodeModel(readFileSync(here('one.onnx')), 'one');
  return ['w1', 'w2'].map((name) =>
    Array.from(initialisers.find((each) => each.name === name)!.array.data, Number),
  );
};

/** y, and the mean of its gradient over channels, for an input [3, 32, 32]. */
const worked = (x: Float64Array): { readonly y: number; readonly map: Float64Array } => {
  const [w1, w2] = weightsOf() as [number[], number[]];
  const map = new Float64Array(1024);
  let y = 0;
  for (let out = 0; out < 8; out++)
    for (let place = 0; place < 64; place++) {
      const corner = 4 * Math.floor(place / 8) * 32 + 4 * (place % 8);
      const taps = Array.from({ length: 48 }, (_, i) => ({
        weight: w1[out * 48 + i]!,
        channel: Math.floor(i / 16),
        at: corner + Math.floor((i % 16) / 4) * 32 + (i % 4),
      }));
      const sum = taps.reduce((all, tap) => all + tap.weight * x[tap.channel * 1024 + tap.at]!, 0);
      if (sum <= 0) continue;
      y += (sum * w2[out]!) / 64;
      for (const { weight, at } of taps) map[at]! += (weight * w2[out]!) / 64 / 3;
    }
  return { y, map };
};

describe('saliency of a network with one output', () => {
  const { work } = openCase();
  const images = join(work, 'images');
  mkdirSync(images);
  copyFileSync(join(base, 'rec/stimuli', image), join(images, image));
  const command = (model: string, out: string, ...more: string[]): string[] => [
    ...['saliency', here(model), '--images', images, '--preprocess', preprocess],
    ...['--out', join(work, out), '--quiet', ...more],
  ];

  it.each(['one', 'none'])('is the gradient of that number: %s', async (name) => {
    const { data } = await createNodeImages().decode(readFileSync(join(images, image)), image);
    const x = Float64Array.from({ length: 3072 }, (_, i) => {
      const [channel, at] = [Math.floor(i / 1024), i % 1024];
      return (data[3 * at + channel]! / 255 - 0.5) / 0.5;
    });
    const right = worked(x);
    for (const more of [['--class', '0'], []]) {
      const out = `${name}${more.length}`;
      await cliDone(...command(`${name}.onnx`, out, ...more));
      const text = readFileSync(join(work, out, 'saliency.json'), 'utf8');
      const [found] = (JSON.parse(text) as SaliencyRecord).images;
      expect(found).toMatchObject({ class: 0 });
      expect(found!.value).toBeCloseTo(right.y, 4);
      const map = readNumbers(readFileSync(join(work, out, 'im000.npy')), 'map').data;
      expect(map.length).toBe(1024);
      right.map.forEach((value, at) => {
        expect(Math.abs(Number(map[at]) - value)).toBeLessThan(1e-6);
      });
    }
  });

  it('has no other class', async () => {
    const { code, stderr } = await cli(...command('one.onnx', 'other', '--class', '1'));
    expect(code).toBe(2);
    expect(stderr).toContain('expected a class of the network');
  });
});
