import { type Command, InvalidArgumentError, Option } from 'commander';
import { npyParts } from '../formats/npy.ts';
import { below, stem } from '../formats/paths.ts';
import { inputError } from '../records/errors.ts';
import type { Ports } from '../records/ports.ts';
import { knownInput } from '../records/provenance.ts';
import type { SaliencyMethod, SaliencyRecord, SaliencySettings } from '../records/saliency.ts';
import { saliencyText } from '../report/alignment-report.ts';
import { overlay } from '../report/overlay.ts';
import { runText } from '../report/run-text.ts';
import { counted, shortList } from '../report/table.ts';
import { type ClassChoice, type KeepMap, type SaliencyRequest, saliency } from '../saliency.ts';
import { encodeAlignment } from '../store/alignment-files.ts';
import { parseNumber, parsePath, parseWhole } from './options.ts';
import { checkOutputs } from './outputs.ts';
import { withPorts } from './session.ts';
import { printLines } from './typed.ts';

interface SaliencyOptions {
  readonly images: string;
  readonly class?: ClassChoice;
  readonly method: SaliencyMethod;
  readonly samples?: number;
  readonly noise?: number;
  readonly baseline?: 'black' | 'zero';
  readonly preprocess?: string;
  readonly readout?: string;
  readonly site?: string;
  readonly out: string;
  readonly threads?: number;
  readonly device: 'cpu' | 'webgpu' | 'cuda';
  readonly seed: number;
  readonly quiet?: boolean;
}

/** `top1`, a number from 0, or a table. */
const parseClass = (text: string): ClassChoice => {
  if (text === 'top1') return { kind: 'top1' };
  if (/^\d+$/.test(text)) return { kind: 'fixed', class: Number(text) };
  if (/\.csv$/i.test(text)) return { kind: 'table', path: text };
  throw new InvalidArgumentError('expected top1, a whole number from 0, or a .csv file.');
};

const parseShare = (text: string): number => {
  const value = parseNumber(text);
  if (!(value > 0)) throw new InvalidArgumentError('expected a number above 0.');
  return value;
};

export const addSaliencyCommand = (program: Command): void => {
  program
    .command('saliency')
    .description("which pixels drive a class's logit, or a site's predicted response")
    .argument('<model>', 'ONNX file', parsePath)
    .requiredOption('--images <folder|zip>', 'the images', parsePath)
    .option(
      '--class <top1|n|file.csv>',
      'whose logit (default: top1); a table has columns image, class',
      parseClass,
    )
    .addOption(
      new Option('--method <name>', 'what is made of the gradient')
        .choices(['gradient', 'abs-max', 'gradient-times-input', 'smoothgrad', 'integrated'])
        .default('gradient'),
    )
    .option(
      '--samples <n>',
      'smoothgrad: noisy inputs; integrated: steps (default: 50)',
      parseWhole(1),
    )
    .option('--noise <share>', 'smoothgrad: in parts of the range of the input (0.15)', parseShare)
    .addOption(
      new Option(
        '--baseline <image>',
        'integrated: where the path begins (default: black)',
      ).choices(['black', 'zero']),
    )
    .option(
      '--preprocess <preset|file.json>',
      'default: what lies beside the model, else imagenet-224',
      parsePath,
    )
    .option('--readout <score.json>', 'a score with its readout (--keep readout)', parsePath)
    .option('--site <id>', 'with --readout: the site whose predicted response is looked at')
    .requiredOption('--out <folder>', 'maps (.npy), overlays (.png) and saliency.json', parsePath)
    .option('--threads <n>', 'engine threads (default: all)', parseWhole(1))
    .addOption(
      new Option('--device <name>', 'where the engine runs')
        .choices(['cpu', 'webgpu', 'cuda'])
        .default('cpu'),
    )
    .option('--seed <n>', 'seed of noise', parseWhole(0), 1)
    .option('--quiet', 'no progress on standard error')
    .action((model: string, options: SaliencyOptions) => {
      const request = requestOf(model, options);
      return withPorts(
        options,
        async (ports) => {
          const record = below(options.out.replace(/\/+$/, ''), 'saliency.json');
          await checkOutputs([{ option: '--out', path: record }], [], ports.files);
          const found = await saliency(request, keepIn(options.out, ports), ports);
          // Last: the record says that all maps are there.
          await ports.files.write(record, [encodeAlignment(found)]);
          printLines(saliencyLines(found, options.out));
        },
        null,
      );
    });
};

/** Writes each map as npy, and its overlay as PNG. */
const keepIn =
  (out: string, { files, images }: Pick<Ports, 'files' | 'images'>): KeepMap =>
  async ({ image, intensities, map }) => {
    const id = stem(image);
    const names = { map: `${id}.npy`, overlay: `${id}.png` };
    await files.write(below(out, names.map), npyParts(map));
    await files.write(below(out, names.overlay), [await images.encode(overlay(intensities, map))]);
    return names;
  };

const useless = (option: string, expected: string, got: string) =>
  inputError({ where: option, expected, got, mend: `leave ${option} out` });

const settingsOf = ({ method, samples, noise, baseline }: SaliencyOptions): SaliencySettings => {
  const sampled = method === 'smoothgrad' || method === 'integrated';
  if (samples !== undefined && !sampled)
    throw useless('--samples', '--method smoothgrad or integrated', method);
  if (noise !== undefined && method !== 'smoothgrad')
    throw useless('--noise', '--method smoothgrad', method);
  if (baseline !== undefined && method !== 'integrated')
    throw useless('--baseline', '--method integrated', method);
  if (method === 'smoothgrad') return { method, samples: samples ?? 50, noise: noise ?? 0.15 };
  if (method === 'integrated')
    return { method, steps: samples ?? 50, baseline: baseline ?? 'black' };
  return { method };
};

const requestOf = (model: string, options: SaliencyOptions): SaliencyRequest => {
  const { images, seed } = options;
  return { model, images, seed, settings: settingsOf(options), of: objectOf(options) };
};

const objectOf = (options: SaliencyOptions): SaliencyRequest['of'] => {
  const { readout, site, preprocess } = options;
  if ((readout === undefined) !== (site === undefined))
    throw inputError({
      where: readout === undefined ? '--site' : '--readout',
      expected: '--readout and --site together',
      got: readout === undefined ? 'no --readout' : 'no --site',
      mend: 'ventral saliency model.onnx --readout score.json --site s1 --images folder --out folder',
    });
  if (readout === undefined || site === undefined)
    return {
      kind: 'class',
      choice: options.class ?? { kind: 'top1' },
      preprocess: preprocess ?? null,
    };
  if (options.class !== undefined)
    throw useless('--class', 'no --readout', 'one: a site is looked at, not a class');
  if (preprocess !== undefined)
    throw useless('--preprocess', 'no --readout', 'one, whose score names its preprocessing');
  return { kind: 'site', score: readout, site };
};

const saliencyLines = (record: SaliencyRecord, out: string): string[] => {
  const { of, images, settings, provenance, warnings } = record;
  const what =
    of.kind === 'class'
      ? `class logits (tensor ${of.tensor})`
      : `the predicted response of ${of.site}, from layer ${of.layer}`;
  const odd = images.filter(({ warning }) => warning !== null);
  return [
    `${knownInput(provenance, 'model').name}: ${saliencyText(settings)} of ${what} on ${counted(images.length, 'image')}, in ${out}`,
    ...(odd.length === 0
      ? []
      : [
          `note: ${counted(odd.length, 'map')} say nothing: ${shortList(
            odd.map(({ image, warning }) => `${image} (${warning})`),
            3,
          )}`,
        ]),
    ...warnings.map((warning) => `note: ${warning}`),
    runText(provenance.run),
  ];
};
