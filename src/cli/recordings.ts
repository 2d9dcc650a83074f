import { recordingsFolder, recordingsNamed } from '../data/library.ts';
import { below } from '../formats/paths.ts';
import { inputError } from '../records/errors.ts';
import type { Files } from '../records/ports.ts';

/**
 * The folder that `--recording` means: the folder of that name, or else the recording that was fetched under it into
 * the cache folder `root`, such as `arcaro2020/m1-ml`. Input error, naming both places, where there is neither.
 */
export const resolveRecording = async (
  named: string,
  root: string,
  files: Files,
): Promise<string> => {
  if ((await files.info(named)) !== null) return named;
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
    where: named,
    expected: 'a recording folder, or the name of a fetched recording',
    got: `nothing there, and nothing at ${place}`,
    mend: 'name another folder, or bring a known recording with ventral data fetch (ventral data list)',
  });
};
