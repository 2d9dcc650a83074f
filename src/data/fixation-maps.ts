import { baseName } from '../formats/paths.ts';
import { decodeText, encodeText } from '../formats/text.ts';
import { inputError } from '../records/errors.ts';
import type { Hdf5 } from '../records/hdf5.ts';
import type { HumanMap, HumanMaps } from '../records/human-map.ts';
import type { Images, Ports } from '../records/ports.ts';
import {
  checkUnit,
  type FixationList,
  type FixationUnit,
  fixationMap,
  fixationsFromCsv,
  fixationsFromMat,
  inPixels,
  summedMaps,
  unitWarnings,
} from './fixations.ts';
import { openImageSet } from './image-set.ts';
import { openMatFile } from './tree.ts';

export type MapPorts = Pick<Ports, 'files' | 'images' | 'hash'> & { readonly hdf5: Hdf5 };

const readLists = async (
  path: string,
  { files, hdf5 }: Pick<MapPorts, 'files' | 'hdf5'>,
): Promise<FixationList[]> => {
  if (/\.csv$/i.test(path)) {
    return fixationsFromCsv(decodeText(await files.read(path), path), baseName(path));
  }
  const file = await openMatFile(path, { files, hdf5 });
  try {
    return await fixationsFromMat(file);
  } finally {
    await file.close();
  }
};

/** How fixations are read. */
export interface FixationSettings {
  /** Standard deviation in pixels of the Gaussian that they are blurred with. */
  readonly sigma: number;
  /** Null: pixels, unless the numbers contradict it. */
  readonly unit: FixationUnit | null;
}

/**
 * Maps of where people looked, from a list of fixations and the images; lists without an image are passed over.
 * Input error: another form of list, another unit than was said, two lists for one image, an image without a list.
 */
export const openFixationMaps = async (
  path: string,
  imagesPath: string,
  { sigma, unit: said }: FixationSettings,
  ports: MapPorts,
): Promise<HumanMaps> => {
  const lists = await readLists(path, ports);
  const unit = checkUnit(lists, said, path);
  const images = await openImageSet(imagesPath, ports.files);
  const byImage = new Map(lists.map((list) => [list.image, list]));
  if (byImage.size < lists.length)
    throw inputError({
      where: path,
      expected: 'one list of fixations for each image',
      got: `${lists.length} lists for ${byImage.size} images`,
      mend: 'give images names of their own',
    });
  const used = images.names.map((name) => {
    const list = byImage.get(baseName(name));
    if (list !== undefined) return { name, list };
    throw inputError({
      where: `${imagesPath}: ${name}`,
      expected: `fixations on it in ${path}`,
      got: 'none',
      mend: 'leave the image out, or give its fixations',
    });
  });
  const rest = lists.length - used.length;
  const digests = [await ports.hash.sha256File(path)];
  for (const { name } of used) digests.push(await ports.hash.sha256([await images.read(name)]));
  if (unit !== 'pixels') digests.push(unit);
  return {
    kind: 'fixations',
    name: baseName(path),
    count: used.length,
    sha256: await ports.hash.sha256([encodeText(digests.join('\n'))]),
    hasSubjects: used.some(({ list }) => list.scanpaths.length > 1),
    warnings: [
      ...(rest > 0 ? [`${rest} of ${lists.length} lists of fixations are of other images`] : []),
      ...unitWarnings(lists, unit),
    ],
    read: () => readMaps(used, { sigma, unit }, images.read, ports.images),
  };
};

type Used = readonly { readonly name: string; readonly list: FixationList }[];
type Read = (name: string) => Promise<Uint8Array>;

async function* readMaps(
  used: Used,
  { sigma, unit }: { readonly sigma: number; readonly unit: FixationUnit },
  read: Read,
  images: Images,
): AsyncGenerator<HumanMap> {
  for (const { name, list } of used) {
    const pixels = await images.decode(await read(name), name);
    const single = list.scanpaths.map((path) =>
      fixationMap(inPixels(path, unit, pixels), pixels.height, pixels.width, sigma),
    );
    const subjects = single.map(({ map }) => map);
    const outside = single.reduce((sum, each) => sum + each.outside, 0);
    const warning = outside > 0 ? `${outside} fixations beside the image are left out` : null;
    yield { id: name, pixels, label: null, map: summedMaps(subjects), subjects, warning };
  }
}
