import { baseName, below } from '../formats/paths.ts';
import { encodeText } from '../formats/text.ts';
import { inputError, VentralError } from '../records/errors.ts';
import type { Hdf5 } from '../records/hdf5.ts';
import type { Files, Locks, Ports } from '../records/ports.ts';
import { importArcaro } from './arcaro.ts';
import { importBrainio } from './brainio.ts';
import { type CatalogueEntry, type CatalogueFile, catalogueEntry } from './catalogue.ts';
import { checkShard } from './clickme.ts';
import { type DownloadPorts, download, isRefusal } from './download.ts';
import { importNpy } from './import.ts';
import { humanMapsFolder, keptFolder, recordingsFolder, recordingsNamed } from './library.ts';

export interface FetchRequest {
  /** As in the catalogue. */
  readonly name: string;
  /** The cache folder. */
  readonly root: string;
  /**
   * A mirror with the owner's paths below it (address or folder; in a folder the bare file names do as well), or, for
   * a data set of one file, that file. Null: the owner's addresses.
   */
  readonly from: string | null;
}

/** A file that was fetched, with what identifies it. */
export interface FetchedFile {
  readonly path: string;
  readonly from: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Whether its owner published a hash, which it has. */
  readonly verified: boolean;
}

export interface Fetched {
  readonly entry: CatalogueEntry;
  readonly folder: string;
  /** Names for `--recording`; empty where the files are kept as they are. */
  readonly recordings: readonly string[];
  /** Null where it had been fetched before. */
  readonly files: readonly FetchedFile[] | null;
}

export type FetchPorts = DownloadPorts &
  Pick<Ports, 'images' | 'hash' | 'now'> & { readonly hdf5: Hdf5; readonly locks: Locks };

/** Where a file lies on this computer, and whether it was brought here for this import. */
interface Obtained extends FetchedFile {
  readonly local: string;
  readonly downloaded: boolean;
}

/** Where the data set lies, or will. */
export const folderOfEntry = ({ name, import: { kind } }: CatalogueEntry, root: string): string => {
  if (kind === 'keep') return below(keptFolder(root), name);
  return below(kind === 'human-maps' ? humanMapsFolder(root) : recordingsFolder(root), name);
};

const isAddress = (from: string): boolean => /^https?:\/\//i.test(from);

const addressOf = (entry: CatalogueEntry, file: CatalogueFile, from: string | null): string => {
  if (from === null) return `${entry.base}${file.path}${file.query ?? ''}`;
  if (entry.files.length === 1 && !from.endsWith('/')) return from;
  return `${from.replace(/\/+$/, '')}/${file.path}`;
};

/** Null where an optional file is not there. */
const mirrorFile = async (
  entry: CatalogueEntry,
  file: CatalogueFile,
  from: string,
  files: Files,
): Promise<string | null> => {
  const given = await files.info(from);
  const wrong = (expected: string, got: string): VentralError =>
    inputError({
      code: 'mirror-unusable',
      field: 'from',
      where: `from: ${from}`,
      expected,
      got,
      mend: 'name another mirror',
    });
  if (given === null) throw wrong('an address, a file or a folder', 'nothing there');
  if (given.kind === 'file') {
    if (entry.files.length === 1) return from;
    throw wrong(`a folder with ${entry.files.map(({ path }) => path).join(', ')}`, 'a file');
  }
  for (const path of [below(from, file.path), below(from, baseName(file.path))]) {
    if ((await files.info(path))?.kind === 'file') return path;
  }
  if (file.optional) return null;
  throw wrong(`${file.path} in it`, 'a folder without it');
};

/** The published hash that the file does not have, or null. */
const mismatch = async (
  file: CatalogueFile,
  path: string,
  sha256: string,
  { hash }: Pick<Ports, 'hash'>,
): Promise<{ expected: string; got: string } | null> => {
  if (file.sha256 !== null && file.sha256 !== sha256)
    return { expected: `SHA-256 ${file.sha256}`, got: sha256 };
  if (file.sha1 === null) return null;
  const sha1 = await hash.sha1File(path);
  return sha1 === file.sha1 ? null : { expected: `SHA-1 ${file.sha1}`, got: sha1 };
};

const anew = {
  code: 'download-wrong',
  field: 'from',
  mend: 'fetch it again, or from a mirror (an address, a file or a folder)',
} as const;

const setAside = async (path: string, files: Files): Promise<string> => {
  const aside = `${path}.wrong`;
  await files.move(path, aside);
  return aside;
};

/** Downloads a file; false where it is optional and its server does not have it. */
const bring = async (
  file: CatalogueFile,
  address: string,
  local: string,
  ports: FetchPorts,
): Promise<boolean> => {
  try {
    await download(address, local, file.bytes, ports);
    return true;
  } catch (thrown) {
    if (file.optional && isRefusal(thrown)) return false;
    throw thrown;
  }
};

/** Null for an optional file that is not there. */
const obtain = async (
  entry: CatalogueEntry,
  file: CatalogueFile,
  { from }: Omit<FetchRequest, 'name'>,
  staging: string,
  ports: FetchPorts,
): Promise<Obtained | null> => {
  const { files, hash } = ports;
  const isLocal = from !== null && !isAddress(from);
  const local = isLocal
    ? await mirrorFile(entry, file, from, files)
    : below(staging, `files/${file.path}`);
  if (local === null) return null;
  const address = isLocal ? local : addressOf(entry, file, from);
  // A whole file is there where an import failed for want of space, or was stopped.
  if ((await files.info(local)) === null && !(await bring(file, address, local, ports)))
    return null;
  const sha256 = await hash.sha256File(local);
  const wrong = await mismatch(file, local, sha256, ports);
  if (wrong !== null) {
    const kept = isLocal ? '' : ` (kept aside as ${await setAside(local, files)}, not used)`;
    throw inputError({
      where: address,
      expected: wrong.expected,
      got: `${wrong.got}${kept}`,
      ...anew,
    });
  }
  return {
    path: file.path,
    from: address,
    bytes: (await files.info(local))?.size ?? 0,
    sha256,
    verified: file.sha1 !== null || file.sha256 !== null,
    local,
    downloaded: !isLocal,
  };
};

/** Large files that were downloaded need no second copy. */
const keep = async (
  { path, local, downloaded }: Obtained,
  out: string,
  files: Files,
): Promise<void> => {
  if (downloaded) await files.move(local, below(out, path));
  else await files.write(below(out, path), [await files.read(local)]);
};

/** Makes the recordings of a data set in `out`, a new folder. */
const importFiles = async (
  entry: CatalogueEntry,
  obtained: readonly Obtained[],
  out: string,
  ports: FetchPorts,
): Promise<void> => {
  const { import: settings, name, licence, citation } = entry;
  if (settings.kind === 'keep') {
    for (const each of obtained) await keep(each, out, ports.files);
    return;
  }
  if (settings.kind === 'human-maps') {
    for (const { local } of obtained) await checkShard(local, ports.files, ports.checkStop);
    for (const each of obtained) await keep(each, out, ports.files);
    return;
  }
  if (settings.kind === 'arcaro') {
    await importArcaro({ archive: obtained[0]!.local, out }, ports);
    return;
  }
  if (settings.kind === 'brainio') {
    for (const area of settings.areas) {
      const part = area.toLowerCase();
      await importBrainio(
        {
          assembly: obtained[settings.assembly]!.local,
          stimuli: obtained[settings.stimuli]!.local,
          images: obtained[settings.images]!.local,
          ...{ species: settings.species, unit: settings.unit, areas: [area], citation },
          ...(settings.bins === null ? {} : { bins: settings.bins }),
          ...(licence === null ? {} : { licence }),
          out: below(out, part),
          name: `${name}/${part}`,
        },
        ports,
      );
    }
    return;
  }
  const { dims, area, species, animal, window, unit } = settings;
  await importNpy(
    {
      responses: obtained[settings.responses]!.local,
      stimuli: obtained[settings.stimuli]!.local,
      ...{ dims, area, species, animal, window, unit, name, citation, out },
      ...(licence === null ? {} : { licence }),
      time: null,
    },
    ports,
  );
};

const fetchedRecord = (
  entry: CatalogueEntry,
  obtained: readonly Obtained[],
  now: number,
): Uint8Array => {
  const record = {
    kind: 'fetched',
    format: 2,
    name: entry.name,
    fetchedAt: new Date(now).toISOString(),
    files: obtained.map(({ path, from, bytes, sha256, verified }) => ({
      ...{ path, from, bytes, sha256, verified },
    })),
    licence: entry.licence,
    citation: entry.citation,
  };
  return encodeText(`${JSON.stringify(record, null, 2)}\n`);
};

/**
 * Files without a published hash that turned out to be unusable must not be taken for good the next time: the one that
 * the message names, or, where it names none, all. Answers what is to be said to the user.
 */
const distrust = async (
  obtained: readonly Obtained[],
  thrown: VentralError,
  files: Files,
): Promise<VentralError> => {
  const { message, problem } = thrown;
  const doubtful = obtained.filter(({ verified, downloaded }) => downloaded && !verified);
  const named = doubtful.filter(({ local }) => message.includes(baseName(local)));
  const aside: string[] = [];
  for (const { local } of named.length > 0 ? named : doubtful)
    aside.push(await setAside(local, files));
  if (aside.length === 0 || problem === null) return thrown;
  const got = `${problem.got} (kept aside as ${aside.join(', ')}, not used)`;
  return inputError({ ...problem, got, ...anew }, thrown);
};

/**
 * Brings a data set of the catalogue to this computer and makes recordings of it: `<root>/recordings/<name>`, with
 * `fetched.json` beside them (addresses, sizes, SHA-256). Everything happens in `<root>/staging/<name>` first, and is
 * renamed when it is whole; a run that was cut goes on from what is there, and a second one at the same time is refused
 * (`<root>/staging/<name>.lock`). A file with another hash than its owner
 * published is kept aside (`.wrong`) and never used.
 * Input error: a wrong hash, a mirror without the files, files that cannot be imported; storage error:
 * the network or the disk.
 */
export const fetchEntry = async (
  entry: CatalogueEntry,
  request: Omit<FetchRequest, 'name'>,
  ports: FetchPorts,
): Promise<Fetched> => {
  const there = await fetchedBefore(entry, request.root, ports.files);
  if (there !== null) return there;
  const release = await ports.locks.take(below(request.root, `staging/${entry.name}.lock`));
  try {
    // Another process may have finished meanwhile.
    return (
      (await fetchedBefore(entry, request.root, ports.files)) ??
      (await bringAndImport(entry, request, ports))
    );
  } finally {
    await release();
  }
};

const fetchedBefore = async (
  entry: CatalogueEntry,
  root: string,
  files: Files,
): Promise<Fetched | null> => {
  const folder = folderOfEntry(entry, root);
  if ((await files.info(folder)) === null) return null;
  return { entry, folder, recordings: await recordingsNamed(entry.name, root, files), files: null };
};

const bringAndImport = async (
  entry: CatalogueEntry,
  request: Omit<FetchRequest, 'name'>,
  ports: FetchPorts,
): Promise<Fetched> => {
  const { root } = request;
  const { name } = entry;
  const { files } = ports;
  const folder = folderOfEntry(entry, root);
  const staging = below(root, `staging/${name}`);
  const obtained: Obtained[] = [];
  for (const file of entry.files) {
    const one = await obtain(entry, file, request, staging, ports);
    if (one !== null) obtained.push(one);
  }
  const out = below(staging, 'imported');
  await files.remove(out);
  try {
    await importFiles(entry, obtained, out, ports);
  } catch (thrown) {
    if (thrown instanceof VentralError && thrown.kind === 'input')
      throw await distrust(obtained, thrown, ports.files);
    throw thrown;
  }
  await files.write(below(out, 'fetched.json'), [fetchedRecord(entry, obtained, ports.now())]);
  await files.move(out, folder);
  await files.remove(staging);
  return { entry, folder, recordings: await recordingsNamed(name, root, files), files: obtained };
};

/** `fetchEntry` by name; input error for a name that the catalogue does not have. */
export const fetchRecording = ({ name, ...rest }: FetchRequest, ports: FetchPorts) =>
  fetchEntry(catalogueEntry(name), rest, ports);
