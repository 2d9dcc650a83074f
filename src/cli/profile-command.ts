import type { Command } from 'commander';
import { profile } from '../analyze.ts';
import { encodeText } from '../formats/text.ts';
import { profileLines } from '../report/profile.ts';
import { profilePage } from '../report/profile-page.ts';
import { encodeProfile } from '../store/score-files.ts';
import { type Output, writeTogether } from '../store/write-together.ts';
import { parsePath, parseWhole } from './options.ts';
import { checkOutputs, type NamedPath } from './outputs.ts';
import { withStorage } from './session.ts';
import { printLines } from './typed.ts';

interface ProfileOptions {
  readonly out?: string;
  readonly html?: string;
  readonly seed: number;
  readonly quiet?: boolean;
}

export const addProfileCommand = (program: Command): void => {
  program
    .command('profile')
    .description('scores of V4, IT, …: where along the depth of a network each area peaks')
    .argument(
      '<score.json...>',
      'scores of one network, a file per area, best with their --keep layer-predictions',
    )
    .option('--out <profile.json>', 'write the profile', parsePath)
    .option('--html <profile.html>', 'write it with a chart, as one page', parsePath)
    .option('--seed <n>', 'seed of the draws', parseWhole(0), 1)
    .option('--quiet', 'no progress on standard error')
    .action((scores: readonly string[], { out, html, seed, quiet }: ProfileOptions) =>
      withStorage(quiet ? { quiet } : {}, async (ports) => {
        const named: NamedPath[] = [
          ...(out === undefined ? [] : [{ option: '--out', path: out }]),
          ...(html === undefined ? [] : [{ option: '--html', path: html }]),
        ];
        await checkOutputs(
          named,
          scores.map((path) => ({ option: 'a score', path })),
          ports.files,
        );
        const found = await profile({ scores, seed }, ports);
        const outputs: Output[] = [
          ...(html === undefined ? [] : [{ path: html, parts: [encodeText(profilePage(found))] }]),
          ...(out === undefined ? [] : [{ path: out, parts: [encodeProfile(found)] }]),
        ];
        await writeTogether(outputs, ports.files);
        printLines(profileLines(found));
      }),
    );
};
