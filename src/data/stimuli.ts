import { stimulusPath } from '../formats/recording.ts';
import { encodeText } from '../formats/text.ts';
import { inputError } from '../records/errors.ts';
import type { Hash, Pixels, Ports } from '../records/ports.ts';
import type { Recording, Stimulus } from '../records/recording.ts';

export interface StimulusHashes {
  readonly count: number;
  /** SHA-256 over ids and contents in order. */
  readonly sha256: string;
  /** SHA-256 of each image file, in order; null where there is none. */
  readonly images: readonly (string | null)[];
}

/**
 * Storage error where an image is gone since the recording was read. Of a recording in memory without images the hash is that
 * of the ids alone.
 */
export const hashStimuli = async (
  recording: Recording,
  { hash }: { readonly hash: Hash },
): Promise<StimulusHashes> => {
  const images: (string | null)[] = [];
  for (const stimulus of recording.stimuli) {
    if (recording.imageOf === undefined)
      images.push(await hash.sha256File(stimulusPath(recording.folder, stimulus)));
    else {
      const bytes = await recording.imageOf(stimulus);
      images.push(bytes === null ? null : await hash.sha256([bytes]));
    }
  }
  const lines = recording.stimuli.map(
    ({ id }, index) => `${JSON.stringify([id, images[index]])}\n`,
  );
  const sha256 = await hash.sha256([encodeText(lines.join(''))]);
  return { count: images.length, sha256, images };
};

/** The pixels of one stimulus. Input error, naming the file, where there is none or it does not decode. */
export const readStimulus = async (
  recording: Recording,
  stimulus: Stimulus,
  { files, images }: Pick<Ports, 'files' | 'images'>,
): Promise<Pixels> => {
  const path = stimulusPath(recording.folder, stimulus);
  const bytes =
    recording.imageOf === undefined ? await files.read(path) : await recording.imageOf(stimulus);
  if (bytes === null)
    throw inputError({
      where: `${recording.folder}: stimulus "${stimulus.id}"`,
      expected: 'its image, which a network is shown',
      got: 'a recording in memory without one',
      mend: 'give images with the recording, or activations in place of a network',
    });
  return images.decode(bytes, path);
};
