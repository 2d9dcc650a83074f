import { checkHdf5Start, hdf5StartBytes } from '../formats/hdf5.ts';
import type { MatFile } from '../formats/mat.ts';
import {
  matlabHeaderBytes,
  openMatlab,
  type StreamSource,
  sniffMatlab,
} from '../formats/matlab.ts';
import { openMatlab73 } from '../formats/matlab73.ts';
import { baseName, below } from '../formats/paths.ts';
import { fileSource } from '../formats/source.ts';
import { sourceStream } from '../formats/stream.ts';
import { openZip, unpackedLimit, type ZipEntry } from '../formats/zip.ts';
import { inputError } from '../records/errors.ts';
import type { Hdf5, Hdf5File } from '../records/hdf5.ts';
import type { Files } from '../records/ports.ts';

/** The files of a folder or of a zip archive, under paths with `/`. */
export interface FileTree {
  /** The folder or archive, as the user knows it. */
  readonly source: string;
  readonly paths: readonly string[];
  read(path: string): Promise<Uint8Array>;
  /** For reading from the first byte on, without holding the file. */
  streamed(path: string): Promise<StreamSource>;
  /** Where the file lies on its own, or null inside of an archive. */
  onDisk(path: string): string | null;
}

/** Paths of all files below a folder, relative to it. */
export const filesBelow = async (folder: string, files: Files, lead = ''): Promise<string[]> => {
  const names: string[] = [];
  for (const name of await files.list(folder)) {
    const path = below(folder, name);
    if ((await files.info(path))?.kind === 'folder') {
      names.push(...(await filesBelow(path, files, `${lead}${name}/`)));
    } else names.push(`${lead}${name}`);
  }
  return names;
};

/** A file that can be streamed. Storage error where there is none. */
export const streamedFile = async (path: string, files: Files): Promise<StreamSource> => {
  const source = await fileSource(path, files);
  return { size: source.size, open: async () => sourceStream(source) };
};

/** What an image or a table in an archive may unpack to, whatever its size there. */
const plainBytes = 64 * 2 ** 20;

/** Input error for an entry that would take memory out of proportion to its size in the archive. */
const checkProportion = ({ name, size, packedSize }: ZipEntry, archive: string): void => {
  const most = unpackedLimit(packedSize, plainBytes);
  if (size > most) {
    throw inputError({
      where: `${archive}: ${name}`,
      expected: `at most ${most} bytes unpacked from ${packedSize}`,
      got: `${size}`,
      mend: 'do not trust this archive, or unpack it yourself',
    });
  }
};

/** Opens a folder with all folders in it, or a zip archive. Input error where it is neither. */
export const openTree = async (path: string, files: Files): Promise<FileTree> => {
  if ((await files.info(path))?.kind === 'folder') {
    return {
      source: path,
      paths: await filesBelow(path, files),
      read: (name) => files.read(below(path, name)),
      streamed: (name) => streamedFile(below(path, name), files),
      onDisk: (name) => below(path, name),
    };
  }
  const zip = await openZip(await fileSource(path, files), baseName(path));
  const entries = new Map(zip.entries.map((entry) => [entry.name, entry]));
  return {
    source: path,
    paths: [...entries.keys()],
    read: async (name) => {
      const entry = entries.get(name)!;
      checkProportion(entry, baseName(path));
      return zip.read(entry);
    },
    streamed: async (name) => {
      const entry = entries.get(name)!;
      return { size: entry.size, open: () => zip.stream(entry) };
    },
    onDisk: () => null,
  };
};

/** Opens an HDF5 file. Input error, by its name, for a file of another known format. */
export const openHdf5 = async (
  path: string,
  { files, hdf5 }: { readonly files: Files; readonly hdf5: Hdf5 },
): Promise<Hdf5File> => {
  if ((await files.info(path))?.kind === 'file') {
    checkHdf5Start(await files.readRange(path, 0, hdf5StartBytes), path);
  }
  return hdf5.open(path, path);
};

interface MatPlace {
  /** For messages. */
  readonly name: string;
  readonly streamed: StreamSource;
  /** Path or bytes, for HDF5. */
  readonly whole: () => Promise<string | Uint8Array>;
}

const openMat = async (place: MatPlace, hdf5: Hdf5): Promise<MatFile> => {
  const start = await (await place.streamed.open()).take(matlabHeaderBytes);
  return sniffMatlab(start) === 'hdf5'
    ? openMatlab73(await hdf5.open(await place.whole(), place.name))
    : openMatlab(place.streamed, place.name);
};

/** Opens a MATLAB file of any version from 5 on. */
export const openMatFile = async (
  path: string,
  { files, hdf5 }: { readonly files: Files; readonly hdf5: Hdf5 },
): Promise<MatFile> =>
  openMat({ name: path, streamed: await streamedFile(path, files), whole: async () => path }, hdf5);

/** Opens a MATLAB file inside of a folder or archive. An archive's file of version 7.3 is unpacked into memory. */
export const openMatIn = async (tree: FileTree, path: string, hdf5: Hdf5): Promise<MatFile> =>
  openMat(
    {
      name: `${tree.source}: ${path}`,
      streamed: await tree.streamed(path),
      whole: async () => tree.onDisk(path) ?? tree.read(path),
    },
    hdf5,
  );

/** The one path that is `wanted` or ends in it below other folders. Input error for none or several. */
export const findPath = ({ source, paths }: FileTree, wanted: string): string => {
  const found = paths.filter((path) => path === wanted || path.endsWith(`/${wanted}`));
  if (found.length === 1) return found[0]!;
  throw inputError({
    where: source,
    expected: `one file ${wanted} in it`,
    got: found.length === 0 ? 'none' : found.join(', '),
    mend: 'name the archive or folder of the release',
  });
};
