import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Choice, LayerScore } from '../records/score.ts';
import { evaluateLayer } from './evaluate.ts';
import type { Resampling } from './intervals.ts';
import type { Layout } from './layout.ts';
import type { ResponseSet } from './response-sets.ts';

/** A layer that may be chosen. */
export interface Candidate {
  readonly scores: LayerScore;
  /** For each fold, the layer's figure on the others. */
  readonly choice: readonly (number | null)[] | null;
  /** Of the set that is scored, [rows scored, sites]. */
  readonly predictions: Float64Nd;
}

/**
 * Takes each fold's predictions from the layer with the highest figure for it (of equals the first), and scores them as
 * those of one layer. Null where the protocol takes the best layer. Input error: a fold for which no layer has a figure.
 *
 * @param best value of the best layer.
 */
export const chooseLayers = (
  layout: Layout,
  set: ResponseSet,
  resampling: Resampling,
  candidates: readonly Candidate[],
  best: number,
): { readonly choice: Choice; readonly predictions: Float64Nd } | null => {
  const { heldOut, design } = layout;
  if (design === null || design.inner === null) return null;
  const chosen = heldOut.map(({ name }, fold) => highest(candidates, fold) ?? noFigure(name));
  const predictions = fromEach(layout, chosen);
  const arithmetic = [...new Set(chosen.map(({ scores }) => scores.regression))].join(', ');
  const scores = evaluateLayer(layout, set, resampling, {
    name: 'chosen for each fold',
    features: Math.max(...chosen.map((candidate) => candidate.scores.features)),
    predictions,
    arithmetic,
    strengths: strengthsOf(chosen),
    warnings: [],
  });
  if (scores.value === null) throw noFigure('all');
  return {
    choice: {
      folds: heldOut.map(({ name }, fold) => ({ fold: name, layer: chosen[fold]!.scores.layer })),
      scores,
      best,
      optimism: best - scores.value,
    },
    predictions,
  };
};

const highest = (candidates: readonly Candidate[], fold: number): Candidate | null => {
  let found: { readonly candidate: Candidate; readonly figure: number } | null = null;
  for (const candidate of candidates) {
    const figure = candidate.choice?.[fold] ?? null;
    if (figure !== null && (found === null || figure > found.figure)) found = { candidate, figure };
  }
  return found?.candidate ?? null;
};

const noFigure = (fold: string): never => {
  throw inputError({
    where: `choice of a layer for ${fold}`,
    expected: 'at least one layer with a defined score on the other folds',
    got: 'none',
    mend: 'take a protocol with layerChoice "best", or check that the activations vary over the stimuli',
  });
};

/** Each fold's rows from its own layer. */
const fromEach = ({ heldOut }: Layout, chosen: readonly Candidate[]): Float64Nd => {
  const { shape } = chosen[0]!.predictions;
  const sites = shape[1]!;
  const data = new Float64Array(shape[0]! * sites).fill(Number.NaN);
  heldOut.forEach(({ rows }, fold) => {
    const from = chosen[fold]!.predictions.data;
    for (const row of rows) data.set(from.subarray(row * sites, (row + 1) * sites), row * sites);
  });
  return { data, shape };
};

const strengthsOf = (chosen: readonly Candidate[]): LayerScore['strengths'] => {
  const strengths = chosen.map(({ scores }, fold) => scores.strengths?.[fold]);
  return strengths.every((each) => each !== undefined) ? strengths : null;
};
