import { describe, expect, it, vi } from 'vitest';
import { printLines, typedLine, typedMessage } from '../../src/cli/typed.ts';
import { inputError, type StatedProblem, stoppedError } from '../../src/records/errors.ts';

const said = (problem: Partial<StatedProblem>): string =>
  typedMessage(inputError({ where: 'there', expected: 'one', got: 'two', mend: 'do', ...problem }));

describe('typedMessage', () => {
  it('gives the option for the field, with the value where there is one', () => {
    expect(said({ field: 'layers', where: 'layers: conv9' })).toBe(
      '--layers conv9: expected one, got two; do',
    );
    expect(said({ field: 'time', where: 'time' })).toMatch(/^--time-start and --time-step: /);
    expect(said({ field: 'fixationUnit', where: 'fixationUnit' })).toMatch(/^--fixations: /);
  });

  it('leaves places alone that begin with another word, or are no field', () => {
    expect(said({ field: 'preprocess', where: 'config.json: size' })).toMatch(
      /^config\.json: size/,
    );
    expect(said({ field: 'layers', where: 'layers.npz: fc' })).toMatch(/^layers\.npz: fc/);
    expect(said({ where: 'layers' })).toMatch(/^layers: /);
    expect(said({ field: 'scores', where: 'scores' })).toMatch(/^scores: /);
  });

  it('says by the code how to mend it', () => {
    const mend = 'name another folder, or fetch a known recording';
    expect(said({ code: 'recording-missing', field: 'recording', mend })).toBe(
      'there: expected one, got two; name another folder, or bring a known recording with ventral data fetch (ventral data list)',
    );
    expect(said({ code: 'score-file', mend: 'give a score that this version wrote' })).toMatch(
      /; give the file that ventral score --out wrote$/,
    );
    const npz = 'unpack it; an npz is imported as npz';
    expect(said({ code: 'not-hdf5', mend: npz })).toMatch(
      /; unpack it; an npz goes to ventral data import npz$/,
    );
    const unused = { code: 'fixations-not-asked-for', expected: 'a list as maps' } as const;
    expect(said({ ...unused, field: 'images', where: 'images' })).toBe(
      '--images: expected a list in --maps, got two; leave --images out',
    );
  });

  it('takes no name of a file for a pattern', () => {
    expect(said({ field: 'order', where: 'order: $&.csv' })).toMatch(/^--order \$&\.csv: /);
  });

  it('leaves errors without a problem as they are', () => {
    expect(typedMessage(stoppedError())).toBe('stopped before the end');
  });
});

describe('lines of reports', () => {
  it('name options where notes of the library suggest what they do', () => {
    expect(typedLine('note: imagenet-224 is assumed')).toBe(
      'note: imagenet-224 is assumed (name one with --preprocess)',
    );
    const line = 'V4.json: score again and keep the predictions of the layers, which computes none';
    expect(typedLine(line)).toBe(
      'V4.json: score again with --keep layer-predictions, which computes none',
    );
    expect(typedLine('score .5')).toBe('score .5');
  });

  it('are written so', () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    printLines([
      'a',
      'these maps are not of single people: there is no ceiling unless one is given',
    ]);
    const [[text]] = write.mock.calls as [[string]];
    write.mockRestore();
    expect(text).toBe(
      'a\nthese maps are not of single people: there is no ceiling (--ceiling gives one)\n',
    );
  });
});
