import type { Files } from '../records/ports.ts';

/** Bytes that are read in pieces: a file, or an array in memory. */
export interface ByteSource {
  readonly size: number;
  /** Bytes `[from, to)`; fewer where the source ends. */
  read(from: number, to: number): Promise<Uint8Array>;
}

export const bytesSource = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read: async (from, to) => bytes.subarray(from, to),
});

/** Storage error where there is no such file. */
export const fileSource = async (path: string, files: Files): Promise<ByteSource> => {
  const info = await files.info(path);
  // Nothing, or a folder: reading says so with the right error.
  if (info === null || info.kind === 'folder') await files.read(path);
  return { size: info?.size ?? 0, read: (from, to) => files.readRange(path, from, to) };
};
