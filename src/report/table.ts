/** A column of a text table: its head and which side its cells lean to. */
export interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
}

/**
 * Plain text lines: a head, then the rows, columns two spaces apart, no trailing blanks. Cells are shown as given.
 */
export const tableLines = (
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] => {
  const widths = columns.map(({ head }, index) =>
    Math.max(head.length, ...rows.map((row) => row[index]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        columns[index]!.align === 'left'
          ? cell.padEnd(widths[index]!)
          : cell.padStart(widths[index]!),
      )
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ head }) => head)), ...rows.map(line)];
};

/** Three decimals; a dash where there is no value. */
export const numberText = (value: number | null): string =>
  value === null || Number.isNaN(value) ? '–' : value.toFixed(3);

/** `4.1 GB`, `120 MB`, `3 kB`. */
export const bytesText = (bytes: number): string => {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${Math.round(bytes / 1e6)} MB`;
  return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
};

/** `2 h 05 min`, `3 min 20 s`, `12 s`. */
export const durationText = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole >= 3600)
    return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${whole} s`;
};

/** A list cut after `most` entries, with a count of the rest. */
export const shortList = (entries: readonly string[], most: number): string => {
  const rest = entries.length - most;
  return rest > 0 ? `${entries.slice(0, most).join(', ')} and ${rest} more` : entries.join(', ');
};

/** `1 layer`, `3 layers`, `2 passes`. */
export const counted = (count: number, noun: string): string => {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun}${noun.endsWith('s') ? 'es' : 's'}`;
};
