import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNumbers } from '../../../src/formats/npy.ts';
import { decodeModel } from '../../../src/graph/decode.ts';
import { encodeModel } from '../../../src/graph/encode.ts';
import type { OnnxGraph } from '../../../src/graph/graph.ts';
import { createNodeImages } from '../../../src/node/images.ts';
import { filled, writeFeatures } from '../made.ts';
import { base, cli, cliDone, openCase, preprocess } from '../run-case.ts';

// A network whose input is [batch, 1, 32, 32]: refused once. Its first layer is a convolution of 4×4 at steps of 4, which is
// computed here from grey images of PIL's mode L, (19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶ rounded down, from −1 to 1.

const here = (file: string): string => join(import.meta.dirname, file);
const stimuli = join(base, 'rec/stimuli');
const recording = ['--recording', join(base, 'rec'), '--protocol', 'image-cv'];

const greyGraph = (): OnnxGraph => decodeModel(readFileSync(here('grey.onnx')), 'grey');

/** The input that one of the images should be. */
const greyOf = async (name: string): Promise<Float64Array> => {
  const { data: rgb } = await createNodeImages().decode(readFileSync(join(stimuli, name)), name);
  return Float64Array.from({ length: 1024 }, (_, i) => {
    const [r, g, b] = [rgb[3 * i]!, rgb[3 * i + 1]!, rgb[3 * i + 2]!];
    const level = Math.floor((19595 * r + 38470 * g + 7471 * b + 32768) / 65536);
    return (level / 255 - 0.5) / 0.5;
  });
};

/** The same network with its channel last. */
const channelLast = (graph: OnnxGraph): OnnxGraph => ({
  ...graph,
  inputs: [{ name: 'image', type: 'float32', shape: ['batch', 32, 32, 1] }],
  nodes: [
    {
      op: 'Transpose',
      name: 'turn',
      inputs: ['image'],
      outputs: ['x'],
      attributes: { perm: { ints: [0, 3, 1, 2] } },
    },
    ...graph.nodes,
  ],
});

describe('a network for grey images', () => {
  const { work, pooled } = openCase();

  it('is shown the images as PIL makes them grey', async () => {
    const { data } = greyGraph().initialisers.find(({ name }) => name === 'w1')!.array;
    const greys = await Promise.all(readdirSync(stimuli).sort().map(greyOf));
    const conv1 = filled([60, 8, 8, 8], (...[image, out, row, column]) => {
      let sum = 0;
      for (let y = 0; y < 4; y++)
        for (let x = 0; x < 4; x++)
          sum +=
            Number(data[out! * 16 + y * 4 + x]!) *
            greys[image!]![(4 * row! + y) * 32 + 4 * column! + x]!;
      return Math.max(0, sum);
    });
    const features = writeFeatures(work, {
      conv1: { data: conv1.data, shape: [60, 512] },
    });
    const right = await pooled('--activations', features, ...recording);
    writeFileSync(join(work, 'last.onnx'), encodeModel(channelLast(greyGraph())));
    for (const model of [here('grey.onnx'), join(work, 'last.onnx')]) {
      const { score } = await pooled(model, '--preprocess', preprocess, ...recording);
      expect(score.layers.map(({ layer }) => layer)).toEqual(['conv1', 'conv2']);
      expect(Math.abs(score.layers[0]!.raw! - right.score.raw!)).toBeLessThan(1e-4);
      const shown = score.provenance.inputs.find(({ role }) => role === 'preprocessing');
      expect(JSON.stringify(shown)).toContain('"channels":"L"');
    }
  });

  it('is explained by what it is shown', async () => {
    const graph = greyGraph();
    const classes: OnnxGraph = {
      ...graph,
      outputs: [{ name: 'classes', type: 'float32', shape: ['batch', 8] }],
      nodes: [
        ...graph.nodes,
        { op: 'GlobalAveragePool', name: 'pool', inputs: ['y'], outputs: ['pooled'] },
        { op: 'Flatten', name: 'flat', inputs: ['pooled'], outputs: ['classes'] },
      ],
    };
    writeFileSync(join(work, 'classes.onnx'), encodeModel(classes));
    mkdirSync(join(work, 'one'));
    const [first] = readdirSync(stimuli).sort() as [string];
    copyFileSync(join(stimuli, first), join(work, 'one', first));
    const mapOf = async (method: string): Promise<readonly number[]> => {
      const out = join(work, method);
      await cliDone(
        ...['saliency', join(work, 'classes.onnx'), '--images', join(work, 'one'), '--class', '0'],
        ...['--preprocess', preprocess, '--method', method, '--out', out, '--quiet'],
      );
      const path = join(out, first.replace('.png', '.npy'));
      return Array.from(readNumbers(readFileSync(path), path).data, Number);
    };
    const gradient = await mapOf('gradient');
    const product = await mapOf('gradient-times-input');
    const largest = await mapOf('abs-max');
    const grey = await greyOf(first);
    expect(gradient.some((value) => value !== 0)).toBe(true);
    expect(gradient.length).toBe(1024);
    for (const [at, value] of gradient.entries()) {
      expect(product[at]).toBeCloseTo(value * grey[at]!, 6);
      expect(largest[at]).toBeCloseTo(Math.abs(value), 6);
    }
  });

  it('is compared with its grey pixels', async () => {
    const nulls = ['--nulls', '--permutations', '20', '--layers', 'conv1'];
    const { score } = await pooled(
      ...[here('grey.onnx'), '--preprocess', preprocess, ...recording, ...nulls],
    );
    expect(score.nulls!.some(({ name }) => name === 'pixels')).toBe(true);
  });

  it('needs one mean and one deviation', async () => {
    const { code, stderr } = await cli(
      ...['score', here('grey.onnx'), '--preprocess', 'imagenet-224', ...recording],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('for a model that takes one channel (grey), got 0.485, 0.456, 0.406');
  });
});
