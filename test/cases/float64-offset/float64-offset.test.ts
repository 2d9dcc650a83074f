import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encodeModel } from '../../../src/graph/encode.ts';
import type { OnnxGraph } from '../../../src/graph/graph.ts';
import { protocolNamed } from '../../../src/scoring/protocols.ts';
import { patterned } from '../../onnx.ts';
import { base, openCase, preprocess } from '../run-case.ts';

// Features in double precision, as they are and with 1,000,000 added, which no regression with an intercept sees.

const { pooled: score, work } = openCase();

it('an offset changes nothing', { timeout: 60_000 }, async () => {
  const run = await score(
    '--activations',
    join(import.meta.dirname, 'features.npz'),
    '--recording',
    join(base, 'rec'),
    '--protocol',
    'image-cv',
  );
  const [asIs, shifted] = run.score.layers;
  expect([asIs!.layer, shifted!.layer]).toEqual(['as_is', 'shifted']);
  expect(Math.abs(asIs!.raw! - 0.892)).toBeLessThan(6e-4);
  expect(Math.abs(shifted!.raw! - asIs!.raw!)).toBeLessThan(1e-6);
});

const identity = Float64Array.from({ length: 32 * 32 }, (_, k) => (k % 33 === 0 ? 1 : 0));
const offset = (name: string, value: number) => ({
  ...{ name, array: { data: new Float64Array(32).fill(value), shape: [32] } },
});

/** Patches of 4 × 4, seen in single precision; two layers in double, of which the second is the first with the offset. */
const network: OnnxGraph = {
  name: 'double',
  opset: 17,
  inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 32, 32] }],
  outputs: [{ name: 'y', type: 'float32', shape: null }],
  initialisers: [
    { name: 'w', array: patterned([32, 3, 4, 4]) },
    { name: 'identity', array: { data: identity, shape: [32, 32] } },
    ...[offset('above', 100), offset('far', 1e6)],
  ],
  nodes: [
    {
      ...{ op: 'Conv', inputs: ['x', 'w'], outputs: ['a'] },
      attributes: { strides: { ints: [4, 4] } },
    },
    ...[['a', 't'] as const].map(([from, to]) => ({
      ...{ op: 'Transpose', inputs: [from], outputs: [to] },
      attributes: { perm: { ints: [0, 2, 3, 1] } },
    })),
    { op: 'Cast', inputs: ['t'], outputs: ['d'], attributes: { to: { int: 11 } } },
    { op: 'MatMul', name: 'as_is', inputs: ['d', 'identity'], outputs: ['b'] },
    { op: 'Add', inputs: ['b', 'above'], outputs: ['c'] },
    { op: 'Relu', inputs: ['c'], outputs: ['e'] },
    { op: 'MatMul', name: 'shifted', inputs: ['e', 'identity'], outputs: ['f'] },
    { op: 'Add', inputs: ['f', 'far'], outputs: ['g'] },
    { op: 'Relu', inputs: ['g'], outputs: ['h'] },
    { op: 'MatMul', inputs: ['h', 'identity'], outputs: ['logits'] },
    { op: 'Cast', inputs: ['logits'], outputs: ['y'], attributes: { to: { int: 1 } } },
  ],
};

it.each([
  ['flatten', 0.3],
  ['pool', 0.05],
] as const)(
  'nor in a network that computes in double precision: %s',
  { timeout: 120_000 },
  async (features, least) => {
    const [model, protocol] = [join(work, 'double.onnx'), join(work, `${features}.json`)];
    writeFileSync(model, encodeModel(network));
    const named = protocolNamed('image-cv', 'image')!;
    const sampling = { kind: 'image', features };
    // Means over space of linear features have few directions: more components would be of rounding.
    const regression = { ...named.regression, components: 3 };
    writeFileSync(protocol, JSON.stringify({ ...named, name: features, sampling, regression }));
    const options = ['--recording', join(base, 'rec'), '--preprocess', preprocess];
    const run = await score(model, ...options, '--protocol', protocol);
    const [asIs, shifted] = run.score.layers.slice(1);
    expect([asIs!.layer, shifted!.layer]).toEqual(['as_is', 'shifted']);
    expect(asIs!.raw!).toBeGreaterThan(least);
    expect(Math.abs(shifted!.raw! - asIs!.raw!)).toBeLessThan(1e-6);
  },
);
