import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AlignPlan, align, planAlignment } from '../align.ts';
import { createNodeHdf5 } from '../node/hdf5.ts';
import { cacheFolder } from '../node/platform.ts';
import type { HumanCeilingSettings } from '../records/alignment.ts';
import { alignmentLines } from '../report/alignment-report.ts';
import { encodeAlignedImages, encodeAlignment } from '../store/alignment-files.ts';
import { writeTogether } from '../store/write-together.ts';
import { parsePath, parseWhole } from './options.ts';
import { checkOutputs } from './outputs.ts';
import { withPorts } from './session.ts';
import { printLines } from './typed.ts';

interface AlignOptions {
  readonly maps: string;
  readonly images?: string;
  readonly fixations?: 'pixels' | 'shares';
  readonly protocol?: string;
  readonly preprocess?: string;
  readonly ceiling?: HumanCeilingSettings;
  readonly limit?: number;
  readonly out?: string;
  readonly csv?: string;
  readonly threads?: number;
  readonly device: 'cpu' | 'webgpu' | 'cuda';
  readonly seed: number;
  readonly quiet?: boolean;
}

/** `0.66`, or `none`. */
const parseCeiling = (text: string): HumanCeilingSettings => {
  if (text === 'none') return { kind: 'none' };
  const spearman = Number(text);
  if (!(spearman > 0 && spearman <= 1))
    throw new InvalidArgumentError('expected a correlation above 0, up to 1, or none.');
  return { kind: 'given', spearman };
};

export const addAlignCommand = (program: Command): void => {
  program
    .command('align')
    .description("compare a classifier's saliency with what matters to people on the same images")
    .argument('<model>', 'ONNX file', parsePath)
    .requiredOption(
      '--maps <clickme|folder|file>',
      'fetched ClickMe, its shards, a folder of images/ and maps/, or fixations (.mat, .csv)',
      parsePath,
    )
    .option('--images <folder|zip>', 'the images of a list of fixations', parsePath)
    .addOption(
      new Option(
        '--fixations <unit>',
        'unit of a list of fixations: pixels from the upper left corner, or shares (0 to 1) of width and height',
      ).choices(['pixels', 'shares']),
    )
    .option(
      '--protocol <name|file.json>',
      'default: clickme-2022 for shards, human-maps for others',
      parsePath,
    )
    .option(
      '--preprocess <preset|file.json>',
      'default: what lies beside the model, else imagenet-224',
      parsePath,
    )
    .option('--ceiling <r|none>', "human Spearman ceiling in place of the protocol's", parseCeiling)
    .option('--limit <n>', 'the first n images only', parseWhole(1))
    .option('--out <alignment.json>', 'write the alignment with everything it rests on', parsePath)
    .option('--csv <images.csv>', 'write one line per image', parsePath)
    .option('--threads <n>', 'engine threads (default: all)', parseWhole(1))
    .addOption(
      new Option('--device <name>', 'where the engine runs')
        .choices(['cpu', 'webgpu', 'cuda'])
        .default('cpu'),
    )
    .option('--seed <n>', 'seed of halves, noise and draws', parseWhole(0), 1)
    .option('--quiet', 'no progress on standard error')
    .action((model: string, options: AlignOptions) =>
      withPorts(
        options,
        async (ports, say) => {
          const { out, csv, maps, protocol } = options;
          await checkOutputs(
            [
              ...(out === undefined ? [] : [{ option: '--out', path: out }]),
              ...(csv === undefined ? [] : [{ option: '--csv', path: csv }]),
            ],
            [
              { option: 'the model', path: model },
              { option: '--maps', path: maps },
              ...(protocol === undefined ? [] : [{ option: '--protocol', path: protocol }]),
            ],
            ports.files,
          );
          const allPorts = { ...ports, hdf5: createNodeHdf5() };
          const plan = await planAlignment(requestOf(model, options), allPorts);
          say(planLine(plan));
          const found = await align(plan, allPorts);
          await writeTogether(
            [
              ...(csv === undefined ? [] : [{ path: csv, parts: [encodeAlignedImages(found)] }]),
              ...(out === undefined ? [] : [{ path: out, parts: [encodeAlignment(found)] }]),
            ],
            ports.files,
          );
          printLines(alignmentLines(found));
        },
        null,
      ),
    );
};

const requestOf = (model: string, options: AlignOptions) => ({
  model,
  maps: options.maps,
  images: options.images ?? null,
  fixationUnit: options.fixations ?? null,
  root: cacheFolder(),
  preprocess: options.preprocess ?? null,
  protocol: options.protocol ?? null,
  ceiling: options.ceiling ?? null,
  limit: options.limit ?? null,
  seed: options.seed,
});

const planLine = ({ network, maps, protocol, preprocessing, request }: AlignPlan): string =>
  `${network.name}, ${request.limit === null ? '' : `at most ${request.limit} of `}${maps.count ?? 'the'} images of ${maps.name}, protocol ${protocol.name}, preprocessing ${preprocessing.name}`;
