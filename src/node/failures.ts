import { reasonOf, storageError, VentralError } from '../records/errors.ts';

export type StorageJob = 'read' | 'write';

const codeOf = (thrown: unknown): string => {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  return typeof thrown.code === 'string' ? thrown.code : '';
};

type Story = readonly [expected: string, got: string, mend: string];

const stories: Readonly<Record<string, Readonly<Record<StorageJob, Story>>>> = {
  ENOENT: {
    read: ['a file or folder', 'nothing there', 'check the path'],
    write: ['a folder to write to', 'nothing there', 'check the path'],
  },
  ENOTDIR: {
    read: ['a folder', 'a regular file on the way', 'check the path'],
    write: ['a folder to write to', 'a regular file on the way', 'choose another path'],
  },
  EEXIST: {
    read: ['a folder', 'a regular file on the way', 'check the path'],
    write: ['a folder to write to', 'a regular file on the way', 'choose another path'],
  },
  EISDIR: {
    read: ['a file', 'a folder', 'name a file in it'],
    write: ['a file name', 'a folder of that name', 'choose another name'],
  },
  ENOSPC: {
    read: ['a readable file', 'a full disk (ENOSPC)', 'free some space'],
    write: ['room on the disk', 'a full disk (ENOSPC)', 'free some space or write elsewhere'],
  },
  EDQUOT: {
    read: ['a readable file', 'a spent quota (EDQUOT)', 'free some space'],
    write: ['room on the disk', 'a spent quota (EDQUOT)', 'free some space or write elsewhere'],
  },
};

const permission: Readonly<Record<StorageJob, Story>> = {
  read: ['permission to read', 'none', 'ask for permission or name another path'],
  write: ['permission to write', 'none', 'ask for permission or write elsewhere'],
};

const storyOf = (code: string, job: StorageJob, thrown: unknown): Story => {
  const told = stories[code];
  if (told !== undefined) return told[job];
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const [expected, got, mend] = permission[job];
    return [expected, `${got} (${code})`, mend];
  }
  const expected = job === 'read' ? 'a readable file' : 'a writable path';
  return [expected, reasonOf(thrown), 'check the path and the disk'];
};

/** Whether the operating system said that nothing is at the path (also below a regular file). */
export const isAbsence = (thrown: unknown): boolean => {
  const code = codeOf(thrown);
  return code === 'ENOENT' || code === 'ENOTDIR';
};

/** What the operating system threw (an error with a `code`), as one storage error that names `path`. */
export const storageFailure = (job: StorageJob, path: string, thrown: unknown): VentralError => {
  if (thrown instanceof VentralError) return thrown;
  const [expected, got, mend] = storyOf(codeOf(thrown), job, thrown);
  return storageError({ where: path, expected, got, mend }, thrown);
};
