// What the study of coverage takes for granted: its fits are the library's, and its truth is true.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cells, design } from '../../bench/coverage/design.ts';
import { predict, readoutsOf } from '../../bench/coverage/fits.ts';
import { protocolOf } from '../../bench/coverage/measure.ts';
import { covarianceOf, covarianceTriangle } from '../../bench/coverage/population.ts';
import { product } from '../../bench/coverage/world.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Engine } from '../../src/records/ports.ts';
import type { Recording } from '../../src/records/recording.ts';
import { fitLayer } from '../../src/scoring/fit-layer.ts';
import { layOut } from '../../src/scoring/lay-out.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 1 });
});
afterAll(async () => engine.close());

const recordingOf = (images: number, trials: number, sites: number): Recording => {
  const random = createRandom('study');
  const signal = Float64Array.from({ length: images * sites }, () => random.normal());
  return {
    ...{ folder: '', hash: '', warnings: [] },
    header: {
      ...{ kind: 'recording', format: 2, name: 'made', species: 'none' },
      dims: ['stimulus', 'trial', 'site'],
      sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
      timeBins: [{ start: 0, end: 100 }],
      ...{ grid: null, unit: 'none', licence: null, citation: null, notes: [] },
    },
    responses: {
      data: Float64Array.from(
        { length: images * trials * sites },
        (_, k) =>
          signal[Math.floor(k / (trials * sites)) * sites + (k % sites)]! + 0.5 * random.normal(),
      ),
      shape: [images, trials, sites],
    },
    stimuli: Array.from({ length: images }, (_, i) => ({ id: `i${i}`, file: '', columns: {} })),
  };
};

describe('the study of coverage', () => {
  it('predicts what the library predicts', async () => {
    const cell = cells.find(({ name }) => name === 'image-30x12-4')!;
    const { layout, scored } = layOut(protocolOf(cell), recordingOf(30, 4, 12), 1, 'best');
    const random = createRandom('features');
    const features = {
      data: Float32Array.from({ length: 30 * 16 }, () => 3 + random.normal()),
      shape: [30, 16],
    };
    const fit = await fitLayer(
      layout,
      { sets: [scored], choosing: [scored] },
      {
        ...{ name: 'made', rows: 30, columns: 16, blockCount: 1 },
        async *blocks() {
          yield { data: features.data.slice(), shape: [30, 16] };
        },
      },
      { engine, progress: () => {}, checkStop: () => {} },
    );
    const readout = readoutsOf(features, scored.responses, layout.folds, design.image.alpha);
    layout.folds.forEach(({ test }, fold) => {
      const own = predict(readout([fold]), features, test);
      test.forEach((row, place) => {
        for (let s = 0; s < 12; s++)
          expect(own.data[place * 12 + s]).toBeCloseTo(fit.predictions.data[row * 12 + s]!, 8);
      });
    });
  });

  it('knows covariances of anything linear in the basis', () => {
    const random = createRandom('moments');
    const basis = Float64Array.from({ length: 500 * 4 }, () => random.normal());
    const [a, b] = [Float64Array.of(1, -2, 0.5, 0), Float64Array.of(0, 1, 1, 3)];
    const [x, y] = [product(basis, a, 4, 1), product(basis, b, 4, 1)];
    const centre = (values: Float64Array): number => values.reduce((sum, v) => sum + v, 0) / 500;
    const known = x.reduce((sum, v, i) => sum + (v - centre(x)) * (y[i]! - centre(y)), 0) / 500;
    expect(covarianceOf(covarianceTriangle(basis, 4), a, b)).toBeCloseTo(known, 10);
  });
});
