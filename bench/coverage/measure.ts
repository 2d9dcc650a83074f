// What the library says of a world, beside what is true of it.

import { pairedDifference } from '../../src/analysis/compare.ts';
import type { ComparedScore } from '../../src/analysis/paired-sites.ts';
import { takeColumns } from '../../src/numeric/columns.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float32Nd, Float64Nd } from '../../src/records/array.ts';
import { VentralError } from '../../src/records/errors.ts';
import type { Protocol, RidgeSettings } from '../../src/records/protocol.ts';
import type { LayerScore } from '../../src/records/score.ts';
import { putTogether } from '../../src/regression/held-out.ts';
import { ceilingIntervalOf } from '../../src/scoring/ceiling-interval.ts';
import { divisorsOf, sitesInUse } from '../../src/scoring/ceilings.ts';
import { chooseLayers } from '../../src/scoring/choose-layers.ts';
import { heldOutRowsOf, partOf } from '../../src/scoring/design.ts';
import { bestLayer, evaluateLayer } from '../../src/scoring/evaluate.ts';
import { prepareResampling, type Resampling } from '../../src/scoring/intervals.ts';
import { type LaidOut, layOut } from '../../src/scoring/lay-out.ts';
import { foldOfRows, type Layout } from '../../src/scoring/layout.ts';
import { selectionValues } from '../../src/scoring/nested.ts';
import { defaultProtocol } from '../../src/scoring/protocols.ts';
import { type Cell, design } from './design.ts';
import { predict, readoutsOf } from './fits.ts';
import type { Population } from './population.ts';
import { type ReadoutOfFold, truthOfGrids, truthOfImages } from './truth.ts';
import { type World, worldOf } from './world.ts';

/** A value, its interval, and the truth. */
export interface Held {
  readonly value: number;
  readonly truth: number;
  readonly low: number;
  readonly high: number;
}

export interface Measured {
  readonly score: Held;
  readonly raw: Pick<Held, 'value' | 'truth'>;
  readonly ceiling: Held;
  /** The same intervals beside what is true of the sites in use; null on grids, which are about their sites. */
  readonly scoreOfUsed: Held | null;
  readonly ceilingOfUsed: Held | null;
  readonly difference: Held;
  readonly p: number;
  /** Median over sites of paired differences. */
  readonly effect: Held;
  readonly effectP: number;
}

export const ridgeOf = (layout: Cell['layout']): RidgeSettings => ({
  kind: 'ridge',
  alphas: [design[layout].alpha],
  unit: 'absolute',
  choose: 'gcv',
  perTarget: true,
});

/** The default protocol, with a ridge of one strength: what a site is predicted by depends on no other site. */
export const protocolOf = ({ layout }: Cell): Protocol => {
  const base = defaultProtocol(layout, true);
  return {
    ...base,
    regression: ridgeOf(layout),
    ceiling: { kind: 'split-half', splits: design.splits, minimumReliability: 0.1 },
    interval: { level: 0.95, replicates: design.replicates },
  };
};

export interface Network {
  readonly scores: LayerScore;
  readonly best: LayerScore;
  readonly layers: readonly LayerScore[];
  readonly nestedSelection: NonNullable<ReturnType<typeof chooseLayers>>['nestedSelection'];
  /** Layer that was chosen for each fold, by number. */
  readonly chosen: readonly number[];
  /** `[rows, sites]`. */
  readonly predictions: Float64Nd;
}

/** Fits all layers, for the score and for the choice. */
const scoreNetwork = (
  { layout, scored }: LaidOut,
  resampling: Resampling,
  layers: readonly Float32Nd[],
): Network => {
  const { alpha } = design[layout.grid === null ? 'image' : 'grid'];
  const folds = layout.design!;
  // Of layers that are only chosen from, no interval is asked.
  const none = { ...resampling, rowCounts: [], siteDraws: [] };
  const candidates = layers.map((features, layer) => {
    const readout = readoutsOf(features, scored.responses, folds.folds, alpha);
    // A regression that leaves out two folds is asked for twice.
    const predicted = folds.splits.map(({ heldOut }, split) =>
      predict(readout(heldOut), features, heldOutRowsOf(folds, split)),
    );
    const predictionsOf = (split: number): Float64Nd => predicted[split]!;
    const parts = layout.folds.map((_, fold) => [partOf(folds, fold, fold, predictionsOf(fold))]);
    const [predictions] = putTogether(layout.folds, layout.imageOfRow.length, parts);
    return {
      scores: evaluateLayer(layout, scored, none, {
        ...{ name: `${layer}`, features: features.shape[1]!, arithmetic: '' },
        ...{ predictions: predictions!, alphas: null, warnings: [] },
      }),
      selectionValues: selectionValues(layout, folds, scored, predictionsOf),
      predictions: predictions!,
    };
  });
  const all = candidates.map(({ scores }) => scores);
  const best = bestLayer(all);
  const { nestedSelection, predictions } = chooseLayers(
    layout,
    scored,
    resampling,
    candidates,
    best.value,
  )!;
  return {
    ...{ scores: nestedSelection.scores, best, layers: all, nestedSelection, predictions },
    chosen: nestedSelection.folds.map(({ layer }) => Number(layer)),
  };
};

/** Null: no score, since no site passes. */
export const measure = (cell: Cell, population: Population, seed: number): Measured | null => {
  const world = worldOf(cell, population, seed);
  try {
    return measured(cell, population, world, seed);
  } catch (error) {
    if (error instanceof VentralError && error.kind === 'input') return null;
    throw error;
  }
};

const measured = (cell: Cell, population: Population, world: World, seed: number): Measured => {
  const laidOut = layOut(protocolOf(cell), world.recording, seed, 'best');
  const { layout, scored } = laidOut;
  const resampling = prepareResampling(layout, scored.ceiling, seed);
  const [first, second] = world.features.map((layers) => scoreNetwork(laidOut, resampling, layers));
  const networks = [first!, second!] as const;
  const truth = truthOf(cell, population, world, laidOut, networks);
  const ofUsed = truthOfUsed(cell, population, world, laidOut, networks);
  const outcome = pairedDifference(
    contender(laidOut, networks[0]),
    contender(laidOut, networks[1]),
    seed,
    design.replicates,
  );
  const ceiling = ceilingIntervalOf(layout, scored, resampling);
  const { value, interval } = networks[0].scores;
  return {
    score: held(value!, truth.values[0], interval),
    scoreOfUsed: ofUsed === null ? null : held(value!, ofUsed.values[0], interval),
    ceilingOfUsed: ofUsed === null ? null : held(scored.overallCeiling, ofUsed.ceiling, ceiling),
    raw: { value: networks[0].scores.raw!, truth: truth.raws[0] },
    ceiling: held(scored.overallCeiling, truth.ceiling, ceiling),
    difference: held(outcome.difference, truth.values[0] - truth.values[1], outcome.interval),
    p: outcome.p,
    effect: held(outcome.effect!.value, truth.effect, outcome.effect!.interval),
    effectP: outcome.effect!.p ?? Number.NaN,
  };
};

const held = (
  value: number,
  truth: number,
  interval: { readonly low: number; readonly high: number } | null,
): Held => ({ value, truth, low: interval?.low ?? Number.NaN, high: interval?.high ?? Number.NaN });

/** The chosen layers' readouts of some responses `[rows, sites]`. */
const readoutsFor = (
  cell: Cell,
  population: Population,
  { features }: World,
  { folds }: Layout,
  networks: readonly [Network, Network],
  responses: Float64Nd,
) => {
  const { alpha } = design[cell.layout];
  return networks.map(({ chosen }, which): ReadoutOfFold[] => {
    const layers = population.layersOf(which as 0 | 1, which === 0 ? 0 : cell.handicap);
    const fits = new Map(
      [...new Set(chosen)].map((layer) => [
        layer,
        readoutsOf(features[which]![layer]!, responses, folds, alpha),
      ]),
    );
    return chosen.map((layer, fold) => ({
      layer: layers[layer]!,
      readout: fits.get(layer)!([fold]),
    }));
  }) as [ReadoutOfFold[], ReadoutOfFold[]];
};

const truthOf = (
  cell: Cell,
  population: Population,
  world: World,
  { layout, scored }: LaidOut,
  networks: readonly [Network, Network],
) => {
  const responses = cell.layout === 'image' ? world.everywhere() : scored.responses;
  const readouts = readoutsFor(cell, population, world, layout, networks, responses);
  if (cell.layout === 'image') return truthOfImages(population, cell.trials, readouts);
  const random = createRandom(`truth ${world.sites.join()}`);
  return truthOfGrids(population, world, cell.trials, readouts, random);
};

/** As if the population were the sites in use: what their being chosen makes of score and ceiling is then no error. */
const truthOfUsed = (
  cell: Cell,
  population: Population,
  world: World,
  { layout, scored }: LaidOut,
  networks: readonly [Network, Network],
) => {
  if (cell.layout === 'grid') return null;
  const used = sitesInUse(scored.ceiling);
  const sites = used.map((site) => world.sites[site]!);
  const tuning = { data: population.tuning, shape: [population.size, population.sites] };
  const responses = takeColumns(scored.responses, used);
  return truthOfImages(
    {
      ...population,
      sites: sites.length,
      tuning: takeColumns(tuning, sites).data,
      noise: Float64Array.from(sites, (site) => population.noise[site]!),
    },
    cell.trials,
    readoutsFor(cell, population, world, layout, networks, responses),
  );
};

const contender = (
  { layout, scored }: LaidOut,
  { scores, best, layers, nestedSelection, predictions }: Network,
) => ({
  name: '',
  score: {
    protocol: layout.protocol,
    ...{
      value: scores.value!,
      ceiling: scores.ceiling!,
      layer: best.layer,
      layers,
      nestedSelection,
    },
  } satisfies ComparedScore,
  heldOut: {
    ...{ recorded: scored.recorded, predicted: predictions, siteIds: layout.siteIds },
    stimulusIds: Array.from(layout.imageOfScored, (image) => `i${image}`),
    folds: foldOfRows(layout),
    ceiling: divisorsOf(scored.ceiling),
  },
});
