// What scores are held against: where along a network's depth each area is matched best, and how well sites predict sites.

import { depthProfile } from './analysis/profile.ts';
import type { AreaScores } from './analysis/resample-layers.ts';
import { onSharedStimuli } from './consistency/shared-stimuli.ts';
import {
  ceilingBetween,
  ceilingWithin,
  type LaidOutRecording,
} from './consistency/site-ceilings.ts';
import { sharedImageWarnings } from './data/same-images.ts';
import { readRecording } from './formats/recording.ts';
import { inputError } from './records/errors.ts';
import type { Ports, Watch } from './records/ports.ts';
import type { Profile } from './records/profile.ts';
import { protocolHash } from './records/protocol-form.ts';
import {
  candidateInput,
  type InputRole,
  knownInput,
  type ProvenanceInput,
  runWith,
  timedRun,
} from './records/provenance.ts';
import type { Recording } from './records/recording.ts';
import type { SiteCeiling, SiteCeilings } from './records/site-ceiling.ts';
import { checkProtocol } from './scoring/check-protocol.ts';
import { layOut } from './scoring/lay-out.ts';
import { resolveProtocol } from './scoring/protocols.ts';
import { layerPredictionsPath, readLayerPredictions, readScore } from './store/score-files.ts';
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
  ports: Pick<Ports, 'files' | 'hash' | 'now' | keyof Watch>,
): Promise<Profile> => {
  const { files, progress, checkStop } = ports;
  const startedAt = ports.now();
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
  // Neither engine nor images: one thread of plain arithmetic.
  const run = { versions: { ventral: ventralVersion }, seed, threads: 1, device: 'cpu' };
  return {
    ...found,
    provenance: {
      run: timedRun(run, startedAt, ports.now()),
      inputs: await profileInputs(areas, ports),
      engineCheck: null,
    },
  };
};

/** What was scored, each area's recording, and the files that were read. */
const profileInputs = async (
  areas: readonly AreaScores[],
  { hash }: Pick<Ports, 'hash'>,
): Promise<ProvenanceInput[]> => {
  const candidate = candidateInput(areas[0]!.score.provenance);
  const read = async (role: InputRole, path: string): Promise<ProvenanceInput> => ({
    ...{ role, name: path, sha256: await hash.sha256File(path) },
  });
  const inputs = candidate === undefined ? [] : [candidate];
  for (const { file, score, predictions } of areas) {
    inputs.push(knownInput(score.provenance, 'recording'), await read('score', file));
    if (predictions !== null)
      inputs.push(await read('layer-predictions', layerPredictionsPath(file)));
  }
  return inputs;
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
  const startedAt = ports.now();
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
    format: 2,
    ceilings,
    warnings,
    provenance: {
      run: timedRun(runWith(ports, ventralVersion, seed), startedAt, ports.now()),
      inputs: [
        ...(second === null ? [first] : [first, second]).map(({ header, hash }) => ({
          ...{ role: 'recording', name: header.name, sha256: hash },
        })),
        {
          ...{ role: 'protocol', name: protocol.name },
          sha256: await protocolHash(protocol, ports.hash),
        },
      ],
      engineCheck: null,
    },
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
