import { afterAll, describe, expect, test } from 'vitest';
import { lower } from '../../src/gradient/lower.ts';
import type { Float64Nd, NdArray } from '../../src/records/array.ts';
import {
  canonicalExport,
  differentiated,
  goldenArrays,
  normError,
  softmax,
  table,
} from './families.ts';
import { closeEngine, runGraphs } from './run.ts';

afterAll(closeEngine);

/** Of first and second derivatives in float32, against PyTorch's in float64; in norm. */
const LIMIT = 1e-4;

const single = ({ data, shape }: Float64Nd): NdArray => ({ data: Float32Array.from(data), shape });

/** The weights of the logits that pick the one of `logit`, of the first image. */
const oneHot = ({ data, shape }: Float64Nd): NdArray => {
  const label = new Float32Array(data.length);
  label[table.logit] = 1;
  return { data: label, shape };
};

describe.each(Object.entries(table.networks))('%s', (_, families) => {
  describe.each(families)('$golden', ({ golden, exports }) => {
    test.each(exports)('$model has the derivatives that PyTorch finds', async ({ model, mode }) => {
      const arrays = await goldenArrays(golden);
      const { image, label, vector, logits } = arrays as Record<string, Float64Nd>;
      // Folding mixes norms into weights, which are then not the parameters any more.
      const mixed = Object.keys(arrays).filter((name) => name.startsWith('mixed__'));
      const parameters = mode === 'folded' ? [] : mixed.map((name) => name.slice('mixed__'.length));

      const { graph, values } = canonicalExport(model, image!.shape, parameters);
      const derived = lower(differentiated(graph, image!.shape, logits!.shape, parameters));
      const own = { image: single(image!), vector: single(vector!), target: softmax(label!) };
      const [all, one] = await runGraphs(
        derived,
        [single(label!), oneHot(label!)].map((weights) => ({ ...values, ...own, label: weights })),
      );

      const errors = Object.fromEntries(
        ['logits', 'gradient', 'product', ...(mode === 'folded' ? [] : mixed)].map((name) => [
          name,
          normError(all![name]!.data as Float32Array, arrays[name]!.data),
        ]),
      );
      const every8th = (one!.gradient!.data as Float32Array).filter((_, index) => index % 8 === 0);
      errors.logit = normError(every8th, arrays.logit!.data);
      const wrong = Object.entries(errors).filter(([, error]) => !(error <= LIMIT));
      expect(wrong).toEqual([]);
    });
  });
});
