import type { CheckStop, Engine, Held } from '../records/ports.ts';
import { columnMeans, type Features, writeCentred } from './features.ts';
import type { Products } from './products.ts';

/** Rows of a Gram block: enough to keep the product busy, few enough to keep the blocks small. */
export const PANEL_ROWS = 512;
/** Bytes of the centred float64 copy of some columns that is multiplied at a time. */
export const CHUNK_BYTES = 64 * 2 ** 20;

/** Columns that are centred and multiplied at a time. */
export const chunkColumns = (rows: number, columns: number): number =>
  Math.min(columns, Math.max(256, Math.floor(CHUNK_BYTES / (8 * rows))));

export interface Gram {
  /** K = XXᵀ [n, n] of the features less their means over all rows, rows in the order asked for. */
  readonly held: Held;
  readonly precision: 'float32' | 'float64';
  readonly means: Float64Array;
  readonly constantColumns: number;
}

export interface StepHooks {
  /** One more step is done. */
  readonly step: () => void;
  readonly checkStop: CheckStop;
}

/** Number of steps that `gramMatrix` reports. */
export const gramSteps = (rows: number, columns: number): number =>
  Math.ceil(columns / chunkColumns(rows, columns)) * Math.ceil(rows / PANEL_ROWS);

/** Adds a product [to − from, to] to the rows [from, to) of the lower triangle of K. */
const addPanel = (
  gram: Float64Array,
  n: number,
  panel: Float64Array | Float32Array,
  from: number,
  to: number,
): void => {
  for (let i = from; i < to; i++) {
    const source = (i - from) * to;
    const target = i * n;
    for (let j = 0; j <= i; j++) gram[target + j] = gram[target + j]! + panel[source + j]!;
  }
};

/** Copies the lower triangle to the upper one, tile by tile. */
const mirror = (gram: Float64Array, n: number): void => {
  const tile = 32;
  for (let i0 = 0; i0 < n; i0 += tile)
    for (let j0 = 0; j0 <= i0; j0 += tile)
      for (let i = i0; i < Math.min(i0 + tile, n); i++)
        for (let j = j0; j < Math.min(j0 + tile, i); j++) gram[j * n + i] = gram[i * n + j]!;
};

/** The float64 or float32 products of some centred columns with themselves, added to the lower triangle. */
const addColumns = async (
  engine: Engine,
  products: Products,
  chunk: Float64Array | Float32Array,
  gram: Float64Array,
  n: number,
  hooks: StepHooks,
): Promise<ArrayBuffer> => {
  const double = chunk instanceof Float64Array;
  const held = await engine.hold({ data: chunk, shape: [n, chunk.length / n] });
  const panel = (from: number) => {
    const to = Math.min(from + PANEL_ROWS, n);
    const a = { held, rows: [from, to] } as const;
    const b = { held, rows: [0, to] } as const;
    return double ? products.multiply('a·bᵀ', a, b) : products.multiply32('a·bᵀ', a, b);
  };
  let back: ArrayBuffer;
  try {
    // While one block is added here, the engine multiplies the next.
    let next: Promise<Float64Array | Float32Array> = panel(0);
    for (let from = 0; from < n; from += PANEL_ROWS) {
      const current = await next;
      hooks.checkStop();
      if (from + PANEL_ROWS < n) next = panel(from + PANEL_ROWS);
      addPanel(gram, n, current, from, Math.min(from + PANEL_ROWS, n));
      hooks.step();
    }
  } finally {
    back = (await engine.take(held)).data.buffer as ArrayBuffer;
  }
  return back;
};

/**
 * Gram matrix of a layer, accumulated in float64 over chunks of columns whose products are made in `precision`.
 * Columns are centred by their float64 means over all rows. Besides the source's blocks it holds n² · 8 bytes and
 * one chunk. Throws an input error for NaN or infinite features.
 */
export const gramMatrix = async (
  engine: Engine,
  products: Products,
  features: Features,
  order: Int32Array,
  precision: 'float32' | 'float64',
  hooks: StepHooks,
): Promise<Gram> => {
  const n = features.rows;
  const width = chunkColumns(n, features.columns);
  const gram = new Float64Array(n * n);
  const means = new Float64Array(features.columns);
  let constantColumns = 0;
  let offset = 0;
  let buffer = new ArrayBuffer(n * width * (precision === 'float64' ? 8 : 4));
  for await (const block of features.blocks()) {
    const columns = block.shape[1]!;
    for (let from = 0; from < columns; from += width) {
      const to = Math.min(from + width, columns);
      const some = columnMeans(block, from, to, features.name, offset + from);
      const size = n * (to - from);
      const whole = precision === 'float64' ? new Float64Array(buffer) : new Float32Array(buffer);
      // A view of a larger buffer would be copied, not moved.
      const chunk =
        whole.length === size
          ? whole
          : precision === 'float64'
            ? new Float64Array(size)
            : new Float32Array(size);
      writeCentred(block, from, order, some.means, chunk, to - from, 0);
      buffer = await addColumns(engine, products, chunk, gram, n, hooks);
      means.set(some.means, offset + from);
      constantColumns += some.constant;
    }
    offset += columns;
  }
  mirror(gram, n);
  const held = await engine.hold({ data: gram, shape: [n, n] });
  return { held, precision, means, constantColumns };
};
