import type { Float64Nd } from '../records/array.ts';
import type { Aggregation } from './aggregation.ts';

/** Rows within which a correlation is computed: all of them (`sites`), or those of one image. */
export interface Group {
  readonly name: string;
  readonly rows: Int32Array;
}

const rowsWhere = (rows: number, belongs: (row: number) => boolean): Int32Array =>
  Int32Array.from({ length: rows }, (_, row) => row).filter(belongs);

/** One group per image, in the order of their first row; `names[i]` is image i's id. */
export const groupsOfImages = (imageOfRow: Int32Array, names: readonly string[]): Group[] =>
  [...new Set(imageOfRow)].map((image) => ({
    name: names[image]!,
    rows: rowsWhere(imageOfRow.length, (row) => imageOfRow[row] === image),
  }));

/** The groups of an aggregation over rows or images. */
export const groupsOf = (
  { over }: Aggregation,
  imageOfRow: Int32Array,
  names: readonly string[],
): Group[] =>
  over === 'rows'
    ? [{ name: 'all', rows: rowsWhere(imageOfRow.length, () => true) }]
    : groupsOfImages(imageOfRow, names);

/** Image (by the order of their first rows) of each row, and the images' ids. */
export const imagesOf = (stimulusIds: readonly string[]) => {
  const ids = [...new Set(stimulusIds)];
  const place = new Map(ids.map((id, index) => [id, index]));
  return { ids, imageOfRow: Int32Array.from(stimulusIds, (id) => place.get(id)!) };
};

/** The values of one column of a `[rows, columns]` table at the given rows. */
export const columnAt = (table: Float64Nd, column: number, rows: Int32Array): Float64Array => {
  const columns = table.shape[1]!;
  // A loop: `Float64Array.from` with a function takes several times as long, and this is the innermost of all.
  const values = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = table.data[rows[i]! * columns + column]!;
  return values;
};
