import { Command, CommanderError } from 'commander';
import { reasonOf, VentralError } from '../records/errors.ts';
import { ventralVersion } from '../version.ts';

const exitCodes = { input: 2, storage: 2, engine: 2, stopped: 130 } as const;

/** Standard error gets the message, and no stack: the user's files are at fault, not this program. */
const report = async (thrown: unknown): Promise<number> => {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  if (thrown instanceof VentralError) {
    const { typedMessage } = await import('./typed.ts');
    process.stderr.write(`ventral: ${typedMessage(thrown)}\n`);
    return exitCodes[thrown.kind];
  }
  process.stderr.write(`ventral: unexpected: ${reasonOf(thrown)}\n`);
  if (process.env.VENTRAL_DEBUG && thrown instanceof Error)
    process.stderr.write(`${thrown.stack}\n`);
  else process.stderr.write('this is a defect; set VENTRAL_DEBUG=1 to see where it happened\n');
  return 1;
};

type AddCommand = (program: Command) => void;

/** In the order of the help. A command is loaded when it is named: most bring a room or two and the ports of Node. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  score: async () => (await import('./score-command.ts')).addScoreCommand,
  schema: async () => (await import('./schema-command.ts')).addSchemaCommand,
  compare: async () => (await import('./compare-command.ts')).addCompareCommand,
  ceiling: async () => (await import('./ceiling-command.ts')).addCeilingCommand,
  profile: async () => (await import('./profile-command.ts')).addProfileCommand,
  saliency: async () => (await import('./saliency-command.ts')).addSaliencyCommand,
  align: async () => (await import('./align-command.ts')).addAlignCommand,
  layers: async () => (await import('./layers-command.ts')).addLayersCommand,
  protocols: async () => (await import('./protocols-command.ts')).addProtocolsCommand,
  data: async () => (await import('./data-command.ts')).addDataCommand,
  demo: async () => (await import('./demo-command.ts')).addDemoCommand,
};

export const commandNames: readonly string[] = Object.keys(COMMANDS);

/** The commands that a command line may want: help, and messages about words that are none, show them all. */
const commandsFor = ([first = '']: readonly string[]): readonly string[] => {
  if (Object.hasOwn(COMMANDS, first)) return [first];
  return first === '--version' || first === '-V' ? [] : commandNames;
};

// Subcommands inherit how errors are shown and that nothing exits, so both are set before they are added.
const createProgram = async (args: readonly string[]): Promise<Command> => {
  const program = new Command('ventral')
    .description('Measure how well a deep network models the primate ventral visual stream.')
    .version(ventralVersion)
    .showHelpAfterError('(see --help)')
    .exitOverride();
  for (const name of commandsFor(args)) (await COMMANDS[name]!())(program);
  return program;
};

/**
 * Runs one command line, given without the program's own name, and resolves with the exit code: 0, 2 where the user's
 * input, files or engine are at fault (at most three lines on standard error), 130 after an interrupt, 1 for a defect.
 */
export const runCli = async (args: readonly string[]): Promise<number> => {
  try {
    const program = await createProgram(args);
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (thrown) {
    return await report(thrown);
  }
};
