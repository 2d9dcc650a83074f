import { inputError } from '../records/errors.ts';
import type { Ports } from '../records/ports.ts';
import type { Recording } from '../records/recording.ts';
import { groupAlike, thumbnailOf } from './alike.ts';
import { hashStimuli, readStimulus } from './stimuli.ts';

type ImagePorts = Pick<Ports, 'files' | 'images' | 'hash'>;

/** Whether two stimuli show one picture, in whatever file format, size and compression. */
const areAlike = async (
  first: Recording,
  second: Recording,
  index: number,
  ports: ImagePorts,
): Promise<boolean> => {
  const thumbnails = [
    thumbnailOf(await readStimulus(first, first.stimuli[index]!, ports)),
    thumbnailOf(await readStimulus(second, second.stimuli[index]!, ports)),
  ];
  // Of pictures of one level nothing can be said.
  return thumbnails.every((each) => each === null) || groupAlike(thumbnails)[1] === 0;
};

/**
 * What a user should know of two recordings whose stimuli, in one order, have the same ids: how many are other files, and how
 * many of these other pictures. Input error where no stimulus shows the same picture in both: they share ids, not images.
 */
export const sharedImageWarnings = async (
  first: Recording,
  second: Recording,
  ports: ImagePorts,
): Promise<string[]> => {
  const [a, b] = [await hashStimuli(first, ports), await hashStimuli(second, ports)];
  const others = a.images.flatMap((sha256, index) => (sha256 === b.images[index] ? [] : [index]));
  const pictures: number[] = [];
  for (const index of others) {
    if (!(await areAlike(first, second, index, ports))) pictures.push(index);
  }
  if (a.count > 0 && pictures.length === a.count)
    throw inputError({
      where: `${first.header.name} and ${second.header.name}`,
      expected: 'the same images under the same ids',
      got: `${a.count} shared ids (such as "${first.stimuli[0]!.id}"), of which none shows the same picture`,
      mend: 'give the stimuli of one recording other ids, or take recordings of the same images',
    });
  const shown = pictures.slice(0, 3).map((index) => first.stimuli[index]!.id);
  if (pictures.length > 0)
    return [
      `${pictures.length} of ${a.count} shared stimuli have the same id but show other pictures (${shown.join(', ')}${pictures.length > 3 ? ', …' : ''})`,
    ];
  return others.length === 0
    ? []
    : [`${others.length} of ${a.count} shared stimuli are other files of like pictures`];
};
