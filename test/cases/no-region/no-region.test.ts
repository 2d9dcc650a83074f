import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNumbers } from '../../../src/formats/npy.ts';
import { readRecording } from '../../../src/formats/recording.ts';
import { createNodeFiles } from '../../../src/node/files.ts';
import { createNodeHash } from '../../../src/node/hash.ts';
import { base, cli, cliDone, openCase } from '../run-case.ts';

// An assembly without the coordinate `region`, of the first two trials of base: refused once, though the area was given.

const here = (file: string): string => join(import.meta.dirname, file);

describe('an assembly without regions', () => {
  const { work } = openCase();
  const importing = (out: string, ...more: string[]): string[] => [
    ...['data', 'import', 'brainio', '--assembly', here('responses.nc')],
    ...['--stimuli', here('stimuli.csv'), '--images', join(base, 'rec/stimuli')],
    ...['--species', 'macaque', '--out', join(work, out), '--quiet', ...more],
  ];

  it('has the area that the user says', async () => {
    await cliDone(...importing('rec', '--area', 'IT'));
    const files = createNodeFiles();
    const ports = { files, hash: createNodeHash() };
    const { header, responses } = await readRecording(join(work, 'rec'), ports);
    expect(header.sites.map(({ area }) => area)).toEqual(new Array(6).fill('IT'));
    expect(header.dims).toEqual(['stimulus', 'trial', 'site']);
    const path = join(base, 'responses.npy');
    const { data } = readNumbers(await files.read(path), path);
    for (let site = 0; site < 6; site++)
      for (let image = 0; image < 60; image++)
        for (let trial = 0; trial < 2; trial++)
          expect(responses.data[(image * 2 + trial) * 6 + site]).toBe(
            Number(data[(site * 60 + image) * 6 + trial]),
          );
  });

  it('is refused without one area of all sites', async () => {
    for (const more of [[], ['--area', 'V4,IT']]) {
      const { code, stderr } = await cli(...importing('other', ...more));
      expect(code).toBe(2);
      expect(stderr).toContain('expected a coordinate region along neuroid');
      expect(stderr).toContain('give the one area in which all sites lie');
    }
  });
});
