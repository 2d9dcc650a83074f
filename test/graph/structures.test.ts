import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/graph/decode.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import type { Initialiser, OnnxGraph } from '../../src/graph/graph.ts';
import { fixInputs } from '../../src/graph/rewrite.ts';
import { createRandom, type Random } from '../../src/numeric/random.ts';
import { canonical } from '../../src/sketch/canonical.ts';
import { patterned, relativeError, runOnnx } from '../onnx.ts';

// The structures of `make-architectures.py` name a file of weights that is not there: any numbers will do.

/** Tensors that are read as input `index` of normalisations, exporters' aliases (Identity) followed. */
const operandsOf = ({ nodes }: OnnxGraph, op: RegExp, index: number): Set<string> => {
  const found = new Set(nodes.flatMap((node) => (op.test(node.op) ? [node.inputs[index]!] : [])));
  for (const { op: own, inputs, outputs } of nodes.toReversed()) {
    if (own === 'Identity' && found.has(outputs[0]!)) found.add(inputs[0]!);
  }
  return found;
};

/** Weights in which signals neither fade nor grow; variances and scales are positive. */
const withWeights = (graph: OnnxGraph, random: Random): OnnxGraph => {
  const positive = new Set([
    ...operandsOf(graph, /Normalization$/, 1),
    ...operandsOf(graph, /^BatchNormalization$/, 4),
  ]);
  const filled = (initialiser: Initialiser): Initialiser => {
    const { name, array } = initialiser;
    if (!(array.data instanceof Float32Array) || array.data.length < 8) return initialiser;
    const fan = array.shape.length > 1 ? array.data.length / Math.max(...array.shape) : 100;
    const size = Math.sqrt(2 / fan);
    const data = array.data.map(() =>
      positive.has(name) ? 0.5 + random.next() : size * random.normal(),
    );
    return { ...initialiser, array: { data, shape: array.shape } };
  };
  return { ...graph, initialisers: graph.initialisers.map(filled) };
};

const open = (name: string): OnnxGraph => {
  const file = new URL(`../golden/architectures/${name}.onnx.gz`, import.meta.url);
  const graph = decodeModel(gunzipSync(readFileSync(file)), name, {
    weights: new Uint8Array(8 * 2 ** 20),
  });
  const sizes = graph.inputs.map(({ name: input, shape }) => [
    input,
    shape!.map((size) => (typeof size === 'number' ? size : 1)),
  ]);
  return withWeights(fixInputs(graph, Object.fromEntries(sizes)), createRandom(name));
};

describe('exports of known architectures are the same in canonical form', () => {
  it.each([
    ['squeezenet1_1', 83, 65],
    ['shufflenet_v2_x1_0', 635, 186],
    ['mobilenet_v3_small', 159, 122],
    ['resnet_v2', 50, 32],
    ['eva_like', 189, 105],
    ['glu_packed', 191, 115],
    ['deit_distilled', 179, 115],
    ['timm_vit_registers', 258, 160],
  ])('%s: %i operations become %i', async (name, before, after) => {
    const graph = open(name);
    const form = canonical(graph);
    expect([graph.nodes.length, form.nodes.length]).toEqual([before, after]);
    const feeds = Object.fromEntries(
      graph.inputs.map(({ name: input, shape }) => [input, patterned(shape as number[])]),
    );
    const [expected, got] = [
      await runOnnx(encodeModel(graph), feeds),
      await runOnnx(encodeModel(form), feeds),
    ];
    for (const { name: output } of graph.outputs) {
      const { data } = expected[output]!;
      expect(data.every(Number.isFinite)).toBe(true);
      expect(relativeError(got[output]!.data, data)).toBeLessThan(2e-6);
    }
  });
});
