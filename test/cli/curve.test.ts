import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { scoreSchema } from '../../src/records/score.ts';
import { temporaryFolder } from '../small-study.ts';
import { cliDone } from './run-cli.ts';
import { useStudy, writeProtocol } from './study.ts';

vi.mock('../../src/node/engine.ts', async (original) =>
  (await import('./shared-engine.ts')).sharing(await original()),
);

const study = useStudy();

it('shows and writes how the score changes with trials and sites', async () => {
  const folder = temporaryFolder();
  const { model, recording } = study();
  const out = join(folder, 'score.json');
  const protocol = ['--protocol', writeProtocol({ ...study(), folder }, 'p.json')];
  const command = ['score', model, '--preprocess', 'raw', '--recording', recording, ...protocol];
  const planned = await cliDone(...command, '--curve', '--dry-run');
  expect(planned.stdout).toMatch(
    /^curve: the best layer once more, for 42 draws of trials and sites; about \d+ MB of memory and \d+ s more$/m,
  );
  const { stdout } = await cliDone(...command, '--curve', '--out', out);
  const { learningCurve, layer, layers } = scoreSchema.parse(JSON.parse(readFileSync(out, 'utf8')));
  expect(learningCurve!.layer).toBe(layer);
  expect(learningCurve!.trials.map(({ count, draws }) => [count, draws])).toEqual([
    [1, 10],
    [2, 10],
    [3, 1],
  ]);
  expect(learningCurve!.sites.map(({ count }) => count)).toEqual([1, 2, 4]);
  const own = layers.find((each) => each.layer === layer)!;
  for (const points of [learningCurve!.trials, learningCurve!.sites])
    expect(points.at(-1)!.value!).toBeCloseTo(own.value!, 9);
  expect(stdout).toMatch(/^trials +draws +raw +± +ceiling +score +±$/m);
  expect(stdout).toMatch(new RegExp(`^ +3 +1 +${own.raw!.toFixed(3)} +– `, 'm'));
  const plain = await cliDone(...command);
  expect(plain.stdout).not.toContain('had there been fewer');
});
