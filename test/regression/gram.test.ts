import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Engine } from '../../src/records/ports.ts';
import { openFeatures } from '../../src/regression/features.ts';
import { chunkColumns, gramMatrix, PANEL_ROWS } from '../../src/regression/gram.ts';
import { openProducts } from '../../src/regression/products.ts';
import { sourceOf } from './problems.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 2 });
});
afterAll(() => engine.close());

// More rows than one panel and more columns than one chunk.
const rows = 1030;
const columns = 8300;
const random = createRandom('gram');
const x = Float32Array.from({ length: rows * columns }, (_, k) => random.next() + (k % columns));
const order = random.permutation(rows);

const expected = (i: number, j: number): number => {
  let sum = 0;
  for (let k = 0; k < columns; k++) {
    // The generator's mean would do as well: K is centred by column means, which are near it.
    const mean = means[k]!;
    sum += (x[order[i]! * columns + k]! - mean) * (x[order[j]! * columns + k]! - mean);
  }
  return sum;
};
const means = new Float64Array(columns);
for (let i = 0; i < rows; i++)
  for (let k = 0; k < columns; k++) means[k] = means[k]! + x[i * columns + k]! / rows;

describe('gramMatrix', () => {
  it('is made in panels and chunks here', () => {
    expect(rows).toBeGreaterThan(2 * PANEL_ROWS);
    expect(columns).toBeGreaterThan(chunkColumns(rows, columns));
  });

  it.each([
    ['float64', columns, 1e-11],
    ['float64', 3000, 1e-11],
    ['float32', columns, 1e-5],
  ] as const)('is the product of the centred features: %s, blocks of %s', async (precision, width, tolerance) => {
    const products = openProducts(engine);
    let done = 0;
    let announced = 0;
    const gram = await gramMatrix(
      {
        engine,
        products,
        features: openFeatures(sourceOf({ data: x, shape: [rows, columns] }, width)),
        order,
        steps: {
          step: () => void done++,
          expect: (steps) => {
            announced += steps;
          },
          checkStop: () => {},
        },
      },
      precision,
    );
    await products.release();
    const { data } = await engine.take(gram.held);
    const places = [0, 1, 31, 32, 33, 511, 512, 700, 1023, 1024, 1029];
    const size = expected(0, 0);
    for (const i of places)
      for (const j of places) {
        expect(Math.abs(Number(data[i * rows + j]) - expected(i, j))).toBeLessThan(
          tolerance * size,
        );
        expect(data[i * rows + j]).toBe(data[j * rows + i]);
      }
    expect(done).toBe(announced);
  });
});
