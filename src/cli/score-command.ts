import { type Command, Option } from 'commander';
import { cacheFolder } from '../node/platform.ts';
import { planNulls, scoreNulls } from '../nulls.ts';
import { inputError } from '../records/errors.ts';
import type { Ports } from '../records/ports.ts';
import type { SiteCeilings } from '../records/site-ceiling.ts';
import { learningCurvePlanLine } from '../report/learning-curve-report.ts';
import { nullPlanLine } from '../report/null-report.ts';
import { planLines, planSummary } from '../report/plan-report.ts';
import { scoreLines } from '../report/score-report.ts';
import { besideScoreLines } from '../report/site-ceiling.ts';
import {
  planLearningCurve,
  planScore,
  readoutOf,
  type ScorePlan,
  type ScoreRequest,
  type ScoreResult,
  score,
  withLearningCurve,
} from '../score.ts';
import {
  encodeScore,
  layerPredictionParts,
  predictionParts,
  readoutParts,
  readSiteCeilings,
} from '../store/score-files.ts';
import { encodeScoreCsv, encodeScoreParquet } from '../store/score-table.ts';
import { type Keep, parseBytes, parseKeep, parseList, parsePath, parseWhole } from './options.ts';
import { checkOutputs, type NamedPath, type Output, writeTogether } from './outputs.ts';
import { resolveRecording } from './recordings.ts';
import { type Say, withPorts } from './session.ts';

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

const requestOf = (model: string | undefined, options: ScoreOptions): ScoreRequest => ({
  candidate: candidateOf(model, options),
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
): ScoreRequest['candidate'] => {
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
  if (activations === undefined)
    return { kind: 'model', path: model!, preprocess: preprocess ?? null };
  if (preprocess !== undefined)
    throw inputError({
      where: '--preprocess',
      expected: 'a model',
      got: '--activations, to which no preprocessing applies',
      mend: 'leave --preprocess out',
    });
  return { kind: 'activations', path: activations, ...(order === undefined ? {} : { order }) };
};

/** What a score command writes beside its table, and whether nulls stand in it. */
export type ScoreOutputs = Pick<
  ScoreOptions,
  'nulls' | 'permutations' | 'curve' | 'out' | 'csv' | 'parquet' | 'keep' | 'ceilings' | 'dryRun'
>;

/** Plans, and unless only that is asked for scores, writes the files and prints the table. */
export const runScore = async (
  request: ScoreRequest,
  outputs: ScoreOutputs,
  ports: Ports,
  say: Say,
): Promise<void> => {
  await checkOutputs(namedOutputs(outputs), namedInputs(request, outputs), ports.files);
  const plan = await planScore(request, ports);
  const ceilings = await ceilingsOf(plan, outputs, ports);
  const nulls = outputs.nulls ? await planNulls(plan, ports, outputs.permutations) : null;
  const further = [
    ...(nulls === null ? [] : [nullPlanLine(nulls)]),
    ...(outputs.curve ? [learningCurvePlanLine(await planLearningCurve(plan, ports))] : []),
  ];
  if (outputs.dryRun) {
    process.stdout.write(`${[...planLines(plan), ...further].join('\n')}\n`);
    return;
  }
  for (const line of [...planSummary(plan), ...further]) say(line);
  const found = await score(plan, ports);
  const scored = outputs.curve ? await withLearningCurve(plan, found, ports) : found;
  const result = nulls === null ? scored : await scoreNulls(nulls, scored, ports);
  await writeTogether(await filesOf(plan, result, outputs, ports), ports.files);
  const lines = [
    ...scoreLines(result.score),
    ...(ceilings === null ? [] : besideScoreLines(result.score, ceilings)),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
};

/** Input error: ceilings of other recordings only. */
const ceilingsOf = async (
  { recording }: ScorePlan,
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

const keptPath = (out: string | undefined, what: Keep): string => `${out}.${what}.npz`;

const namedOutputs = ({ out, csv, parquet, keep = [] }: ScoreOutputs): NamedPath[] => [
  ...(out === undefined ? [] : [{ option: '--out', path: out }]),
  ...(csv === undefined ? [] : [{ option: '--csv', path: csv }]),
  ...(parquet === undefined ? [] : [{ option: '--parquet', path: parquet }]),
  ...keep.map((what) => ({ option: '--keep', path: keptPath(out, what) })),
];

const namedInputs = (
  { candidate, recording, protocol }: ScoreRequest,
  { ceilings }: ScoreOutputs,
): NamedPath[] => [
  ...(ceilings === undefined ? [] : [{ option: '--ceilings', path: ceilings }]),
  { option: `the ${candidate.kind === 'model' ? 'model' : 'activations'}`, path: candidate.path },
  { option: '--recording', path: `${recording}/recording.json` },
  ...(protocol === null ? [] : [{ option: '--protocol', path: protocol }]),
  ...(candidate.kind === 'model' || candidate.order === undefined
    ? []
    : [{ option: '--order', path: candidate.order }]),
];

/** The score file comes last: where it is, everything else is. */
const filesOf = async (
  plan: ScorePlan,
  { score: found, predictions, layerPredictions }: ScoreResult,
  { out, csv, parquet, keep = [] }: ScoreOutputs,
  ports: Ports,
): Promise<Output[]> => {
  const keptParts = async (what: Keep): Promise<readonly Uint8Array[]> => {
    switch (what) {
      case 'predictions':
        return predictionParts(predictions);
      case 'layer-predictions':
        return layerPredictionParts(layerPredictions());
      case 'readout': {
        const readout = await readoutOf(plan, found.layer, ports);
        return readoutParts(readout, found.layer, predictions.siteIds);
      }
    }
  };
  const kept: Output[] = [];
  for (const what of keep) kept.push({ path: keptPath(out, what), parts: await keptParts(what) });
  return [
    ...kept,
    ...(csv === undefined ? [] : [{ path: csv, parts: [encodeScoreCsv(found)] }]),
    ...(parquet === undefined ? [] : [{ path: parquet, parts: [encodeScoreParquet(found)] }]),
    ...(out === undefined ? [] : [{ path: out, parts: [encodeScore(found)] }]),
  ];
};
