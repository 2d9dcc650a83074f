import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { BinScores, LayerScore } from '../records/score.ts';
import { type Aggregate, aggregate, foldScores, siteScores } from './aggregate.ts';
import { aggregationOf } from './aggregation.ts';
import type { Ceiling } from './ceiling.ts';
import { correlate } from './correlations.ts';
import { nullable } from './defined.ts';
import { type Compared, intervalOf, type Resampling } from './intervals.ts';
import type { Layout } from './layout.ts';
import { withoutMeanPredictions } from './mean-predictions.ts';
import { aroundTraining, type Both } from './pooling.ts';
import type { ResponseSet } from './response-sets.ts';

/** One layer's held-out predictions of one response set, scored. */
export interface Evaluated {
  /**
   * What is correlated, `[rows scored, sites]` each: predictions are NaN for sites of which the regression knew nothing but
   * the mean; both are less the training mean where rows of several folds are correlated together.
   */
  readonly both: Both;
  /** `[groups, sites]`, within each group. */
  readonly correlations: Float64Nd;
  readonly aggregated: Aggregate;
}

/**
 * Held-out predictions `[rows scored, sites]` → correlations within groups → divided by the ceiling and aggregated, as the
 * protocol says.
 */
export const evaluate = (
  { protocol, groups, heldOut }: Pick<Layout, 'protocol' | 'groups' | 'heldOut'>,
  { responses, recorded, ceiling }: Omit<ResponseSet, 'label'>,
  predictions: Float64Nd,
): Evaluated => {
  const predicted = withoutMeanPredictions({ responses, recorded }, predictions, heldOut);
  const both =
    aggregationOf(protocol).over === 'rows'
      ? aroundTraining(responses, { recorded, predicted }, heldOut)
      : { recorded, predicted };
  const correlations = correlate(both.recorded, both.predicted, groups, protocol.correlation);
  const aggregated = aggregate(correlations, ceiling, protocol.normalisation);
  return { both, correlations, aggregated };
};

/** Scored rows beside what predicts them. */
export const comparedWith = (
  { drawnWith, groups, protocol: { correlation } }: Layout,
  { recorded, predicted }: Both,
): Compared => ({ recorded, predicted, drawnWith, groups, correlation });

/** One layer's predictions `[rows scored, sites]` of a response set, and how they came about. */
export interface Fitted extends Pick<LayerScore, 'alphas' | 'warnings'> {
  readonly name: string;
  readonly features: number;
  /** Where the layer stands in its network. */
  readonly place?: LayerScore['place'];
  readonly predictions: Float64Nd;
  readonly arithmetic: string;
}

/** Everything that a score says of one layer: `evaluate`, per fold and per site, with the interval. */
export const evaluateLayer = (
  layout: Layout,
  set: ResponseSet,
  resampling: Resampling,
  { name, features, place = null, predictions, arithmetic, alphas, warnings }: Fitted,
): LayerScore => {
  const { protocol, aggregation, siteIds, heldOut } = layout;
  const { ceiling } = set;
  const { both, correlations, aggregated } = evaluate(layout, set, predictions);
  const withinFolds =
    aggregation.over === 'rows'
      ? correlate(both.recorded, both.predicted, heldOut, protocol.correlation)
      : correlations;
  return {
    layer: name,
    features,
    place,
    value: nullable(aggregated.value),
    raw: nullable(aggregated.raw),
    ceiling: nullable(aggregated.ceiling),
    interval: intervalOf(resampling, comparedWith(layout, both), ceiling, aggregated),
    sitesUsed: aggregated.sitesUsed,
    folds: foldScores(layout, withinFolds, ceiling, aggregated),
    sites: siteScores(siteIds, ceiling, aggregated),
    regression: arithmetic,
    alphas,
    warnings: [...warnings, ...undefinedCorrelations(correlations, ceiling, aggregated)],
  };
};

/** One layer's values of each of several response sets, from its predictions of them; null where not defined. */
export const evaluateSets = (
  layout: Layout,
  layer: string,
  sets: readonly ResponseSet[],
  predictions: readonly Float64Nd[],
): BinScores => {
  const aggregated = sets.map(
    (set, place) => evaluate(layout, set, predictions[place]!).aggregated,
  );
  return {
    layer,
    raw: aggregated.map(({ raw }) => nullable(raw)),
    value: aggregated.map(({ value }) => nullable(value)),
  };
};

const undefinedCorrelations = (
  correlations: Float64Nd,
  ceiling: Ceiling,
  { value }: Aggregate,
): string[] => {
  const lost = correlations.data.filter(
    (r, index) => Number.isNaN(r) && !Number.isNaN(ceiling.perSite.data[index]!),
  ).length;
  if (lost === 0) return [];
  const all = Number.isNaN(value) ? ', so the layer has no score' : '';
  return [
    `${lost} of ${correlations.data.length} correlations are not defined (a constant response, or nothing to predict it by)${all}`,
  ];
};

/** The layer with the highest value; the first of equals. Input error where no layer has one. */
export const bestLayer = (layers: readonly LayerScore[]): LayerScore & { value: number } => {
  const scored = layers.filter(
    (layer): layer is LayerScore & { value: number } => layer.value !== null,
  );
  const [first, ...rest] = scored;
  if (first === undefined)
    throw inputError({
      where: 'layers',
      expected: 'at least one layer with a defined score',
      got: layers[0]?.warnings[0] ?? 'no layer',
      mend: 'check the preprocessing and the model: its activations do not vary over the stimuli',
    });
  return rest.reduce((best, layer) => (layer.value > best.value ? layer : best), first);
};
