import { describe, expect, it } from 'vitest';
import {
  byNumber,
  fileFinder,
  isListedOtherwise,
  placesIn,
  readNameOrder,
  sortedNames,
} from '../../src/formats/name-order.ts';
import { createMemoryFiles } from '../memory-files.ts';

const sorted = (...names: string[]): string[] => names.sort(byNumber);

describe('names by the numbers in them', () => {
  it('compare numbers with text before and after them, also in folders', () => {
    expect(sorted('frame_10b.png', 'frame_9b.png')).toEqual(['frame_9b.png', 'frame_10b.png']);
    expect(sorted('set10/a1.png', 'set2/a3.png', 'set2/a12.png')).toEqual([
      'set2/a3.png',
      'set2/a12.png',
      'set10/a1.png',
    ]);
    expect(sorted('12345678901234567891', '12345678901234567890')[0]).toBe('12345678901234567890');
  });

  it('are as sorted by code unit but for numbers of different lengths', () => {
    const names = ['a-1.png', 'a1.png', 'a.png', 'B.png', 'a_1.png', 'a1b.png', 'a1.jpg', 'ä.png'];
    expect(sortedNames(names, null, 'x')).toEqual([...names].sort());
    const padded = Array.from({ length: 120 }, (_, i) => `im${`${i}`.padStart(3, '0')}.png`);
    expect(sortedNames(padded.toReversed(), null, 'x')).toEqual(padded);
  });

  it('are refused where zeros lead in some names only', () => {
    expect(() => sortedNames(['im01b.png', 'im1a.png'], null, 'x')).toThrow('by name, by number');
    expect(() => sortedNames(['c0.10.png', 'c0.5.png'], null, 'x')).toThrow('a list of the names');
  });
});

describe('names by code unit', () => {
  const otherwise = (...names: string[]): boolean =>
    isListedOtherwise(sortedNames(names, null, 'x'));

  it('are listed otherwise where case, signs or folders count', () => {
    expect(otherwise('a.png', 'b.png', 'c/d.png', 'c/e.png', 'c2/a.png')).toBe(false);
    expect(otherwise('A1.png', 'b2.png', 'C3.png')).toBe(true);
    expect(otherwise('im1.png', 'im1-b.png')).toBe(true);
    expect(otherwise('a/x.png', 'a-b/y.png')).toBe(true);
    expect(otherwise('a/2.png', 'B/1.png', 'B/3.png')).toBe(true);
  });
});

describe('a list of names', () => {
  const files = createMemoryFiles({
    'rec.csv': 'file,stimulus_id\nb.png,two\na.png,one\n',
    'plain.txt': '\ufeffa.png\r\n\r\nb.png\r\n',
    'twice.txt': 'a\na\n',
    'empty.txt': '\n',
  });

  it('is read from a table or from lines', async () => {
    expect(await readNameOrder('number', files)).toBe('number');
    expect(await readNameOrder('rec.csv', files)).toMatchObject({ list: ['two', 'one'] });
    expect(await readNameOrder('plain.txt', files)).toMatchObject({ list: ['a.png', 'b.png'] });
    await expect(readNameOrder('twice.txt', files)).rejects.toThrow('"a" twice');
    await expect(readNameOrder('empty.txt', files)).rejects.toThrow('got none');
  });

  it('gives each stimulus its row, by id, file name or stem; it may have more', () => {
    const stimuli = [
      { id: 'one', file: 'sub/A.png' },
      { id: 'two', file: 'sub/B.png' },
    ];
    const places = (...list: string[]) => Array.from(placesIn({ list, where: 'x' }, stimuli));
    expect(places('two', 'one')).toEqual([1, 0]);
    expect(places('c.png', 'b.PNG', 'C:\\images\\a.jpg')).toEqual([2, 1]);
    const cases = [...stimuli, { id: 'three', file: 'sub/b.png' }];
    const among = (...list: string[]) => placesIn({ list, where: 'x' }, cases);
    expect(Array.from(among('A.png', 'B.png', 'b.png'))).toEqual([0, 1, 2]);
    expect(() => among('A', 'B', 'b.png')).toThrow('"B", which is several');
    expect(() => places('one', 'A.png', 'two')).toThrow('"one" and "A.png" for one');
    expect(() => places('one')).toThrow('among them "two"');
  });
});

describe('a name on another computer', () => {
  it('means a file by its name, case, stem or another ending', () => {
    const find = fileFinder([
      'a/stim0.png',
      'a/stim0.5.png',
      'b/Face.PNG',
      'b/face.png',
      'c/x.png',
    ]);
    expect(find('C:\\old\\stim0.png')).toBe(0);
    expect(find('stim0.5')).toBe(1);
    expect(find('STIM0.jpg')).toBe(0);
    expect(find('Face.PNG')).toBe(2);
    expect(find('FACE.PNG')).toBe(-1);
    expect(find('X')).toBe(4);
    // Not `x`: what is no ending of an image belongs to the name.
    expect(find('x.5')).toBeNull();
  });
});
