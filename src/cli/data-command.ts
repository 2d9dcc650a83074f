import type { Command } from 'commander';
import { importNpy } from '../data/import.ts';
import { inspectRecording } from '../data/inspect.ts';
import { inputError } from '../records/errors.ts';
import { inspectionLines } from '../report/inspection.ts';
import { addFetchCommand, addListCommand } from './fetch-command.ts';
import { addInspectCommand } from './inspect-command.ts';
import { parseList, parseNumber, parsePath, parseWindow } from './options.ts';
import { withStorage } from './session.ts';

interface ImportOptions {
  readonly responses: string;
  readonly dims: readonly string[];
  readonly stimuli: string;
  readonly area: string;
  readonly species: string;
  readonly window?: { readonly start: number; readonly end: number };
  readonly timeStart?: number;
  readonly timeStep?: number;
  readonly out: string;
  readonly name?: string;
  readonly unit?: string;
  readonly animal?: string;
  readonly licence?: string;
  readonly citation?: string;
  readonly columns?: string;
  readonly quiet?: boolean;
}

export const addDataCommand = (program: Command): void => {
  const data = program.command('data').description('bring, make and look at recording folders');
  const imports = data.command('import').description('make a recording folder from other files');
  addNpyImport(imports);
  addListCommand(data);
  addFetchCommand(data);
  addInspectCommand(data);
};

const addNpyImport = (imports: Command): void => {
  imports
    .command('npy')
    .description('from an array of responses and the images')
    .requiredOption(
      '--responses <file.npy>',
      'array of numbers; NaN marks a missing trial',
      parsePath,
    )
    .requiredOption(
      '--dims <names>',
      'its dimensions in order: stimulus, site, and row, column, time, trial where they are',
      parseList,
    )
    .requiredOption(
      '--stimuli <folder|zip>',
      'images; sorted by name they are the stimuli in order',
      parsePath,
    )
    .requiredOption('--area <name>', 'V4, IT, …')
    .requiredOption('--species <name>')
    .option('--window <ms>', 'start-end from stimulus onset, such as 0-100', parseWindow)
    .option('--time-start <ms>', 'start of the first time bin, instead of --window', parseNumber)
    .option('--time-step <ms>', 'length of a time bin', parseNumber)
    .requiredOption('--out <folder>', 'new folder', parsePath)
    .option('--name <name>', 'default: the last part of --out')
    .option('--unit <unit>', 'what a number is, such as "spike count"')
    .option('--animal <name>')
    .option('--licence <name>')
    .option('--citation <text>')
    .option(
      '--columns <file.csv>',
      'further columns of the stimuli, joined by stimulus_id',
      parsePath,
    )
    .option('--quiet', 'no progress on standard error')
    .action(({ quiet = false, ...options }: ImportOptions) =>
      withStorage({ quiet }, async (ports, say) => {
        const { timeStart, timeStep, window, ...rest } = options;
        const recording = await importNpy(
          { ...rest, window: window ?? null, time: timeOf(timeStart, timeStep) },
          ports,
        );
        for (const warning of recording.warnings) say(`note: ${warning}`);
        process.stdout.write(`${inspectionLines(inspectRecording(recording)).join('\n')}\n`);
      }),
    );
};

const timeOf = (start: number | undefined, step: number | undefined) => {
  if (start === undefined && step === undefined) return null;
  if (start !== undefined && step !== undefined) return { start, step };
  throw inputError({
    where: 'ventral data import',
    expected: '--time-start and --time-step together',
    got: 'one of them',
    mend: 'give both, or --window',
  });
};
