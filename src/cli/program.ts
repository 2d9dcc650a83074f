import { Command, CommanderError } from 'commander';
import { reasonOf, VentralError } from '../records/errors.ts';
import { ventralVersion } from '../version.ts';
import { addAlignCommand } from './align-command.ts';
import { addCeilingCommand } from './ceiling-command.ts';
import { addCompareCommand } from './compare-command.ts';
import { addDataCommand } from './data-command.ts';
import { addDemoCommand } from './demo-command.ts';
import { addLayersCommand } from './layers-command.ts';
import { addProfileCommand } from './profile-command.ts';
import { addProtocolsCommand } from './protocols-command.ts';
import { addSaliencyCommand } from './saliency-command.ts';
import { addSchemaCommand } from './schema-command.ts';
import { addScoreCommand } from './score-command.ts';

const exitCodes = { input: 2, storage: 2, engine: 2, stopped: 130 } as const;

/** Standard error gets the message, and no stack: the user's files are at fault, not this program. */
const report = (thrown: unknown): number => {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  if (thrown instanceof VentralError) {
    process.stderr.write(`ventral: ${thrown.message}\n`);
    return exitCodes[thrown.kind];
  }
  process.stderr.write(`ventral: unexpected: ${reasonOf(thrown)}\n`);
  if (process.env.VENTRAL_DEBUG && thrown instanceof Error)
    process.stderr.write(`${thrown.stack}\n`);
  else process.stderr.write('this is a defect; set VENTRAL_DEBUG=1 to see where it happened\n');
  return 1;
};

// Subcommands inherit how errors are shown and that nothing exits, so both are set before they are added.
const createProgram = (): Command => {
  const program = new Command('ventral')
    .description('Measure how well a deep network models the primate ventral visual stream.')
    .version(ventralVersion)
    .showHelpAfterError('(see --help)')
    .exitOverride();
  addScoreCommand(program);
  addSchemaCommand(program);
  addCompareCommand(program);
  addCeilingCommand(program);
  addProfileCommand(program);
  addSaliencyCommand(program);
  addAlignCommand(program);
  addLayersCommand(program);
  addProtocolsCommand(program);
  addDataCommand(program);
  addDemoCommand(program);
  return program;
};

/**
 * Runs one command line, given without the program's own name, and resolves with the exit code: 0, 2 where the user's
 * input, files or engine are at fault (at most three lines on standard error), 130 after an interrupt, 1 for a defect.
 */
export const runCli = async (args: readonly string[]): Promise<number> => {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return 0;
  } catch (thrown) {
    return report(thrown);
  }
};
