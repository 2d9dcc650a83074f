import { below } from '../formats/paths.ts';
import { readRecording, recordingHash } from '../formats/recording.ts';
import { timeWarnings } from '../formats/recording-check.ts';
import { checkParts, partFiles } from '../formats/recording-write.ts';
import { inputError } from '../records/errors.ts';
import type { Files, Hash, Ports } from '../records/ports.ts';
import type { Recording, Stimulus } from '../records/recording.ts';
import { recordingsFolder, recordingsNamed } from './library.ts';

/** A recording in memory. */
export interface RecordingInMemory extends Pick<Recording, 'header' | 'responses'> {
  /** By id; a file is named where several stimuli share one. */
  readonly stimuli: readonly (Pick<Stimulus, 'id'> & Partial<Stimulus>)[];
  /** The bytes of a stimulus's image file; activations can be scored without. */
  readonly image?: (stimulus: Stimulus) => Promise<Uint8Array> | Uint8Array;
}

/**
 * The folder that a name means: the folder of that name, or else the recording that was fetched under it into
 * the folder `root`, such as `arcaro2020/m1-ml`. Input error, naming both places, where there is neither.
 */
export const resolveRecording = async (
  named: string,
  root: string | undefined,
  files: Files,
): Promise<string> => {
  if (root === undefined || (await files.info(named)) !== null) return named;
  const fetched = await recordingsNamed(named, root, files);
  if (fetched.length === 1) return below(recordingsFolder(root), fetched[0]!);
  const place = below(recordingsFolder(root), named);
  if (fetched.length > 1)
    throw inputError({
      where: named,
      expected: 'one recording',
      got: `${fetched.length} in ${place}`,
      mend: `name one of ${fetched.join(', ')}`,
    });
  throw inputError({
    code: 'recording-missing',
    field: 'recording',
    where: named,
    expected: 'a recording folder, or the name of a fetched recording',
    got: `nothing there, and nothing at ${place}`,
    mend: 'name another folder, or fetch a known recording',
  });
};

/**
 * Opens a recording: a folder, the name of a fetched one, or one in memory. Input error, in one line, for the first thing that
 * is wrong; images are not decoded.
 */
export const openRecording = async (
  source: string | Recording | RecordingInMemory,
  ports: Pick<Ports, 'files' | 'hash' | 'library'>,
): Promise<Recording> => {
  if (typeof source === 'string')
    return readRecording(await resolveRecording(source, ports.library, ports.files), ports);
  return isOpen(source) ? source : inMemory(source, ports.hash);
};

const isOpen = (source: Recording | RecordingInMemory): source is Recording => 'hash' in source;

const inMemory = async (source: RecordingInMemory, hash: Hash): Promise<Recording> => {
  const { header, responses, image } = source;
  const stimuli = source.stimuli.map(
    ({ id, file = id, columns = {} }): Stimulus => ({ id, file, columns }),
  );
  const folder = header.name;
  checkParts({ header, responses, stimuli }, folder);
  return {
    header,
    responses,
    stimuli,
    folder,
    hash: await recordingHash(partFiles({ header, responses, stimuli }), hash),
    imageOf: async (stimulus) => (image === undefined ? null : image(stimulus)),
    warnings: timeWarnings(header),
  };
};
