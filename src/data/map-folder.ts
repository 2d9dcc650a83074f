import { readNpyHeader, readNumbers } from '../formats/npy.ts';
import { baseName, stem } from '../formats/paths.ts';
import { decodeText, encodeText } from '../formats/text.ts';
import { isClutter } from '../formats/zip.ts';
import { toFloat32 } from '../numeric/convert.ts';
import type { Float32Nd } from '../records/array.ts';
import { inputError, type VentralError } from '../records/errors.ts';
import type { HumanMap, HumanMaps } from '../records/human-map.ts';
import type { Pixels, Ports } from '../records/ports.ts';
import { summedMaps } from './fixations.ts';
import { greyMap } from './grey-map.ts';
import { type ImageSet, imagesIn } from './image-set.ts';
import { readClasses } from './labels.ts';
import { type FileTree, openTree } from './tree.ts';

// A folder (or zip archive) of importance maps:
//   images/<id>.jpg …     the images
//   maps/<id>.npy, .png   a map of each, of the image's size; an array [subjects, height, width] where people are known
//   labels.csv            columns image, class; only where a protocol asks for the labels of the data set

const mend =
  'make a folder with images/, maps/ (.npy or grey .png of the same names and sizes) and labels.csv (image, class)';

const wrong = (where: string, expected: string, got: string): VentralError =>
  inputError({ where, expected, got, mend });

const mapsFolder = 'maps/';
const labelsFile = 'labels.csv';

/** As if it were the folder that holds `images/`: archives often wrap another one around everything. */
const unwrapped = (tree: FileTree): FileTree => {
  const first = tree.paths.find((path) => /(^|\/)images\//.test(path) && !isClutter(path)) ?? '';
  const lead = /^(.*?)images\//.exec(first)?.[1] ?? '';
  if (lead === '') return tree;
  return {
    source: tree.source,
    paths: tree.paths.flatMap((path) => (path.startsWith(lead) ? [path.slice(lead.length)] : [])),
    read: (path) => tree.read(`${lead}${path}`),
    streamed: (path) => tree.streamed(`${lead}${path}`),
    onDisk: (path) => tree.onDisk(`${lead}${path}`),
  };
};

/** The map of each image, by id. Input error: none, two for an id, or one without an image. */
const mapPaths = (tree: FileTree, images: ImageSet): Map<string, string> => {
  const ids = new Set(images.names.map(stem));
  const found = new Map<string, string>();
  for (const path of tree.paths) {
    if (!path.startsWith(mapsFolder) || !/\.(npy|png)$/i.test(path) || isClutter(path)) continue;
    const id = stem(path);
    const before = found.get(id);
    if (before !== undefined)
      throw wrong(tree.source, 'one map for each image', `${before} and ${path}`);
    if (!ids.has(id))
      throw wrong(`${tree.source}: ${path}`, 'an image of this name in images/', 'none');
    found.set(id, path);
  }
  for (const name of images.names) {
    if (!found.has(stem(name)))
      throw wrong(
        `${tree.source}: images/${name}`,
        'a map of this name in maps/',
        `none (${found.size} maps for ${images.names.length} images)`,
      );
  }
  return found;
};

const checkSize = (map: Float32Nd, pixels: Pixels, where: string): void => {
  const [height, width] = map.shape.slice(-2);
  if (height === pixels.height && width === pixels.width) return;
  throw wrong(
    where,
    `a map of the image's size, ${pixels.width}×${pixels.height}`,
    `${width}×${height}`,
  );
};

/** `[height, width]`, or `[subjects, height, width]`. */
const readMap = async (
  tree: FileTree,
  path: string,
  images: Ports['images'],
): Promise<Float32Nd> => {
  const where = `${tree.source}: ${path}`;
  const bytes = await tree.read(path);
  if (/\.png$/i.test(path)) return greyMap(await images.decode(bytes, where), where);
  const map = toFloat32(readNumbers(bytes, where));
  if (map.shape.length < 2 || map.shape.length > 3)
    throw wrong(
      where,
      'an array [height, width] or [subjects, height, width]',
      `one of ${map.shape.length} dimensions`,
    );
  if (!map.data.every(Number.isFinite)) throw wrong(where, 'finite numbers', 'NaN or infinity');
  return map;
};

/** How many people's maps a file holds apart; 0 where it does not. */
const peopleIn = (bytes: Uint8Array, path: string): number => {
  if (/\.png$/i.test(path)) return 0;
  const { shape } = readNpyHeader(bytes, path);
  return shape.length === 3 ? shape[0]! : 0;
};

async function* readAll(
  tree: FileTree,
  images: ImageSet,
  maps: ReadonlyMap<string, string>,
  labels: ReadonlyMap<string, number> | null,
  ports: Pick<Ports, 'images'>,
): AsyncGenerator<HumanMap> {
  for (const name of images.names) {
    const path = maps.get(stem(name))!;
    const pixels = await ports.images.decode(await images.read(name), name);
    const map = await readMap(tree, path, ports.images);
    checkSize(map, pixels, `${tree.source}: ${path}`);
    const label = labels?.get(name) ?? null;
    const [count, height, width] = map.shape as readonly [number, number, number];
    if (map.shape.length === 2) {
      yield { id: name, pixels, label, map, subjects: null, warning: null };
      continue;
    }
    const size = height * width;
    const subjects = Array.from({ length: count }, (_, s): Float32Nd => {
      return {
        data: map.data.subarray(s * size, (s + 1) * size) as Float32Array,
        shape: [height, width],
      };
    });
    yield { id: name, pixels, label, map: summedMaps(subjects), subjects, warning: null };
  }
}

/**
 * Maps from a folder or zip archive as above. Input errors: another layout, images and maps that do not pair, a map of
 * another size than its image, numbers that are not finite, coloured maps, labels that are no whole numbers.
 */
export const openMapFolder = async (
  path: string,
  ports: Pick<Ports, 'files' | 'images' | 'hash'>,
): Promise<HumanMaps> => {
  const tree = unwrapped(await openTree(path, ports.files));
  if (!tree.paths.some((each) => each.startsWith('images/')))
    throw wrong(
      path,
      'images/, maps/ or TFRecord shards in it',
      `${tree.paths.length} other files`,
    );
  const images = imagesIn(tree, 'images/');
  const maps = mapPaths(tree, images);
  const text = tree.paths.includes(labelsFile)
    ? decodeText(await tree.read(labelsFile), `${path}: ${labelsFile}`)
    : null;
  const labels = text === null ? null : readClasses(text, `${path}: ${labelsFile}`, images);
  const digests: string[] = [];
  const people: number[] = [];
  for (const name of images.names) {
    const place = maps.get(stem(name))!;
    const map = await tree.read(place);
    const contents = [await images.read(name), map];
    const hashes = await Promise.all(contents.map((bytes) => ports.hash.sha256([bytes])));
    digests.push(JSON.stringify([name, labels?.get(name) ?? null, ...hashes]));
    people.push(peopleIn(map, place));
  }
  return {
    kind: 'folder',
    name: baseName(path),
    count: images.names.length,
    sha256: await ports.hash.sha256([encodeText(digests.join('\n'))]),
    hasSubjects: people.every((count) => count > 0) && people.some((count) => count > 1),
    warnings: [],
    read: () => readAll(tree, images, maps, labels, ports),
  };
};
