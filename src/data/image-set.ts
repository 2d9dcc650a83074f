import { baseName, below, stem } from '../formats/paths.ts';
import { fileSource } from '../formats/source.ts';
import { isClutter, openZip } from '../formats/zip.ts';
import { inputError } from '../records/errors.ts';
import type { Files } from '../records/ports.ts';

/** Images of a folder or zip archive; names are paths below it, without the folders that all share. */
export interface ImageSet {
  /** Sorted by code unit. */
  readonly names: readonly string[];
  read(name: string): Promise<Uint8Array>;
}

const isImageName = (path: string): boolean =>
  /\.(jpe?g|png|webp|gif|tiff?|bmp)$/i.test(path) && !isClutter(path);

const listFolder = async (folder: string, files: Files, lead = ''): Promise<string[]> => {
  const names: string[] = [];
  for (const name of await files.list(folder)) {
    const path = below(folder, name);
    if ((await files.info(path))?.kind === 'folder') {
      names.push(...(await listFolder(path, files, `${lead}${name}/`)));
    } else names.push(`${lead}${name}`);
  }
  return names;
};

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

const imageSet = (
  paths: readonly string[],
  source: string,
  read: (path: string) => Promise<Uint8Array>,
): ImageSet => {
  const images = paths.filter(isImageName);
  if (images.length === 0) {
    throw inputError({
      where: source,
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
  return { names, read: (name) => read(`${lead}${name}`) };
};

/**
 * Opens the images of a folder (and the folders in it) or of a zip archive. Files of other kinds are passed over, by
 * their endings. Input error: no image, two images with one id, an archive that cannot be trusted.
 */
export const openImageSet = async (path: string, files: Files): Promise<ImageSet> => {
  const info = await files.info(path);
  if (info?.kind === 'folder') {
    const names = await listFolder(path, files);
    return imageSet(names, path, (name) => files.read(below(path, name)));
  }
  const zip = await openZip(await fileSource(path, files), baseName(path));
  const entries = new Map(zip.entries.map((entry) => [entry.name, entry]));
  return imageSet([...entries.keys()], path, (name) => zip.read(entries.get(name)!));
};
