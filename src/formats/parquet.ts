import { parquetWriteBuffer } from 'hyparquet-writer';

/** A column of text or of numbers, as long as its neighbours; null where there is no value. */
export type ParquetColumn =
  | { readonly name: string; readonly kind: 'text'; readonly values: readonly (string | null)[] }
  | { readonly name: string; readonly kind: 'number'; readonly values: readonly (number | null)[] };

/** A Parquet file (Snappy): text as UTF-8 strings, numbers as doubles, every column nullable. */
export const encodeParquet = (columns: readonly ParquetColumn[]): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: columns.map(({ name, kind, values }) => ({
        name,
        data: [...values],
        type: kind === 'text' ? 'STRING' : 'DOUBLE',
        nullable: true,
      })),
    }),
  );
