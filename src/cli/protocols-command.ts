import type { Command } from 'commander';
import { inputError } from '../records/errors.ts';
import { tableLines } from '../report/table.ts';
import { protocols } from '../scoring/protocols.ts';

export const addProtocolsCommand = (program: Command): void => {
  program
    .command('protocols')
    .description('list the protocols, or print one as JSON to start a protocol file from')
    .argument('[name]')
    .action((name: string | undefined) => {
      if (name === undefined) {
        const rows = protocols.map((protocol) => [
          protocol.name,
          protocol.layout,
          protocol.description,
        ]);
        const heads = ['protocol', 'layout', 'what it does'].map((head) => ({
          head,
          align: 'left' as const,
        }));
        process.stdout.write(`${tableLines(heads, rows).join('\n')}\n`);
        return;
      }
      const found = protocols.find((protocol) => protocol.name === name);
      if (found === undefined)
        throw inputError({
          where: 'ventral protocols',
          expected: protocols.map((protocol) => protocol.name).join(', '),
          got: `"${name}"`,
          mend: 'name one of them',
        });
      process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    });
};
