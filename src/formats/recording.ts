import { toFloat64 } from '../numeric/convert.ts';
import type { NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Files, Hash } from '../records/ports.ts';
import type { Recording, RecordingHeader, Stimulus } from '../records/recording.ts';
import { parseStored, unknownFields } from '../records/stored.ts';
import { recordingFile } from '../records/stored-kinds.ts';
import { readCsv } from './csv.ts';
import { readNumbers } from './npy.ts';
import { below } from './paths.ts';
import {
  checkFinite,
  checkHeader,
  checkShape,
  checkStimuli,
  headerFile,
  responsesFile,
  stimuliFile,
  stimuliFolder,
  timeWarnings,
} from './recording-check.ts';
import { decodeText, encodeText } from './text.ts';

export interface RecordingPorts {
  readonly files: Files;
  readonly hash: Hash;
}

/** Where the image of a stimulus lies. */
export const stimulusPath = (folder: string, { file }: Pick<Stimulus, 'file'>): string =>
  below(folder, `${stimuliFolder}/${file}`);

const readPart = async (folder: string, name: string, files: Files): Promise<Uint8Array> => {
  const path = below(folder, name);
  if ((await files.info(path))?.kind === 'file') return files.read(path);
  const given = await files.info(folder);
  const got = given === null ? 'nothing' : given.kind === 'file' ? 'a file' : `no ${name} in it`;
  throw inputError({
    code: 'recording-files-missing',
    field: 'recording',
    where: folder,
    expected: `a recording folder with ${headerFile}, ${responsesFile} and ${stimuliFile}`,
    got,
    mend: 'name another folder, or make one by an import',
  });
};

/** Whole numbers become float64; float32 stays, at half the memory. */
const asReal = (array: NdArray): Recording['responses'] =>
  array.data instanceof Float32Array ? { data: array.data, shape: array.shape } : toFloat64(array);

const readStimuli = (text: string, path: string): Stimulus[] => {
  const { columns, rows, lines } = readCsv(text, path);
  const mend = 'name the columns stimulus_id and file';
  const columnOf = (name: string): number => {
    const index = columns.indexOf(name);
    if (index >= 0) return index;
    const got = columns.join(', ');
    throw inputError({ where: path, expected: `a column ${name}`, got, mend });
  };
  const [idColumn, fileColumn] = [columnOf('stimulus_id'), columnOf('file')];
  const stimuli = rows.map((fields): Stimulus => {
    const further = columns.map((name, index) => [name, fields[index]!] as const);
    return {
      id: fields[idColumn]!,
      file: fields[fileColumn]!,
      columns: Object.fromEntries(
        further.filter((_, index) => index !== idColumn && index !== fileColumn),
      ),
    };
  });
  checkStimuli(stimuli, (index) => `${path}: line ${lines[index]}`);
  return stimuli;
};

/** Groups of stimuli with the same image. Only files of equal size are read. */
const equalImages = async (
  folder: string,
  stimuli: readonly Stimulus[],
  { files, hash }: RecordingPorts,
): Promise<string[][]> => {
  const bySize = new Map<number, Stimulus[]>();
  for (const stimulus of stimuli) {
    const path = stimulusPath(folder, stimulus);
    const info = await files.info(path);
    if (info?.kind !== 'file') {
      const got = info === null ? 'nothing' : 'a folder';
      const mend = `put the image there or correct ${stimuliFile}`;
      const expected = `the image of stimulus "${stimulus.id}"`;
      throw inputError({ where: path, expected, got, mend });
    }
    bySize.set(info.size, [...(bySize.get(info.size) ?? []), stimulus]);
  }
  const groups = new Map<string, string[]>();
  for (const alike of bySize.values()) {
    if (alike.length < 2) continue;
    for (const stimulus of alike) {
      const digest = await hash.sha256File(stimulusPath(folder, stimulus));
      groups.set(digest, [...(groups.get(digest) ?? []), stimulus.id]);
    }
  }
  return [...groups.values()].filter((ids) => ids.length > 1);
};

const equalWarning = (groups: readonly (readonly string[])[]): string[] => {
  if (groups.length === 0) return [];
  const shown = groups.slice(0, 3).map((ids) => ids.slice(0, 4).join(' = '));
  const more = groups.length > shown.length ? ', …' : '';
  const count = groups.reduce((sum, ids) => sum + ids.length, 0);
  return [`${count} stimuli have an image that another one has: ${shown.join(', ')}${more}`];
};

/** People write `recording.json`, too: a field may be of a later version, or misspelt. */
const unknownWarning = (header: RecordingHeader): string[] => {
  const unknown = unknownFields(recordingFile, header);
  if (unknown.length === 0) return [];
  const shown = unknown.slice(0, 3).join(', ');
  const more = unknown.length > 3 ? ', …' : '';
  return [`${headerFile} has fields that this version does not know, and ignores: ${shown}${more}`];
};

/** The files of a recording but its images, by name. */
export type PartFiles = Readonly<
  Record<typeof headerFile | typeof responsesFile | typeof stimuliFile, readonly Uint8Array[]>
>;

/** `recording.json` as format 1 writes it, so that the hash of a recording is the same in every format. */
const inFirstFormat = (bytes: Uint8Array): Uint8Array => {
  const file = JSON.parse(decodeText(bytes, headerFile)) as Record<string, unknown>;
  const { kind, format, ...rest } = file;
  if (kind === undefined) return bytes;
  const first = { format: recordingFile.firstFormat, version: 1, ...rest };
  return encodeText(`${JSON.stringify(first, null, 2)}\n`);
};

/** SHA-256 over all of a recording but its images. */
export const recordingHash = async (parts: PartFiles, hash: Hash): Promise<string> => {
  const hashed = { ...parts, [headerFile]: parts[headerFile].map(inFirstFormat) };
  const lines = await Promise.all(
    ([headerFile, responsesFile, stimuliFile] as const).map(
      async (name) => `${name} ${await hash.sha256(hashed[name])}\n`,
    ),
  );
  return hash.sha256([encodeText(lines.join(''))]);
};

/**
 * Reads a recording folder and checks it whole: header, dimensions, stimuli and that their images are there (not
 * that they decode). Input error, in one line, for the first thing that is wrong.
 */
export const readRecording = async (folder: string, ports: RecordingPorts): Promise<Recording> => {
  const { files, hash } = ports;
  const path = (name: string): string => below(folder, name);
  const headerBytes = await readPart(folder, headerFile, files);
  const headerText = decodeText(headerBytes, path(headerFile));
  const header = parseStored(recordingFile, headerText, path(headerFile));
  checkHeader(header, path(headerFile));
  const stimuliBytes = await readPart(folder, stimuliFile, files);
  const stimuli = readStimuli(decodeText(stimuliBytes, path(stimuliFile)), path(stimuliFile));
  const responseBytes = await readPart(folder, responsesFile, files);
  const responses = asReal(readNumbers(responseBytes, path(responsesFile), { share: true }));
  checkShape(header, responses.shape, stimuli.length, path(responsesFile));
  checkFinite(responses.data, responses.shape, header.dims, path(responsesFile));
  const warnings = [
    ...equalWarning(await equalImages(folder, stimuli, ports)),
    ...timeWarnings(header),
    ...unknownWarning(header),
  ];
  const parts = {
    [headerFile]: [headerBytes],
    [responsesFile]: [responseBytes],
    [stimuliFile]: [stimuliBytes],
  };
  const sha256 = await recordingHash(parts, hash);
  return { header, responses, stimuli, folder, hash: sha256, warnings };
};
