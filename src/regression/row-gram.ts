import type { FeatureSource } from '../records/activations.ts';
import type { Float32Nd } from '../records/array.ts';
import type { Engine } from '../records/ports.ts';
import { columnMeans, openFeatures } from './features.ts';
import { gramMatrix } from './gram.ts';
import { openProducts } from './products.ts';
import { type RegressionHooks, stepsOf } from './steps.ts';

/** Products of a layer's rows x₁ … x_n with each other, from which similarities follow. */
export interface RowGram {
  readonly rows: number;
  /** Features of a row. */
  readonly columns: number;
  /** (x_i − x̄)·(x_j − x̄) [n, n]. */
  readonly centred: Float64Array;
  /** x_i·x̄ and x̄·x̄, which give back the products of raw rows. */
  readonly withMean: Float64Array;
  readonly meanSquare: number;
  /** Mean over features of each row. */
  readonly rowMeans: Float64Array;
}

/**
 * The Gram matrix of a layer in float64, and with it what centring takes away, in one pass over the features.
 * The single block of a source is owned. Throws an input error for NaN or infinite features.
 */
export const rowGram = async (
  engine: Engine,
  source: FeatureSource,
  hooks: RegressionHooks,
): Promise<RowGram> => {
  const { rows: n, columns: p } = source;
  const withMean = new Float64Array(n);
  const sums = new Float64Array(n);
  let meanSquare = 0;
  let offset = 0;
  const observe = ({ data, shape }: Float32Nd): void => {
    const width = shape[1]!;
    const { means } = columnMeans({ data, shape }, 0, width, source.name, offset);
    for (let j = 0; j < width; j++) meanSquare += means[j]! * means[j]!;
    for (let i = 0; i < n; i++)
      for (let j = 0, k = i * width; j < width; j++, k++) {
        withMean[i] = withMean[i]! + data[k]! * means[j]!;
        sums[i] = sums[i]! + data[k]!;
      }
    offset += width;
  };
  const observed: FeatureSource = {
    ...source,
    async *blocks() {
      for await (const block of source.blocks()) {
        if (block.shape[0] === n) observe(block);
        yield block;
      }
    },
  };
  const products = openProducts(engine);
  const order = Int32Array.from({ length: n }, (_, row) => row);
  try {
    const features = openFeatures(observed);
    const gram = await gramMatrix(engine, products, features, order, 'float64', stepsOf(hooks));
    const centred = (await engine.take(gram.held)).data as Float64Array;
    const rowMeans = sums.map((sum) => sum / p);
    return { rows: n, columns: p, centred, withMean, meanSquare, rowMeans };
  } finally {
    await products.release();
  }
};
