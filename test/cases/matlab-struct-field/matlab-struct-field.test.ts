import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyNumbers, fieldAt, listedAs, type MatValue } from '../../../src/formats/mat.ts';
import { readNumbers } from '../../../src/formats/npy.ts';
import { readRecording } from '../../../src/formats/recording.ts';
import { createNodeFiles } from '../../../src/node/files.ts';
import { createNodeHash } from '../../../src/node/hash.ts';
import { base, cli, cliDone, openCase } from '../run-case.ts';

// The responses of base, [site, stimulus, trial], as the field `resp` of a struct `data`, with the names of the images in
// `names`, by scipy (version 5) and as MATLAB 7.3. No spelling of --variable reached it once.

const here = (file: string): string => join(import.meta.dirname, file);

describe('a field of a struct', () => {
  const { work } = openCase();
  const importing = (file: string, variable: string, out: string, ...more: string[]): string[] => [
    ...['data', 'import', 'mat', '--responses', here(file), '--variable', variable],
    ...['--dims', 'site,stimulus,trial', '--stimuli', join(base, 'rec/stimuli'), '--area', 'IT'],
    ...['--species', 'macaque', '--window', '70-170', '--out', join(work, out), '--quiet', ...more],
  ];
  const right = (): Float64Array => {
    const path = join(base, 'responses.npy');
    return Float64Array.from(readNumbers(readFileSync(path), path).data, Number);
  };

  it.each([
    ['responses.mat', []],
    ['responses.mat', ['--names', 'data.names']],
    ['v73.mat', []],
  ])('is read from %s %s', async (file, more) => {
    const out = `${file}-${more.length}`;
    await cliDone(...importing(file, 'data.resp', out, ...more));
    const ports = { files: createNodeFiles(), hash: createNodeHash() };
    const { header, responses, stimuli } = await readRecording(join(work, out), ports);
    expect(header.dims).toEqual(['trial', 'stimulus', 'site']);
    expect(responses.shape).toEqual([6, 60, 6]);
    expect(stimuli.map(({ id }) => id)).toEqual(
      Array.from({ length: 60 }, (_, i) => `im${`${i}`.padStart(3, '0')}`),
    );
    const all = right();
    for (let site = 0; site < 6; site++)
      for (let image = 0; image < 60; image++)
        for (let trial = 0; trial < 6; trial++)
          expect(responses.data[(trial * 60 + image) * 6 + site]).toBe(
            all[(site * 60 + image) * 6 + trial],
          );
  });

  it.each(['responses.mat', 'v73.mat'])('is named where another is asked for: %s', async (file) => {
    const missing = await cli(...importing(file, 'data.spikes', 'other'));
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(
      /data: expected a struct of one element with a field "spikes", got .*resp/,
    );
    const inside = await cli(...importing(file, 'data.resp.x', 'other'));
    expect(inside.stderr).toContain('data.resp: expected a struct of one element with a field "x"');
    const whole = await cli(...importing(file, 'data', 'other'));
    expect(whole.stderr).toContain('got the class struct; name one of its fields');
    const other = await cli(...importing(file, 'date.resp', 'other'));
    expect(other.stderr).toContain('expected a variable "date", got data');
  });

  it('may lie in structs of structs, not in arrays of them', () => {
    const struct = (fields: Readonly<Record<string, readonly MatValue[]>>): MatValue => ({
      kind: 'struct',
      shape: [1, 1],
      fields: new Map(Object.entries(fields)),
    });
    const nested = struct({
      a: [struct({ b: [emptyNumbers], units: [emptyNumbers, emptyNumbers] })],
    });
    expect(fieldAt(nested, ['a', 'b'], 'x')).toBe(emptyNumbers);
    expect(listedAs('x.a', fieldAt(nested, ['a'], 'x'))).toMatchObject({ class: 'struct' });
    expect(() => fieldAt(nested, ['a', 'units', 'c'], 'x')).toThrow(/got a struct array of 2/);
    const complex: MatValue = { kind: 'other', class: 'complex numbers' };
    expect(listedAs('x', complex)).toMatchObject({ class: 'double', complex: true });
  });
});
