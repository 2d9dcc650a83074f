import { baseName, below, dangerOf } from '../formats/paths.ts';
import { inputError } from '../records/errors.ts';
import type { HumanMaps } from '../records/human-map.ts';
import type { Files } from '../records/ports.ts';
import { isShard, openClickme } from './clickme.ts';
import { type MapPorts, openFixationMaps } from './fixation-maps.ts';
import type { FixationUnit } from './fixations.ts';
import { humanMapsFolder } from './library.ts';
import { openMapFolder } from './map-folder.ts';
import { filesBelow } from './tree.ts';

/** Which human maps are meant. */
export interface HumanMapsRequest {
  /** A shard, a folder of shards or of maps, a list of fixations (.mat or .csv), or the name of a fetched data set. */
  readonly maps: string;
  /** Images of a list of fixations: a folder or zip archive; null: the maps come with theirs. */
  readonly images: string | null;
  /** The cache folder, for names. */
  readonly root: string;
  /** Standard deviation in pixels of the Gaussian that fixations are blurred with. */
  readonly fixationSigma: number;
  /** Unit of fixations; default: pixels, unless the numbers contradict it. */
  readonly fixationUnit?: FixationUnit | null;
}

/** The path that is meant: what is there, or else what was fetched under that name. */
const placeOf = async (
  { maps, root }: HumanMapsRequest,
  files: Files,
): Promise<{ path: string; kind: 'file' | 'folder' }> => {
  const there = await files.info(maps);
  if (there !== null) return { path: maps, kind: there.kind };
  const fetched = below(humanMapsFolder(root), maps);
  if (dangerOf(maps) === null && (await files.info(fetched)) !== null)
    return { path: fetched, kind: 'folder' };
  throw inputError({
    code: 'maps-missing',
    field: 'maps',
    where: `maps: ${maps}`,
    expected: 'a folder, shard, list of fixations, or the name of a fetched data set',
    got: `nothing there, and nothing at ${fetched}`,
    mend: 'name another place, or fetch ClickMe',
  });
};

/**
 * Opens human maps of any kind: TFRecord shards of ClickMe, a folder or zip archive of images and maps, or a list of
 * fixations with its images. Input error: nothing there, images missing or not asked for, and those of each kind.
 */
export const openHumanMaps = async (
  request: HumanMapsRequest,
  ports: MapPorts,
): Promise<HumanMaps> => {
  const { images, fixationSigma: sigma, fixationUnit: unit = null } = request;
  const { path, kind } = await placeOf(request, ports.files);
  if (/\.(mat|csv)$/i.test(path) && kind === 'file') {
    if (images !== null) return openFixationMaps(path, images, { sigma, unit }, ports);
    throw inputError({
      code: 'fixations-without-images',
      field: 'maps',
      where: `maps: ${path}`,
      expected: 'the images that people looked at with it',
      got: 'a list of fixations alone',
      mend: 'name the folder of the images',
    });
  }
  if (images !== null || unit !== null) {
    const field = images !== null ? 'images' : 'fixationUnit';
    throw inputError({
      code: 'fixations-not-asked-for',
      field,
      where: field,
      expected: 'a list of fixations (.mat or .csv) as maps',
      got: `${path}, which comes with its images`,
      mend: `leave ${field} out`,
    });
  }
  if (kind === 'file' && isShard(path)) return openClickme(baseName(path), [path], ports);
  const shards = kind === 'folder' ? (await filesBelow(path, ports.files)).filter(isShard) : [];
  if (shards.length === 0) return openMapFolder(path, ports);
  return openClickme(
    baseName(path),
    shards.map((shard) => below(path, shard)),
    ports,
  );
};
