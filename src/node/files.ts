import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { FileInfo, Files } from '../records/ports.ts';
import { isAbsence, storageFailure } from './failures.ts';

// One system call moves at most 2³¹ − 1 bytes.
const pieceBytes = 2 ** 30;

const readInto = async (handle: FileHandle, target: Uint8Array, from: number): Promise<number> => {
  let filled = 0;
  while (filled < target.length) {
    const length = Math.min(pieceBytes, target.length - filled);
    const { bytesRead } = await handle.read(target, filled, length, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
};

const withHandle = async <T>(
  path: string,
  flags: string,
  use: (handle: FileHandle) => Promise<T>,
): Promise<T> => {
  const handle = await open(path, flags);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
};

const read = (path: string): Promise<Uint8Array> =>
  withHandle(path, 'r', async (handle) => {
    const { size } = await handle.stat();
    // Pipes and kernel files say 0 and hold more.
    if (size === 0) return new Uint8Array(await readFile(handle));
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, await readInto(handle, bytes, 0));
  });

const readRange = (path: string, from: number, to: number): Promise<Uint8Array> =>
  withHandle(path, 'r', async (handle) => {
    const { size } = await handle.stat();
    const bytes = new Uint8Array(Math.max(0, Math.min(to, size) - from));
    return bytes.subarray(0, await readInto(handle, bytes, from));
  });

const info = async (path: string): Promise<FileInfo | null> => {
  try {
    const found = await stat(path);
    return { kind: found.isDirectory() ? 'folder' : 'file', size: found.size };
  } catch (thrown) {
    if (isAbsence(thrown)) return null;
    throw thrown;
  }
};

const writeParts = async (handle: FileHandle, parts: readonly Uint8Array[]): Promise<void> => {
  for (const part of parts) {
    let done = 0;
    while (done < part.length) {
      const length = Math.min(pieceBytes, part.length - done);
      const { bytesWritten } = await handle.write(part, done, length);
      done += bytesWritten;
    }
  }
};

const isDevice = async (path: string): Promise<boolean> => {
  try {
    const found = await stat(path);
    return !found.isFile() && !found.isDirectory();
  } catch (thrown) {
    if (isAbsence(thrown)) return false;
    throw thrown;
  }
};

/** Makes one folder, the one above it being there. Answers whether it had to be made. */
const makeOne = async (folder: string): Promise<boolean> => {
  if ((await info(folder))?.kind === 'folder') return false;
  try {
    await mkdir(folder);
    return true;
  } catch (thrown) {
    // Somebody else may have made it in between.
    if ((await info(folder))?.kind === 'folder') return false;
    throw thrown;
  }
};

/**
 * Makes `folder`; the answer takes away again the folders that it had to make, where they are empty. From the outermost
 * missing folder inwards: Node's own recursion never ends where a file system (/proc) calls a new folder absent.
 */
const makeFolder = async (folder: string): Promise<() => Promise<void>> => {
  const missing: string[] = [];
  for (let path = resolve(folder); (await info(path)) === null; path = dirname(path)) {
    missing.unshift(path);
    if (path === dirname(path)) break;
  }
  const made: string[] = [];
  const unmake = async (): Promise<void> => {
    for (const each of made.reverse()) {
      const left = await rmdir(each).then(
        () => false,
        () => true,
      );
      if (left) return;
    }
  };
  try {
    // Where nothing is missing, a file may be in the folder's place.
    for (const path of missing.length > 0 ? missing : [resolve(folder)])
      if (await makeOne(path)) made.push(path);
  } catch (thrown) {
    await unmake();
    throw thrown;
  }
  return unmake;
};

const temporaryBeside = (path: string): string =>
  join(dirname(path), `.ventral-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);

const write = async (path: string, parts: readonly Uint8Array[]): Promise<void> => {
  // Renaming over /dev/null or a pipe would replace it.
  if (await isDevice(path)) {
    await withHandle(path, 'w', (handle) => writeParts(handle, parts));
    return;
  }
  const unmake = await makeFolder(dirname(path));
  const temporary = temporaryBeside(path);
  try {
    await withHandle(temporary, 'wx', (handle) => writeParts(handle, parts));
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    await unmake();
    throw thrown;
  }
};

const append = async (path: string, bytes: Uint8Array): Promise<void> => {
  const unmake = await makeFolder(dirname(path));
  try {
    await withHandle(path, 'a', (handle) => writeParts(handle, [bytes]));
  } catch (thrown) {
    await unmake();
    throw thrown;
  }
};

const move = async (from: string, to: string): Promise<void> => {
  const unmake = await makeFolder(dirname(to));
  try {
    const [source, target] = [await stat(from), await info(to)];
    if (target === null || (source.isFile() && target.kind === 'file')) {
      await rename(from, to);
      return;
    }
    // A folder that is not empty cannot be renamed over: step it aside first, and back on failure.
    const aside = temporaryBeside(to);
    await rename(to, aside);
    try {
      await rename(from, to);
    } catch (thrown) {
      await rename(aside, to);
      throw thrown;
    }
    await rm(aside, { recursive: true, force: true });
  } catch (thrown) {
    await unmake();
    throw thrown;
  }
};

const remove = async (path: string): Promise<void> => {
  if ((await info(path)) !== null) await rm(path, { recursive: true, force: true });
};

const told = async <T>(job: 'read' | 'write', path: string, doing: Promise<T>): Promise<T> => {
  try {
    return await doing;
  } catch (thrown) {
    throw storageFailure(job, path, thrown);
  }
};

const hostFiles = new WeakSet<Files>();

/** Whether these are the files of this computer, so that others in this process find them under the same paths. */
export const isHostFiles = (files: Files): boolean => hostFiles.has(files);

/** Files of this computer. Relative paths are below the working directory; every failure names its path. */
export const createNodeFiles = (): Files => {
  const files: Files = {
    read: (path) => told('read', path, read(path)),
    readRange: (path, from, to) => told('read', path, readRange(path, from, to)),
    info: (path) => told('read', path, info(path)),
    list: async (path) => (await told('read', path, readdir(path))).sort(),
    write: (path, parts) => told('write', path, write(path, parts)),
    append: (path, bytes) => told('write', path, append(path, bytes)),
    move: (from, to) => told('write', `${basename(from)} → ${to}`, move(from, to)),
    remove: (path) => told('write', path, remove(path)),
  };
  hostFiles.add(files);
  return files;
};
