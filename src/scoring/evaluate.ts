import type { LayerSize } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { BinScores, LayerScore } from '../records/score.ts';
import { type Aggregate, aggregate, foldScores, siteScores } from './aggregate.ts';
import type { Ceiling } from './ceilings.ts';
import { correlate } from './correlations.ts';
import { nullable } from './defined.ts';
import { withoutGuesses } from './guesses.ts';
import { intervalOf, type Resampling } from './intervals.ts';
import { chosenBin, comparedWith, predictedParts, type Target } from './target.ts';

/** Correlates, ceils and aggregates one layer's held-out predictions of the chosen time bin (`[rows scored, sites]`). */
export const evaluateLayer = (
  target: Target,
  resampling: Resampling,
  layer: Pick<LayerSize, 'name' | 'features' | 'place'>,
  predictions: Float64Nd,
  regression: Pick<LayerScore, 'strengths' | 'warnings'> & { readonly arithmetic: string },
): LayerScore => {
  const { protocol, groups, siteIds, heldOut } = target;
  const bin = chosenBin(target);
  const { recorded, ceiling } = bin;
  const predicted = withoutGuesses(recorded, predictions, predictedParts(target, bin));
  const withinGroups = correlate(recorded, predicted, groups, protocol.correlation);
  const withinFolds =
    protocol.aggregation === 'sites'
      ? correlate(recorded, predicted, heldOut, protocol.correlation)
      : withinGroups;
  const figures = aggregate(withinGroups, ceiling, protocol.normalisation);
  return {
    layer: layer.name,
    features: layer.features,
    place: layer.place ?? null,
    value: nullable(figures.value),
    raw: nullable(figures.raw),
    ceiling: nullable(figures.ceiling),
    interval: intervalOf(resampling, comparedWith(target, recorded, predicted), ceiling, figures),
    sitesUsed: figures.sitesUsed,
    folds: foldScores(
      heldOut,
      groups,
      protocol.aggregation,
      { withinFolds, withinGroups },
      ceiling,
      figures,
    ),
    sites: siteScores(siteIds, withinGroups, ceiling, figures),
    regression: regression.arithmetic,
    strengths: regression.strengths,
    warnings: [...regression.warnings, ...undefinedCorrelations(withinGroups, ceiling, figures)],
  };
};

/** One layer's figures in each of the given time bins, from its predictions there; null where not defined. */
export const evaluateBins = (
  target: Target,
  layer: string,
  indices: readonly number[],
  predictions: readonly Float64Nd[],
): BinScores => {
  const { protocol, bins, groups } = target;
  const figures = indices.map((index, place) => {
    const bin = bins[index]!;
    const { recorded, ceiling } = bin;
    const predicted = withoutGuesses(recorded, predictions[place]!, predictedParts(target, bin));
    const correlations = correlate(recorded, predicted, groups, protocol.correlation);
    return aggregate(correlations, ceiling, protocol.normalisation);
  });
  return {
    layer,
    raw: figures.map(({ raw }) => nullable(raw)),
    value: figures.map(({ value }) => nullable(value)),
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
