// The part of Papa Parse that ventral uses. The published types name Node's streams, and with them every global
// of Node would be known in the rooms.
declare module 'papaparse' {
  interface ParseSettings {
    readonly header?: boolean;
    readonly delimiter?: string;
    readonly newline?: '\r' | '\n' | '\r\n';
    readonly quoteChar?: string;
    readonly escapeChar?: string;
    readonly comments?: boolean | string;
    readonly dynamicTyping?: boolean;
    readonly preview?: number;
    readonly skipEmptyLines?: boolean | 'greedy';
    readonly transformHeader?: (header: string, index: number) => string;
  }
  interface ParseError {
    readonly type: 'Quotes' | 'Delimiter' | 'FieldMismatch';
    readonly code: string;
    readonly message: string;
    /** Counted from 0, the header left out; absent where the whole text is meant. */
    readonly row?: number;
    readonly index?: number;
  }
  interface ParseResult<Row> {
    readonly data: Row[];
    readonly errors: readonly ParseError[];
    readonly meta: { readonly fields?: readonly string[]; readonly delimiter: string };
  }
  interface UnparseSettings {
    readonly header?: boolean;
    readonly delimiter?: string;
    readonly newline?: '\n' | '\r\n';
    readonly columns?: readonly string[];
  }
  interface UnparseFields {
    readonly fields: readonly string[];
    readonly data: readonly (readonly unknown[])[];
  }
  const papa: {
    parse<Row>(text: string, settings?: ParseSettings): ParseResult<Row>;
    unparse(
      rows: UnparseFields | readonly object[] | readonly (readonly unknown[])[],
      settings?: UnparseSettings,
    ): string;
  };
  export = papa;
}
