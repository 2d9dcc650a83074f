import { stacked } from '../numeric/array.ts';
import type { Float64Nd } from '../records/array.ts';
import type { LayerPredictions } from '../records/layer-predictions.ts';
import { divisorsOf } from './ceilings.ts';
import { foldOfRows, type Layout } from './layout.ts';
import { withoutMeanPredictions } from './mean-predictions.ts';
import type { ResponseSet } from './response-sets.ts';

/**
 * What a score's values of all layers come from, in the scored time bin: predictions are `[rows, sites]`, one per name.
 * `stimulusIds[image]` is the id of a stimulus of the recording.
 */
export const layerPredictionsOf = (
  layout: Layout,
  set: ResponseSet,
  stimulusIds: readonly string[],
  layers: readonly { readonly name: string; readonly predictions: Float64Nd }[],
): LayerPredictions => {
  const { groups: rowGroups, heldOut, imageOfScored, siteIds } = layout;
  const { recorded, ceiling } = set;
  const groups = new Int32Array(recorded.shape[0]!);
  rowGroups.forEach(({ rows }, group) => {
    for (const row of rows) groups[row] = group;
  });
  return {
    layers: layers.map(({ name }) => name),
    recorded,
    predicted: stacked(
      layers.map(({ predictions }) => withoutMeanPredictions(set, predictions, heldOut)),
    ),
    groups,
    folds: foldOfRows(layout),
    ceiling: divisorsOf(ceiling),
    stimulusIds: Array.from(imageOfScored, (image) => stimulusIds[image]!),
    siteIds,
  };
};
