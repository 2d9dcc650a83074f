import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { base, cli, cliDone, openCase } from '../run-case.ts';

// im1, im10, im11, …, im2: responses went to the wrong images without a word (raw −.137 instead of .892 with the features).
// The right value is that of the same recording with padded names.

const count = 60;
/** Of the recording with padded names. */
const truth = 0.892;

const makeImages = (folder: string, nameOf: (index: number) => string): string => {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    copyFileSync(
      join(base, 'rec/stimuli', `im${`${i}`.padStart(3, '0')}.png`),
      join(folder, nameOf(i)),
    );
  }
  return folder;
};

describe('names without padding', () => {
  const { work, score } = openCase();
  const images = join(work, 'images');
  const list = join(work, 'order.txt');
  const importing = (stimuli: string, out: string, ...more: string[]) => [
    ...['data', 'import', 'npy', '--responses', join(base, 'responses.npy')],
    ...['--dims', 'site,stimulus,trial', '--stimuli', stimuli, '--area', 'IT'],
    ...['--species', 'simulated', '--window', '70-170', '--out', join(work, out), '--quiet'],
    ...more,
  ];
  const scored = (recording: string, ...more: string[]) =>
    score(
      ...['--activations', join(base, 'features.npy'), '--recording', join(work, recording)],
      ...['--protocol', 'image-cv', ...more],
    );

  beforeAll(() => {
    makeImages(images, (i) => `im${i + 1}.png`);
    makeImages(join(work, 'padded'), (i) => `im${`${i + 1}`.padStart(2, '0')}.png`);
    writeFileSync(list, Array.from({ length: count }, (_, i) => `IM${i + 1}\n`).join(''));
  });

  it('are refused where no order is given, with both that they have', async () => {
    const { code, stderr } = await cli(...importing(images, 'refused'));
    expect(code).toBe(2);
    expect(stderr).toContain(
      'im1.png, im10.png, im11.png, … by text and im1.png, im2.png, im3.png, … by number',
    );
    expect(stderr).toContain('--order number');
  });

  it('are taken in the order of their numbers, or as a list says', async () => {
    await cliDone(...importing(images, 'number', '--order', 'number'));
    await cliDone(...importing(images, 'list', '--order', list));
    await cliDone(...importing(join(work, 'padded'), 'padded-rec'));
    const reference = (await scored('padded-rec')).score.raw;
    expect(reference).toBeCloseTo(truth, 2);
    for (const recording of ['number', 'list']) {
      const { score: found } = await scored(recording, '--order', 'number');
      expect(found.raw).toBe(reference);
    }
    expect(readFileSync(join(work, 'number/recording.json'), 'utf8')).toContain('in number order');
  });

  it('leave activations without ids open, and no cached layer of another order is taken', async () => {
    const given = [
      '--activations',
      join(base, 'features.npy'),
      '--recording',
      join(work, 'number'),
    ];
    const { code, stderr } = await cli('score', ...given, '--protocol', 'image-cv');
    expect(code).toBe(2);
    expect(stderr).toContain('features.npy without stimulus_id');
    const wrong = await scored('number', '--order', 'name');
    expect(Math.abs(wrong.score.raw)).toBeLessThan(0.4);
    const right = await scored('number', '--order', join(work, 'number/stimuli.csv'));
    expect(right.score.raw).toBeCloseTo(truth, 2);
    expect(right.score.warnings.join()).toContain('the order of stimuli.csv');
  });

  it('have an order that only activations without a model can take', async () => {
    const { code, stderr } = await cli('score', 'x.onnx', '--order', 'name', '--recording', work);
    expect(code).toBe(2);
    expect(stderr).toContain('--order: expected --activations');
  });
});
