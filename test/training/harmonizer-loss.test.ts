import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { openNpz } from '../../src/formats/npz.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { differentiate } from '../../src/gradient/differentiate.ts';
import { lower } from '../../src/gradient/lower.ts';
import { decodeModel } from '../../src/graph/decode.ts';
import type { NdArray } from '../../src/records/array.ts';
import { canonical } from '../../src/sketch/canonical.ts';
import { harmonizerCodeLoss } from '../../src/training/harmonizer-loss.ts';
import { closeEngine, float32, runGraph } from '../gradient/run.ts';
import { relativeError } from '../onnx.ts';

afterAll(closeEngine);

const file = (name: string): Uint8Array =>
  readFileSync(new URL(`../golden/harmonizer/${name}`, import.meta.url));
const { parameters, lambda } = JSON.parse(new TextDecoder().decode(file('case.json'))) as {
  parameters: string[];
  lambda: number;
};
const npz = await openNpz(bytesSource(file('case.npz')), 'case.npz');
const read = async (name: string): Promise<NdArray> => {
  const array = await npz.read(name);
  if (!('data' in array)) throw new Error(`${name} is text`);
  return float32(array.data as Float64Array, array.shape);
};
const numbers = ({ data }: NdArray): Float32Array => data as Float32Array;

const feeds: Record<string, NdArray> = {};
for (const name of ['image', 'labels', 'maps', 'mapped']) feeds[name] = await read(name);

const withLoss = harmonizerCodeLoss(canonical(decodeModel(file('model.onnx'), 'model.onnx')), {
  image: 'image',
  logits: 'logits',
  lambda,
  smoothing: 0.1,
});
const names = parameters.map((parameter) => `gradient__${parameter}`);
const step = lower(differentiate(withLoss, 'loss', parameters, { names }));

test('the loss of a CNN with batch norms in training mode, and its parts, are PyTorch’s', async () => {
  const found = await runGraph(lower(withLoss), feeds);
  for (const name of ['loss', 'crossEntropy', 'alignment', 'saliency']) {
    const error = relativeError(numbers(found[name]!), numbers(await read(name)));
    expect(error, name).toBeLessThan(1e-5);
  }
});

test('the gradient with respect to every parameter, of second order, is PyTorch’s', async () => {
  const found = await runGraph(step, feeds);
  for (const name of names) {
    const expected = await read(name);
    expect(found[name]!.shape, name).toEqual(expected.shape);
    expect(relativeError(numbers(found[name]!), numbers(expected)), name).toBeLessThan(1e-4);
  }
});

test('maps of images that have none do not matter; without any map only classification is left', async () => {
  const other = float32(numbers(feeds.maps!), feeds.maps!.shape);
  const size = other.data.length / 4;
  numbers(other).fill(0.5, 2 * size, 3 * size);
  const graph = lower(withLoss);
  const [given, changed] = [
    await runGraph(graph, feeds),
    await runGraph(graph, { ...feeds, maps: other }),
  ];
  expect(changed.loss!.data[0]).toBe(given.loss!.data[0]);
  const none = await runGraph(graph, { ...feeds, mapped: float32([0, 0, 0, 0], [4]) });
  expect(none.alignment!.data[0]).toBe(0);
  expect(none.loss!.data[0]).toBe(none.crossEntropy!.data[0]);
});
