// How much of a score could have come from nothing: the same protocol on permuted responses, on the mean map and on
// position (grids), on pixels, and on the same network with fresh random weights. Planned after the score, carried out
// after it.

import { pairedDifference } from './analysis/compare.ts';
import type { Contender } from './analysis/paired-sites.ts';
import { reachedByChance, unbeaten } from './controls/null-warnings.ts';
import {
  type Batch,
  type DrawsKeeper,
  type PermutationBasis,
  permutationCost,
  permutationNulls,
} from './controls/permutation-run.ts';
import { usualPermutations } from './controls/permutations.ts';
import { meanTrainingMaps, positionFeatures } from './controls/position-nulls.ts';
import { ofDraws } from './controls/twins.ts';
import { presetNamed } from './models/presets.ts';
import { createRandom } from './numeric/random.ts';
import {
  contextOf,
  type OpenScore,
  type PlannedLayer,
  planCandidate,
  type ScoreResult,
  scoreLayers,
} from './predictivity.ts';
import { VentralError } from './records/errors.ts';
import type { Ports } from './records/ports.ts';
import { findInput, withTimeSince } from './records/provenance.ts';
import type { NullScore } from './records/score.ts';
import { during } from './records/watch.ts';
import { type Candidate, openPixelsCandidate, openTwinCandidate } from './scoring/candidate.ts';
import type { Cost } from './scoring/cost.ts';
import { evaluateLayer } from './scoring/evaluate.ts';
import { prepareResampling } from './scoring/intervals.ts';
import { onlyScored } from './scoring/lay-out.ts';
import { withinFeatures } from './scoring/layout.ts';
import { getDraws, putDraws } from './store/draws-cache.ts';
import { fitKey } from './store/layer-cache.ts';

type RivalName = Extract<NullScore['name'], 'position' | 'pixels' | 'random-twin'>;

/** A null that is scored in the network's place, planned: what it takes, and its plan when its turn comes. */
interface RivalDraw {
  readonly layers: readonly PlannedLayer[];
  readonly estimate: Cost;
  readonly open: () => Promise<OpenScore>;
}

/** A null that is scored in the network's place, with layers of its own, once or for several draws; or why it is not. */
export interface Rival {
  readonly name: RivalName;
  readonly draws: readonly RivalDraw[];
  readonly note: string | null;
}

/** Random twins of one network. */
export const twinDraws = 3;

/** The nulls of a planned score. */
export interface NullPlan {
  readonly plan: OpenScore;
  /** Permutations of the kind that the test rests on, at most. */
  readonly permutations: number;
  readonly rivals: readonly Rival[];
  /** What they take beside the score itself, at most: permutations may end early. */
  readonly estimate: Cost;
}

/**
 * Plans the nulls of a planned score: opens pixels and the random twins, and works out memory and time.
 *
 * @param permutations draws, at most: fewer cannot find a p below 1/(permutations + 1).
 */
export const planNulls = async (
  plan: OpenScore,
  ports: Ports,
  permutations = usualPermutations,
): Promise<NullPlan> => {
  const alone: OpenScore = { ...plan, laidOut: onlyScored(plan.laidOut) };
  const rivals = [
    ...(plan.recording.header.grid === null ? [] : [await positionRival(alone, ports)]),
    await pixelRival(alone, ports),
    await twinRival(alone, ports),
  ];
  const basis = basisOf(alone, permutations);
  const costs = [
    await permutationCost(basis, keeperOf(alone, ports), ports),
    ...rivals.flatMap(({ draws }) => draws.map(({ estimate }) => estimate)),
  ];
  return {
    plan: alone,
    permutations,
    rivals,
    estimate: {
      bytes: Math.max(...costs.map(({ bytes }) => bytes)),
      seconds: costs.reduce((sum, { seconds }) => sum + seconds, 0),
    },
  };
};

/**
 * Carries out the nulls of a score and sets them beside it, each with the difference to it; a warning says which of the
 * mean map, pixels and the random twins it does not beat, and whether permutations reach it. What is finished is kept in
 * the cache as fits of layers are. Rejects with the `stopped` error after an interrupt.
 */
export const scoreNulls = async (
  { plan, permutations, rivals }: NullPlan,
  result: ScoreResult,
  ports: Ports,
): Promise<ScoreResult> => {
  const startedAt = ports.now();
  const basis = basisOf(plan, permutations);
  const nulls = [
    ...(await permutationNulls(basis, result.score.value, keeperOf(plan, ports), ports)),
    ...(plan.recording.header.grid === null ? [] : [meanMap(plan, result)]),
  ];
  for (const rival of rivals) nulls.push(await scoreRival(rival, result, plan, ports));
  const { warnings, provenance } = result.score;
  return {
    ...result,
    score: {
      ...result.score,
      nulls,
      warnings: [...warnings, ...reachedByChance(nulls), ...unbeaten(nulls)],
      provenance: withTimeSince(provenance, startedAt, ports),
    },
  };
};

const basisOf = (
  { laidOut, features, recording, conditions: { seed, memory } }: OpenScore,
  asked: number,
): PermutationBasis => ({
  laidOut,
  features,
  stimuli: recording.stimuli,
  seed,
  asked,
  memory,
});

/** The cache of finished batches: each depends on all layers that are chosen from, and on how they are scored. */
const keeperOf = ({ layers, laidOut, recording }: OpenScore, ports: Ports): DrawsKeeper => {
  const { correlation, ceiling, aggregation, normalisation, layerChoice } = laidOut.layout.protocol;
  const keyOf = ({ kind, draws }: Batch) =>
    fitKey(ports.hash, {
      permutationsOf: layers.map(({ key }) => key),
      recording: recording.hash,
      timeBin: laidOut.scored.label.timeBin,
      ...{ correlation, ceiling, aggregation, normalisation, layerChoice },
      ...{ kind, draws },
    });
  return {
    get: async (batch) => getDraws(ports.cache, await keyOf(batch)),
    put: async (batch, found) => putDraws(ports.cache, await keyOf(batch), found),
  };
};

/** A subject in the network's place, and what was done otherwise for it. */
const planRival = async (
  plan: OpenScore,
  candidate: Candidate,
  ports: Ports,
): Promise<{ readonly plan: OpenScore; readonly note: string | null }> => {
  const most = Math.max(...candidate.features.layers.map(({ features }) => features));
  const { layout, note } = withinFeatures(plan.laidOut.layout, most);
  const laidOut = { ...plan.laidOut, layout };
  return {
    plan: await planCandidate({ ...plan, laidOut, protocol: layout.protocol }, candidate, ports),
    note,
  };
};

const joined = (...notes: readonly (string | null)[]): string | null => {
  const all = notes.filter((note) => note !== null);
  return all.length === 0 ? null : all.join('; ');
};

/** One layer against what may be the highest of several. */
const againstBest = ({ layers, protocol }: OpenScore): string | null =>
  protocol.layerChoice === 'best' && layers.length > 1
    ? `one layer beside the best of ${layers.length}: the difference contains what their choice gains`
    : null;

const singleRival = async (
  plan: OpenScore,
  name: RivalName,
  candidate: Candidate,
  note: string | null,
  ports: Ports,
): Promise<Rival> => {
  const own = await planRival(plan, candidate, ports);
  const { layers, estimate } = own.plan;
  return {
    name,
    draws: [{ layers, estimate, open: async () => own.plan }],
    note: joined(note, own.note, againstBest(plan)),
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

const positionRival = async (plan: OpenScore, ports: Ports): Promise<Rival> => {
  const features = positionFeatures(plan.laidOut.layout);
  if (features === null)
    return { name: 'position', draws: [], note: 'not applicable to a single fixation' };
  const provenance = { inputs: [], engineCheck: null };
  return singleRival(plan, 'position', { features, provenance }, null, ports);
};

const pixelRival = (plan: OpenScore, ports: Ports): Promise<Rival> =>
  unlessImpossible<Rival>(
    ports,
    async () => {
      const preprocessing = findInput(plan.provenance, 'preprocessing')?.settings;
      const candidate = await openPixelsCandidate(
        preprocessing ?? presetNamed('imagenet-224')!,
        contextOf(plan),
        ports,
      );
      const note = preprocessing === undefined ? 'preprocessing imagenet-224' : null;
      return singleRival(plan, 'pixels', candidate, note, ports);
    },
    (note) => ({ name: 'pixels', draws: [], note }),
  );

/** The first twin is drawn from the seed itself. */
const twinSeed = (seed: number, draw: number): number =>
  draw === 0
    ? seed
    : createRandom(seed)
        .fork(`twin ${draw}`)
        .int(2 ** 31);

/** Twins are opened one after another, and again when their turn comes: one at a time is in memory. */
const twinRival = (plan: OpenScore, ports: Ports): Promise<Rival> => {
  const name = 'random-twin';
  return unlessImpossible<Rival>(
    ports,
    async () => {
      const { candidate, conditions } = plan;
      if (candidate.kind === 'activations')
        return { name, draws: [], note: 'not applicable to activations from a file' };
      const openDraw = async (draw: number) => {
        const seed = twinSeed(conditions.seed, draw);
        const twin = await openTwinCandidate(candidate, contextOf(plan), seed, ports);
        if (twin.candidate === null) return twin;
        const own = await planRival(plan, twin.candidate, ports);
        return { ...own, note: joined(twin.note, own.note) };
      };
      const draws: RivalDraw[] = [];
      let note: string | null = null;
      for (let draw = 0; draw < twinDraws; draw++) {
        const opened = await openDraw(draw);
        if ('candidate' in opened)
          return { name, draws: [], note: `not applicable: ${opened.note}` };
        const { layers, estimate } = opened.plan;
        const open = async (): Promise<OpenScore> => {
          const again = await openDraw(draw);
          if ('candidate' in again) throw new Error(`twin ${draw} could be drawn only once`);
          return again.plan;
        };
        draws.push({ layers, estimate, open });
        note = opened.note;
      }
      return { name, draws, note };
    },
    (note) => ({ name, draws: [], note }),
  );
};

const meanMap = (plan: OpenScore, result: ScoreResult): NullScore => {
  const { laidOut, conditions } = plan;
  const { layout, scored } = laidOut;
  const predicted = meanTrainingMaps(layout, scored);
  const resampling = prepareResampling(layout, scored.ceiling, conditions.seed);
  const scores = evaluateLayer(layout, scored, resampling, {
    name: 'mean-map',
    features: 0,
    predictions: predicted,
    arithmetic: 'mean',
    alphas: null,
    warnings: [],
  });
  const { value, raw, interval } = scores;
  const difference =
    value === null
      ? null
      : differenceTo(
          {
            score: {
              ...result.score,
              value,
              nestedSelection: null,
              layer: scores.layer,
              layers: [scores],
            },
            predictions: { ...result.predictions, predicted },
          },
          result,
          conditions.seed,
        );
  const note = againstBest(plan);
  return { name: 'mean-map', value, raw, interval, layer: null, draws: null, difference, note };
};

const scoreRival = async (
  { name, draws, note }: Rival,
  result: ScoreResult,
  { conditions }: OpenScore,
  ports: Ports,
): Promise<NullScore> => {
  const absent = { name, value: null, raw: null, interval: null, layer: null, draws: null };
  if (draws.length === 0) return { ...absent, difference: null, note };
  return unlessImpossible<NullScore>(
    ports,
    async () => {
      const scored: NullScore[] = [];
      for (const [draw, { open }] of draws.entries()) {
        const named = during(draws.length === 1 ? name : `${name} ${draw + 1}`, ports);
        const rival = await scoreLayers(await open(), named);
        const { value, raw, interval, layer } = rival.score;
        const difference = differenceTo(rival, result, conditions.seed);
        scored.push({ name, value, raw, interval, layer, draws: null, difference, note });
      }
      return draws.length === 1 ? scored[0]! : ofDraws(scored);
    },
    (why) => ({ ...absent, difference: null, note: why }),
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
