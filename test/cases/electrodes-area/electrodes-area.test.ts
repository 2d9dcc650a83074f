import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RecordingHeader } from '../../../src/records/recording.ts';
import { base, cli, cliDone, openCase } from '../run-case.ts';

// The units point to the table of electrodes, whose column `location` has the areas V4, IT, IT, V4. The row numbers were once
// taken for areas: 0, 1, 2, 3.

const file = join(import.meta.dirname, 'session.nwb');

describe('areas in the table of electrodes', () => {
  const { work } = openCase();
  const importing = (out: string, column: string): string[] => [
    ...['data', 'import', 'nwb', '--file', file, '--stimulus-column', 'stimulus_name'],
    ...['--stimuli', join(base, 'rec/stimuli'), '--bins', '50-150', '--species', 'macaque'],
    ...['--area-column', column, '--out', join(work, out), '--quiet'],
  ];

  it('are those of the electrodes that the units point to', async () => {
    for (const column of ['electrodes', 'location']) {
      await cliDone(...importing(column, column));
      const text = readFileSync(join(work, column, 'recording.json'), 'utf8');
      const { sites } = JSON.parse(text) as RecordingHeader;
      expect(sites.map(({ area }) => area)).toEqual(['V4', 'IT', 'IT', 'V4']);
    }
  });

  it('are refused where neither table has the column', async () => {
    const { code, stderr } = await cli(...importing('refused', 'region'));
    expect(code).toBe(2);
    expect(stderr).toContain('expected a column /units/region');
  });
});
