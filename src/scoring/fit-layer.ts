import { stacked } from '../numeric/array.ts';
import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { LayerFit } from '../records/fit.ts';
import type { Ports } from '../records/ports.ts';
import { putTogether } from '../regression/omissions.ts';
import { predictOmitted } from '../regression/regress.ts';
import { predictSplits } from '../regression/splits.ts';
import type { RegressionHooks } from '../regression/steps.ts';
import { type Design, partOf } from './design.ts';
import { choiceFigures } from './nested.ts';
import { rowCount, type Target } from './target.ts';

/** The held-out predictions of one layer in all fitted time bins, by the protocol's regression. */
export const fitLayer = async (
  target: Target,
  source: FeatureSource,
  { engine, progress, checkStop }: Ports,
): Promise<LayerFit> => {
  const { design, protocol, folds } = target;
  const responses = target.fitted.map((bin) => target.bins[bin]!.table.mean);
  const hooks: RegressionHooks = {
    progress: (done, total) =>
      progress({ task: `regression on ${source.name}`, done, total, unit: 'steps' }),
    checkStop,
  };
  const { regression } = protocol;
  const { columns } = source;
  if (design === null) {
    const fitted = await predictSplits(engine, source, responses, folds, regression, hooks);
    return {
      features: columns,
      predictions: stacked(responses.map((_, set) => inRows(fitted.predictions, set))),
      choice: null,
      arithmetic: [...new Set(fitted.arithmetics)].join(', '),
      strengths: fitted.strengths?.map((table) => strengthRows(table, folds.length)) ?? null,
      warnings: [...(source.remarks ?? []), ...fitted.warnings],
    };
  }
  const fitted = await predictOmitted(
    engine,
    source,
    responses,
    design.folds,
    design.omissions,
    regression,
    hooks,
  );
  const scored = target.fitted.indexOf(target.chosen);
  return {
    features: columns,
    predictions: stacked(heldOutTables(target, design, fitted.predictions)),
    choice:
      design.inner === null
        ? null
        : choiceFigures(target, design, (omission) => {
            const place = design.omissions[omission]!.sets.indexOf(scored);
            return fitted.predictions[omission]![place]!;
          }),
    arithmetic: fitted.arithmetic,
    // Those of the regressions that are scored come first.
    strengths: fitted.strengths?.map((table) => strengthRows(table, folds.length)) ?? null,
    warnings: [...(source.remarks ?? []), ...fitted.warnings],
  };
};

/** One table [rows, sites] per time bin from the regressions whose predictions are scored. */
const heldOutTables = (
  target: Target,
  design: Design,
  predictions: readonly (readonly Float64Nd[])[],
): Float64Nd[] => {
  const parts = design.folds.map((_, fold) =>
    predictions[fold]!.map((table) => partOf(design, fold, fold, table)),
  );
  return putTogether(design.folds, rowCount(target), parts);
};

/** The predictions of all splits in one target set, one split's rows after another's. */
const inRows = (predictions: readonly (readonly Float64Nd[])[], set: number): Float64Nd => {
  const parts = predictions.map((sets) => sets[set]!);
  const sites = parts[0]!.shape[1]!;
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const data = new Float64Array(rows * sites);
  let from = 0;
  for (const part of parts) {
    data.set(part.data, from);
    from += part.data.length;
  }
  return { data, shape: [rows, sites] };
};

/** The first `folds` rows of `[regressions, sites]` as lists; one strength per fold where all sites share it. */
const strengthRows = ({ data, shape }: Float64Nd, folds: number): number[][] => {
  const [, sites = 0] = shape;
  const rows = Array.from({ length: folds }, (_, fold) => [
    ...data.subarray(fold * sites, (fold + 1) * sites),
  ]);
  const shared = rows.every((row) => row.every((strength) => strength === row[0]));
  return shared ? rows.map(([first]) => [first!]) : rows;
};
