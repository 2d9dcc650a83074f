// From stored scores to what they say together: where along a network's depth each area is matched best.

import { depthProfile } from './analysis/profile.ts';
import type { Ports } from './records/ports.ts';
import type { Profile } from './records/profile.ts';
import { readLayerPredictions, readScore } from './store/score-files.ts';
import { ventralVersion } from './version.ts';

export interface ProfileRequest {
  /** Score files of one network, one per area, in the order in which areas are to be compared. */
  readonly scores: readonly string[];
  readonly seed: number;
  /** Bootstrap replicates; default 1000. */
  readonly replicates?: number;
}

/** The depth profile of a network over areas. Input errors: as `depthProfile`, and files that are no scores. */
export const profile = async (
  { scores, seed, replicates = 1000 }: ProfileRequest,
  { files, progress, checkStop }: Pick<Ports, 'files' | 'progress' | 'checkStop'>,
): Promise<Profile> => {
  const areas = await Promise.all(
    scores.map(async (file) => ({
      file,
      score: await readScore(file, files),
      predictions: await readLayerPredictions(file, files),
    })),
  );
  const found = depthProfile(areas, replicates, seed, (done, total) => {
    progress({ task: 'resampling', done, total, unit: 'draws' });
    checkStop();
  });
  return { ...found, version: ventralVersion };
};
