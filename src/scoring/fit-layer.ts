import { stacked } from '../numeric/array.ts';
import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { LayerFit } from '../records/fit.ts';
import type { Ports } from '../records/ports.ts';
import { predictFolds } from '../regression/regress.ts';
import type { Target } from './target.ts';

/** The held-out predictions of one layer in all fitted time bins, by the protocol's regression. */
export const fitLayer = async (
  target: Target,
  source: FeatureSource,
  { engine, progress, checkStop }: Ports,
): Promise<LayerFit> => {
  const { predictions, strengths, arithmetic, warnings } = await predictFolds(
    engine,
    source,
    target.fitted.map((bin) => target.bins[bin]!.table.mean),
    target.folds,
    target.protocol.regression,
    {
      progress: (done, total) =>
        progress({ task: `regression on ${source.name}`, done, total, unit: 'steps' }),
      checkStop,
    },
  );
  return {
    features: source.columns,
    predictions: stacked(predictions),
    arithmetic,
    strengths: strengths?.map(strengthRows) ?? null,
    warnings,
  };
};

/** `[folds, sites]` as lists; one strength per fold where all sites share it. */
const strengthRows = ({ data, shape }: Float64Nd): number[][] => {
  const [folds = 0, sites = 0] = shape;
  const rows = Array.from({ length: folds }, (_, fold) => [
    ...data.subarray(fold * sites, (fold + 1) * sites),
  ]);
  const shared = rows.every((row) => row.every((strength) => strength === row[0]));
  return shared ? rows.map(([first]) => [first!]) : rows;
};
