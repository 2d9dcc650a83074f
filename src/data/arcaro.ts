import { textsOf } from '../formats/mat.ts';
import { below, firstMissing, folderOf } from '../formats/paths.ts';
import type { NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Hdf5 } from '../records/hdf5.ts';
import type { RecordingHeader, TimeBin } from '../records/recording.ts';
import { allOffsets, binIndices, checkLength, evenSpans, gather } from './gather.ts';
import { imagesIn, imagesNamed } from './image-set.ts';
import { matSource } from './import.ts';
import { zeroPadded } from './import-array.ts';
import { checkCount, type ImportPorts, stimuliOf, writeImport } from './import-write.ts';
import { type FileTree, findPath, openMatIn, openTree } from './tree.ts';

/** The release of Arcaro, Ponce & Livingstone 2020 as Linsley et al. 2023 publish it. */
export interface ArcaroImport {
  /** The zip archive, or the folder that it unpacks to. */
  readonly archive: string;
  /** Folder for the three recordings `m1-ml`, `m1-pl`, `m2-ml`. */
  readonly out: string;
  /** Leading channels of monkey 1 that lie in PL, the others in ML; default: the paper's 31. */
  readonly posterior?: number;
}

interface Monkey {
  readonly animal: string;
  readonly label: string;
  readonly file: string;
  readonly images: string;
}

const george: Monkey = {
  animal: 'George',
  label: 'm1',
  file: 'George/george_060118_data.mat',
  images: 'natural_test/',
};
const red: Monkey = {
  animal: 'Red',
  label: 'm2',
  file: 'Red/red_062419_data.mat',
  images: 'red_naturalface/',
};

/** Averages of 40 ms, from 50 ms on: what comes before is baseline (Linsley et al. 2023). */
const bins: readonly TimeBin[] = [50, 90, 130, 170, 210].map((start) => ({
  start,
  end: start + 40,
}));

/** Monkey 1: 31 sites in PL and 32 in ML (Linsley et al. 2023, main text). */
const paperPosterior = 31;
const paperChannels = 63;

const citation =
  'Arcaro, Ponce, Livingstone (2020). The neurons that mistook a hat for a face. eLife 9, e53798. ' +
  'As released by Linsley, Rodriguez, Fel, Arcaro, Sharma, Livingstone, Serre (2023), NeurIPS.';

/** Which channels are of which area. */
interface Area {
  readonly folder: string;
  readonly area: string;
  readonly from: number;
  readonly to: number;
  readonly note: string;
}

const areasOf = (
  monkey: Monkey,
  channels: number,
  { posterior, archive }: ArcaroImport,
): Area[] => {
  if (monkey === red) {
    const note = `all ${channels} channels are taken as ML, as the paper says`;
    return [{ folder: 'm2-ml', area: 'ML', from: 0, to: channels, note }];
  }
  if (posterior === undefined && channels !== paperChannels) {
    throw inputError({
      code: 'channels-unexpected',
      field: 'posterior',
      where: `${archive}: ${monkey.file}`,
      expected: `${paperChannels} channels, 31 in PL and 32 in ML as in the paper`,
      got: `${channels}`,
      mend: 'say how many of the first channels lie in PL',
    });
  }
  const split = posterior ?? paperPosterior;
  if (!Number.isInteger(split) || split < 1 || split >= channels) {
    throw inputError({
      code: 'posterior-out-of-range',
      field: 'posterior',
      where: 'posterior',
      expected: `a whole number from 1 to ${channels - 1}`,
      got: `${split}`,
      mend: 'leave at least one channel to each area',
    });
  }
  const note =
    `channels 1 to ${split} are taken as PL, ${split + 1} to ${channels} as ML; the paper counts 31 and 32, the ` +
    'released code cuts at 33 and its comment at 32';
  return [
    { folder: 'm1-ml', area: 'ML', from: split, to: channels, note },
    { folder: 'm1-pl', area: 'PL', from: 0, to: split, note },
  ];
};

/** Everything that one monkey's file holds, with dimensions stimulus, site, time, column, row. */
interface Maps {
  readonly maps: NdArray<Float32Array | Float64Array>;
  readonly names: readonly string[];
}

const readMaps = async (
  tree: FileTree,
  path: string,
  ports: Pick<ImportPorts, 'checkStop'> & { readonly hdf5: Hdf5 },
): Promise<Maps> => {
  const file = await openMatIn(tree, path, ports.hdf5);
  try {
    const source = await matSource(file, 'imageRF');
    const [rows, columns, samples, channels, images] = source.shape;
    if (source.shape.length !== 5) {
      throw inputError({
        where: source.name,
        expected: 'five dimensions: x, y, time, channel, image',
        got: source.shape.join(' × '),
        mend: 'name the archive of the release',
      });
    }
    const indices = binIndices(
      evenSpans({ start: 0, step: 1 }, samples!),
      bins,
      `${source.name}: time`,
    );
    const shape = [images!, channels!, bins.length, columns!, rows!];
    const length = checkLength(shape, source.name);
    const map = rows! * columns!;
    // Both spatial axes are turned around, as the released code does before use.
    const offsets = [
      allOffsets(images!, channels! * bins.length * map),
      allOffsets(channels!, bins.length * map),
      Int32Array.from(indices, (bin) => (bin < 0 ? -1 : bin * map)),
      allOffsets(columns!, rows!, true),
      allOffsets(rows!, 1, true),
    ];
    const gathering = { offsets, length, isSingle: false };
    const data = await gather(source.blocks(), gathering, ports.checkStop);
    const names = textsOf(await file.read('UniqueNames'), `${file.name}: UniqueNames`);
    return { maps: { data, shape }, names };
  } finally {
    await file.close();
  }
};

/** The sites `[from, to)` of all stimuli. */
const sitesOf = (
  { data, shape }: Maps['maps'],
  { from, to }: Area,
): NdArray<Float32Array | Float64Array> => {
  const [images, channels, ...rest] = shape as [number, number, ...number[]];
  const width = rest.reduce((product, size) => product * size, 1);
  const chosen = new Float64Array(images * (to - from) * width);
  for (let image = 0; image < images; image++) {
    const start = (image * channels + from) * width;
    chosen.set(data.subarray(start, start + (to - from) * width), image * (to - from) * width);
  }
  return { data: chosen, shape: [images, to - from, ...rest] };
};

const headerOf = (monkey: Monkey, area: Area, { shape }: Maps['maps']): RecordingHeader => ({
  kind: 'recording',
  format: 2,
  name: `arcaro2020/${area.folder}`,
  species: 'macaque',
  dims: ['stimulus', 'site', 'time', 'column', 'row'],
  sites: Array.from({ length: area.to - area.from }, (_, index) => ({
    id: `channel${zeroPadded(area.from + index, shape[1]!)}`,
    area: area.area,
    animal: monkey.animal,
  })),
  timeBins: [...bins],
  grid: {
    rows: shape[4]!,
    columns: shape[3]!,
    extent: null,
    patchSize: null,
    pixelsPerDegree: null,
  },
  unit: 'multi-unit response, mean of 1 ms samples',
  licence: null,
  citation,
  notes: [
    area.note,
    'maps are flipped along both spatial axes, as in the released code; the first is taken as rows',
    '1 ms samples from stimulus onset averaged in 40 ms bins from 50 to 250 ms',
  ],
});

const importMonkey = async (
  tree: FileTree,
  monkey: Monkey,
  request: ArcaroImport,
  made: string[],
  ports: ImportPorts & { readonly hdf5: Hdf5 },
): Promise<void> => {
  const path = findPath(tree, monkey.file);
  const { maps, names } = await readMaps(tree, path, ports);
  const set = imagesIn(tree, `${folderOf(path)}/${monkey.images}`);
  const where = `${request.archive}: ${path}: UniqueNames`;
  const images = imagesNamed(set, names, where);
  checkCount(images, maps.shape[0]!, { source: 'imageRF', images: where });
  const stimuli = stimuliOf(images, () => ({}));
  for (const area of areasOf(monkey, maps.shape[1]!, request)) {
    const out = below(request.out, area.folder);
    const header = headerOf(monkey, area, maps);
    await writeImport({ out, header, responses: sitesOf(maps, area), stimuli, set }, ports);
    made.push(out);
  }
};

/**
 * Makes the three recordings of the paper out of its release: `imageRF` (x, y, time in ms, channel, image) and
 * `UniqueNames` of each monkey, with the images beside them. Grid, number of images and number of sites are read from
 * the data. Resolves with the folders of `m1-ml`, `m1-pl`, `m2-ml`.
 * Source: Linsley et al. 2023, Section 3 and released code. Input error: another layout, another number of channels
 * than the split covers, images that are not there; nothing is left behind then.
 */
export const importArcaro = async (
  request: ArcaroImport,
  ports: ImportPorts & { readonly hdf5: Hdf5 },
): Promise<string[]> => {
  const tree = await openTree(request.archive, ports.files);
  const missing =
    (await ports.files.info(request.out)) === null
      ? await firstMissing(request.out, ports.files)
      : null;
  const made: string[] = [];
  try {
    for (const monkey of [george, red]) await importMonkey(tree, monkey, request, made, ports);
  } catch (thrown) {
    for (const folder of missing === null ? made : [missing]) await ports.files.remove(folder);
    throw thrown;
  }
  return made;
};
