// How much of a score could have come from nothing: the same protocol on permuted responses, on the mean map and on
// position (grids), on pixels, and on the same network with fresh random weights. Planned after the score, carried out
// after it.

import { presetNamed } from './models/presets.ts';
import { unstacked } from './numeric/array.ts';
import { VentralError } from './records/errors.ts';
import type { Ports } from './records/ports.ts';
import { withTimeSince } from './records/provenance.ts';
import type { NullScore } from './records/score.ts';
import {
  contextOf,
  planSubject,
  type ScorePlan,
  type ScoreResult,
  score,
  sourceOf,
} from './score.ts';
import { pairedDifference } from './scoring/compare.ts';
import { type Effort, effortOfWidest, shapeOf } from './scoring/effort.ts';
import { evaluateLayer, evaluateSets } from './scoring/evaluate.ts';
import { fitLayer } from './scoring/fit-layer.ts';
import { prepareResampling } from './scoring/intervals.ts';
import { onlyScored } from './scoring/lay-out.ts';
import { withinFeatures } from './scoring/layout.ts';
import { unbeaten } from './scoring/null-warnings.ts';
import type { Contender } from './scoring/paired-sites.ts';
import {
  permutationCount,
  permutationKinds,
  permutationNull,
  permutedSets,
} from './scoring/permutations.ts';
import { meanMaps, positionFeatures } from './scoring/position-nulls.ts';
import { openPixelsSubject, openTwinSubject, type Subject } from './scoring/subject.ts';
import { fitKey, getFit, putFit } from './store/layer-cache.ts';

type RivalName = Extract<NullScore['name'], 'position' | 'pixels' | 'random-twin'>;

/** A null that is scored in the network's place, with layers of its own; or why it is not. */
export type Rival =
  | { readonly name: RivalName; readonly plan: ScorePlan; readonly note: string | null }
  | { readonly name: RivalName; readonly plan: null; readonly note: string };

/** The nulls of a planned score. */
export interface NullPlan {
  readonly plan: ScorePlan;
  readonly rivals: readonly Rival[];
  /** What they take beside the score itself. */
  readonly estimate: Effort;
}

/** Settles the nulls of a planned score: opens pixels and the random twin, and works out memory and time. */
export const planNulls = async (plan: ScorePlan, ports: Ports): Promise<NullPlan> => {
  const alone: ScorePlan = { ...plan, laidOut: onlyScored(plan.laidOut) };
  const rivals = [
    ...(plan.recording.header.grid === null ? [] : [await positionRival(alone, ports)]),
    await pixelRival(alone, ports),
    await twinRival(alone, ports),
  ];
  const efforts = [
    await permutationEffort(alone, ports),
    ...rivals.flatMap((rival) => (rival.plan === null ? [] : [rival.plan.estimate])),
  ];
  // Models wait in memory for their turn.
  const waiting = rivals.reduce((sum, rival) => sum + (rival.plan?.features.modelBytes ?? 0), 0);
  return {
    plan: alone,
    rivals,
    estimate: {
      bytes: Math.max(...efforts.map(({ bytes }) => bytes)) + waiting,
      seconds: efforts.reduce((sum, { seconds }) => sum + seconds, 0),
    },
  };
};

/**
 * Carries out the nulls of a score and sets them beside it, each with the paired difference to it; a warning says which
 * of the mean map, pixels and the random twin it does not beat. Finished fits are kept in the cache as those of layers
 * are. Rejects with the `stopped` error after an interrupt.
 */
export const scoreNulls = async (
  { plan, rivals }: NullPlan,
  result: ScoreResult,
  ports: Ports,
): Promise<ScoreResult> => {
  const startedAt = ports.now();
  const nulls = [
    ...(await permuted(plan, result, ports)),
    ...(plan.recording.header.grid === null ? [] : [meanMap(plan, result)]),
  ];
  for (const rival of rivals) nulls.push(await scoreRival(rival, result, plan, ports));
  const { warnings, provenance } = result.score;
  return {
    ...result,
    score: {
      ...result.score,
      nulls,
      warnings: [...warnings, ...unbeaten(nulls)],
      provenance: withTimeSince(provenance, startedAt, ports),
    },
  };
};

const rivalOf = async (
  plan: ScorePlan,
  name: RivalName,
  subject: Subject,
  notes: readonly string[],
  ports: Ports,
): Promise<Rival> => {
  const most = Math.max(...subject.features.layers.map(({ features }) => features));
  const { layout, note } = withinFeatures(plan.laidOut.layout, most);
  const laidOut = { ...plan.laidOut, layout };
  const all = [...notes, ...(note === null ? [] : [note])];
  return {
    name,
    plan: await planSubject({ ...plan, laidOut, protocol: layout.protocol }, subject, ports),
    note: all.length === 0 ? null : all.join('; '),
  };
};

/** A null that cannot be had must not cost the score: what stands in its way is said in its row. */
const unlessImpossible = async <T>(
  { checkStop }: Ports,
  work: () => Promise<T>,
  otherwise: (why: string) => T,
): Promise<T> => {
  try {
    return await work();
  } catch (thrown) {
    // An engine that an interrupt has closed is no reason.
    checkStop();
    if (!(thrown instanceof VentralError) || !['input', 'engine'].includes(thrown.kind))
      throw thrown;
    return otherwise(`not applicable: ${thrown.message}`);
  }
};

const positionRival = async (plan: ScorePlan, ports: Ports): Promise<Rival> => {
  const features = positionFeatures(plan.laidOut.layout);
  if (features === null)
    return { name: 'position', plan: null, note: 'not applicable to a single fixation' };
  const provenance = { model: null, activations: null, preprocessing: null };
  return rivalOf(plan, 'position', { features, provenance }, [], ports);
};

const pixelRival = (plan: ScorePlan, ports: Ports): Promise<Rival> =>
  unlessImpossible<Rival>(
    ports,
    async () => {
      const { preprocessing } = plan.provenance;
      const subject = await openPixelsSubject(
        preprocessing ?? presetNamed('imagenet-224')!,
        contextOf(plan),
        ports,
      );
      const notes = preprocessing === null ? ['preprocessing imagenet-224'] : [];
      return rivalOf(plan, 'pixels', subject, notes, ports);
    },
    (note) => ({ name: 'pixels', plan: null, note }),
  );

const twinRival = (plan: ScorePlan, ports: Ports): Promise<Rival> => {
  const name = 'random-twin';
  return unlessImpossible<Rival>(
    ports,
    async () => {
      const { request } = plan;
      if (request.subject.kind === 'activations')
        return { name, plan: null, note: 'not applicable to activations from a file' };
      const { subject, note } = await openTwinSubject(
        request.subject,
        contextOf(plan),
        request.seed,
        ports,
      );
      if (subject === null) return { name, plan: null, note: `not applicable: ${note}` };
      return rivalOf(plan, name, subject, note === null ? [] : [note], ports);
    },
    (note) => ({ name, plan: null, note }),
  );
};

/** The widest layer may turn out the best. */
const permutationEffort = ({ features, laidOut }: ScorePlan, ports: Ports) => {
  const sets = permutationCount * permutationKinds(laidOut.layout).length;
  return effortOfWidest(features, { ...shapeOf(laidOut), sets, choosing: 0 }, ports);
};

/** The network's best layer against permuted responses, all permutations from one Gram matrix. */
const permuted = async (
  plan: ScorePlan,
  { score: found }: ScoreResult,
  ports: Ports,
): Promise<NullScore[]> => {
  const { layout, scored } = plan.laidOut;
  const sets = permutedSets(layout, scored, plan.request.seed);
  const key = await fitKey(ports.hash, {
    permutationsOf: plan.layers.find(({ name }) => name === found.layer)!.key,
    timeBin: found.timeBin,
    kinds: permutationKinds(layout),
    count: sets.length,
  });
  const named = during('permutations', ports);
  const kept = await getFit(ports.cache, key);
  const fit =
    kept ??
    (await fitLayer(
      layout,
      { sets, choosing: [] },
      await sourceOf(plan, found.layer, named),
      named,
    ));
  if (kept === null) await putFit(ports.cache, key, fit);
  const figures = evaluateSets(layout, found.layer, sets, unstacked(fit.predictions));
  return permutationKinds(layout).map((kind) => permutationNull(layout, figures, kind, found));
};

const meanMap = (plan: ScorePlan, result: ScoreResult): NullScore => {
  const { laidOut, request } = plan;
  const { layout, scored } = laidOut;
  const predicted = meanMaps(layout, scored);
  const resampling = prepareResampling(layout, scored.ceiling, request.seed);
  const scores = evaluateLayer(layout, scored, resampling, {
    name: 'mean-map',
    features: 0,
    predictions: predicted,
    arithmetic: 'mean',
    strengths: null,
    warnings: [],
  });
  const { value, raw, interval } = scores;
  const difference =
    value === null
      ? null
      : differenceTo(
          {
            score: { ...result.score, value, choice: null, layer: scores.layer, layers: [scores] },
            predictions: { ...result.predictions, predicted },
          },
          result,
          request.seed,
        );
  return { name: 'mean-map', value, raw, interval, layer: null, difference, note: null };
};

const scoreRival = async (
  { name, plan, note }: Rival,
  result: ScoreResult,
  { request }: ScorePlan,
  ports: Ports,
): Promise<NullScore> => {
  const absent = { name, value: null, raw: null, interval: null, layer: null, difference: null };
  if (plan === null) return { ...absent, note };
  return unlessImpossible<NullScore>(
    ports,
    async () => {
      const rival = await score(plan, during(name, ports));
      const { value, raw, interval, layer } = rival.score;
      const difference = differenceTo(rival, result, request.seed);
      return { name, value, raw, interval, layer, difference, note };
    },
    (why) => ({ ...absent, note: why }),
  );
};

const differenceTo = (
  rival: Pick<ScoreResult, 'score' | 'predictions'>,
  result: Pick<ScoreResult, 'score' | 'predictions'>,
  seed: number,
): NullScore['difference'] => {
  const contender = (name: string, { score: found, predictions }: typeof rival): Contender => ({
    name,
    score: found,
    heldOut: predictions,
  });
  const { difference, interval, p, method } = pairedDifference(
    contender('the network', result),
    contender('the null', rival),
    seed,
  );
  return Number.isNaN(difference) ? null : { value: difference, interval, p, method };
};

const during = (name: string, ports: Ports): Ports => ({
  ...ports,
  progress: (event) => ports.progress({ ...event, task: `${name}: ${event.task}` }),
});
