import { stimulusPath } from '../formats/recording.ts';
import { encodeText } from '../formats/text.ts';
import type { Hash, Pixels, Ports } from '../records/ports.ts';
import type { Recording, Stimulus } from '../records/recording.ts';

export interface StimulusHashes {
  readonly count: number;
  /** SHA-256 over ids and contents in order. */
  readonly sha256: string;
  /** SHA-256 of each image file, in order. */
  readonly images: readonly string[];
}

/** Storage error where an image is gone since the recording was read. */
export const hashStimuli = async (
  recording: Recording,
  { hash }: { readonly hash: Hash },
): Promise<StimulusHashes> => {
  const images: string[] = [];
  for (const stimulus of recording.stimuli) {
    images.push(await hash.sha256File(stimulusPath(recording.folder, stimulus)));
  }
  const lines = recording.stimuli.map(
    ({ id }, index) => `${JSON.stringify([id, images[index]])}\n`,
  );
  const sha256 = await hash.sha256([encodeText(lines.join(''))]);
  return { count: images.length, sha256, images };
};

/** The pixels of one stimulus. Input error, naming the file, where it does not decode. */
export const readStimulus = async (
  recording: Recording,
  stimulus: Stimulus,
  { files, images }: Pick<Ports, 'files' | 'images'>,
): Promise<Pixels> => {
  const path = stimulusPath(recording.folder, stimulus);
  return images.decode(await files.read(path), path);
};
