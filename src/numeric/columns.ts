import type { Float64Nd } from '../records/array.ts';

/** Some columns of a `[rows, columns]` table. */
export const takeColumns = ({ data, shape }: Float64Nd, columns: ArrayLike<number>): Float64Nd => {
  const [rows, all] = shape as readonly [number, number];
  const taken = new Float64Array(rows * columns.length);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < columns.length; i++)
      taken[row * columns.length + i] = data[row * all + columns[i]!]!;
  return { data: taken, shape: [rows, columns.length] };
};

/** All other columns set to one value: to a constant, of which a regression takes no notice, or to NaN, not scored. */
export const onlyColumns = (
  { data, shape }: Float64Nd,
  columns: Iterable<number>,
  otherwise: number,
): Float64Nd => {
  const kept = new Set(columns);
  const all = shape[1]!;
  return { data: data.map((value, index) => (kept.has(index % all) ? value : otherwise)), shape };
};

/** A table of some columns among `all`, NaN in the others. */
export const spreadColumns = (
  { data, shape }: Float64Nd,
  columns: ArrayLike<number>,
  all: number,
): Float64Nd => {
  const rows = shape[0]!;
  const spread = new Float64Array(rows * all).fill(Number.NaN);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < columns.length; i++)
      spread[row * all + columns[i]!] = data[row * columns.length + i]!;
  return { data: spread, shape: [rows, all] };
};
