import { permuteRows } from '../numeric/array.ts';
import { transposedMatrix } from '../numeric/vectors.ts';
import type { Float32Nd, Float64Nd, FloatNd, NdArray } from '../records/array.ts';
import type { Engine, Held } from '../records/ports.ts';
import { columnMeans, type FeatureBlocks, writeCentred } from './features.ts';
import { PANEL_ROWS } from './gram.ts';
import { matrix, type Products } from './products.ts';

/** Centred features X [n, p], rows in fold order, as something that multiplies. */
export interface FeatureOperator {
  readonly rows: number;
  readonly columns: number;
  readonly means: Float64Array;
  readonly constantColumns: number;
  /** X·W for W [p, m]: [n, m]. */
  scores(weights: Float64Array): Promise<Float64Array>;
  /** XᵀV for V [n, m]: [p, m]. */
  loadings(vectors: Float64Array): Promise<Float64Array>;
  /** XᵀV of the rows [from, to) alone, for V [to − from, m]: [p, m]. */
  partialLoadings(vectors: Float64Array, from: number, to: number): Promise<Float64Array>;
  release(): Promise<void>;
}

/** X [n, p] in float64, centred, rows in fold order, with the means that were taken away. */
export interface DenseFeatures {
  readonly x: Float64Nd;
  readonly means: Float64Array;
  readonly constantColumns: number;
}

/** Reads a layer of few columns: 8 n p bytes. Throws an input error for NaN or infinite features. */
export const readDense = async (
  features: FeatureBlocks,
  order: Int32Array,
): Promise<DenseFeatures> => {
  const { rows: n, columns: p } = features;
  const x = new Float64Array(n * p);
  const means = new Float64Array(p);
  let constantColumns = 0;
  let offset = 0;
  for await (const block of features.blocks()) {
    const width = block.shape[1]!;
    const some = columnMeans(block, 0, width, features.name, offset);
    writeCentred(block, { from: 0, order, means: some.means }, { out: x, stride: p, at: offset });
    means.set(some.means, offset);
    constantColumns += some.constant;
    offset += width;
  }
  return { x: { data: x, shape: [n, p] }, means, constantColumns };
};

/** X and its transpose, for layers with few columns: 16 n p bytes. The features are given away. */
export const denseOperator = async (
  engine: Engine,
  products: Products,
  { x, means, constantColumns }: DenseFeatures,
): Promise<FeatureOperator> => {
  const [n = 0, p = 0] = x.shape;
  const across: Held = await engine.hold({ data: transposedMatrix(x.data, n, p), shape: [p, n] });
  const held: Held = await engine.hold(x);
  return {
    rows: n,
    columns: p,
    means,
    constantColumns,
    scores: (weights) => products.multiply('a·b', { held }, matrix(weights, p)),
    loadings: (vectors) => products.multiply('a·b', { held: across }, matrix(vectors, n)),
    partialLoadings: (vectors, from, to) =>
      products.multiply('aᵀ·b', { held, rows: [from, to] }, matrix(vectors, to - from)),
    release: async () => {
      await engine.drop(held);
      await engine.drop(across);
    },
  };
};

/** Bytes of the float64 copy of some rows, of which the engine makes two. */
const WIDE_BYTES = 24 * 2 ** 20;

type Multiply = (
  form: 'a·b' | 'aᵀ·b',
  rows: readonly [number, number],
  b: NdArray<Float64Array>,
) => Promise<Float64Array>;

interface HeldBlock {
  readonly held: Held;
  /** Some of its rows, centred, times `b`. */
  readonly multiply: Multiply;
}

/** Rows in float32, which the engine centres in float64 as it multiplies. */
const holdFloat32 = async (
  engine: Engine,
  products: Products,
  block: Float32Nd,
  mean: Float64Nd,
): Promise<HeldBlock> => {
  const held = await engine.hold(block);
  return {
    held,
    multiply: (form, rows, b) => products.multiplyCentred(form, { held, rows }, mean, b),
  };
};

/** Rows in float64, centred here and in place. */
const holdFloat64 = async (
  engine: Engine,
  products: Products,
  { data, shape }: Float64Nd,
  mean: Float64Nd,
): Promise<HeldBlock> => {
  const p = shape[1]!;
  for (let k = 0; k < data.length; k++) data[k] = data[k]! - mean.data[k % p]!;
  const held = await engine.hold({ data, shape });
  return { held, multiply: (form, rows, b) => products.multiply(form, { held, rows }, b) };
};

const isFloat32 = (block: FloatNd): block is Float32Nd => block.data instanceof Float32Array;

/**
 * X as it lies in memory, in float32 centred in float64 some rows at a time inside the engine: 4 n p bytes and a block; in
 * float64 8 n p bytes. Takes `block` over: its rows are brought into `order` in place.
 */
export const streamedOperator = async (
  engine: Engine,
  products: Products,
  block: FloatNd,
  order: Int32Array,
  means: Float64Array,
): Promise<FeatureOperator> => {
  const [n = 0, p = 0] = block.shape;
  permuteRows(block, order);
  const mean = { data: means, shape: [p] };
  const { held, multiply } = isFloat32(block)
    ? await holdFloat32(engine, products, block, mean)
    : await holdFloat64(engine, products, block as Float64Nd, mean);
  const step = Math.max(8, Math.min(PANEL_ROWS, Math.floor(WIDE_BYTES / (8 * p))));
  const partialLoadings = async (vectors: Float64Array, from: number, to: number) => {
    const m = vectors.length / (to - from);
    const sum = new Float64Array(p * m);
    for (let i = from; i < to; i += step) {
      const end = Math.min(i + step, to);
      const some = matrix(vectors.subarray((i - from) * m, (end - from) * m), end - i);
      const part = await multiply('aᵀ·b', [i, end], some);
      for (let k = 0; k < sum.length; k++) sum[k] = sum[k]! + part[k]!;
    }
    return sum;
  };
  return {
    rows: n,
    columns: p,
    means,
    constantColumns: 0,
    scores: async (weights) => {
      const m = weights.length / p;
      const result = new Float64Array(n * m);
      for (let i = 0; i < n; i += step) {
        const rows = [i, Math.min(i + step, n)] as const;
        const part = await multiply('a·b', rows, matrix(weights, p));
        result.set(part, i * m);
      }
      return result;
    },
    loadings: (vectors) => partialLoadings(vectors, 0, n),
    partialLoadings,
    release: async () => {
      await engine.drop(held);
    },
  };
};
