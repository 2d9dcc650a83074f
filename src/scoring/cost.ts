import type { Features, LayerSize } from '../records/activations.ts';
import type { Ports } from '../records/ports.ts';
import { measureSpeed } from '../regression/estimate.ts';
import { regressionBytes, regressionOperations } from '../regression/regress.ts';
import type { LaidOut } from './lay-out.ts';
import type { Layout } from './layout.ts';
import { patternsOf } from './missing.ts';

/** What a plan will take. */
export interface Cost {
  readonly bytes: number;
  readonly seconds: number;
}

/** Runtime, engine and decoded images, roughly. */
const processBytes = 300e6;

/** What is fitted, in numbers. */
export interface FitShape {
  readonly layout: Layout;
  /** Response sets that each layer is fitted to, and how many of them layers are chosen by. */
  readonly sets: number;
  readonly choosing: number;
  /** Sets of sites that lack the same responses, each with regressions of its own; 1 where nothing is missing. */
  readonly patterns: number;
  /** Time bins that are held with their trials. */
  readonly bins: number;
  readonly trials: number;
}

/** The fitted time bins of a recording. */
export const fitShapeOf = ({ layout, bins, fitted }: LaidOut): FitShape => ({
  layout,
  sets: fitted.length,
  choosing: 1,
  patterns: Math.max(...fitted.map(({ responses }) => patternsOf(responses).length)),
  bins: bins.length,
  trials: bins[0]!.table.trials.shape[1] ?? 1,
});

const fitSize = (shape: FitShape, columns: number) => ({
  rows: shape.layout.imageOfRow.length,
  columns,
  folds: regressionsPerSet(shape),
  sets: shape.sets,
  sites: shape.layout.siteIds.length,
});

/** Regressions of one set, on average: those for the choice of a layer are of few sets only. */
const regressionsPerSet = ({
  layout: { design, folds },
  sets,
  choosing,
  patterns,
}: FitShape): number => {
  const inner = design === null ? 0 : design.splits.length - folds.length;
  return patterns * (folds.length + (inner * choosing) / sets);
};

/** Predictions of the further regressions that missing responses take. */
const patternBytes = (shape: FitShape): number => {
  const { imageOfRow, siteIds, folds } = shape.layout;
  const tables = (regressionsPerSet(shape) / folds.length) * (1 - 1 / shape.patterns);
  return 8 * imageOfRow.length * siteIds.length * shape.sets * tables;
};

/** Bytes left to the features of one pass: what a regression on a wide layer takes beside them is set aside. */
export const featureBudget = (shape: FitShape, memory: number): number => {
  const rows = shape.layout.imageOfRow.length;
  const beside =
    regressionBytes(fitSize(shape, rows), shape.layout.protocol.regression) - 4 * rows ** 2;
  // A small limit still leaves a quarter to features: the plan then says that more is needed.
  return Math.max(memory - beside - processBytes, memory / 4);
};

/** What the recording itself takes: trials and means of every bin, halves of the trials, draws, kept predictions. */
const recordingBytes = ({ layout, bins, trials, sets }: FitShape, layers: number): number => {
  const { protocol, imageOfRow, siteIds } = layout;
  const table = 8 * imageOfRow.length * siteIds.length;
  const halves = protocol.ceiling.kind === 'split-half' ? 2 * protocol.ceiling.splits : 0;
  const draws = 8 * imageOfRow.length * protocol.interval.replicates;
  return bins * table * (trials + 1 + halves) + draws + layers * sets * table;
};

/** Bytes: the largest pass's features, and beside them the widest layer's regression. */
const passBytesOf = ({ passes }: Features, shape: FitShape): number => {
  const { protocol, imageOfRow } = shape.layout;
  const rows = imageOfRow.length;
  const passBytes = passes.map(({ layers: gathered, slices }) => {
    const columns = gathered.map((layer) => Math.ceil(layer.features / slices));
    const together = columns.reduce((sum, each) => sum + 4 * rows * each, 0);
    const beside = columns.map(
      (each) => regressionBytes(fitSize(shape, each), protocol.regression) - 4 * rows * each,
    );
    return together + Math.max(...beside);
  });
  return Math.max(...passBytes);
};

/** Bytes of a run that keeps the predictions of so many layers at a time. */
export const runBytes = (features: Features, shape: FitShape, kept: number): number =>
  processBytes +
  recordingBytes(shape, kept) +
  patternBytes(shape) +
  features.modelBytes +
  passBytesOf(features, shape);

/** Seconds: the layers that are not done yet, at a speed in multiplications per second (`measureSpeed`). */
export const secondsOf = (
  features: Features,
  layers: readonly (LayerSize & { readonly done: boolean })[],
  shape: FitShape,
  speed: number,
): number => {
  const { regression } = shape.layout.protocol;
  const open = layers.filter(({ done }) => !done);
  const operations = open.reduce(
    (sum, layer) => sum + regressionOperations(fitSize(shape, layer.features), regression),
    0,
  );
  return (open.length > 0 ? features.seconds : 0) + operations / speed;
};

/** What a score takes: what is not done yet decides the time. */
export const costOf = async (
  features: Features,
  layers: readonly (LayerSize & { readonly done: boolean })[],
  shape: FitShape,
  { engine, now }: Pick<Ports, 'engine' | 'now'>,
): Promise<Cost> => ({
  bytes: runBytes(features, shape, layers.length),
  seconds: secondsOf(features, layers, shape, await measureSpeed(engine, now)),
});

/** What one layer takes alone, gathered and fitted anew: of a best layer that is not known yet, the widest. */
export const costOfWidest = (
  features: Features,
  shape: FitShape,
  ports: Pick<Ports, 'engine' | 'now'>,
): Promise<Cost> => {
  const runs = features.passes.reduce((sum, { slices }) => sum + slices, 0);
  const { layer, slices } = features.passes
    .flatMap(({ layers, slices }) => layers.map((layer) => ({ layer, slices })))
    .reduce((wide, each) => (each.layer.features > wide.layer.features ? each : wide));
  const only = {
    ...features,
    passes: [{ layers: [layer], slices }],
    seconds: (features.seconds * slices) / runs,
  };
  return costOf(only, [{ ...layer, done: false }], shape, ports);
};
