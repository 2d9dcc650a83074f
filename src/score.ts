// The method section: stimuli → every layer's activations → regression under cross-validation →
// correlation on held-out images / noise ceiling → best layer. First a plan (cheap, can be shown), then the score.

import { openRecording, type RecordingInMemory } from './data/open-recording.ts';
import { hashStimuli } from './data/stimuli.ts';
import { type Network, openNetwork } from './models/network.ts';
import { type NullPlan, planNulls, scoreNulls } from './nulls.ts';
import {
  contextOf,
  type OpenScore,
  type PlannedLayer,
  planCandidate,
  type ScoreConditions,
  type ScoreResult,
  scoreLayers,
  withLearningCurve,
} from './predictivity.ts';
import { inputError } from './records/errors.ts';
import type { Preprocessing } from './records/model.ts';
import type { ScorePlan } from './records/plan.ts';
import type { Ports } from './records/ports.ts';
import type { Protocol } from './records/protocol.ts';
import { protocolHash } from './records/protocol-form.ts';
import { candidateInput, runWith } from './records/provenance.ts';
import type { Recording } from './records/recording.ts';
import { type Signal, stoppable } from './records/watch.ts';
import { checkRegression } from './regression/regress.ts';
import {
  type CandidateRequest,
  type GivenActivations,
  openCandidate,
} from './scoring/candidate.ts';
import { checkProtocol } from './scoring/check-protocol.ts';
import { layOut } from './scoring/lay-out.ts';
import { regressionsOf } from './scoring/layout.ts';
import { resolveProtocol } from './scoring/protocols.ts';
import { type ScoreFiles, scoreOutputs } from './store/score-outputs.ts';
import { writeTogether } from './store/write-together.ts';
import { ventralVersion } from './version.ts';

/** What is asked for. Paths as the Files port takes them. */
export interface ScoreRequest extends Partial<ScoreConditions> {
  /** A network (`openNetwork`, or the path of an ONNX file), or activations. */
  readonly candidate: Network | string | GivenActivations;
  /** Preset, file or record; default: what lies beside the model, else `imagenet-224` with a warning. */
  readonly preprocess?: string | Preprocessing | null;
  /** A recording (`openRecording`), its folder or the name of a fetched one, or one in memory. */
  readonly recording: Recording | RecordingInMemory | string;
  /** Name, `.json` file or record; default: `ventral`. */
  readonly protocol?: string | Protocol | null;
}

/** A score that was planned: what will be done, as plain JSON, and what is open for it. */
export interface ScoreJob {
  readonly plan: ScorePlan;
  readonly handle: OpenScore;
}

/** What is worked out beside the score. */
export interface ScoreOptions {
  /** Nulls (permutations, pixels, random twins, …), or a plan of them. */
  readonly nulls?: boolean | NullPlan;
  /** The score, had fewer trials or sites been recorded. */
  readonly learningCurve?: boolean;
  /** Stops the work at its next step, with an error of kind `stopped`. */
  readonly signal?: Signal;
}

/**
 * Plans a score without computing it: opens recording, protocol and candidate, chooses bin, folds and layers, and runs
 * a network once on two inputs. Rejects with a VentralError for everything that can be known beforehand.
 */
export const planScore = async (request: ScoreRequest, ports: Ports): Promise<ScoreJob> => {
  const conditions = conditionsOf(request);
  const recording = await openRecording(request.recording, ports);
  const protocol = await resolveProtocol(request.protocol ?? null, recording, ports.files);
  checkProtocol(protocol, recording);
  const laidOut = layOut(protocol, recording, conditions.seed, conditions.timeBins);
  const { layout } = laidOut;
  checkRegression(layout.imageOfRow.length, regressionsOf(layout), protocol.regression);
  const stimuli = await hashStimuli(recording, ports);
  const provenance = {
    run: runWith(ports, ventralVersion, conditions.seed),
    inputs: [
      { role: 'recording', name: recording.header.name, sha256: recording.hash },
      {
        ...{ role: 'stimuli', name: recording.header.name, sha256: stimuli.sha256 },
        count: recording.stimuli.length,
      },
      {
        ...{ role: 'protocol', name: protocol.name },
        sha256: await protocolHash(protocol, ports.hash),
      },
    ],
  };
  const warnings = [...recording.warnings, ...laidOut.warnings];
  const candidate = await candidateOf(request, ports);
  const basis = { conditions, candidate, recording, protocol, laidOut, provenance, warnings };
  const opened = await openCandidate(candidate, contextOf(basis), ports);
  const handle = await planCandidate(basis, opened, ports);
  return { plan: planOf(handle), handle };
};

/**
 * Carries out a planned score. Finished layers, permutations and twins are kept in the cache, and are not computed again.
 * Rejects with the `stopped` error after an interrupt.
 */
export const score = async (
  { handle }: ScoreJob,
  given: Ports,
  { nulls = false, learningCurve = false, signal }: ScoreOptions = {},
): Promise<ScoreResult> => {
  const ports = stoppable(given, signal);
  const plain = await scoreLayers(handle, ports);
  const result = learningCurve ? await withLearningCurve(handle, plain, ports) : plain;
  if (nulls === false) return result;
  const planned = nulls === true ? await planNulls(handle, ports) : nulls;
  return scoreNulls(planned, result, ports);
};

/** Writes the score, and beside it what is to be kept of its run; all of it or nothing. */
export const writeScore = async (
  path: string,
  result: ScoreResult,
  { files }: Pick<Ports, 'files'>,
  what: Omit<ScoreFiles, 'out'> = {},
): Promise<void> => writeTogether(await scoreOutputs(result, { ...what, out: path }), files);

/**
 * Makes a job of a stored plan again. Inputs that were in memory have to be given once more. Input errors: an input that is
 * missing, or is not the one that was planned with.
 */
export const reopen = async (
  plan: ScorePlan,
  ports: Ports,
  given: Partial<Pick<ScoreRequest, 'candidate' | 'recording'>> = {},
): Promise<ScoreJob> => {
  const job = await planScore(
    {
      ...plan.conditions,
      candidate: given.candidate ?? plannedCandidate(plan),
      recording:
        given.recording ?? plan.recording.path ?? notInFiles('recording', plan.recording.name),
      protocol: plan.protocol,
      preprocess: plan.candidate.kind === 'model' ? plan.candidate.preprocess : null,
    },
    ports,
  );
  plan.inputs.forEach((planned, index) => {
    const found = job.plan.inputs[index];
    if (found?.sha256 === planned.sha256) return;
    const short = (hash: string | null | undefined): string => `${hash?.slice(0, 12)}…`;
    throw inputError({
      where: `${planned.role} ${planned.name} of the plan`,
      expected: `the one that was planned with (SHA-256 ${short(planned.sha256)})`,
      got: found === undefined ? 'nothing' : `another (${short(found.sha256)})`,
      mend: 'plan the score again',
    });
  });
  return job;
};

const conditionsOf = ({
  layers = null,
  memory = 4e9,
  seed = 1,
  timeBins = 'all',
  timeCourseSites = 'common',
}: ScoreRequest): ScoreConditions => ({ layers, memory, seed, timeBins, timeCourseSites });

const isNetwork = (candidate: Exclude<ScoreRequest['candidate'], string>): candidate is Network =>
  'structure' in candidate;

const candidateOf = async (
  { candidate, preprocess = null }: ScoreRequest,
  ports: Ports,
): Promise<CandidateRequest> => {
  if (typeof candidate === 'string')
    return { kind: 'model', network: await openNetwork(candidate, ports), preprocess };
  if (isNetwork(candidate)) return { kind: 'model', network: candidate, preprocess };
  if (preprocess !== null)
    throw inputError({
      where: 'preprocess',
      expected: 'a network',
      got: 'activations, to which no preprocessing applies',
      mend: 'leave preprocess out',
    });
  return { kind: 'activations', ...candidate };
};

const planOf = (handle: OpenScore): ScorePlan => {
  const { candidate, conditions, recording, protocol, laidOut, features, layers } = handle;
  const { layout, scored, fitted } = laidOut;
  const passes = features.passes.map((pass) => pass.layers.map(({ name }) => name));
  return {
    kind: 'score-plan',
    format: 2,
    candidate:
      candidate.kind === 'model'
        ? { kind: 'model', path: candidate.network.path, preprocess: candidate.preprocess }
        : {
            kind: 'activations',
            path: typeof candidate.activations === 'string' ? candidate.activations : null,
            order: candidate.order ?? null,
          },
    recording: {
      name: recording.header.name,
      path: recording.imageOf === undefined ? recording.folder : null,
    },
    protocol,
    conditions,
    inputs: handle.provenance.inputs,
    timeBin: scored.label.timeBin,
    timeBins: fitted.length,
    stimuli: layout.stimuli.length,
    rows: layout.imageOfRow.length,
    sites: layout.siteIds.length,
    folds: layout.folds.length,
    layers: layers.map((layer) => plannedLayer(layer, passes)),
    passes: features.passes.reduce((sum, { slices }) => sum + slices, 0),
    estimate: handle.estimate,
    warnings: handle.warnings,
  };
};

const plannedLayer = (
  { name, features, slices, done }: PlannedLayer,
  passes: readonly (readonly string[])[],
): ScorePlan['layers'][number] => ({
  name,
  features,
  slices,
  pass: 1 + passes.findIndex((names) => names.includes(name)),
  done,
});

const plannedCandidate = ({ candidate, inputs }: ScorePlan): ScoreRequest['candidate'] => {
  if (candidate.path === null) return notInFiles(candidate.kind, candidateInput({ inputs })!.name);
  if (candidate.kind === 'model') return candidate.path;
  const { path, order } = candidate;
  return { activations: path, ...(order === null ? {} : { order }) };
};

const notInFiles = (what: string, name: string): never => {
  throw inputError({
    where: `${what} ${name} of the plan`,
    expected: 'a path',
    got: 'an input that was in memory',
    mend: `give the ${what} again`,
  });
};
