import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { base, cli, openCase } from '../run-case.ts';

// The spike times are compressed with LZF, which h5py has and our HDF5 library has not: called a damaged file once.

const file = join(import.meta.dirname, 'session.nwb');

describe('an HDF5 file compressed with LZF', () => {
  const { work } = openCase();
  const importing = (path: string): string[] => [
    ...['data', 'import', 'nwb', '--file', path, '--stimulus-column', 'stimulus_name'],
    ...['--stimuli', join(base, 'rec/stimuli'), '--bins', '50-150', '--species', 'macaque'],
    ...['--area', 'IT', '--out', join(work, 'rec'), '--quiet'],
  ];

  it('is refused by the name of the filter', async () => {
    const { code, stderr } = await cli(...importing(file));
    expect(code).toBe(2);
    expect(stderr).toContain(
      'session.nwb: /units/spike_times: expected data without compression, or with deflate (gzip), got LZF (filter 32000); write the file again: h5repack -f GZIP=4 old new',
    );
    expect(stderr).not.toContain('copy the file again');
    expect(existsSync(join(work, 'rec'))).toBe(false);
  });

  it('is still called damaged where it is cut', async () => {
    const cut = join(work, 'cut.nwb');
    writeFileSync(cut, readFileSync(file).subarray(0, 20_000));
    const { code, stderr } = await cli(...importing(cut));
    expect(code).toBe(2);
    expect(stderr).toContain('copy the file again');
  });
});
