import { describe, expect, it } from 'vitest';
import { encodeCsv, readCsv } from '../../src/formats/csv.ts';
import { decodeText } from '../../src/formats/text.ts';
import { inputLine } from './failure.ts';

describe('readCsv', () => {
  it('reads quotes, line ends of all kinds, a byte order mark and empty lines', () => {
    const table = readCsv('\ufeffid, file \r\na,"x, ""y"""\r\n\nb,"two\nlines"\rc,\n', 't.csv');
    expect(table.columns).toEqual(['id', 'file']);
    expect(table.rows).toEqual([
      ['a', 'x, "y"'],
      ['b', 'two\nlines'],
      ['c', ''],
    ]);
    expect(table.lines).toEqual([2, 4, 6]);
  });

  it('reads a table without rows', () => {
    expect(readCsv('id,file\n', 't.csv').rows).toEqual([]);
  });

  it.each([
    ['a,b\n1,2\n1,"2\n', 't.csv: line 3: expected fields in matching quotes'],
    ['a,b\n1,"2"x\n', 't.csv: line 2: expected fields in matching quotes'],
    ['a,b\n1,2\n\n1\n', 't.csv: line 4: expected 2 fields (a, b), got 1'],
    ['a,b\n"x\ny",2\n1,2,3\n', 't.csv: line 4: expected 2 fields (a, b), got 3'],
    ['a,b,a\n', 't.csv: column 3: expected a name of its own, got "a" again'],
    ['a,,b\n', 't.csv: column 2: expected a name, got nothing'],
    ['\n\n', 't.csv: expected a line of column names, got no line'],
  ])('refuses %j', async (text, message) => {
    expect(await inputLine(() => readCsv(text, 't.csv'))).toContain(message);
  });
});

it('encodes what it reads', () => {
  const rows = [
    ['a,b', 'say "x"'],
    ['two\nlines', ''],
    ['ä ', ' x'],
  ];
  const text = encodeCsv(['id', 'text'], rows);
  expect(readCsv(text, 't.csv').rows).toEqual(rows);
  expect(encodeCsv(['id', 'file'], [['a', 'b.png']])).toBe('id,file\na,b.png\n');
});

it('refuses text that is not UTF-8', async () => {
  const bytes = new Uint8Array([0x61, 0xff, 0x62]);
  expect(await inputLine(() => decodeText(bytes, 'stimuli.csv'))).toBe(
    'stimuli.csv: expected UTF-8 text, got other bytes; save it as UTF-8',
  );
});
