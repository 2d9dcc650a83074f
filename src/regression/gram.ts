import { unitOf } from '../numeric/unit.ts';
import type { CheckStop, Engine, Held } from '../records/ports.ts';
import { columnMeans, type FeatureBlocks, writeCentred } from './features.ts';
import type { Products } from './products.ts';

/** Rows of a Gram block: enough to keep the product busy, few enough to keep the blocks small. */
export const PANEL_ROWS = 512;
/** Bytes of the centred float64 copy of some columns that is multiplied at a time. */
export const CHUNK_BYTES = 64 * 2 ** 20;

/** Columns that are centred and multiplied at a time: as even shares of `columns` as the chunk allows. */
export const chunkColumns = (rows: number, columns: number): number => {
  const most = Math.max(256, Math.floor(CHUNK_BYTES / (8 * rows)));
  return Math.ceil(columns / Math.ceil(columns / most));
};

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
  /** Announces steps to come. */
  readonly expect: (steps: number) => void;
  readonly checkStop: CheckStop;
}

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

/** Copies the lower triangle to the upper one, tile by tile, each tile in the order of what is written. */
const mirror = (gram: Float64Array, n: number): void => {
  const tile = 32;
  for (let i0 = 0; i0 < n; i0 += tile)
    for (let j0 = 0; j0 <= i0; j0 += tile) {
      const i1 = Math.min(i0 + tile, n);
      for (let j = j0; j < Math.min(j0 + tile, i1); j++)
        for (let i = Math.max(i0, j + 1); i < i1; i++) gram[j * n + i] = gram[i * n + j]!;
    }
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
  features: FeatureBlocks,
  order: Int32Array,
  precision: 'float32' | 'float64',
  hooks: StepHooks,
): Promise<Gram> => {
  const n = features.rows;
  const gram = new Float64Array(n * n);
  const means = new Float64Array(features.columns);
  const make = precision === 'float64' ? Float64Array : Float32Array;
  let constantColumns = 0;
  let offset = 0;
  let unit: number | null = null;
  let buffer = new ArrayBuffer(0);
  for await (const block of features.blocks()) {
    const columns = block.shape[1]!;
    const width = chunkColumns(n, columns);
    const bytes = n * width * make.BYTES_PER_ELEMENT;
    if (buffer.byteLength !== bytes) buffer = new ArrayBuffer(bytes);
    hooks.expect(Math.ceil(columns / width) * Math.ceil(n / PANEL_ROWS));
    for (let from = 0; from < columns; from += width) {
      const to = Math.min(from + width, columns);
      const some = columnMeans(block, from, to, features.name, offset + from);
      // All chunks are of one size, so that their memory is used again; columns past the last are 0.
      const chunk = new make(buffer);
      if (to - from < width) chunk.fill(0);
      writeCentred(block, from, order, some.means, chunk, width, 0);
      // Squares of very small or large features leave float32. The first columns stand for all.
      unit ??= precision === 'float32' ? unitOf(chunk) : 1;
      if (unit !== 1) for (let k = 0; k < chunk.length; k++) chunk[k] = chunk[k]! / unit;
      buffer = await addColumns(engine, products, chunk, gram, n, hooks);
      means.set(some.means, offset + from);
      constantColumns += some.constant;
    }
    offset += columns;
  }
  mirror(gram, n);
  const square = (unit ?? 1) ** 2;
  if (square !== 1) for (let k = 0; k < gram.length; k++) gram[k] = gram[k]! * square;
  const held = await engine.hold({ data: gram, shape: [n, n] });
  return { held, precision, means, constantColumns };
};
