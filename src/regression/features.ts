import type { FeatureSource } from '../records/activations.ts';
import type { FloatNd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';

/** A source that may be read more than once, and tells whether it lies in memory as a whole. */
export interface FeatureBlocks {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** The single block, once read; null for a source of several blocks. */
  resident(): Promise<FloatNd | null>;
  blocks(): AsyncGenerator<FloatNd>;
  /** Forgets the single block, which someone else keeps from now on. */
  drop(): void;
}

const wrongShape = (source: FeatureSource, got: string) =>
  inputError({
    where: `features of ${source.name}`,
    expected: `${source.rows} rows and ${source.columns} columns`,
    got,
    mend: 'give activations for these stimuli',
  });

async function* checked(source: FeatureSource): AsyncGenerator<FloatNd> {
  let columns = 0;
  for await (const block of source.blocks()) {
    const [rows = 0, width = 0] = block.shape;
    if (rows !== source.rows) throw wrongShape(source, `${rows} rows`);
    columns += width;
    yield block;
  }
  if (columns !== source.columns) throw wrongShape(source, `${columns} columns`);
}

export const openFeatures = (source: FeatureSource): FeatureBlocks => {
  let kept: FloatNd | null = null;
  const resident = async (): Promise<FloatNd | null> => {
    if (source.blockCount > 1) return null;
    if (kept === null) for await (const block of checked(source)) kept = block;
    return kept;
  };
  return {
    name: source.name,
    rows: source.rows,
    columns: source.columns,
    resident,
    async *blocks() {
      const block = await resident();
      if (block === null) yield* checked(source);
      else yield block;
    },
    drop: () => {
      kept = null;
    },
  };
};

/** Columns [from, to) of a layer over all rows: their means, and how many hold one value throughout. */
export interface ColumnMeans {
  readonly means: Float64Array;
  readonly constant: number;
}

/**
 * Means over rows, summed in float64, of the columns [from, to) of a block whose first column is the layer's `offset`.
 * Throws an input error that names the first value that is NaN or infinite.
 */
export const columnMeans = (
  { data, shape }: FloatNd,
  from: number,
  to: number,
  name: string,
  offset: number,
): ColumnMeans => {
  const [rows = 0, width = 0] = shape;
  const size = to - from;
  const means = new Float64Array(size);
  let i = 0;
  for (; i + 3 < rows; i += 4) {
    const r0 = i * width + from;
    const r1 = r0 + width;
    const r2 = r1 + width;
    const r3 = r2 + width;
    for (let j = 0; j < size; j++)
      means[j] = means[j]! + (data[r0 + j]! + data[r1 + j]! + (data[r2 + j]! + data[r3 + j]!));
  }
  for (; i < rows; i++)
    for (let j = 0; j < size; j++) means[j] = means[j]! + data[i * width + from + j]!;
  let constant = 0;
  for (let j = 0; j < size; j++) {
    if (!Number.isFinite(means[j]!)) throw notFinite(data, width, from + j, name, offset + j);
    means[j] = means[j]! / rows;
    if (isConstant(data, width, from + j)) constant++;
  }
  return { means, constant };
};

const isConstant = (data: FloatNd['data'], width: number, column: number): boolean => {
  for (let k = column + width; k < data.length; k += width)
    if (data[k] !== data[column]) return false;
  return true;
};

const notFinite = (
  data: FloatNd['data'],
  width: number,
  column: number,
  name: string,
  feature: number,
) => {
  let row = 0;
  while (Number.isFinite(data[row * width + column]!)) row++;
  return inputError({
    where: `features of ${name}: [${row}, ${feature}]`,
    expected: 'finite numbers',
    got: String(data[row * width + column]),
    mend: 'check the network and its preprocessing, or leave the layer out',
  });
};

/**
 * out[place, j] := block[order[place], from + j] − means[j] for the columns [from, to), rounded to the class of `out`.
 * `out` has `stride` columns, of which those from `at` on are written.
 */
export const writeCentred = (
  { data, shape }: FloatNd,
  from: number,
  order: Int32Array,
  means: Float64Array,
  out: Float64Array | Float32Array,
  stride: number,
  at: number,
): void => {
  const width = shape[1]!;
  for (let place = 0; place < order.length; place++) {
    const source = order[place]! * width + from;
    const target = place * stride + at;
    for (let j = 0; j < means.length; j++) out[target + j] = data[source + j]! - means[j]!;
  }
};
