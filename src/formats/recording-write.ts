import { inputError } from '../records/errors.ts';
import { parseAs } from '../records/parse.ts';
import type { Files } from '../records/ports.ts';
import { type Recording, recordingHeaderSchema, type Stimulus } from '../records/recording.ts';
import { encodeCsv } from './csv.ts';
import { npyParts } from './npy.ts';
import { below, firstMissing } from './paths.ts';
import { type PartFiles, stimulusPath } from './recording.ts';
import {
  checkFinite,
  checkHeader,
  checkShape,
  checkStimuli,
  headerFile,
  responsesFile,
  stimuliFile,
} from './recording-check.ts';
import { encodeText } from './text.ts';

/** A recording to be written; the image of each stimulus is asked for once, in order. */
export interface RecordingParts extends Pick<Recording, 'header' | 'responses' | 'stimuli'> {
  readonly image: (stimulus: Stimulus, index: number) => Promise<Uint8Array>;
}

/** Input errors: parts that do not fit together. */
export const checkParts = (
  { header, responses, stimuli }: Omit<RecordingParts, 'image'>,
  folder: string,
): void => {
  parseAs(recordingHeaderSchema, header, below(folder, headerFile), 'correct the field');
  checkHeader(header, below(folder, headerFile));
  checkStimuli(stimuli, (index) => `${below(folder, stimuliFile)}: stimulus ${index + 1}`);
  const path = below(folder, responsesFile);
  checkShape(header, responses.shape, stimuli.length, path);
  checkFinite(responses.data, responses.shape, header.dims, path);
};

const checkTarget = async (folder: string, replace: boolean, files: Files): Promise<void> => {
  const info = await files.info(folder);
  if (info === null) return;
  const mend = 'remove it or name another folder';
  if (info.kind === 'file') {
    throw inputError({ where: folder, expected: 'a new folder', got: 'a file', mend });
  }
  const names = await files.list(folder);
  if (names.length === 0 || (replace && names.includes(headerFile))) return;
  const got = `one with ${names.length === 1 ? names[0] : `${names.length} files`} in it`;
  throw inputError({ where: folder, expected: 'a new or empty folder', got, mend });
};

const stimuliTable = (stimuli: readonly Stimulus[]): string => {
  const further = [...new Set(stimuli.flatMap(({ columns }) => Object.keys(columns)))];
  const rows = stimuli.map(({ id, file, columns }) => [
    id,
    file,
    ...further.map((name) => columns[name] ?? ''),
  ]);
  return encodeCsv(['stimulus_id', 'file', ...further], rows);
};

/** The files as they are written. */
export const partFiles = ({
  header,
  responses,
  stimuli,
}: Omit<RecordingParts, 'image'>): PartFiles => ({
  [responsesFile]: npyParts(responses),
  [stimuliFile]: [encodeText(stimuliTable(stimuli))],
  [headerFile]: [encodeText(`${JSON.stringify(header, null, 2)}\n`)],
});

const writeParts = async (folder: string, parts: RecordingParts, files: Files): Promise<void> => {
  const { stimuli, image } = parts;
  const written = new Set<string>();
  for (const [index, stimulus] of stimuli.entries()) {
    if (written.has(stimulus.file)) continue;
    written.add(stimulus.file);
    await files.write(stimulusPath(folder, stimulus), [await image(stimulus, index)]);
  }
  for (const [name, bytes] of Object.entries(partFiles(parts)))
    await files.write(below(folder, name), bytes);
};

/**
 * Writes a recording folder: first whole beside the target, then moved there, so that nothing is left on failure.
 * The target must be new or empty; `replace` allows another recording to be there, which is then gone.
 * Input error where the parts do not fit together, storage error where the disk refuses.
 */
export const writeRecording = async (
  folder: string,
  parts: RecordingParts,
  { files }: { readonly files: Files },
  { replace = false }: { readonly replace?: boolean } = {},
): Promise<void> => {
  checkParts(parts, folder);
  await checkTarget(folder, replace, files);
  const partial = `${folder.replace(/[\\/]+$/, '')}.partial`;
  const made = await firstMissing(partial, files);
  await files.remove(partial);
  try {
    await writeParts(partial, parts, files);
    await files.move(partial, folder);
  } catch (thrown) {
    await files.remove(made);
    throw thrown;
  }
};
