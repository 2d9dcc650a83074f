import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNumbers } from '../../../src/formats/npy.ts';
import { base, cli, cliDone, openCase } from '../run-case.ts';

// One recording as float64 (plain), as int16 with scale_factor, add_offset and _FillValue (packed), as float32 with netCDF's
// own fill value (fill); one of 1,440 numbers is missing. Packed numbers once came out × 1,000, fills as data.

const here = import.meta.dirname;

describe('packed netCDF', () => {
  const { work, score } = openCase();
  const importing = (name: string): string[] => [
    ...['data', 'import', 'brainio', '--assembly', join(here, `${name}.nc`)],
    ...['--stimuli', join(here, 'stimuli.csv'), '--images', join(base, 'rec/stimuli')],
    ...['--species', 'simulated', '--out', join(work, name), '--quiet'],
  ];
  const responsesOf = (name: string): ArrayLike<number> => {
    const path = join(work, name, 'responses.npy');
    return readNumbers(readFileSync(path), path).data as Float64Array;
  };
  const scoreOf = async (name: string): Promise<number> => {
    const given = ['--activations', join(base, 'features.npy'), '--recording', join(work, name)];
    return (await score(...given, '--protocol', 'image-cv')).score.value;
  };

  it('is read as CF says: values, missing ones, and the score of the plain file', async () => {
    for (const name of ['plain', 'packed', 'fill']) {
      const { stdout } = await cliDone(...importing(name));
      expect(stdout).toMatch(/responses +-4\.04 to 3\.54/);
      expect(stdout).toMatch(/missing +0\.1 %/);
    }
    const plain = responsesOf('plain');
    const tolerance = { packed: 0.0005 + 1e-9, fill: 2.5e-7 };
    for (const [name, most] of Object.entries(tolerance)) {
      const numbers = responsesOf(name);
      expect(numbers.length).toBe(1440);
      const errors = Array.from(numbers, (value, i) =>
        Number.isNaN(value) === Number.isNaN(plain[i]!) ? Math.abs(value - plain[i]!) : Infinity,
      ).filter((error) => !Number.isNaN(error));
      expect(errors.length).toBe(1439);
      expect(Math.max(...errors)).toBeLessThanOrEqual(most);
    }
    const reference = await scoreOf('plain');
    expect(reference).toBeGreaterThan(0.85);
    expect(Math.abs((await scoreOf('packed')) - reference)).toBeLessThan(0.001);
    expect(Math.abs((await scoreOf('fill')) - reference)).toBeLessThan(1e-5);
  });

  it('is refused by its name where it is netCDF-3', async () => {
    const { code, stderr } = await cli(...importing('netcdf3'));
    expect(code).toBe(2);
    expect(stderr).toContain('got netCDF-3; write it as netCDF-4');
  });
});
