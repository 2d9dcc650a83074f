import type { Command } from 'commander';
import { demo } from '../demo.ts';
import { cacheFolder } from '../node/platform.ts';
import { demoLines } from '../report/demo-report.ts';
import { worldSettings } from '../world/world.ts';
import { parseBytes, parseWhole } from './options.ts';
import { withPorts } from './session.ts';
import { printLines } from './typed.ts';

interface DemoOptions {
  readonly out?: string;
  readonly seed: number;
  readonly memory: number;
  readonly threads?: number;
  readonly quiet?: boolean;
}

export const addDemoCommand = (program: Command): void => {
  program
    .command('demo')
    .description('score three networks against a simulated recording whose truth is known')
    .option('--out <folder>', 'where recordings and models are written (default: the cache folder)')
    .option('--seed <n>', 'seed of the world', parseWhole(0), 1)
    .option('--memory <size>', 'memory to stay within', parseBytes, 4e9)
    .option('--threads <n>', 'engine threads (default: all)', parseWhole(1))
    .option('--quiet', 'no progress on standard error')
    .action(({ out, seed, memory, ...options }: DemoOptions) =>
      withPorts(options, async (ports) => {
        const folder = out ?? `${cacheFolder()}/demo/seed-${seed}`;
        const found = await demo({ folder, world: worldSettings(seed), memory }, ports);
        printLines([
          ...demoLines(found),
          '',
          `Written to ${folder}: score it yourself with`,
          `  ventral score ${folder}/models/planted.onnx --recording ${folder}/${found.areas.at(-1)?.area ?? 'IT'} --protocol grid-cv`,
        ]);
      }),
    );
};
