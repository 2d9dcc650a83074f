import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npyParts } from '../../../src/formats/npy.ts';
import { createRandom } from '../../../src/numeric/random.ts';
import { base, cli, cliDone, openCase } from '../run-case.ts';

// trial-first.npy is [trial, stimulus, site], 4 × 60 × 6. Read as site, stimulus, trial it was imported without a word.

const here = import.meta.dirname;

describe('dimensions named in another order', () => {
  const { work } = openCase();
  const importing = (responses: string, dims: string, out: string, window = '70-170'): string[] => [
    ...['data', 'import', 'npy', '--responses', responses, '--dims', dims],
    ...['--stimuli', join(base, 'rec/stimuli'), '--area', 'IT', '--species', 'simulated'],
    ...['--window', window, '--out', join(work, out), '--quiet'],
  ];

  it('are remarked on, with the reading that the numbers speak for', async () => {
    const responses = join(here, 'trial-first.npy');
    const { stdout } = await cliDone(...importing(responses, 'site,stimulus,trial', 'wrong'));
    const said =
      /warning +trials of a stimulus hardly agree: median reliability (0\.\d+) with 4 sites of 6 trials; with trial and site exchanged it would be (0\.\d+) \(6 sites of 4 trials\)/;
    const [, given, other] = said.exec(stdout) ?? [];
    expect(Number(given)).toBeLessThan(0.1);
    expect(Math.abs(Number(other) - 0.96)).toBeLessThan(0.02);
    const right = await cliDone(...importing(responses, 'trial,stimulus,site', 'right'));
    expect(right.stdout).not.toContain('hardly agree');
  });

  it('may be those of a recording whose sites all fail, which is said before any network runs', async () => {
    const random = createRandom('exchanged dims');
    const half = Float64Array.from({ length: 60 * 4 }, () => random.normal());
    const data = Float64Array.of(...half, ...half.map((value) => -0.5 * value));
    const responses = join(work, 'noise.npy');
    writeFileSync(responses, Buffer.concat(npyParts({ data, shape: [2, 60, 4] })));
    await cliDone(...importing(responses, 'trial,stimulus,site', 'noise'));
    const { code, stderr } = await cli(
      ...['score', '--activations', join(base, 'features.npy')],
      ...['--recording', join(work, 'noise'), '--protocol', 'image-cv', '--quiet'],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('reliabilit');
    expect(stderr).toContain('recording');
    expect(stderr).not.toMatch(/activations|preprocessing/);
  });

  it('are time that was called trial, whose course all stimuli share', async () => {
    const random = createRandom('time for trial');
    const course = [0.1, 0.5, 2, 3, 1.5, 1];
    const drive = Float64Array.from({ length: 60 }, () => Math.exp(0.3 * random.normal()));
    const data = Float64Array.from({ length: 4 * 60 * 6 }, (_, i) => {
      const level = drive[Math.floor(i / 6) % 60]! * course[i % 6]!;
      return level + 0.5 * random.normal();
    });
    const responses = join(work, 'samples.npy');
    writeFileSync(responses, Buffer.concat(npyParts({ data, shape: [4, 60, 6] })));
    const { stdout } = await cliDone(...importing(responses, 'site,stimulus,trial', 'samples'));
    expect(stdout).toMatch(/responses follow the number of the trial \(\d\d % .*may be time/);
    const trials = join(base, 'responses.npy');
    const right = await cliDone(...importing(trials, 'site,stimulus,trial', 'trials'));
    expect(right.stdout).not.toContain('may be time');
  });

  it('are times in seconds where milliseconds are wanted', async () => {
    const responses = join(base, 'responses.npy');
    const dims = 'site,stimulus,trial';
    const { code, stderr } = await cli(...importing(responses, dims, 'refused', '0.05-0.15'));
    expect(code).toBe(2);
    expect(stderr).toContain('--window: expected milliseconds, got 0.05 to 0.15');
    const { stdout } = await cliDone(...importing(responses, dims, 'second', '0-1'));
    expect(stdout).toContain('before a signal reaches the cortex');
  });
});
