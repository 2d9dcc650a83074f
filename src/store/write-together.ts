import { firstMissing } from '../formats/paths.ts';
import type { Files } from '../records/ports.ts';

/** A file to be written whole. */
export interface Output {
  readonly path: string;
  readonly parts: readonly Uint8Array[];
}

/** Writes all files, in order; where one cannot be written, those that are new are taken away again. */
export const writeTogether = async (outputs: readonly Output[], files: Files): Promise<void> => {
  const made: string[] = [];
  try {
    for (const { path, parts } of outputs) {
      if ((await files.info(path)) === null) made.push(await firstMissing(path, files));
      await files.write(path, parts);
    }
  } catch (thrown) {
    for (const path of made) await files.remove(path);
    throw thrown;
  }
};
