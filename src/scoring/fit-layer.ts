import { stacked } from '../numeric/array.ts';
import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { LayerFit } from '../records/fit.ts';
import type { Ports } from '../records/ports.ts';
import { putTogether } from '../regression/omissions.ts';
import { predictOmitted } from '../regression/regress.ts';
import { predictSplits } from '../regression/splits.ts';
import type { RegressionHooks } from '../regression/steps.ts';
import { omissionsOf, partOf } from './design.ts';
import type { Layout } from './layout.ts';
import { choiceFigures } from './nested.ts';
import type { ResponseSet } from './response-sets.ts';

/** What a layer is fitted to. */
export interface FittedSets {
  /** `[rows, sites]` each, all of one shape. */
  readonly sets: readonly Pick<ResponseSet, 'responses'>[];
  /** Those of `sets` by which a layer is to be chosen, where the protocol chooses on other folds. */
  readonly choosing: readonly ResponseSet[];
}

/** The held-out predictions of one layer of several response sets, by the protocol's regression from one Gram matrix. */
export const fitLayer = async (
  layout: Layout,
  { sets, choosing }: FittedSets,
  source: FeatureSource,
  { engine, progress, checkStop }: Pick<Ports, 'engine' | 'progress' | 'checkStop'>,
): Promise<LayerFit> => {
  const { design, protocol, folds } = layout;
  const responses = sets.map((set) => set.responses);
  const hooks: RegressionHooks = {
    progress: (done, total) =>
      progress({ task: `regression on ${source.name}`, done, total, unit: 'steps' }),
    checkStop,
  };
  const { regression } = protocol;
  const features = source.columns;
  if (design === null) {
    const fitted = await predictSplits(engine, source, responses, folds, regression, hooks);
    return {
      features,
      predictions: stacked(responses.map((_, set) => inRows(fitted.predictions, set))),
      choices: null,
      arithmetic: [...new Set(fitted.arithmetics)].join(', '),
      strengths: fitted.strengths?.map((table) => strengthRows(table, folds.length)) ?? null,
      warnings: fitted.warnings,
    };
  }
  const chooses = choosing.map((set) => sets.indexOf(set));
  const omissions = omissionsOf(design, sets.length, design.inner === null ? [] : chooses);
  const fitted = await predictOmitted(
    engine,
    source,
    responses,
    design.folds,
    omissions,
    regression,
    hooks,
  );
  const choicesOf = (set: ResponseSet, index: number) =>
    choiceFigures(layout, design, set, (omission) => {
      const place = omissions[omission]!.sets.indexOf(index);
      return fitted.predictions[omission]![place]!;
    });
  return {
    features,
    predictions: stacked(heldOutTables(layout, fitted.predictions)),
    choices: design.inner === null ? null : choosing.map((set, k) => choicesOf(set, chooses[k]!)),
    arithmetic: fitted.arithmetic,
    // Those of the regressions that are scored come first.
    strengths: fitted.strengths?.map((table) => strengthRows(table, folds.length)) ?? null,
    warnings: fitted.warnings,
  };
};

/** One table [rows, sites] per response set from the regressions whose predictions are scored. */
const heldOutTables = (
  { folds, imageOfRow, design }: Layout,
  predictions: readonly (readonly Float64Nd[])[],
): Float64Nd[] => {
  const parts = folds.map((_, fold) =>
    predictions[fold]!.map((table) => partOf(design!, fold, fold, table)),
  );
  return putTogether(folds, imageOfRow.length, parts);
};

/** The predictions of all splits of one response set, one split's rows after another's. */
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
