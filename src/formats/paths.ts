import type { Files } from '../records/ports.ts';

/** `name` below `folder`, with one slash between them. */
export const below = (folder: string, name: string): string =>
  folder === '' ? name : `${folder.replace(/(.)[\\/]+$/, '$1').replace(/^\/$/, '')}/${name}`;

/** The last part of a path, whichever slashes it has. */
export const baseName = (path: string): string =>
  path
    .replace(/[\\/]+$/, '')
    .split(/[\\/]/)
    .at(-1) ?? '';

/** The folder of a path; `.` where it names none. */
export const folderOf = (path: string): string => {
  const parent = /^(.*)[\\/][^\\/]*$/.exec(path.replace(/(.)[\\/]+$/, '$1'))?.[1];
  if (parent === undefined) return '.';
  return parent === '' ? '/' : parent;
};

/** File name without its folder and last extension: `a/image.v2.png` → `image.v2`. */
export const stem = (path: string): string => baseName(path).replace(/(.)\.[^.]*$/, '$1');

/**
 * Why a path from a file or archive must not be followed below a folder, or null where it may: it is empty,
 * absolute, names a drive, has backslashes or control characters, or climbs out with `..`.
 */
export const dangerOf = (path: string): string | null => {
  if (path === '') return 'an empty path';
  if (path.startsWith('/')) return `the absolute path "${path}"`;
  if (/^[A-Za-z]:/.test(path)) return `a path with a drive ("${path}")`;
  if (path.includes('\\')) return `a path with backslashes ("${path}")`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x1f]/.test(path)) return 'a path with control characters';
  if (path.split('/').includes('..')) return `a path that climbs out ("${path}")`;
  return null;
};

/** The outermost folder on the way to `path` that is not there yet; `path` itself where only that is missing. */
export const firstMissing = async (path: string, files: Files): Promise<string> => {
  let missing = path;
  for (let up = folderOf(path); up !== folderOf(up); up = folderOf(up)) {
    if ((await files.info(up)) !== null) break;
    missing = up;
  }
  return missing;
};
