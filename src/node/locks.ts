import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { storageError } from '../records/errors.ts';
import type { Locks } from '../records/ports.ts';
import { isAbsence, storageFailure } from './failures.ts';

/** `process <number> on <host>`, and what tells two locks of one process apart. */
const ownText = (): string => `process ${process.pid} on ${hostname()}\n${randomUUID()}\n`;

const textOf = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (isAbsence(thrown)) return null;
    throw storageFailure('read', path, thrown);
  }
};

const hasCode = (thrown: unknown, ...codes: readonly string[]): boolean =>
  thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));

/**
 * Null where something is there already: the operating system lets one of several through. Else the first folder that
 * had to be made for it, if any.
 */
const madeAnew = async (
  path: string,
  text: string,
): Promise<{ readonly folder: string | undefined } | null> => {
  try {
    const folder = await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: 'wx' });
    return { folder };
  } catch (thrown) {
    if (hasCode(thrown, 'EEXIST')) return null;
    throw storageFailure('write', path, thrown);
  }
};

/** Takes away the folders that were made for a lock, as far as nothing else is in them. */
const removeFolders = async (from: string, to: string): Promise<void> => {
  for (let folder = from; folder.length >= to.length; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (thrown) {
      if (hasCode(thrown, 'ENOTEMPTY', 'EEXIST') || isAbsence(thrown)) return;
      throw storageFailure('write', folder, thrown);
    }
  }
};

/**
 * Whether a process of this computer wrote it that is gone. Of other computers nothing can be known, nor of a file that is
 * empty: its process may be about to write.
 */
const isAbandoned = (text: string): boolean => {
  const match = /^process (\d+) on (.+)\n/.exec(text);
  if (match === null || match[2] !== hostname()) return false;
  try {
    process.kill(Number(match[1]), 0);
    return false;
  } catch (thrown) {
    // EPERM: it runs, under another user.
    return hasCode(thrown, 'ESRCH');
  }
};

/** Takes away an abandoned lock; by renaming it, so that of two who try only one takes this very file. */
const clear = async (path: string, text: string): Promise<void> => {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (thrown) {
    if (isAbsence(thrown)) return;
    throw storageFailure('write', path, thrown);
  }
  // Somebody was faster, and this is already the next owner's.
  if ((await textOf(aside)) !== text && (await textOf(path)) === null) await rename(aside, path);
  else await rm(aside, { force: true });
};

const held = (path: string, text: string | null) =>
  storageError({
    where: path,
    expected: 'nobody else at this work',
    got: text?.split('\n')[0] || 'a lock that names no process',
    mend: 'wait until it is done, or remove the file if that process is gone',
  });

/** Lock files that hold the number of their process. */
export const createNodeLocks = (): Locks => ({
  take: async (path) => {
    const own = ownText();
    for (let tries = 0; tries < 3; tries++) {
      const made = await madeAnew(path, own);
      if (made !== null)
        return async () => {
          if ((await textOf(path)) === own) await rm(path, { force: true });
          if (made.folder !== undefined)
            await removeFolders(resolve(dirname(path)), resolve(made.folder));
        };
      const text = await textOf(path);
      if (text === null) continue;
      if (!isAbandoned(text)) throw held(path, text);
      await clear(path, text);
    }
    throw held(path, await textOf(path));
  },
});
