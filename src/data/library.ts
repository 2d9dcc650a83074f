import { below, dangerOf } from '../formats/paths.ts';
import { headerFile } from '../formats/recording-check.ts';
import type { Files } from '../records/ports.ts';

/** Where recordings that were fetched lie, below the cache folder `root`. */
export const recordingsFolder = (root: string): string => below(root, 'recordings');

/** Where files that no recording can be made of lie. */
export const keptFolder = (root: string): string => below(root, 'files');

/** Where human maps that were fetched lie. */
export const humanMapsFolder = (root: string): string => below(root, 'human-maps');

const isRecording = async (folder: string, files: Files): Promise<boolean> =>
  (await files.info(below(folder, headerFile)))?.kind === 'file';

/**
 * The recordings below `root` that a name means: itself, or, where it is a folder of several, each of them as
 * `<name>/<part>`. Empty where there is none, or where the name is a path that leaves the folder.
 */
export const recordingsNamed = async (
  name: string,
  root: string,
  files: Files,
): Promise<string[]> => {
  if (dangerOf(name) !== null) return [];
  const folder = below(recordingsFolder(root), name);
  if (await isRecording(folder, files)) return [name];
  if ((await files.info(folder))?.kind !== 'folder') return [];
  const found: string[] = [];
  for (const part of await files.list(folder)) {
    if (await isRecording(below(folder, part), files)) found.push(`${name}/${part}`);
  }
  return found;
};
