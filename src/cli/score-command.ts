import { type Command, Option } from 'commander';
import { inputError } from '../records/errors.ts';
import type { Files, Ports } from '../records/ports.ts';
import { planLines } from '../report/plan-report.ts';
import { scoreLines } from '../report/score-report.ts';
import { planScore, readoutOf, type ScorePlan, type ScoreRequest, score } from '../score.ts';
import { encodeScore, encodeSites, predictionParts, readoutParts } from '../store/score-files.ts';
import { type Keep, parseBytes, parseKeep, parseList, parseWhole } from './options.ts';
import { withPorts } from './session.ts';

interface ScoreOptions {
  readonly activations?: string;
  readonly recording: string;
  readonly protocol?: string;
  readonly layers?: readonly string[];
  readonly preprocess?: string;
  readonly out?: string;
  readonly csv?: string;
  readonly dryRun?: boolean;
  readonly keep?: readonly Keep[];
  readonly memory: number;
  readonly threads?: number;
  readonly device: 'cpu' | 'webgpu' | 'cuda';
  readonly seed: number;
  readonly quiet?: boolean;
}

export const addScoreCommand = (program: Command): void => {
  program
    .command('score')
    .description('score every layer of a network (or given activations) against a recording')
    .argument('[model]', 'ONNX file')
    .option(
      '--activations <file>',
      'features as .npz (one array per layer) or .npy, instead of a model',
    )
    .requiredOption('--recording <folder>', 'recording folder (ventral data import makes one)')
    .option('--protocol <name|file.json>', 'default: image-cv or linsley2023, by the recording')
    .option(
      '--layers <globs>',
      "layer names with * and ?, comma-separated; '*' takes every tensor",
      parseList,
    )
    .option(
      '--preprocess <preset|file.json>',
      'default: what lies beside the model, else imagenet-224',
    )
    .option('--out <score.json>', 'write the score with everything it rests on')
    .option('--csv <sites.csv>', 'write one line per layer and site')
    .option('--dry-run', 'print the plan and stop')
    .option('--keep <what>', 'write predictions and/or readout beside --out', parseKeep)
    .option('--memory <size>', 'memory to stay within', parseBytes, 4e9)
    .option('--threads <n>', 'engine threads (default: all)', parseWhole(1))
    .addOption(
      new Option('--device <name>', 'where the engine runs')
        .choices(['cpu', 'webgpu', 'cuda'])
        .default('cpu'),
    )
    .option('--seed <n>', 'seed of folds, halves and draws', parseWhole(0), 1)
    .option('--quiet', 'no plan and no progress on standard error')
    .action(async (model: string | undefined, options: ScoreOptions) => {
      const request = requestOf(model, options);
      await withPorts(options, (ports, say) => run(request, options, ports, say));
    });
};

const requestOf = (model: string | undefined, options: ScoreOptions): ScoreRequest => ({
  subject: subjectOf(model, options),
  recording: options.recording,
  protocol: options.protocol ?? null,
  layers: options.layers ?? null,
  memory: options.memory,
  seed: options.seed,
});

const subjectOf = (model: string | undefined, options: ScoreOptions): ScoreRequest['subject'] => {
  const { activations, preprocess, keep, out } = options;
  if ((model === undefined) === (activations === undefined))
    throw inputError({
      where: 'ventral score',
      expected: 'a model or --activations, one of them',
      got: model === undefined ? 'neither' : 'both',
      mend: 'ventral score model.onnx --recording folder',
    });
  if (keep !== undefined && out === undefined)
    throw inputError({
      where: '--keep',
      expected: '--out, beside which the files are written',
      got: 'no --out',
      mend: 'add --out score.json',
    });
  if (activations === undefined)
    return { kind: 'model', path: model!, preprocess: preprocess ?? null };
  if (preprocess !== undefined)
    throw inputError({
      where: '--preprocess',
      expected: 'a model',
      got: '--activations, to which no preprocessing applies',
      mend: 'leave --preprocess out',
    });
  return { kind: 'activations', path: activations };
};

const run = async (
  request: ScoreRequest,
  options: ScoreOptions,
  ports: Ports,
  say: (line: string) => void,
): Promise<void> => {
  for (const path of [options.out, options.csv])
    if (path !== undefined) await checkWritable(path, ports.files);
  const plan = await planScore(request, ports);
  if (options.dryRun) {
    process.stdout.write(`${planLines(plan).join('\n')}\n`);
    return;
  }
  say(planLines(plan).at(-1)!);
  const result = await score(plan, ports);
  await writeFiles(plan, result, options, ports);
  process.stdout.write(`${scoreLines(result.score).join('\n')}\n`);
};

const writeFiles = async (
  plan: ScorePlan,
  result: Awaited<ReturnType<typeof score>>,
  { out, csv, keep }: ScoreOptions,
  ports: Ports,
): Promise<void> => {
  if (keep?.includes('predictions'))
    await ports.files.write(`${out}.predictions.npz`, predictionParts(result.predictions));
  if (keep?.includes('readout')) {
    const readout = await readoutOf(plan, result.score.layer, ports);
    await ports.files.write(
      `${out}.readout.npz`,
      readoutParts(readout, result.score.layer, result.predictions.siteIds),
    );
  }
  if (csv !== undefined) await ports.files.write(csv, [encodeSites(result.score)]);
  if (out !== undefined) await ports.files.write(out, [encodeScore(result.score)]);
};

/** Finds an unwritable place before the work, not after it. */
const checkWritable = async (path: string, files: Files): Promise<void> => {
  const parts = path.split('/');
  for (let length = parts.length - 1; length > 0; length--) {
    const folder = parts.slice(0, length).join('/') || '/';
    const found = await files.info(folder);
    if (found === null) continue;
    if (found.kind === 'folder') return;
    throw inputError({
      where: path,
      expected: 'a path whose folder can be made',
      got: `${folder}, which is a file`,
      mend: 'choose another place to write to',
    });
  }
};
