import { stacked } from '../numeric/array.ts';
import type { Float64Nd } from '../records/array.ts';
import type { LayerPredictions } from '../records/layer-predictions.ts';
import { withoutGuesses } from './guesses.ts';
import { chosenBin, type Target } from './target.ts';

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
  const { table, ceiling } = chosenBin(target);
  const divisor = ceiling.perSite.data.map((each) => ceiling.overall ?? each);
  return {
    layers,
    recorded: table.mean,
    predicted: stacked(
      predictions.map((predicted) => withoutGuesses(table.mean, predicted, target.folds)),
    ),
    ceiling: { data: divisor, shape: ceiling.perSite.shape },
    stimulusIds: Array.from(table.imageOfRow, (image) => stimulusIds[image]!),
    siteIds: target.siteIds,
  };
};
