import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectRecording } from '../../../src/data/inspect.ts';
import { readRecording } from '../../../src/formats/recording.ts';
import { createNodeFiles } from '../../../src/node/files.ts';
import { createNodeHash } from '../../../src/node/hash.ts';
import { base, cli, cliDone, openCase } from '../run-case.ts';

// [site, stimulus], 60 × 60, site k with mean k. h5py wrote responses.h5; matlab.mat is the same array as MATLAB 7.3 writes it.
// Both were once read with their axes reversed: every site of responses.h5 had mean 29.5.

const here = import.meta.dirname;

describe('HDF5 that MATLAB did not write', () => {
  const { work } = openCase();
  const importing = (kind: string, file: string, out: string, ...more: string[]): string[] => [
    ...['data', 'import', kind, '--responses', join(here, file), '--stimuli'],
    ...[join(base, 'rec/stimuli'), '--area', 'IT', '--species', 'simulated'],
    ...['--window', '70-170', '--out', join(work, out), '--quiet', ...more],
  ];
  const siteMeans = async (folder: string): Promise<readonly (number | null)[]> => {
    const files = createNodeFiles();
    const ports = { files, hash: createNodeHash() };
    return inspectRecording(await readRecording(join(work, folder), ports)).timeCourse[0]!.perSite;
  };
  const expectRising = (means: readonly (number | null)[]): void => {
    expect(means.length).toBe(60);
    // Standard error of a mean of 60 numbers of standard deviation 1: .13.
    for (const [site, mean] of means.entries()) expect(Math.abs(mean! - site)).toBeLessThan(0.6);
  };

  it('is refused by import mat, which would reverse its axes', async () => {
    const { code, stderr } = await cli(
      ...importing('mat', 'responses.h5', 'refused', '--dims', 'site,stimulus'),
      ...['--variable', 'responses'],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('got plain HDF5');
    expect(stderr).toContain('ventral data import hdf5 --dataset /responses');
  });

  it('is read in the order of the file by import hdf5', async () => {
    const given = ['--dims', 'site,stimulus', '--dataset', 'responses'];
    await cliDone(...importing('hdf5', 'responses.h5', 'plain', ...given));
    expectRising(await siteMeans('plain'));
  });

  it('is not MATLAB’s own, whose axes MATLAB shows reversed', async () => {
    const given = ['--dims', 'site,stimulus', '--variable', 'responses'];
    await cliDone(...importing('mat', 'matlab.mat', 'matlab', ...given));
    expectRising(await siteMeans('matlab'));
    const asInFile = ['--dims', 'stimulus,site', '--dataset', '/responses'];
    await cliDone(...importing('hdf5', 'matlab.mat', 'as-in-file', ...asInFile));
    expectRising(await siteMeans('as-in-file'));
  });

  it('has datasets that are none, or no numbers', async () => {
    const { code, stderr } = await cli(
      ...importing('hdf5', 'responses.h5', 'refused', '--dims', 'site,stimulus'),
      ...['--dataset', 'response'],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('expected a dataset at response, got nothing');
  });
});
