// What scores are held against: where along a network's depth each area is matched best, and how well sites predict sites.

import { depthProfile } from './analysis/profile.ts';
import { onSharedStimuli } from './consistency/shared-stimuli.ts';
import {
  ceilingBetween,
  ceilingWithin,
  type LaidOutRecording,
} from './consistency/site-ceilings.ts';
import { sharedImageWarnings } from './data/same-images.ts';
import { readRecording } from './formats/recording.ts';
import { encodeText } from './formats/text.ts';
import { inputError } from './records/errors.ts';
import type { Ports, Watch } from './records/ports.ts';
import type { Profile } from './records/profile.ts';
import type { Protocol } from './records/protocol.ts';
import type { Recording } from './records/recording.ts';
import type { SiteCeiling, SiteCeilings } from './records/site-ceiling.ts';
import { checkProtocol } from './scoring/check-protocol.ts';
import { layOut } from './scoring/lay-out.ts';
import { resolveProtocol } from './scoring/protocols.ts';
import { canonicalJson } from './store/layer-cache.ts';
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
  { files, progress, checkStop }: Pick<Ports, 'files' | keyof Watch>,
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

export interface CeilingRequest {
  /** One recording, or two of the same stimuli. */
  readonly recordings: readonly string[];
  /** Name or `.json` file; null: the default. */
  readonly protocol: string | null;
  readonly seed: number;
  /** Of two recordings, only how well each predicts the other. */
  readonly betweenOnly: boolean;
}

/**
 * How well sites predict sites: each recording's from the other's on the stimuli that both show, and each site of a
 * recording from its other sites. Input errors: no or more than two recordings, other layouts, no shared stimulus, shared ids of
 * other images, and those of a score.
 */
export const siteCeilings = async (
  { recordings, protocol: named, seed, betweenOnly }: CeilingRequest,
  ports: Ports,
): Promise<SiteCeilings> => {
  const [first, second] = await readRecordings(recordings, ports);
  const protocol = await resolveProtocol(named, first, ports.files);
  const laidOutOf = (recording: Recording): LaidOutRecording => {
    checkProtocol(protocol, recording);
    return { recording, laidOut: layOut(protocol, recording, seed, 'best') };
  };
  const ceilings: SiteCeiling[] = [];
  const warnings: string[] = [];
  if (second !== null) {
    const shared = onSharedStimuli(first, second, protocol);
    // Before the regressions: recordings that share ids but no image have nothing to predict.
    warnings.push(...(await sharedImageWarnings(shared[0]!, shared[1]!, ports)));
    const [a, b] = shared.map(laidOutOf) as [LaidOutRecording, LaidOutRecording];
    ceilings.push(await ceilingBetween(a, b, seed, ports), await ceilingBetween(b, a, seed, ports));
  }
  if (second === null || !betweenOnly)
    for (const recording of second === null ? [first] : [first, second])
      ceilings.push(await ceilingWithin(laidOutOf(recording), seed, ports));
  return {
    kind: 'site-ceilings',
    protocol: { name: protocol.name, sha256: await hashOf(protocol, ports) },
    ceilings,
    warnings,
    seed,
    version: ventralVersion,
  };
};

const readRecordings = async (
  paths: readonly string[],
  ports: Ports,
): Promise<readonly [Recording, Recording | null]> => {
  const [first, second, ...more] = paths;
  if (first === undefined || more.length > 0)
    throw inputError({
      field: 'recordings',
      where: 'recordings',
      expected: 'one recording, or two',
      got: `${paths.length}`,
      mend: 'name one or two',
    });
  return [
    await readRecording(first, ports),
    second === undefined ? null : await readRecording(second, ports),
  ];
};

/** What `provenance.protocol.sha256` of a score under this protocol is. */
const hashOf = (protocol: Protocol, { hash }: Ports): Promise<string> =>
  hash.sha256([encodeText(canonicalJson(protocol))]);
