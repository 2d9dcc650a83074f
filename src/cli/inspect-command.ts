import type { Command } from 'commander';
import { inspectRecording } from '../data/inspect.ts';
import { resolveRecording } from '../data/open-recording.ts';
import { meanOverStimuli, responseMaps } from '../data/response-maps.ts';
import { readStimulus } from '../data/stimuli.ts';
import { readRecording } from '../formats/recording.ts';
import { encodeText } from '../formats/text.ts';
import { cacheFolder } from '../node/platform.ts';
import { inputError } from '../records/errors.ts';
import type { Inspection } from '../records/inspection.ts';
import type { Pixels, Ports } from '../records/ports.ts';
import { type Recording, sameBin, type TimeBin } from '../records/recording.ts';
import { inspectionLines } from '../report/inspection.ts';
import { inspectionPage, type PagePicture } from '../report/inspection-page.ts';
import { mapPicture, sitePicture, slice, smaller } from '../report/inspection-pictures.ts';
import { type Output, writeTogether } from '../store/write-together.ts';
import { parsePath, parseWindow } from './options.ts';
import { checkOutputs } from './outputs.ts';
import { withStorage } from './session.ts';
import { printLines } from './typed.ts';

interface InspectOptions {
  readonly site?: string;
  readonly map?: string;
  readonly bin?: TimeBin;
  readonly html?: string;
}

export const addInspectCommand = (data: Command): void => {
  data
    .command('inspect')
    .description('dimensions, sites, time bins, reliabilities and first stimuli of a recording')
    .argument('<recording>', 'recording folder, or the name of a fetched one', parsePath)
    .option('--html <report.html>', 'write all of it, with charts and maps, as one page', parsePath)
    .option('--site <id>', 'site whose response maps --map writes')
    .option(
      '--map <out.png>',
      'write the mean map of --site, and its map of each stimulus',
      parsePath,
    )
    .option('--bin <ms>', 'time bin of the maps (default: the most reliable)', parseWindow)
    .action((named: string, options: InspectOptions) =>
      withStorage({}, async (ports) => {
        checkOptions(options);
        const folder = await resolveRecording(named, cacheFolder(), ports.files);
        await checkOutputs(
          [
            ...(options.html === undefined ? [] : [{ option: '--html', path: options.html }]),
            ...(options.map === undefined ? [] : [{ option: '--map', path: options.map }]),
          ],
          ['recording.json', 'responses.npy', 'stimuli.csv'].map((name) => ({
            option: 'the recording',
            path: `${folder}/${name}`,
          })),
          ports.files,
        );
        const recording = await readRecording(folder, ports);
        const inspection = inspectRecording(recording);
        const lines = inspectionLines(inspection);
        const outputs: Output[] = [];
        if (options.map !== undefined) {
          const { pixels, says } = siteMaps(recording, inspection, options);
          outputs.push({ path: options.map, parts: [await ports.images.encode(pixels)] });
          lines.push(`${'map'.padEnd(12)} ${options.map}: ${says}`);
        }
        if (options.html !== undefined) {
          const page = await pageOf(recording, inspection, options.bin, ports);
          outputs.push({ path: options.html, parts: [encodeText(page)] });
        }
        await writeTogether(outputs, ports.files);
        printLines(lines);
      }),
    );
};

const checkOptions = ({ site, map, bin, html }: InspectOptions): void => {
  const wrong = (where: string, expected: string) =>
    inputError({
      where,
      expected,
      got: 'none',
      mend: 'ventral data inspect DIR --site ID --map out.png',
    });
  if (site !== undefined && map === undefined) throw wrong('--site', '--map beside it');
  if (map !== undefined && site === undefined) throw wrong('--map', '--site beside it');
  if (bin !== undefined && map === undefined && html === undefined)
    throw wrong('--bin', '--map or --html beside it');
};

/** The bin that was asked for, else the most reliable (without trials: where other sites agree best), else that of the strongest responses. */
const binOf = (
  { timeBins, timeCourse, reliability, otherSites }: Inspection,
  wanted?: TimeBin,
): number => {
  if (wanted !== undefined) {
    const found = timeBins.findIndex((bin) => sameBin(bin, wanted));
    if (found >= 0) return found;
    throw inputError({
      where: '--bin',
      expected: `one of ${timeBins.map(({ start, end }) => `${start}-${end}`).join(', ')}`,
      got: `${wanted.start}-${wanted.end}`,
      mend: 'name a bin of the recording',
    });
  }
  const responseSum = (bin: number): number =>
    timeCourse[bin]!.perSite.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const agreement = reliability?.bins ?? otherSites;
  const agreementOf = (bin: number): number =>
    agreement === null ? responseSum(bin) : (agreement[bin]!.median ?? -Infinity);
  return timeBins.reduce((best, _, bin) => (agreementOf(bin) > agreementOf(best) ? bin : best), 0);
};

/** The maps of a site as a picture, and what it shows in words. */
const siteMaps = (
  recording: Recording,
  inspection: Inspection,
  { site, bin: wanted }: InspectOptions,
): { pixels: Pixels; says: string } => {
  const index = inspection.sites.findIndex(({ id }) => id === site);
  if (index < 0)
    throw inputError({
      where: '--site',
      expected: `a site of ${recording.header.name}, such as ${inspection.sites[0]!.id}`,
      got: `"${site}"`,
      mend: 'recording.json names them',
    });
  const bin = binOf(inspection, wanted);
  const maps = responseMaps(recording, bin);
  const { pixels, across, low, high } = sitePicture(
    slice(maps, index),
    slice(meanOverStimuli(maps), index),
  );
  const { start, end } = inspection.timeBins[bin]!;
  return {
    pixels,
    says:
      `${site}, ${start}–${end} ms, ${low.toPrecision(3)} (dark) to ${high.toPrecision(3)} (bright); ` +
      `first the mean over stimuli, then each, ${across} in a row`,
  };
};

const dataAddress = (png: Uint8Array): string =>
  `data:image/png;base64,${Buffer.from(png).toString('base64')}`;

const shownStimuli = 18;

const pageOf = async (
  recording: Recording,
  inspection: Inspection,
  wanted: TimeBin | undefined,
  ports: Pick<Ports, 'files' | 'images'>,
): Promise<string> => {
  const stimuli: PagePicture[] = [];
  for (const stimulus of recording.stimuli.slice(0, shownStimuli)) {
    const pixels = await readStimulus(recording, stimulus, ports);
    const png = await ports.images.encode(smaller(pixels, 120));
    stimuli.push({ caption: stimulus.id, address: dataAddress(png) });
  }
  if (inspection.layout !== 'grid') return inspectionPage({ inspection, stimuli, maps: null });
  const bin = binOf(inspection, wanted);
  const means = meanOverStimuli(responseMaps(recording, bin));
  const pictures: PagePicture[] = [];
  for (const [index, { id }] of inspection.sites.entries()) {
    const png = await ports.images.encode(mapPicture(slice(means, index)));
    pictures.push({ caption: id, address: dataAddress(png) });
  }
  const maps = { bin: inspection.timeBins[bin]!, pictures };
  return inspectionPage({ inspection, stimuli, maps });
};
