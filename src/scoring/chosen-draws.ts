// The score of many response sets, each with a choice of the layer of its own: the protocol's, made again from the start.

import { unstacked } from '../numeric/array.ts';
import type { Float64Nd } from '../records/array.ts';
import type { ChosenSoFar, DrawnValues } from '../records/draws.ts';
import type { LayerFit } from '../records/fit.ts';
import { evaluateSets } from './evaluate.ts';
import type { FittedSets } from './fit-layer.ts';
import type { Layout } from './layout.ts';
import type { ResponseSet } from './response-sets.ts';

const choosesPerFold = ({ design }: Layout): boolean => design !== null && design.inner !== null;

/** What layers are to be fitted to, so that each set has a choice of its own. */
export const drawnSets = (layout: Layout, sets: readonly ResponseSet[]): FittedSets => ({
  sets,
  choosing: choosesPerFold(layout) ? sets : [],
});

/** Before the first layer. */
export const nothingChosen = (layout: Layout, sets: readonly ResponseSet[]): ChosenSoFar => ({
  layers: 0,
  draws: sets.map(() => ({ value: null, raw: null })),
  perFold: choosesPerFold(layout)
    ? {
        values: sets.map(() => layout.heldOut.map(() => null)),
        predictions: undefinedTables(sets),
      }
    : null,
});

const undefinedTables = (sets: readonly ResponseSet[]): Float64Nd => {
  const { shape } = sets[0]!.recorded;
  const size = shape.reduce((product, length) => product * length, sets.length);
  return { data: new Float64Array(size).fill(Number.NaN), shape: [sets.length, ...shape] };
};

/**
 * The choice with one layer more, fitted to `drawnSets`; layers in the order of the plan, of equals the first is taken,
 * as the score does. `soFar` is spent: its predictions are overwritten.
 */
export const withLayer = (
  layout: Layout,
  sets: readonly ResponseSet[],
  soFar: ChosenSoFar,
  fit: LayerFit,
): ChosenSoFar => {
  const layers = soFar.layers + 1;
  if (soFar.perFold !== null)
    return { ...soFar, layers, perFold: higherFolds(layout, soFar.perFold, fit) };
  const found = valuesOf(layout, sets, fit.predictions);
  return {
    ...soFar,
    layers,
    draws: soFar.draws.map((best, draw) => higher(best, found[draw]!)),
  };
};

const higher = (best: DrawnValues, other: DrawnValues): DrawnValues =>
  other.value !== null && (best.value === null || other.value > best.value) ? other : best;

const valuesOf = (
  layout: Layout,
  sets: readonly ResponseSet[],
  predictions: Float64Nd,
): DrawnValues[] => {
  const { value, raw } = evaluateSets(layout, '', sets, unstacked(predictions));
  return sets.map((_, draw) => ({ value: value[draw]!, raw: raw[draw]! }));
};

const higherFolds = (
  { heldOut }: Layout,
  { values, predictions }: NonNullable<ChosenSoFar['perFold']>,
  fit: LayerFit,
): ChosenSoFar['perFold'] => {
  const kept = unstacked(predictions);
  const others = unstacked(fit.predictions);
  const sites = predictions.shape[2]!;
  return {
    predictions,
    values: values.map((folds, draw) =>
      folds.map((best, fold) => {
        const onOthers = fit.selectionValues![draw]![fold]!;
        if (onOthers === null || (best !== null && onOthers <= best)) return best;
        for (const row of heldOut[fold]!.rows) {
          const from = others[draw]!.data.subarray(row * sites, (row + 1) * sites);
          kept[draw]!.data.set(from, row * sites);
        }
        return onOthers;
      }),
    ),
  };
};

/** The values of all draws when the last layer has been looked at; a fold without a layer leaves a draw without any. */
export const allChosen = (
  layout: Layout,
  sets: readonly ResponseSet[],
  soFar: ChosenSoFar,
): ChosenSoFar => {
  if (soFar.perFold === null) return soFar;
  const { values, predictions } = soFar.perFold;
  const found = valuesOf(layout, sets, predictions);
  return {
    ...soFar,
    draws: found.map((each, draw) =>
      values[draw]!.includes(null) ? { value: null, raw: null } : each,
    ),
    perFold: null,
  };
};
