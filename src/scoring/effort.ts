import type { Features, LayerSize } from '../records/activations.ts';
import type { Ports } from '../records/ports.ts';
import { measureSpeed } from '../regression/estimate.ts';
import { regressionBytes, regressionOperations } from '../regression/regress.ts';
import { rowCount, type Target } from './target.ts';

/** What a plan will take. */
export interface Effort {
  readonly bytes: number;
  readonly seconds: number;
}

/** Runtime, engine and decoded images, roughly. */
const processBytes = 300e6;

const fitSize = (target: Target, columns: number) => ({
  rows: rowCount(target),
  columns,
  folds: regressionsPerSet(target),
  sets: target.fitted.length,
  sites: target.siteIds.length,
});

/** Regressions of one time bin, on average: those for the choice of a layer are of one bin only. */
const regressionsPerSet = ({ design, folds, fitted }: Target): number =>
  design === null
    ? folds.length
    : design.omissions.reduce((sum, { sets }) => sum + sets.length, 0) / fitted.length;

/** Bytes left to the features of one pass: what a regression on a wide layer takes beside them is set aside. */
export const featureBudget = (target: Target, memory: number): number => {
  const rows = rowCount(target);
  const beside = regressionBytes(fitSize(target, rows), target.protocol.regression) - 4 * rows ** 2;
  // A small limit still leaves a quarter to features: the plan then says that more is needed.
  return Math.max(memory - beside - processBytes, memory / 4);
};

/** What the recording itself takes: trials and means of every bin, halves of the trials, draws, kept predictions. */
const recordingBytes = (target: Target, layers: number): number => {
  const rows = rowCount(target);
  const table = 8 * rows * target.siteIds.length;
  const { protocol, bins, fitted } = target;
  const [, trials = 1] = bins[0]!.table.trials.shape;
  const halves = protocol.ceiling.kind === 'split-half' ? 2 * protocol.ceiling.splits : 0;
  const draws = 8 * rows * protocol.interval.replicates;
  return bins.length * table * (trials + 1 + halves) + draws + layers * fitted.length * table;
};

/**
 * The largest pass decides the memory: its features, and the widest layer's regression.
 * What is not done yet decides the time.
 */
export const effortOf = async (
  features: Features,
  layers: readonly (LayerSize & { readonly done: boolean })[],
  target: Target,
  { engine, now }: Ports,
): Promise<Effort> => {
  const rows = rowCount(target);
  const { regression } = target.protocol;
  const passBytes = features.passes.map(({ layers: gathered, slices }) => {
    const columns = gathered.map((layer) => Math.ceil(layer.features / slices));
    const together = columns.reduce((sum, each) => sum + 4 * rows * each, 0);
    const beside = columns.map(
      (each) => regressionBytes(fitSize(target, each), regression) - 4 * rows * each,
    );
    return together + Math.max(...beside);
  });
  const open = layers.filter(({ done }) => !done);
  const operations = open.reduce(
    (sum, layer) => sum + regressionOperations(fitSize(target, layer.features), regression),
    0,
  );
  const speed = await measureSpeed(engine, now);
  const gathering = open.length > 0 ? features.seconds : 0;
  return {
    bytes:
      processBytes +
      recordingBytes(target, layers.length) +
      features.modelBytes +
      Math.max(...passBytes),
    seconds: gathering + operations / speed,
  };
};

/** What one layer takes alone, gathered and fitted anew: of a best layer that is not known yet, the widest. */
export const effortOfWidest = (
  features: Features,
  target: Target,
  ports: Ports,
): Promise<Effort> => {
  const runs = features.passes.reduce((sum, { slices }) => sum + slices, 0);
  const { layer, slices } = features.passes
    .flatMap(({ layers, slices }) => layers.map((layer) => ({ layer, slices })))
    .reduce((wide, each) => (each.layer.features > wide.layer.features ? each : wide));
  const only = {
    ...features,
    passes: [{ layers: [layer], slices }],
    seconds: (features.seconds * slices) / runs,
  };
  return effortOf(only, [{ ...layer, done: false }], target, ports);
};
