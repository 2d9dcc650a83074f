import type { Command } from 'commander';
import { compare } from '../analysis/compare.ts';
import { comparisonLines } from '../report/comparison.ts';
import { readPredictions, readScore } from '../store/score-files.ts';
import { parseWhole } from './options.ts';
import { withStorage } from './session.ts';

export const addCompareCommand = (program: Command): void => {
  program
    .command('compare')
    .description(
      'compare scores on the same recording, paired by image and by site; Holm over all pairs',
    )
    .argument(
      '<score.json...>',
      'score files; one response per image, and the paired effect, need --keep predictions',
    )
    .option('--seed <n>', 'seed of the draws', parseWhole(0), 1)
    .option('--json', 'as JSON')
    .action((paths: readonly string[], { seed, json }: { seed: number; json?: boolean }) =>
      withStorage({}, async ({ files }) => {
        const contenders = await Promise.all(
          paths.map(async (path) => ({
            name: path,
            score: await readScore(path, files),
            heldOut: await readPredictions(path, files),
          })),
        );
        const comparisons = compare(contenders, seed);
        const scores = contenders.map(({ name, score: { value, layer } }) => ({
          name,
          value,
          layer,
        }));
        const lines = json
          ? [JSON.stringify({ kind: 'comparison', format: 2, scores, comparisons }, null, 2)]
          : comparisonLines(scores, comparisons);
        process.stdout.write(`${lines.join('\n')}\n`);
      }),
    );
};
