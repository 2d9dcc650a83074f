// Derivatives of trained networks, where `../shared` holds them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differentiate } from '../../src/gradient/differentiate.ts';
import { lower } from '../../src/gradient/lower.ts';
import { decodeModel } from '../../src/graph/decode.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { cut, fixInputs } from '../../src/graph/rewrite.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float32Nd } from '../../src/records/array.ts';
import type { Engine, EngineSession } from '../../src/records/ports.ts';
import { classLogits } from '../../src/saliency/logit.ts';
import { canonical } from '../../src/sketch/canonical.ts';
import { normError } from '../gradient/families.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';

const folder = sharedPath('data', 'models');
let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 1 });
});
afterAll(() => engine.close());

const sizeOf = (model: string): number => Number(/_(\d+)(_unfolded)?\.onnx/.exec(model)![1]);

const canonicalModel = (model: string): OnnxGraph => {
  const graph = decodeModel(readFileSync(join(folder!, model)), model);
  return canonical(fixInputs(graph, { x: [1, 3, sizeOf(model), sizeOf(model)] }));
};

const summed = (input: string, output: string): OnnxNode => ({
  op: 'ReduceSum',
  inputs: [input],
  outputs: [output],
  attributes: { keepdims: { int: 0 } },
});

interface Derived {
  /** Outputs `logits`, `gradient` of Σ cotangent · logits and `product`, the Hessian of their log Σ exp times `vector`. */
  readonly session: EngineSession;
  readonly image: readonly number[];
  readonly logits: readonly number[];
}

const derivativesOf = async (model: string): Promise<Derived> => {
  const whole = canonicalModel(model);
  const { tensor, shape } = classLogits(whole);
  const trunk = cut(whole, { to: [tensor] });
  const image = [1, 3, sizeOf(model), sizeOf(model)];
  const first = differentiate(trunk, tensor, ['x'], {
    cotangent: 'cotangent',
    names: ['gradient'],
  });
  const logSum: OnnxGraph = {
    ...first,
    nodes: [
      ...first.nodes,
      {
        op: 'ReduceLogSumExp',
        inputs: [tensor],
        outputs: ['total'],
        attributes: { keepdims: { int: 0 } },
      },
    ],
    outputs: [...first.outputs, { name: 'total', type: 'float32', shape: [] }],
  };
  const sloped = differentiate(canonical(logSum), 'total', ['x'], { names: ['slope'] });
  const along: OnnxGraph = {
    ...sloped,
    inputs: [...sloped.inputs, { name: 'vector', type: 'float32', shape: image }],
    nodes: [
      ...sloped.nodes,
      { op: 'Mul', inputs: ['slope', 'vector'], outputs: ['components'] },
      summed('components', 'along'),
      { op: 'Identity', inputs: [tensor], outputs: ['logits'] },
    ],
    outputs: [...sloped.outputs, { name: 'logits', type: 'float32', shape }],
  };
  const second = differentiate(along, 'along', ['x'], { names: ['product'] });
  const bytes = encodeModel(lower(second));
  const session = await engine.open({ bytes });
  return { session, image, logits: shape };
};

/** Smooth noise between −1 and 1, of which trained networks have an opinion. */
const smooth = (seed: string, shape: readonly number[]): Float32Nd => {
  const random = createRandom(seed);
  const waves = Array.from({ length: 24 }, () => Array.from({ length: 4 }, () => random.normal()));
  const size = shape.at(-1)!;
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => {
    const [channel, row, column] = [
      Math.floor(at / size / size),
      Math.floor(at / size) % size,
      at % size,
    ];
    const value = waves.reduce(
      (sum, [a = 0, b = 0, c = 0, d = 0]) =>
        sum + Math.sin((a * row + b * column) * (12 / size) + c * channel + d * 6),
      0,
    );
    return Math.tanh(value / 4);
  });
  return { data, shape };
};

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, at) => sum + value * b[at]!, 0);

/** A step along the gradient that changes the logit by about 0.002: few of the many kinks lie so near. */
const stepOf = (gradient: Float32Array): number => 2e-3 / dot(gradient, gradient);

/** Derivatives at one image: of its largest logit, and along a vector for each of `vectors`. */
const derivativesAt = async (
  { session, image, logits }: Derived,
  vectors: readonly Float32Nd[],
  stepOf: (gradient: Float32Array) => number,
) => {
  const x = smooth('image', image);
  const size = logits.reduce((a, b) => a * b, 1);
  const run = async (fetch: string, top: number, at = x, vector = vectors[0]!) => {
    const data = Float32Array.from({ length: size }, (_, place) => (place === top ? 1 : 0));
    const feeds = { x: at, vector, cotangent: { data, shape: logits } };
    return (await session.run(feeds, { fetch: [fetch] })).fetched[fetch]!.data as Float32Array;
  };
  const plain = await run('logits', 0);
  const top = plain.indexOf(Math.max(...plain));
  const gradient = await run('gradient', top);
  const products: Float32Array[] = [];
  for (const vector of vectors) products.push(await run('product', top, x, vector));
  const step = stepOf(gradient);
  const logitAt = async (by: number): Promise<number> => {
    const data = x.data.map((value, place) => value + by * gradient[place]!);
    return (await run('logits', top, { ...x, data }))[top]!;
  };
  const climbed = (await logitAt(step)) - (await logitAt(-step));
  await session.release();
  return { gradient, products, plain, top, climbed };
};

describe.skipIf(folder === null)(
  `derivatives of the MobileNets${folder === null ? ` (${sharedSkipReason})` : ''}`,
  () => {
    test('an export of 2,292 nodes has the gradient and Hessian of its folded twin', async () => {
      const vectors = [smooth('vector', [1, 3, 128, 128])];
      const at = async (model: string) =>
        derivativesAt(await derivativesOf(model), vectors, stepOf);
      const folded = await at('mobilenet_v1_0.25_128.onnx');
      const unfolded = await at('mobilenet_v1_0.25_128_unfolded.onnx');
      expect(unfolded.top).toBe(folded.top);
      expect(normError(unfolded.plain, folded.plain)).toBeLessThan(1e-5);
      expect(normError(unfolded.gradient, folded.gradient)).toBeLessThan(1e-5);
      expect(normError(unfolded.products[0]!, folded.products[0]!)).toBeLessThan(1e-5);
    });

    test.each([
      'mobilenet_v1_0.25_128.onnx',
      'mobilenet_v1_0.5_160.onnx',
      'mobilenet_v1_0.75_192.onnx',
      'mobilenet_v2_1.0_224.onnx',
    ])('%s: the logit climbs as its gradient says, the Hessian is symmetric', async (model) => {
      const derived = await derivativesOf(model);
      const [u, v] = [smooth('u', derived.image), smooth('v', derived.image)];
      const { gradient, products, climbed } = await derivativesAt(derived, [u, v], stepOf);
      const [left, right] = [dot(v.data, products[0]!), dot(u.data, products[1]!)];
      expect(Math.abs(left)).toBeGreaterThan(1e-3);
      expect(Math.abs(left - right)).toBeLessThan(1e-4 * Math.abs(left));
      const slope = climbed / (2 * stepOf(gradient));
      expect(Math.abs(slope / dot(gradient, gradient) - 1)).toBeLessThan(0.01);
    });
  },
);
