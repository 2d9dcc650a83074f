// From what is open (a recording laid out, a candidate's activations) to a score: every layer's regression under
// cross-validation, correlations on held-out images / noise ceiling, the best layer.

import {
  type LearningCurveCost,
  learningCurveCost,
  learningCurveOf,
} from './analysis/learning-curve.ts';
import { unstacked } from './numeric/array.ts';
import type { FeatureSource, Features, LayerSize } from './records/activations.ts';
import type { Float64Nd } from './records/array.ts';
import type { LayerFit } from './records/fit.ts';
import type { LayerPredictions } from './records/layer-predictions.ts';
import type { Ports } from './records/ports.ts';
import type { Protocol } from './records/protocol.ts';
import {
  knownInput,
  type Provenance,
  type RunBefore,
  timedRun,
  withTimeSince,
} from './records/provenance.ts';
import type { Recording } from './records/recording.ts';
import type { HeldOut, LayerScore, Score, TimeCourse } from './records/score.ts';
import type { Candidate, CandidateContext, CandidateRequest } from './scoring/candidate.ts';
import { ceilingIntervalOf } from './scoring/ceiling-interval.ts';
import { divisorsOf } from './scoring/ceilings.ts';
import { chooseLayers } from './scoring/choose-layers.ts';
import { nothingInCommon, sideBySide } from './scoring/common-sites.ts';
import { type Cost, costOf, fitShapeOf } from './scoring/cost.ts';
import { nullable } from './scoring/defined.ts';
import { standardErrorOverSplitsOf } from './scoring/error-over-splits.ts';
import { bestLayer, evaluateLayer, evaluateSets } from './scoring/evaluate.ts';
import { type FittedSets, fitLayer } from './scoring/fit-layer.ts';
import { prepareResampling } from './scoring/intervals.ts';
import type { LaidOut } from './scoring/lay-out.ts';
import { layerPredictionsOf } from './scoring/layer-predictions.ts';
import { foldOfRows } from './scoring/layout.ts';
import { selectionBasis } from './scoring/nested.ts';
import { outOfRange } from './scoring/out-of-range.ts';
import { fitReadouts, type SiteReadouts } from './scoring/readout.ts';
import { fitKey, getFit, putFit } from './store/layer-cache.ts';

/** What a score is computed under, beside recording, candidate and protocol. */
export interface ScoreConditions {
  /** Globs over layer names; null: all layers. */
  readonly layers: readonly string[] | null;
  /** Bytes that the run may take. */
  readonly memory: number;
  readonly seed: number;
  /** Fit every time bin of the recording in one pass (`all`), or the scored one only. */
  readonly timeBins: 'all' | 'best';
  /** Sites of the time course: those that all bins use (`common`), or each bin's `own`. */
  readonly timeCourseSites: 'common' | 'own';
}

export interface PlannedLayer extends LayerSize {
  readonly slices: number;
  /** Key of the finished fit in the cache. */
  readonly key: string;
  readonly done: boolean;
}

/** A planned score with all that is open for it. */
export interface OpenScore {
  readonly conditions: ScoreConditions;
  readonly candidate: CandidateRequest;
  readonly recording: Recording;
  readonly protocol: Protocol;
  readonly laidOut: LaidOut;
  readonly features: Features;
  readonly layers: readonly PlannedLayer[];
  readonly estimate: Cost;
  readonly provenance: Omit<Provenance, 'run'> & { readonly run: RunBefore };
  readonly warnings: readonly string[];
}

/** A score, with what else the run knows of it. */
export interface ScoreResult {
  readonly score: Score;
  /** Held-out predictions of the best layer, or of the chosen ones. */
  readonly predictions: HeldOut;
  /** Those of all layers, put together when they are asked for. */
  readonly layerPredictions: () => LayerPredictions;
  /** The best layer's regression on all rows, fitted when it is asked for. */
  readonly readout: () => Promise<SiteReadouts>;
}

/** What a network, or a null in its place, is shown. */
export const contextOf = ({
  conditions: { layers, memory },
  recording,
  laidOut,
  provenance,
}: PlanBasis): CandidateContext => ({
  recording,
  shape: fitShapeOf(laidOut),
  stimuli: knownInput(provenance, 'stimuli').sha256!,
  layers,
  memory,
});

/** The part of a plan that does not depend on what is scored. */
export type PlanBasis = Pick<
  OpenScore,
  'conditions' | 'candidate' | 'recording' | 'protocol' | 'laidOut' | 'warnings'
> & { readonly provenance: Omit<OpenScore['provenance'], 'engineCheck'> };

/** What comes with a candidate: of a plan whose candidate is exchanged, the other inputs stay. */
const candidateRoles: readonly string[] = ['model', 'activations', 'preprocessing'];

/** Completes a plan with what is scored: a network, activations, or a null in their place. */
export const planCandidate = async (
  basis: PlanBasis,
  { features, provenance }: Candidate,
  ports: Ports,
): Promise<OpenScore> => {
  const layers = await planLayers(features, basis, ports);
  return {
    ...basis,
    features,
    layers,
    estimate: await costOf(features, layers, fitShapeOf(basis.laidOut), ports),
    provenance: {
      ...{ run: basis.provenance.run, engineCheck: provenance.engineCheck },
      inputs: [
        ...provenance.inputs,
        ...basis.provenance.inputs.filter(({ role }) => !candidateRoles.includes(role)),
      ],
    },
    warnings: [...basis.warnings, ...features.warnings],
  };
};

/**
 * Predicts the sites from every layer, one after another, and scores what is predicted; finished layers are kept in the cache,
 * and are not computed again. Rejects with the `stopped` error after an interrupt.
 */
export const scoreLayers = async (plan: OpenScore, ports: Ports): Promise<ScoreResult> => {
  const startedAt = ports.now();
  const fits = await fitLayers(plan, ports);
  const { laidOut, recording } = plan;
  const { layout, fitted, scored } = laidOut;
  const place = fitted.indexOf(scored);
  const predictionsOf = (layer: string): Float64Nd[] => unstacked(fits.get(layer)!.predictions);
  ports.progress({ task: 'intervals', done: 0, total: plan.layers.length, unit: 'layers' });
  const resampling = prepareResampling(layout, scored.ceiling, plan.conditions.seed);
  const layers = plan.layers.map((layer, index) => {
    const { arithmetic, alphas, warnings } = fits.get(layer.name)!;
    const scores = evaluateLayer(layout, scored, resampling, {
      name: layer.name,
      features: layer.features,
      place: layer.place ?? null,
      predictions: predictionsOf(layer.name)[place]!,
      arithmetic,
      alphas: alphas?.[place] ?? null,
      warnings,
    });
    const done = index + 1;
    ports.progress({ task: 'intervals', done, total: plan.layers.length, unit: 'layers' });
    ports.checkStop();
    return scores;
  });
  const best = bestLayer(layers);
  const options = layers.map((scores) => ({
    scores,
    selectionValues: fits.get(scores.layer)!.selectionValues?.[0] ?? null,
    predictions: predictionsOf(scores.layer)[place]!,
  }));
  const chosen = chooseLayers(layout, scored, resampling, options, best.value);
  const timeCourse = timeCourseOf(plan, predictionsOf);
  return {
    score: assemble(plan, best, {
      layers,
      nestedSelection: chosen?.nestedSelection ?? null,
      ceilingInterval: ceilingIntervalOf(layout, scored, resampling),
      timeCourse,
      startedAt,
      endedAt: ports.now(),
    }),
    predictions: {
      recorded: scored.recorded,
      predicted: chosen?.predictions ?? predictionsOf(best.layer)[place]!,
      stimulusIds: Array.from(layout.imageOfScored, (image) => recording.stimuli[image]!.id),
      siteIds: layout.siteIds,
      folds: foldOfRows(layout),
      ceiling: divisorsOf(scored.ceiling),
      drawnWith: Array.from(layout.drawnWith, (image) => recording.stimuli[image]!.id),
    },
    layerPredictions: () =>
      layerPredictionsOf(
        layout,
        scored,
        recording.stimuli.map(({ id }) => id),
        plan.layers.map(({ name }) => ({ name, predictions: predictionsOf(name)[place]! })),
      ),
    readout: () => readoutOf(plan, best.layer, ports),
  };
};

const timeCourseOf = (
  { laidOut: { layout, fitted }, layers, conditions }: OpenScore,
  predictionsOf: (layer: string) => Float64Nd[],
): TimeCourse | null => {
  if (fitted.length < 2) return null;
  const { bins, ...sites } = sideBySide(layout, fitted, conditions.timeCourseSites !== 'own');
  return {
    timeBins: bins.map(({ label }) => label.timeBin),
    ceilings: bins.map(({ overallCeiling }) => nullable(overallCeiling)),
    ...sites,
    layers: layers.map(({ name }) => evaluateSets(layout, name, bins, predictionsOf(name))),
  };
};

/** The regression of a layer on all rows: `weights [features, sites]` and `offset [sites]`, for maps and saliency. */
const readoutOf = async (plan: OpenScore, layer: string, ports: Ports): Promise<SiteReadouts> => {
  const source = await sourceOf(plan, layer, ports);
  const settings = plan.protocol.regression;
  return fitReadouts(
    { engine: ports.engine, source, settings, watch: ports },
    plan.laidOut.scored.responses,
  );
};

const learningCurveConditions = ({ conditions: { memory, seed } }: OpenScore) => ({ memory, seed });

/** What the curve of the best layer takes, beside the plan. */
export const planLearningCurve = (plan: OpenScore, ports: Ports): Promise<LearningCurveCost> =>
  learningCurveCost(plan.laidOut, plan.features, learningCurveConditions(plan), ports);

/** A result with the learning curve of its best layer: the score, had fewer trials or sites been recorded. */
export const withLearningCurve = async (
  plan: OpenScore,
  result: ScoreResult,
  ports: Ports,
): Promise<ScoreResult> => {
  const startedAt = ports.now();
  const { layer, provenance } = result.score;
  const learningCurve = await learningCurveOf(
    plan.laidOut,
    () => sourceOf(plan, layer, ports),
    { layer, ...learningCurveConditions(plan) },
    ports,
  );
  return {
    ...result,
    score: {
      ...result.score,
      learningCurve,
      provenance: withTimeSince(provenance, startedAt, ports),
    },
  };
};

const planLayers = (
  features: Features,
  { laidOut: { layout, fitted, scored }, recording, conditions: { seed } }: PlanBasis,
  ports: Ports,
): Promise<PlannedLayer[]> => {
  const { protocol, siteIds, stimuli } = layout;
  return Promise.all(
    features.passes.flatMap(({ layers, slices }) =>
      layers.map(async (layer) => {
        const key = await fitKey(ports.hash, {
          ...features.identity,
          tensor: layer.tensor,
          slices,
          recording: recording.hash,
          images: Array.from(stimuli),
          siteIds,
          timeBins: fitted.map(({ label }) => label.timeBin),
          regression: protocol.regression,
          folds: protocol.folds,
          nestedSelection: selectionBasis(layout, scored),
          seed,
          engine: ports.engine.version,
          device: ports.engine.device,
        });
        return { ...layer, slices, key, done: (await getFit(ports.cache, key)) !== null };
      }),
    ),
  );
};

const fitLayers = async (plan: OpenScore, ports: Ports): Promise<Map<string, LayerFit>> => {
  const { layout, fitted, scored } = plan.laidOut;
  const sets: FittedSets = { sets: fitted, choosing: [scored] };
  const fits = new Map<string, LayerFit>();
  const planned = new Map(plan.layers.map((layer) => [layer.name, layer]));
  for (const pass of plan.features.passes) {
    for (const { name } of pass.layers) {
      const found = await getFit(ports.cache, planned.get(name)!.key);
      if (found !== null) fits.set(name, found);
    }
    const sources = await plan.features.gather(pass, ({ name }) => !fits.has(name), ports);
    for (const source of sources) {
      const fit = await fitLayer(layout, sets, source, ports);
      await putFit(ports.cache, planned.get(source.name)!.key, fit);
      fits.set(source.name, fit);
    }
  }
  return fits;
};

/** The activations of one layer, gathered anew. */
export const sourceOf = async (
  { features }: Pick<OpenScore, 'features'>,
  layer: string,
  ports: Ports,
): Promise<FeatureSource> => {
  for (const pass of features.passes) {
    if (!pass.layers.some(({ name }) => name === layer)) continue;
    const [source] = await features.gather(pass, ({ name }) => name === layer, ports);
    return source!;
  }
  throw new Error(`no pass gathers layer ${layer}`);
};

interface Parts
  extends Pick<Score, 'layers' | 'nestedSelection' | 'ceilingInterval' | 'timeCourse'> {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
}

const assemble = (
  { recording, protocol, laidOut, provenance, warnings }: OpenScore,
  best: LayerScore & { readonly value: number },
  { layers, nestedSelection, ceilingInterval, timeCourse, startedAt, endedAt }: Parts,
): Score => {
  const scores = nestedSelection?.scores ?? best;
  const { layout, scored } = laidOut;
  const areas = new Set(recording.header.sites.map(({ area }) => area));
  return {
    kind: 'neural-predictivity',
    format: 2,
    area: [...areas].join('+'),
    value: scores.value!,
    raw: scores.raw!,
    ceiling: scores.ceiling!,
    ceilingInterval,
    nullCeiling: laidOut.nullCeiling,
    interval: scores.interval,
    layer: best.layer,
    nestedSelection,
    standardErrorOverSplits: standardErrorOverSplitsOf(layout, scored.ceiling, scores),
    timeBin: scored.label.timeBin,
    protocol,
    layers,
    timeCourse,
    nulls: null,
    learningCurve: null,
    excludedSites: laidOut.excludedSites,
    responses: laidOut.responses,
    warnings: [
      ...warnings,
      ...nothingInCommon(timeCourse),
      ...outOfRange(protocol.ceiling, scores, layers, timeCourse),
    ],
    provenance: { ...provenance, run: timedRun(provenance.run, startedAt, endedAt) },
  };
};
