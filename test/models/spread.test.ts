import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import { normaliseAndAverage } from '../../src/models/feature-map.ts';
import { isRounding, levelled } from '../../src/models/spread.ts';
import { base, openCase, preprocess } from '../cases/run-case.ts';
import { patterned } from '../onnx.ts';

const { score, work } = openCase();

it('tells rounding from what images change, by the largest value of the layer', () => {
  const layer = (...data: number[]) => ({ data: Float32Array.from(data), shape: [2, 2] });
  expect(isRounding(layer(1, 5, 1 + 2 ** -22, 5))).toBe(true);
  expect(isRounding(layer(1, 5, 1 + 2 ** -18, 5))).toBe(false);
  expect(isRounding(layer(0, 0, 0, 0))).toBe(true);
  expect(isRounding(layer(0, 1e-30, 0, 2e-30))).toBe(false);
  expect(isRounding(layer(Number.NaN, 1, 2, 1))).toBe(false);
  const rows = layer(1, 2, 3, 4);
  levelled(rows);
  expect([...rows.data]).toEqual([1, 2, 1, 2]);
});

it('stretches no rounding of a map to the range of 0 to 1', () => {
  const sampling = {
    ...({ kind: 'feature-map', normalise: 'min-max', averageChannelsAbove: null } as const),
  };
  const flat = normaliseAndAverage(Float32Array.of(7, 7 + 2 ** -20), 2, sampling);
  expect(flat[1]).toBeLessThan(1e-5);
  expect([...normaliseAndAverage(Float32Array.of(7, 8), 2, sampling)]).toEqual([0, 1]);
});

it(
  'a layer that images hardly change has a warning and no score; the others have theirs',
  {
    timeout: 60_000,
  },
  async () => {
    const tiny = patterned([3, 3, 4, 4]).data.map((value) => value * 1e-9);
    const model = join(work, 'hardly.onnx');
    writeFileSync(
      model,
      encodeModel({
        name: 'hardly',
        opset: 13,
        inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 32, 32] }],
        outputs: [{ name: 'y', type: 'float32', shape: null }],
        initialisers: [
          { name: 'w', array: patterned([3, 3, 4, 4]) },
          { name: 'tiny', array: { data: tiny, shape: [3, 3, 4, 4] } },
          { name: 'bias', array: { data: Float32Array.of(1, 2, 3), shape: [3] } },
        ],
        nodes: [
          {
            op: 'Conv',
            name: 'seeing',
            inputs: ['x', 'w'],
            outputs: ['a'],
            attributes: { strides: { ints: [4, 4] } },
          },
          { op: 'Relu', inputs: ['a'], outputs: ['r'] },
          { op: 'Conv', name: 'hardly', inputs: ['r', 'tiny', 'bias'], outputs: ['b'] },
          { op: 'Relu', inputs: ['b'], outputs: ['y'] },
        ],
      }),
    );
    const options = ['--recording', join(base, 'rec'), '--preprocess', preprocess];
    const run = await score(model, ...options, '--protocol', 'image-cv');
    const [seeing, hardly] = run.score.layers;
    expect(seeing!.raw).toBeGreaterThan(0.2);
    expect(hardly!.raw).toBeNull();
    expect(hardly!.warnings[0]).toBe(
      'the activations vary over the stimuli by no more than the rounding of float32',
    );
  },
);
