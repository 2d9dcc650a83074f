import { stacked } from '../numeric/array.ts';
import type { Float64Nd } from '../records/array.ts';
import type { LayerPredictions } from '../records/layer-predictions.ts';
import { withoutGuesses } from './guesses.ts';
import type { Layout } from './layout.ts';
import type { ResponseSet } from './response-sets.ts';

/**
 * What a score's figures of all layers come from, in the scored time bin: predictions are `[rows, sites]`, one per name.
 * `stimulusIds[image]` is the id of a stimulus of the recording.
 */
export const layerPredictionsOf = (
  { groups: rowGroups, heldOut, imageOfScored, siteIds }: Layout,
  set: ResponseSet,
  stimulusIds: readonly string[],
  layers: readonly { readonly name: string; readonly predictions: Float64Nd }[],
): LayerPredictions => {
  const { recorded, ceiling } = set;
  const groups = new Int32Array(recorded.shape[0]!);
  rowGroups.forEach(({ rows }, group) => {
    for (const row of rows) groups[row] = group;
  });
  const divisor = ceiling.perSite.data.map((each) => ceiling.overall ?? each);
  return {
    layers: layers.map(({ name }) => name),
    recorded,
    predicted: stacked(layers.map(({ predictions }) => withoutGuesses(set, predictions, heldOut))),
    groups,
    ceiling: { data: divisor, shape: ceiling.perSite.shape },
    stimulusIds: Array.from(imageOfScored, (image) => stimulusIds[image]!),
    siteIds,
  };
};
