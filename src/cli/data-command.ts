import type { Command } from 'commander';
import { addFetchCommand, addListCommand } from './fetch-command.ts';
import { addImportCommands } from './import-commands.ts';
import { addInspectCommand } from './inspect-command.ts';

export const addDataCommand = (program: Command): void => {
  const data = program.command('data').description('bring, make and look at recording folders');
  addImportCommands(data);
  addListCommand(data);
  addFetchCommand(data);
  addInspectCommand(data);
};
