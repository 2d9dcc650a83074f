import { stacked } from '../numeric/array.ts';
import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { LayerFit } from '../records/fit.ts';
import type { Ports } from '../records/ports.ts';
import type { RegressionHooks } from '../regression/steps.ts';
import { type Design, partOf } from './design.ts';
import type { Layout } from './layout.ts';
import { selectionValues } from './nested.ts';
import { regressLayer } from './regressions.ts';
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
  const hooks: RegressionHooks = {
    progress: (done, total) =>
      progress({ task: `regression on ${source.name}`, done, total, unit: 'steps' }),
    checkStop,
  };
  const chooses = choosing.map((set) => sets.indexOf(set));
  const chosenOnOthers = design !== null && design.inner !== null;
  const { predicted, alphas, arithmetic, warnings } = await regressLayer(
    layout,
    sets.map(({ responses }) => responses),
    chosenOnOthers ? chooses : [],
    { engine, source, settings: protocol.regression, hooks },
  );
  return {
    features: source.columns,
    predictions: stacked(
      sets.map((_, set) =>
        atScoredRows(
          layout,
          folds.map((_fold, fold) => scoredPart(design, fold, predicted(set, fold))),
        ),
      ),
    ),
    selectionValues: chosenOnOthers
      ? choosing.map((set, k) =>
          selectionValues(layout, design, set, (regression) => predicted(chooses[k]!, regression)),
        )
      : null,
    arithmetic,
    alphas: alphas === null ? null : sets.map((_, set) => alphaRows(alphas(set))),
    warnings: [...(source.warnings ?? []), ...warnings],
  };
};

/** The rows of a regression's predictions that are scored: those of its fold. */
const scoredPart = (design: Design | null, fold: number, predicted: Float64Nd): Float64Nd =>
  design === null ? predicted : partOf(design, fold, fold, predicted);

/** Predictions of every fold's rows, `[rows held out, sites]` each, as one table `[rows scored, sites]`. */
const atScoredRows = (
  { heldOut, imageOfScored }: Layout,
  parts: readonly Float64Nd[],
): Float64Nd => {
  const sites = parts[0]!.shape[1]!;
  const data = new Float64Array(imageOfScored.length * sites).fill(Number.NaN);
  heldOut.forEach(({ rows }, fold) => {
    rows.forEach((row, k) => {
      data.set(parts[fold]!.data.subarray(k * sites, (k + 1) * sites), row * sites);
    });
  });
  return { data, shape: [imageOfScored.length, sites] };
};

/** `[folds, sites]` as lists; one alpha per fold where all sites share it. */
const alphaRows = ({ data, shape }: Float64Nd): number[][] => {
  const [folds = 0, sites = 0] = shape;
  const rows = Array.from({ length: folds }, (_, fold) => [
    ...data.subarray(fold * sites, (fold + 1) * sites),
  ]);
  const shared = rows.every((row) => row.every((alpha) => alpha === row[0]));
  return shared ? rows.map(([first]) => [first!]) : rows;
};
