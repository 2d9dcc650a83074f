import { unstacked } from '../numeric/array.ts';
import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { LayerFit } from '../records/fit.ts';
import type { Ports } from '../records/ports.ts';
import type { Design } from './design.ts';
import { fitLayer } from './fit-layer.ts';
import { chosenBin, type Target } from './target.ts';

/** The regressions that are scored, of some tables: none for the choice of a layer. */
const scoredOf = ({ design }: Target, sets: readonly number[]): Design | null =>
  design === null
    ? null
    : {
        folds: design.folds,
        omissions: design.folds.map((_, fold) => ({ ...design.omissions[fold]!, sets })),
        inner: null,
      };

/** The target of so many tables in shape alone, for what they take. */
export const tablesShape = (target: Target, count: number): Target => ({
  ...target,
  fitted: Array.from({ length: count }, () => target.chosen),
  design: scoredOf(
    target,
    Array.from({ length: count }, (_, set) => set),
  ),
});

/** The same rows and scored regressions, with tables of responses `[rows, sites]` in place of the time bins. */
const withResponses = (target: Target, responses: readonly Float64Nd[]): Target => {
  const bin = chosenBin(target);
  const sets = responses.map((_, set) => set);
  return {
    ...target,
    bins: responses.map((mean) => ({ ...bin, table: { ...bin.table, mean } })),
    chosen: 0,
    fitted: sets,
    design: scoredOf(target, sets),
  };
};

export interface PredictedResponses extends Omit<LayerFit, 'predictions'> {
  /** One per table, `[rows scored, sites]`. */
  readonly predictions: Float64Nd[];
}

/**
 * Held-out predictions of other responses than those of the target's time bins, by the same regressions: all tables
 * from one Gram matrix. Each is `[rows, sites]`, all of one shape; a constant column takes no part.
 */
export const predictResponses = async (
  target: Target,
  source: FeatureSource,
  responses: readonly Float64Nd[],
  ports: Ports,
): Promise<PredictedResponses> => {
  const { predictions, ...rest } = await fitLayer(withResponses(target, responses), source, ports);
  return { ...rest, predictions: unstacked(predictions) };
};

/** Responses `[rows, sites]` as the features of a regression. */
export const responseSource = (name: string, { data, shape }: Float64Nd): FeatureSource => ({
  name,
  rows: shape[0]!,
  columns: shape[1]!,
  blockCount: 1,
  async *blocks() {
    yield { data: Float32Array.from(data), shape };
  },
});
