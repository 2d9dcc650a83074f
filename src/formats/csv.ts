/// <reference path="./papaparse.d.ts" />
import papa from 'papaparse';
import { inputError } from '../records/errors.ts';

/** A table of text: `rows[i][k]` belongs to `columns[k]`; `lines[i]` is the line of the file where row `i` begins. */
export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly lines: readonly number[];
}

const mend = 'mend the line or save the table as CSV again';

/** Line of the file where each record begins: quoted fields may run over several. */
const linesOf = (records: readonly (readonly string[])[]): number[] => {
  let line = 1;
  return records.map((fields) => {
    const begins = line;
    line += fields.reduce((sum, field) => sum + field.split('\n').length - 1, 1);
    return begins;
  });
};

const checkColumns = (columns: readonly string[], name: string): void => {
  columns.forEach((column, index) => {
    const where = `${name}: column ${index + 1}`;
    if (column === '') throw inputError({ where, expected: 'a name', got: 'nothing', mend });
    if (columns.indexOf(column) < index) {
      throw inputError({ where, expected: 'a name of its own', got: `"${column}" again`, mend });
    }
  });
};

/**
 * Reads comma-separated text (RFC 4180) with a line of column names. Empty lines are passed over.
 * Input error with the line: wrong quotes, too few or too many fields, a column named twice or not at all.
 */
export const readCsv = (text: string, name: string): CsvTable => {
  const plain = text.replace(/^\ufeff/, '').replaceAll(/\r\n?/g, '\n');
  const { data, errors } = papa.parse<string[]>(plain, { delimiter: ',', newline: '\n' });
  const begins = linesOf(data);
  const [error] = errors;
  if (error !== undefined) {
    const where = error.row === undefined ? name : `${name}: line ${begins[error.row] ?? '?'}`;
    throw inputError({ where, expected: 'fields in matching quotes', got: error.message, mend });
  }
  const records = data
    .map((fields, index) => ({ fields, line: begins[index]! }))
    .filter(({ fields }) => fields.length > 1 || fields[0] !== '');
  const [head, ...body] = records;
  if (head === undefined) {
    throw inputError({ where: name, expected: 'a line of column names', got: 'no line', mend });
  }
  const columns = head.fields.map((column) => column.trim());
  checkColumns(columns, name);
  for (const { fields, line } of body) {
    if (fields.length === columns.length) continue;
    const expected = `${columns.length} fields (${columns.slice(0, 4).join(', ')})`;
    const where = `${name}: line ${line}`;
    throw inputError({ where, expected, got: `${fields.length}`, mend });
  }
  return {
    columns,
    rows: body.map(({ fields }) => fields),
    lines: body.map(({ line }) => line),
  };
};

/** Comma-separated text with line feeds, quoted only where needed. */
export const encodeCsv = (
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string => `${papa.unparse([columns, ...rows], { newline: '\n' })}\n`;
