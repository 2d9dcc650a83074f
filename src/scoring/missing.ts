// Responses that are missing: which stimuli and sites are left out for them, and which regressions the others take.

import type { Float64Nd } from '../records/array.ts';

/** Columns of a table of responses that lack the same rows. */
export interface MissingPattern {
  readonly columns: Int32Array;
  /** Rows without a response, ascending. */
  readonly rows: Int32Array;
}

const lacksAny = (data: Float64Array): boolean => {
  for (let at = 0; at < data.length; at++) if (Number.isNaN(data[at]!)) return true;
  return false;
};

/** The columns of a table `[rows, columns]` by the rows that they lack (NaN), in the order of their first columns. */
export const patternsOf = ({ data, shape }: Float64Nd): MissingPattern[] => {
  const [rows, columns] = shape as readonly [number, number];
  // Asked of every permutation for every layer: mostly nothing is missing.
  if (columns > 0 && !lacksAny(data)) {
    const all = Int32Array.from({ length: columns }, (_, column) => column);
    return [{ columns: all, rows: new Int32Array(0) }];
  }
  const found = new Map<string, { readonly columns: number[]; readonly rows: number[] }>();
  for (let column = 0; column < columns; column++) {
    const lacking: number[] = [];
    for (let row = 0; row < rows; row++)
      if (Number.isNaN(data[row * columns + column]!)) lacking.push(row);
    const key = lacking.join();
    const same = found.get(key);
    if (same === undefined) found.set(key, { columns: [column], rows: lacking });
    else same.columns.push(column);
  }
  return Array.from(found.values(), (pattern) => ({
    columns: Int32Array.from(pattern.columns),
    rows: Int32Array.from(pattern.rows),
  }));
};

/** Rows of which no response is missing in the given column. */
export const rowsThere = (
  { data, shape }: Float64Nd,
  column: number,
  rows: Int32Array,
): Int32Array => {
  const columns = shape[1]!;
  for (let i = 0; i < rows.length; i++)
    if (Number.isNaN(data[rows[i]! * columns + column]!))
      return rows.filter((row) => !Number.isNaN(data[row * columns + column]!));
  return rows;
};
