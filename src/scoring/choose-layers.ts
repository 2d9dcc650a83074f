import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { LayerScore, NestedSelection } from '../records/score.ts';
import { evaluateLayer } from './evaluate.ts';
import type { Resampling } from './intervals.ts';
import type { Layout } from './layout.ts';
import type { ResponseSet } from './response-sets.ts';

/** A layer that may be chosen. */
export interface ChoosableLayer {
  readonly scores: LayerScore;
  /** For each fold, the layer's value on the others. */
  readonly selectionValues: readonly (number | null)[] | null;
  /** Of the set that is scored, [rows scored, sites]. */
  readonly predictions: Float64Nd;
}

/**
 * Takes each fold's predictions from the layer with the highest value for it (of equals the first), and scores them as
 * those of one layer. Null where the protocol takes the best layer. Input error: a fold for which no layer has a value.
 *
 * @param best value of the best layer.
 */
export const chooseLayers = (
  layout: Layout,
  set: ResponseSet,
  resampling: Resampling,
  options: readonly ChoosableLayer[],
  best: number,
): { readonly nestedSelection: NestedSelection; readonly predictions: Float64Nd } | null => {
  const { heldOut, design } = layout;
  if (design === null || design.inner === null) return null;
  const chosen = heldOut.map(({ name }, fold) => highest(options, fold) ?? noValue(name));
  const predictions = fromEach(layout, chosen);
  const arithmetic = [...new Set(chosen.map(({ scores }) => scores.regression))].join(', ');
  const scores = evaluateLayer(layout, set, resampling, {
    name: 'chosen for each fold',
    features: Math.max(...chosen.map((option) => option.scores.features)),
    predictions,
    arithmetic,
    alphas: alphasOf(chosen),
    warnings: [],
  });
  if (scores.value === null) throw noValue('all');
  return {
    nestedSelection: {
      folds: heldOut.map(({ name }, fold) => ({ fold: name, layer: chosen[fold]!.scores.layer })),
      scores,
      best,
      optimism: best - scores.value,
    },
    predictions,
  };
};

const highest = (options: readonly ChoosableLayer[], fold: number): ChoosableLayer | null => {
  let found: { readonly option: ChoosableLayer; readonly value: number } | null = null;
  for (const option of options) {
    const value = option.selectionValues?.[fold] ?? null;
    if (value !== null && (found === null || value > found.value)) found = { option, value };
  }
  return found?.option ?? null;
};

const noValue = (fold: string): never => {
  throw inputError({
    where: `choice of a layer for ${fold}`,
    expected: 'at least one layer with a defined score on the other folds',
    got: 'none',
    mend: 'take a protocol with layerChoice "best", or check that the activations vary over the stimuli',
  });
};

/** Each fold's rows from its own layer. */
const fromEach = ({ heldOut }: Layout, chosen: readonly ChoosableLayer[]): Float64Nd => {
  const { shape } = chosen[0]!.predictions;
  const sites = shape[1]!;
  const data = new Float64Array(shape[0]! * sites).fill(Number.NaN);
  heldOut.forEach(({ rows }, fold) => {
    const from = chosen[fold]!.predictions.data;
    for (const row of rows) data.set(from.subarray(row * sites, (row + 1) * sites), row * sites);
  });
  return { data, shape };
};

const alphasOf = (chosen: readonly ChoosableLayer[]): LayerScore['alphas'] => {
  const alphas = chosen.map(({ scores }, fold) => scores.alphas?.[fold]);
  return alphas.every((each) => each !== undefined) ? alphas : null;
};
