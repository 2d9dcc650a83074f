import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { siteCeilingsSchema } from '../../src/records/site-ceiling.ts';
import { temporaryFolder } from '../small-study.ts';
import { cliDone, refused } from './run-cli.ts';
import { images, responsesToPictures, useStudy, writePictures, writeProtocol } from './study.ts';

vi.mock('../../src/node/engine.ts', async (original) =>
  (await import('./shared-engine.ts')).sharing(await original()),
);

const study = useStudy();

it('predicts sites from sites of another recording, for a file and beneath a score', async () => {
  const folder = temporaryFolder();
  const { model, recording } = study();
  const responses = responsesToPictures();
  // Another animal: the same sites, twice as noisy as loud.
  const loud = { ...responses, data: responses.data.map((value, i) => 2 * value + Math.sin(i)) };
  const other = await writePictures(folder, 'other', loud, { name: 'loud pictures' });
  const protocol = ['--protocol', writeProtocol({ ...study(), folder }, 'p.json')];
  const out = join(folder, 'ceiling.json');
  const { stdout } = await cliDone(
    'ceiling',
    recording,
    other,
    ...protocol,
    '--out',
    out,
    '--quiet',
  );
  expect(stdout).toMatch(/^pictures \(IT, 4 sites, 70–170 ms\) +loud pictures \(IT, 4 sites, /m);
  expect(stdout).toMatch(/^loud pictures .* its other sites +60 /m);
  const found = siteCeilingsSchema.parse(JSON.parse(readFileSync(out, 'utf8')));
  expect(found.ceilings.map(({ predictor, stimuli }) => [predictor?.recording, stimuli])).toEqual([
    ['loud pictures', images],
    ['pictures', images],
    [undefined, images],
    [undefined, images],
  ]);
  // The four sites of one predict the same four of the other nearly to their noise.
  expect(found.ceilings[0]!.raw.value!).toBeGreaterThan(0.85);
  const between = await cliDone('ceiling', recording, other, ...protocol, '--between-only');
  expect(between.stdout).not.toContain('its other sites');

  const score = ['score', model, '--preprocess', 'raw', ...protocol, '--ceilings', out];
  const scored = await cliDone(...score, '--recording', recording);
  const [line] = /^predicted by the 4 sites of loud pictures: .*$/m.exec(scored.stdout)!;
  expect(line).toContain(found.ceilings[0]!.value.value!.toFixed(3));
  expect(line).toMatch(/; the score is \d+ % of that$/);
  expect(scored.stdout).toMatch(/^predicted by the other sites of the recording: /m);
  expect(scored.stdout).not.toContain('note: these are');

  const strange = await writePictures(folder, 'strange', loud, { name: 'strange' });
  const wrong = await refused(folder, ...score, '--recording', strange);
  expect(wrong.where).toContain('--ceilings');
});
