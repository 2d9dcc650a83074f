import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd, FloatNd } from '../records/array.ts';
import type { Engine } from '../records/ports.ts';
import { columnMeans, openFeatures } from './features.ts';
import { chunkColumns, gramMatrix } from './gram.ts';
import { openProducts } from './products.ts';
import { type RegressionHooks, stepsOf } from './steps.ts';

/** Products of a layer's rows x₁ … x_n with each other, from which similarities follow. */
export interface RowGram {
  readonly rows: number;
  /** Features of a row. */
  readonly columns: number;
  /** (x_i − x̄)·(x_j − x̄) [n, n]: of the features less their means over rows. */
  readonly centred: Float64Array;
  /** (x_i − μ_i)·(x_j − μ_j) [n, n]: of the rows less their means over features. */
  readonly covariances: Float64Array;
  /** μ_i. */
  readonly rowMeans: Float64Array;
}

/** Sums over features of the levelled rows y_i = x_i − l_i, with l_i close to μ_i. */
interface RowSums {
  readonly centres: Float64Array;
  /** Σ y_i. */
  readonly sums: Float64Array;
  /** y_i·y_i. */
  readonly squares: Float64Array;
  /** (y_i − ȳ)·ȳ. */
  readonly withMean: Float64Array;
  /** ȳ·ȳ and Σ ȳ. */
  meanSquare: number;
  meanSum: number;
}

/** Means over features of the rows of a block. */
const centresOf = ({ data, shape }: FloatNd): Float64Array => {
  const [n = 0, width = 0] = shape;
  return Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let k = i * width; k < (i + 1) * width; k++) sum += data[k]!;
    return sum / width;
  });
};

/** The columns [from, to) of a block, every row less its level. */
const centred = (
  { data, shape }: FloatNd,
  [from, to]: readonly [number, number],
  centres: Float64Array,
): Float64Nd => {
  const [n = 0, width = 0] = shape;
  const y = new Float64Array(n * (to - from));
  for (let i = 0, k = 0; i < n; i++)
    for (let j = from; j < to; j++, k++) y[k] = data[i * width + j]! - centres[i]!;
  return { data: y, shape: [n, to - from] };
};

const addSums = (rows: RowSums, { data, shape }: Float64Nd, name: string): void => {
  const [n = 0, width = 0] = shape;
  const { means } = columnMeans({ data, shape }, 0, width, name, 0);
  for (let j = 0; j < width; j++) {
    rows.meanSquare += means[j]! * means[j]!;
    rows.meanSum += means[j]!;
  }
  for (let i = 0; i < n; i++) {
    let [sum, square, along] = [0, 0, 0];
    for (let j = 0, k = i * width; j < width; j++, k++) {
      const y = data[k]!;
      sum += y;
      square += y * y;
      along += (y - means[j]!) * means[j]!;
    }
    rows.sums[i] = rows.sums[i]! + sum;
    rows.squares[i] = rows.squares[i]! + square;
    rows.withMean[i] = rows.withMean[i]! + along;
  }
};

/** The levelled rows some columns at a time, added up on the way. Takes a single block over, as its reader would. */
async function* centredBlocks(source: FeatureSource, rows: RowSums): AsyncGenerator<FloatNd> {
  let offset = 0;
  for await (const block of source.blocks()) {
    const [n = 0, width = 0] = block.shape;
    if (n !== source.rows) {
      yield block;
      continue;
    }
    // Names the value that is not finite, which would make its whole row so.
    columnMeans(block, 0, width, source.name, offset);
    if (offset === 0) rows.centres.set(centresOf(block));
    offset += width;
    const step = chunkColumns(n, width);
    for (let from = 0; from < width; from += step) {
      const some = centred(block, [from, Math.min(from + step, width)], rows.centres);
      addSums(rows, some, source.name);
      yield some;
    }
  }
}

const mean = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** (y_i − m_i)·(y_j − m_j) from the products of the levelled rows less their mean row; the diagonal from its own sums. */
const covariancesFrom = (gram: Float64Array, rows: RowSums, p: number): Float64Array => {
  const { sums, squares, withMean, meanSquare, centres } = rows;
  const n = sums.length;
  return gram.map((product, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    if (i !== j)
      return product + withMean[i]! + withMean[j]! + meanSquare - (sums[i]! * sums[j]!) / p;
    const variance = squares[i]! - (sums[i]! * sums[i]!) / p;
    // What rounding leaves of a row that does not vary, beside its own size.
    const size = squares[i]! + p * centres[i]! * centres[i]!;
    return variance > 1e-30 * size ? variance : 0;
  });
};

/** (x_i − x̄)·(x_j − x̄) from the same: the levels come back. */
const centredFrom = (gram: Float64Array, rows: RowSums, p: number): Float64Array => {
  const { sums, centres, meanSum } = rows;
  const n = sums.length;
  const centre = mean(centres);
  const above = centres.map((each) => each - centre);
  const own = sums.map((sum) => sum - meanSum);
  return gram.map((product, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return product + above[i]! * own[j]! + above[j]! * own[i]! + p * above[i]! * above[j]!;
  });
};

/**
 * The Gram matrices of a layer in float64, in one pass over the features. Of every row its level (the mean of its first
 * block) is taken away before anything is multiplied: beside a common level, products of raw rows leave no digits to what
 * varies. Takes 24 n² bytes. The single block of a source is owned. Throws an input error for NaN or infinite features.
 */
export const rowGram = async (
  engine: Engine,
  source: FeatureSource,
  hooks: RegressionHooks,
): Promise<RowGram> => {
  const { rows: n, columns: p } = source;
  const vector = () => new Float64Array(n);
  const rows: RowSums = {
    centres: vector(),
    sums: vector(),
    squares: vector(),
    withMean: vector(),
    meanSquare: 0,
    meanSum: 0,
  };
  // Read once, in pieces of which none is kept.
  const pieces: FeatureSource = {
    ...source,
    blockCount: Number.POSITIVE_INFINITY,
    blocks: () => centredBlocks(source, rows),
  };
  const products = openProducts(engine);
  const order = Int32Array.from({ length: n }, (_, row) => row);
  try {
    const features = openFeatures(pieces);
    const made = await gramMatrix(engine, products, features, order, 'float64', stepsOf(hooks));
    const gram = (await engine.take(made.held)).data as Float64Array;
    return {
      rows: n,
      columns: p,
      centred: centredFrom(gram, rows, p),
      covariances: covariancesFrom(gram, rows, p),
      rowMeans: rows.centres.map((centre, i) => centre + rows.sums[i]! / p),
    };
  } finally {
    await products.release();
  }
};
