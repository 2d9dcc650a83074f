import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npyParts, readNumbers } from '../../../src/formats/npy.ts';
import { readRecording } from '../../../src/formats/recording.ts';
import { createNodeFiles } from '../../../src/node/files.ts';
import { createNodeHash } from '../../../src/node/hash.ts';
import { base, cli, cliDone, openCase } from '../run-case.ts';

// The first site of base as most people keep one: [stimulus, trial], and the mean of each stimulus. "expected stimulus and
// site among the names" once.

const here = (file: string): string => join(import.meta.dirname, file);
const numbersOf = (path: string): Float64Array =>
  Float64Array.from(readNumbers(readFileSync(path), path).data, Number);

describe('an array without an axis for its one site', () => {
  const { work, score } = openCase();
  const importing = (path: string, dims: string, out: string): string[] => [
    ...['data', 'import', 'npy', '--responses', path, '--dims', dims, '--area', 'IT'],
    ...['--stimuli', join(base, 'rec/stimuli'), '--species', 'macaque', '--window', '70-170'],
    ...['--out', join(work, out), '--quiet'],
  ];
  const read = (out: string) =>
    readRecording(join(work, out), { files: createNodeFiles(), hash: createNodeHash() });

  it('is a recording of one site, with trials or without', async () => {
    await cliDone(...importing(here('one-site.npy'), 'stimulus,trial', 'trials'));
    const trials = await read('trials');
    expect(trials.header.dims).toEqual(['site', 'stimulus', 'trial']);
    expect(trials.header.sites).toEqual([{ id: 'site1', area: 'IT' }]);
    expect(trials.responses.shape).toEqual([1, 60, 6]);
    expect(Array.from(trials.responses.data)).toEqual(Array.from(numbersOf(here('one-site.npy'))));
    await cliDone(...importing(here('one-site-mean.npy'), 'stimulus', 'mean'));
    const mean = await read('mean');
    expect(mean.responses.shape).toEqual([1, 60]);
    expect(Array.from(mean.responses.data)).toEqual(
      Array.from(numbersOf(here('one-site-mean.npy'))),
    );
  });

  it('scores as the array with that axis does', async () => {
    const { data, shape } = readNumbers(readFileSync(here('one-site.npy')), 'one-site.npy');
    const path = join(work, 'with-axis.npy');
    writeFileSync(path, Buffer.concat(npyParts({ data, shape: [...shape, 1] })));
    await cliDone(...importing(path, 'stimulus,trial,site', 'axis'));
    await cliDone(...importing(path, 'stimulus,trial', 'unnamed'));
    await cliDone(...importing(here('one-site.npy'), 'stimulus,trial', 'without'));
    const raws: (number | null)[] = [];
    for (const folder of ['axis', 'unnamed', 'without']) {
      const run = await score(
        ...['--activations', join(base, 'features.npy'), '--recording', join(work, folder)],
        ...['--protocol', 'image-cv'],
      );
      raws.push(run.score.raw);
    }
    expect(raws[0]).toBeGreaterThan(0.5);
    expect(raws[1]).toBe(raws[0]);
    expect(raws[2]).toBe(raws[0]);
  });

  it('still needs an axis of stimuli, and a name for each axis that is longer than 1', async () => {
    const without = await cli(...importing(here('one-site.npy'), 'trial,time', 'other'));
    expect(without).toMatchObject({ code: 2 });
    expect(without.stderr).toContain('expected stimulus among the names');
    const short = await cli(...importing(here('one-site.npy'), 'stimulus', 'other'));
    expect(short).toMatchObject({ code: 2 });
    expect(short.stderr).toContain('expected 2 names');
  });
});
