import { type Command, Option } from 'commander';
import { resolveRecording } from '../data/open-recording.ts';
import { cacheFolder } from '../node/platform.ts';
import { planNulls } from '../nulls.ts';
import { planLearningCurve } from '../predictivity.ts';
import { inputError } from '../records/errors.ts';
import type { Ports } from '../records/ports.ts';
import type { SiteCeilings } from '../records/site-ceiling.ts';
import { learningCurvePlanLine } from '../report/learning-curve-report.ts';
import { nullPlanLine } from '../report/null-report.ts';
import { planLines, planSummary } from '../report/plan-report.ts';
import { scoreLines } from '../report/score-report.ts';
import { besideScoreLines } from '../report/site-ceiling.ts';
import { planScore, type ScoreJob, type ScoreRequest, score } from '../score.ts';
import type { GivenActivations } from '../scoring/candidate.ts';
import { readSiteCeilings } from '../store/score-files.ts';
import { type Keep, keptPath, scoreOutputs } from '../store/score-outputs.ts';
import { writeTogether } from '../store/write-together.ts';
import { parseBytes, parseKeep, parseList, parsePath, parseWhole } from './options.ts';
import { checkOutputs, type NamedPath } from './outputs.ts';
import { type Say, withPorts } from './session.ts';
import { printLines } from './typed.ts';

interface ScoreOptions {
  readonly activations?: string;
  readonly order?: string;
  readonly recording: string;
  readonly protocol?: string;
  readonly layers?: readonly string[];
  readonly preprocess?: string;
  readonly out?: string;
  readonly csv?: string;
  readonly parquet?: string;
  readonly dryRun?: boolean;
  readonly nulls?: boolean;
  readonly permutations?: number;
  readonly curve?: boolean;
  readonly keep?: readonly Keep[];
  readonly ceilings?: string;
  readonly memory: number;
  readonly threads?: number;
  readonly device: 'cpu' | 'webgpu' | 'cuda';
  readonly seed: number;
  readonly timeCourse: 'common' | 'own';
  readonly timeBins: 'all' | 'best';
  readonly quiet?: boolean;
}

export const addScoreCommand = (program: Command): void => {
  program
    .command('score')
    .description('score every layer of a network (or given activations) against a recording')
    .argument('[model]', 'ONNX file', parsePath)
    .option(
      '--activations <file>',
      'features as .npz (one array per layer) or .npy, instead of a model',
      parsePath,
    )
    .option(
      '--order <name|number|file>',
      'order of the rows of --activations without ids: of the file names, of the numbers in them, or as a list says',
      parsePath,
    )
    .requiredOption(
      '--recording <folder|name>',
      'recording folder (ventral data import makes one), or a fetched one (ventral data fetch)',
      parsePath,
    )
    .option('--protocol <name|file.json>', 'default: ventral, by the recording', parsePath)
    .option(
      '--layers <globs>',
      "layer names with * and ?, comma-separated; '*' takes every tensor",
      parseList,
    )
    .option(
      '--preprocess <preset|file.json>',
      'default: what lies beside the model, else imagenet-224',
      parsePath,
    )
    .option('--out <score.json>', 'write the score with everything it rests on', parsePath)
    .option('--csv <score.csv>', 'write every value as a line of one table', parsePath)
    .option('--parquet <score.parquet>', 'write the same table as Parquet', parsePath)
    .option('--dry-run', 'print the plan and stop')
    .option(
      '--curve',
      'how the score of the best layer changes with the number of trials and sites',
    )
    .option(
      '--nulls',
      'beside the score, what could come from nothing: permutations, pixels, random-weight twins',
    )
    .option(
      '--permutations <n>',
      'of --nulls, at most (default: 200; fewer take less time, and cannot find a p below 1/(n + 1))',
      parseWhole(1),
    )
    .option(
      '--keep <what>',
      'write predictions, layer-predictions (for profile), readout beside --out',
      parseKeep,
    )
    .option(
      '--ceilings <ceiling.json>',
      'print beneath the score how well sites predict these sites (ventral ceiling)',
      parsePath,
    )
    .option('--memory <size>', 'memory to stay within', parseBytes, 4e9)
    .option('--threads <n>', 'engine threads (default: all)', parseWhole(1))
    .addOption(
      new Option('--device <name>', 'where the engine runs')
        .choices(['cpu', 'webgpu', 'cuda'])
        .default('cpu'),
    )
    .option('--seed <n>', 'seed of folds, halves and draws', parseWhole(0), 1)
    .addOption(
      new Option('--time-bins <which>', 'fit all time bins, or the one with the best ceiling only')
        .choices(['all', 'best'])
        .default('all'),
    )
    .addOption(
      new Option(
        '--time-course <sites>',
        'time bins over the sites that all use, or each over its own',
      )
        .choices(['common', 'own'])
        .default('common'),
    )
    .option('--quiet', 'no plan and no progress on standard error')
    .action(async (model: string | undefined, options: ScoreOptions) => {
      const named = requestOf(model, options);
      await withPorts(options, async (ports, say) => {
        const recording = await resolveRecording(named.recording, cacheFolder(), ports.files);
        await runScore({ ...named, recording }, options, ports, say);
      });
    });
};

/** A request whose inputs are all files. */
interface FileRequest extends ScoreRequest {
  readonly candidate: string | (GivenActivations & { readonly activations: string });
  readonly recording: string;
  readonly protocol: string | null;
}

const requestOf = (model: string | undefined, options: ScoreOptions): FileRequest => ({
  candidate: candidateOf(model, options),
  preprocess: options.preprocess ?? null,
  recording: options.recording,
  protocol: options.protocol ?? null,
  layers: options.layers ?? null,
  memory: options.memory,
  seed: options.seed,
  timeBins: options.timeBins,
  timeCourseSites: options.timeCourse,
});

const candidateOf = (
  model: string | undefined,
  options: ScoreOptions,
): FileRequest['candidate'] => {
  const { activations, preprocess, order, keep, out, nulls, permutations } = options;
  if ((model === undefined) === (activations === undefined))
    throw inputError({
      where: 'ventral score',
      expected: 'a model or --activations, one of them',
      got: model === undefined ? 'neither' : 'both',
      mend: 'ventral score model.onnx --recording folder',
    });
  if (permutations !== undefined && !nulls)
    throw inputError({
      where: '--permutations',
      expected: '--nulls, of which they are a part',
      got: 'no --nulls',
      mend: 'add --nulls',
    });
  if (keep !== undefined && out === undefined)
    throw inputError({
      where: '--keep',
      expected: '--out, beside which the files are written',
      got: 'no --out',
      mend: 'add --out score.json',
    });
  if (activations === undefined && order !== undefined)
    throw inputError({
      where: '--order',
      expected: '--activations',
      got: 'a model, which is shown the stimuli themselves',
      mend: 'leave --order out',
    });
  if (activations === undefined) return model!;
  if (preprocess !== undefined)
    throw inputError({
      where: '--preprocess',
      expected: 'a model',
      got: '--activations, to which no preprocessing applies',
      mend: 'leave --preprocess out',
    });
  return { activations, ...(order === undefined ? {} : { order }) };
};

/** What a score command writes beside its table, and whether nulls stand in it. */
export type ScoreOutputs = Pick<
  ScoreOptions,
  'nulls' | 'permutations' | 'curve' | 'out' | 'csv' | 'parquet' | 'keep' | 'ceilings' | 'dryRun'
>;

/** Plans, and unless only that is asked for scores, writes the files and prints the table. */
export const runScore = async (
  request: FileRequest,
  outputs: ScoreOutputs,
  ports: Ports,
  say: Say,
): Promise<void> => {
  await checkOutputs(namedOutputs(outputs), namedInputs(request, outputs), ports.files);
  const job = await planScore(request, ports);
  const { plan, handle } = job;
  const ceilings = await ceilingsOf(handle, outputs, ports);
  const nulls = outputs.nulls ? await planNulls(handle, ports, outputs.permutations) : null;
  const further = [
    ...(nulls === null ? [] : [nullPlanLine(nulls)]),
    ...(outputs.curve ? [learningCurvePlanLine(await planLearningCurve(handle, ports))] : []),
  ];
  if (outputs.dryRun) {
    printLines([...planLines(plan), ...further]);
    return;
  }
  for (const line of [...planSummary(plan), ...further]) say(line);
  const result = await score(job, ports, {
    nulls: nulls ?? false,
    learningCurve: outputs.curve ?? false,
  });
  await writeTogether(await scoreOutputs(result, outputs), ports.files);
  printLines([
    ...scoreLines(result.score),
    ...(ceilings === null ? [] : besideScoreLines(result.score, ceilings)),
  ]);
};

/** Input error: ceilings of other recordings only. */
const ceilingsOf = async (
  { recording }: ScoreJob['handle'],
  { ceilings: path }: ScoreOutputs,
  { files }: Ports,
): Promise<SiteCeilings | null> => {
  if (path === undefined) return null;
  const found = await readSiteCeilings(path, files);
  if (found.ceilings.some(({ target }) => target.sha256 === recording.hash)) return found;
  throw inputError({
    where: `--ceilings ${path}`,
    expected: `a ceiling of ${recording.header.name}, as it is in ${recording.folder}`,
    got: found.ceilings.map(({ target }) => target.recording).join(', ') || 'none',
    mend: `ventral ceiling ${recording.folder} --out ${path}`,
  });
};

const namedOutputs = ({ out, csv, parquet, keep = [] }: ScoreOutputs): NamedPath[] => [
  ...(out === undefined ? [] : [{ option: '--out', path: out }]),
  ...(csv === undefined ? [] : [{ option: '--csv', path: csv }]),
  ...(parquet === undefined ? [] : [{ option: '--parquet', path: parquet }]),
  ...(out === undefined
    ? []
    : keep.map((what) => ({ option: '--keep', path: keptPath(out, what) }))),
];

const namedInputs = (
  { candidate, recording, protocol }: FileRequest,
  { ceilings }: ScoreOutputs,
): NamedPath[] => [
  ...(ceilings === undefined ? [] : [{ option: '--ceilings', path: ceilings }]),
  typeof candidate === 'string'
    ? { option: 'the model', path: candidate }
    : { option: 'the activations', path: candidate.activations },
  { option: '--recording', path: `${recording}/recording.json` },
  ...(protocol === null ? [] : [{ option: '--protocol', path: protocol }]),
  ...(typeof candidate === 'string' || candidate.order === undefined
    ? []
    : [{ option: '--order', path: candidate.order }]),
];
