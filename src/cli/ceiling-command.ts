import type { Command } from 'commander';
import { siteCeilings } from '../analyze.ts';
import { resolveRecording } from '../data/open-recording.ts';
import { cacheFolder } from '../node/platform.ts';
import { siteCeilingLines } from '../report/site-ceiling.ts';
import { encodeSiteCeilings } from '../store/score-files.ts';
import { writeTogether } from '../store/write-together.ts';
import { parsePath, parseWhole } from './options.ts';
import { checkOutputs } from './outputs.ts';
import { withPorts } from './session.ts';
import { printLines } from './typed.ts';

interface CeilingOptions {
  readonly protocol?: string;
  readonly out?: string;
  readonly betweenOnly?: boolean;
  readonly seed: number;
  readonly threads?: number;
  readonly quiet?: boolean;
}

export const addCeilingCommand = (program: Command): void => {
  program
    .command('ceiling')
    .description(
      'how well the sites of one recording predict those of another, and a site the others',
    )
    .argument('<recording>', 'recording folder, or the name of a fetched one', parsePath)
    .argument('[other]', 'another recording of the same stimuli', parsePath)
    .option('--protocol <name|file.json>', 'as of ventral score', parsePath)
    .option('--out <ceiling.json>', 'write them, for ventral score --ceilings', parsePath)
    .option('--between-only', 'of two recordings, only how well each predicts the other')
    .option('--seed <n>', 'seed of folds, halves and draws', parseWhole(0), 1)
    .option('--threads <n>', 'engine threads (default: all)', parseWhole(1))
    .option('--quiet', 'no progress on standard error')
    .action((recording: string, other: string | undefined, options: CeilingOptions) =>
      withPorts(options, async (ports) => {
        const { protocol = null, out, betweenOnly = false, seed } = options;
        const recordings: string[] = [];
        for (const named of other === undefined ? [recording] : [recording, other])
          recordings.push(await resolveRecording(named, cacheFolder(), ports.files));
        await checkOutputs(
          out === undefined ? [] : [{ option: '--out', path: out }],
          recordings.flatMap((folder) =>
            ['recording.json', 'responses.npy', 'stimuli.csv'].map((name) => ({
              option: 'a recording',
              path: `${folder}/${name}`,
            })),
          ),
          ports.files,
        );
        const found = await siteCeilings({ recordings, protocol, seed, betweenOnly }, ports);
        if (out !== undefined)
          await writeTogether([{ path: out, parts: [encodeSiteCeilings(found)] }], ports.files);
        printLines(siteCeilingLines(found));
      }),
    );
};
