import { stacked } from '../numeric/array.ts';
import type { Float64Nd } from '../records/array.ts';
import type { LayerPredictions } from '../records/layer-predictions.ts';
import { withoutGuesses } from './guesses.ts';
import { chosenBin, predictedParts, type Target } from './target.ts';

/**
 * What a score's figures of all layers come from, in the scored time bin: `predictions` are `[rows, sites]`, one per
 * name. `stimulusIds[image]` is the id of a stimulus of the recording.
 */
export const layerPredictionsOf = (
  target: Target,
  stimulusIds: readonly string[],
  layers: readonly string[],
  predictions: readonly Float64Nd[],
): LayerPredictions => {
  const bin = chosenBin(target);
  const { recorded, ceiling } = bin;
  const parts = predictedParts(target, bin);
  const groups = new Int32Array(recorded.shape[0]!);
  target.groups.forEach(({ rows }, group) => {
    for (const row of rows) groups[row] = group;
  });
  const divisor = ceiling.perSite.data.map((each) => ceiling.overall ?? each);
  return {
    layers,
    recorded,
    predicted: stacked(predictions.map((predicted) => withoutGuesses(recorded, predicted, parts))),
    groups,
    ceiling: { data: divisor, shape: ceiling.perSite.shape },
    stimulusIds: Array.from(target.imageOfScored, (image) => stimulusIds[image]!),
    siteIds: target.siteIds,
  };
};
