import { fileFinder } from '../formats/name-order.ts';
import { stem } from '../formats/paths.ts';
import { isClutter } from '../formats/zip.ts';
import { inputError } from '../records/errors.ts';
import type { Files } from '../records/ports.ts';
import { type FileTree, openTree } from './tree.ts';

/** Images of a folder or zip archive; names are paths below it, without the folders that all share. */
export interface ImageSet {
  /** Folder or archive, as the user knows it. */
  readonly source: string;
  /** Sorted by code unit. */
  readonly names: readonly string[];
  read(name: string): Promise<Uint8Array>;
}

const isImageName = (path: string): boolean =>
  /\.(jpe?g|png|webp|gif|tiff?|bmp)$/i.test(path) && !isClutter(path);

/** The folders that all paths share, with a slash at the end. */
const sharedLead = (paths: readonly string[]): string => {
  const parts = paths.map((path) => path.split('/').slice(0, -1));
  const first = parts[0] ?? [];
  const differs = first.findIndex((part, depth) => parts.some((each) => each[depth] !== part));
  return first
    .slice(0, differs < 0 ? first.length : differs)
    .map((part) => `${part}/`)
    .join('');
};

/**
 * The images of a tree, or of the folder `under` it. Files of other kinds are passed over, by their endings.
 * Input error: no image, two images with one id.
 */
export const imagesIn = (tree: FileTree, under = ''): ImageSet => {
  const paths = tree.paths.filter((path) => path.startsWith(under));
  const images = paths.filter(isImageName);
  const { source } = tree;
  if (images.length === 0) {
    throw inputError({
      where: under === '' ? source : `${source}: ${under}`,
      expected: 'images (JPEG, PNG, WebP, GIF, TIFF or BMP)',
      got: paths.length === 0 ? 'nothing' : `none among ${paths.length} files`,
      mend: 'name the folder or zip archive of the stimuli',
    });
  }
  const lead = sharedLead(images);
  const names = images.map((path) => path.slice(lead.length)).sort();
  const first = new Map<string, string>();
  for (const name of names) {
    const before = first.get(stem(name));
    if (before !== undefined) {
      const got = `"${before}" and "${name}", both "${stem(name)}"`;
      const expected = 'images with ids (names without ending) of their own';
      throw inputError({ where: source, expected, got, mend: 'rename one' });
    }
    first.set(stem(name), name);
  }
  return { source, names, read: (name) => tree.read(`${lead}${name}`) };
};

/** The images of a folder (and the folders in it) or of a zip archive. Input error as above, or an unsafe archive. */
export const openImageSet = async (path: string, files: Files): Promise<ImageSet> =>
  imagesIn(await openTree(path, files));

/**
 * The image that each name means, where names are paths on another computer, with either slash: as
 * `fileFinder` says. Input error, naming `where`, for a name without an image or with several, and for names of different
 * folders that mean one image.
 */
export const imagesNamed = (
  { names, source }: ImageSet,
  wanted: readonly string[],
  where: string,
): string[] => {
  const find = fileFinder(names);
  const meant = wanted.map((name) => {
    const index = find(name);
    if (index !== null && index >= 0) return names[index]!;
    const which = index === null ? 'not among them' : 'several of them but for case';
    throw inputError({
      where,
      expected: `images of ${source}`,
      got: `"${name}", which is ${which}`,
      mend: 'name the folder or archive with these images',
    });
  });
  checkDistinct(wanted, meant, where);
  return meant;
};

/** `a/x.png` and `b/x.png` are two images, of which only one is there: as one they would mix two stimuli's responses. */
const checkDistinct = (wanted: readonly string[], meant: readonly string[], where: string) => {
  const before = new Map<string, string>();
  meant.forEach((image, k) => {
    const name = wanted[k]!.replaceAll('\\', '/');
    const known = before.get(image);
    if (known !== undefined && known !== name) {
      throw inputError({
        where,
        expected: 'one name for each image',
        got: `"${known}" and "${name}", for which there is only ${image}`,
        mend: 'give the folder or archive with both images, or write one name for one image',
      });
    }
    before.set(image, name);
  });
};
