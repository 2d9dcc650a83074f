import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { storageFailure } from '../src/node/failures.ts';
import type { Files, Hash } from '../src/records/ports.ts';

/** What goes wrong: the code of the operating system's error for a job on a path, or null. */
export type Fault = (job: keyof Files, path: string) => string | null;

export interface MemoryFiles extends Files {
  /** All files and folders, sorted; folders end in `/`. */
  tree(): string[];
  /** Bytes that fit; `write` beyond them fails with ENOSPC. */
  limit(bytes: number): void;
  inject(fault: Fault): void;
}

const bytesOf = (content: Uint8Array | string): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content;

const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** A file system in memory that keeps the contract of the port and can be made to fail. */
export const createMemoryFiles = (
  initial: Readonly<Record<string, Uint8Array | string>> = {},
): MemoryFiles => {
  const files = new Map<string, Uint8Array>();
  const folders = new Set<string>(['.', '/']);
  let capacity = Number.POSITIVE_INFINITY;
  let fault: Fault = () => null;

  const clean = (path: string): string => posix.normalize(path).replace(/(.)\/+$/, '$1');
  const raise = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };
  const job = async <T>(name: keyof Files, path: string, doing: () => T): Promise<T> => {
    try {
      const code = fault(name, path);
      return code === null ? doing() : raise(code);
    } catch (thrown) {
      const writes = name === 'write' || name === 'append' || name === 'move' || name === 'remove';
      throw storageFailure(writes ? 'write' : 'read', path, thrown);
    }
  };
  const makeFolder = (path: string): void => {
    if (files.has(path)) raise('ENOTDIR');
    if (folders.has(path)) return;
    makeFolder(posix.dirname(path));
    folders.add(path);
  };
  const checkParents = (path: string): void => {
    for (let up = posix.dirname(path); up !== posix.dirname(up); up = posix.dirname(up)) {
      if (files.has(up)) raise('ENOTDIR');
    }
  };
  const fileAt = (path: string): Uint8Array => {
    checkParents(path);
    if (folders.has(path)) raise('EISDIR');
    return files.get(path) ?? raise('ENOENT');
  };
  const below = (path: string, name: string): boolean => name.startsWith(`${path}/`);
  const drop = (path: string): void => {
    for (const name of [...files.keys()])
      if (name === path || below(path, name)) files.delete(name);
    for (const name of [...folders]) if (name === path || below(path, name)) folders.delete(name);
  };
  const used = (): number => [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  const put = (path: string, bytes: Uint8Array): void => {
    checkParents(path);
    if (folders.has(path)) raise('EISDIR');
    if (used() + bytes.length > capacity) raise('ENOSPC');
    makeFolder(posix.dirname(path));
    files.set(path, bytes);
  };
  const rename = (from: string, to: string): void => {
    if (!files.has(from) && !folders.has(from)) raise('ENOENT');
    checkParents(to);
    drop(to);
    makeFolder(posix.dirname(to));
    const renamed = (name: string) => to + name.slice(from.length);
    const moved = [...files].filter(([name]) => name === from || below(from, name));
    const carried = [...folders].filter((name) => name === from || below(from, name));
    drop(from);
    for (const [name, bytes] of moved) files.set(renamed(name), bytes);
    for (const name of carried) folders.add(renamed(name));
  };

  for (const [path, content] of Object.entries(initial)) put(clean(path), bytesOf(content));
  return {
    read: (path) => job('read', path, () => fileAt(clean(path)).slice()),
    readRange: (path, from, to) =>
      job('readRange', path, () => fileAt(clean(path)).slice(from, Math.max(from, to))),
    info: (path) =>
      job('info', path, () => {
        const at = clean(path);
        if (folders.has(at)) return { kind: 'folder', size: 0 };
        const bytes = files.get(at);
        return bytes === undefined ? null : { kind: 'file', size: bytes.length };
      }),
    list: (path) =>
      job('list', path, () => {
        const at = clean(path);
        if (files.has(at)) raise('ENOTDIR');
        if (!folders.has(at)) raise('ENOENT');
        const names = [...files.keys(), ...folders].filter(
          (name) => name !== at && posix.dirname(name) === at,
        );
        return names.map((name) => posix.basename(name)).sort();
      }),
    write: (path, parts) => job('write', path, () => put(clean(path), joined(parts))),
    append: (path, bytes) =>
      job('append', path, () => {
        const at = clean(path);
        put(at, joined([files.get(at) ?? new Uint8Array(), bytes]));
      }),
    move: (from, to) => job('move', to, () => rename(clean(from), clean(to))),
    remove: (path) => job('remove', path, () => drop(clean(path))),
    tree: () =>
      [
        ...files.keys(),
        ...[...folders].filter((name) => name.length > 1).map((name) => `${name}/`),
      ].sort(),
    limit: (bytes) => {
      capacity = bytes;
    },
    inject: (next) => {
      fault = next;
    },
  };
};

/** SHA-256 over the files of `files`. */
export const createMemoryHash = (files: Files): Hash => {
  const digest = (parts: readonly Uint8Array[], algorithm = 'sha256'): string => {
    const hash = createHash(algorithm);
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  };
  return {
    sha256: async (parts) => digest(parts),
    sha256File: async (path) => digest([await files.read(path)]),
    sha1File: async (path) => digest([await files.read(path)], 'sha1'),
  };
};
