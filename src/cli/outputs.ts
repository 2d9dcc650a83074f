import { resolve } from 'node:path';
import { folderOf } from '../formats/paths.ts';
import { inputError } from '../records/errors.ts';
import type { Files } from '../records/ports.ts';

/** A file that a command will write, or one that it reads; `option` is how the user knows it. */
export interface NamedPath {
  readonly option: string;
  readonly path: string;
}

/**
 * Finds a place that cannot be written to before the work, not after it. Input error: a path below a regular file, a
 * folder in the file's place, two outputs in one file, an output over an input.
 */
export const checkOutputs = async (
  outputs: readonly NamedPath[],
  inputs: readonly NamedPath[],
  files: Files,
): Promise<void> => {
  const taken = new Map(inputs.map((input) => [resolve(input.path), input.option]));
  for (const { option, path } of outputs) {
    const other = taken.get(resolve(path));
    if (other !== undefined)
      throw inputError({
        where: `${option} ${path}`,
        expected: 'a file of its own',
        got: `the file of ${other}`,
        mend: 'choose another name',
      });
    taken.set(resolve(path), option);
    await checkPlace({ option, path }, files);
  }
};

const checkPlace = async ({ option, path }: NamedPath, files: Files): Promise<void> => {
  const where = `${option} ${path}`;
  if (path.endsWith('/') || (await files.info(path))?.kind === 'folder')
    throw inputError({
      where,
      expected: 'the name of a file',
      got: 'a folder',
      mend: 'name a file in it',
    });
  for (let folder = folderOf(path); ; folder = folderOf(folder)) {
    const found = await files.info(folder);
    if (found?.kind === 'file')
      throw inputError({
        where,
        expected: 'a path whose folder can be made',
        got: `${folder}, which is a file`,
        mend: 'choose another place to write to',
      });
    if (found !== null || folder === folderOf(folder)) return;
  }
};
