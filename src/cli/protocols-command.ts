import { type Command, Option } from 'commander';
import { alignmentProtocols } from '../alignment/protocols.ts';
import { inputError } from '../records/errors.ts';
import type { RecordingLayout } from '../records/recording.ts';
import { tableLines } from '../report/table.ts';
import { protocolNames, protocols } from '../scoring/protocols.ts';

export const addProtocolsCommand = (program: Command): void => {
  program
    .command('protocols')
    .description('list the protocols, or print one as JSON to start a protocol file from')
    .argument('[name]')
    .addOption(
      new Option('--layout <layout>', 'for a protocol of both layouts: the one to print').choices([
        'image',
        'grid',
      ]),
    )
    .action((name: string | undefined, { layout }: { layout?: RecordingLayout }) => {
      if (name === undefined) {
        const rows = [
          ...protocols.map(({ name: own, layout: of, description }) => [own, of, description]),
          ...alignmentProtocols.map(({ name: own, description }) => [own, 'maps', description]),
        ];
        const heads = ['protocol', 'layout', 'what it does'].map((head) => ({
          head,
          align: 'left' as const,
        }));
        process.stdout.write(`${tableLines(heads, rows).join('\n')}\n`);
        return;
      }
      const found = [
        ...protocols.filter(
          (each) => each.name === name && (layout === undefined || each.layout === layout),
        ),
        ...alignmentProtocols.filter((each) => each.name === name && layout === undefined),
      ];
      if (found.length === 0)
        throw inputError({
          where: 'ventral protocols',
          expected: [...protocolNames, ...alignmentProtocols.map((each) => each.name)].join(', '),
          got: layout === undefined ? `"${name}"` : `"${name}" with layout ${layout}`,
          mend: 'name one of them',
        });
      if (found.length > 1)
        throw inputError({
          where: `ventral protocols ${name}`,
          expected: '--layout image or --layout grid',
          got: 'no --layout, and a protocol of both',
          mend: 'add --layout',
        });
      process.stdout.write(`${JSON.stringify(found[0], null, 2)}\n`);
    });
};
