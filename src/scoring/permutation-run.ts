// Permutations carried out: every layer fitted to a batch of them, in each the layer chosen anew.

import type { Features, LayerSize } from '../records/activations.ts';
import type { ChosenSoFar, DrawnValues } from '../records/draws.ts';
import type { Ports } from '../records/ports.ts';
import type { Stimulus } from '../records/recording.ts';
import type { NullScore } from '../records/score.ts';
import { measureSpeed } from '../regression/estimate.ts';
import { allChosen, drawnSets, nothingChosen, withLayer } from './chosen-draws.ts';
import { type Cost, type FitShape, fitShapeOf, runBytes, secondsOf } from './cost.ts';
import { fitLayer } from './fit-layer.ts';
import type { LaidOut } from './lay-out.ts';
import {
  batchesOf,
  type DrawRange,
  drawsOf,
  fixedStimuli,
  type PermutationKind,
  permutationKinds,
  permutationNull,
  permutedSets,
  rankTest,
  unitsOf,
} from './permutations.ts';

/** What permutations are drawn of, and what is fitted to them. */
export interface PermutationBasis {
  readonly laidOut: LaidOut;
  readonly features: Features;
  readonly stimuli: readonly Stimulus[];
  readonly seed: number;
  /** Draws of each kind that a test rests on. */
  readonly asked: number;
  /** Bytes that the run may take. */
  readonly memory: number;
}

export interface Batch {
  readonly kind: PermutationKind;
  readonly draws: DrawRange;
}

/** Keeps what a batch has come to: `get` null where nothing is kept. */
export interface DrawsKeeper {
  get(batch: Batch): Promise<ChosenSoFar | null>;
  put(batch: Batch, found: ChosenSoFar): Promise<void>;
}

/** Copies of a batch's predictions: as they are found, as they are stacked, and those of the chosen layers. */
const copies = 3;

const shapeOfBatch = ({ laidOut }: Pick<PermutationBasis, 'laidOut'>, sets: number): FitShape => ({
  ...fitShapeOf(laidOut),
  sets,
  choosing: laidOut.layout.design?.inner ? sets : 0,
});

/** The batches of all kinds, one kind after another, as large as memory allows. */
export const permutationBatches = (basis: PermutationBasis): Batch[] => {
  const { laidOut, features, asked, memory } = basis;
  const sizes = [80, 40, 20, 10, 5];
  const most =
    sizes.find((sets) => runBytes(features, shapeOfBatch(basis, sets), copies) <= memory) ?? 5;
  return permutationKinds(laidOut.layout).flatMap((kind) =>
    batchesOf(drawsOf(kind, asked), most).map((draws) => ({ kind, draws })),
  );
};

const layersOf = ({ passes }: Features): LayerSize[] => passes.flatMap(({ layers }) => layers);

/** What is still to be done takes at most: no score may turn out to need fewer draws. */
export const permutationCost = async (
  basis: PermutationBasis,
  keeper: DrawsKeeper,
  { engine, now }: Pick<Ports, 'engine' | 'now'>,
): Promise<Cost> => {
  const { features } = basis;
  const speed = await measureSpeed(engine, now);
  let [bytes, seconds] = [0, 0];
  for (const batch of permutationBatches(basis)) {
    const shape = shapeOfBatch(basis, batch.draws[1] - batch.draws[0]);
    const done = (await keeper.get(batch))?.layers ?? 0;
    const layers = layersOf(features).map((layer, k) => ({ ...layer, done: k < done }));
    bytes = Math.max(bytes, runBytes(features, shape, copies));
    seconds += secondsOf(features, layers, shape, speed);
  }
  return { bytes, seconds };
};

/**
 * The nulls by permutation of a score. Each draw goes the whole way of the score, its choice of a layer included; a kind
 * ends early once its draws have settled the rank. Goes on from what is kept. Rejects with the `stopped` error after an
 * interrupt.
 */
export const permutationNulls = async (
  basis: PermutationBasis,
  score: number,
  keeper: DrawsKeeper,
  ports: Ports,
): Promise<NullScore[]> => {
  const { layout } = basis.laidOut;
  const batches = permutationBatches(basis);
  const units = unitsOf(layout, basis.stimuli);
  const nulls: NullScore[] = [];
  for (const kind of permutationKinds(layout)) {
    const found: DrawnValues[] = [];
    for (const batch of batches.filter((each) => each.kind === kind)) {
      const test = rankTest(
        found.map(({ value }) => value),
        score,
      );
      if (test?.settled) break;
      found.push(...(await batchValues(basis, batch, units, keeper, ports)));
    }
    const note = kind === 'shuffled-positions' ? sanityNote : fixedNote(units);
    nulls.push(permutationNull(layout, kind, found, score, note));
  }
  return nulls;
};

const sanityNote = 'a check on the sanity of the rest, on which no test rests';

const fixedNote = (units: Int32Array): string | null => {
  const fixed = fixedStimuli(units);
  if (fixed === 0) return null;
  return `${fixed} of ${units.length} stimuli stay in place: no other group of the stimuli that belong together has as many`;
};

const batchValues = async (
  { laidOut, features, seed }: PermutationBasis,
  batch: Batch,
  units: Int32Array,
  keeper: DrawsKeeper,
  ports: Ports,
): Promise<readonly DrawnValues[]> => {
  const { layout, scored } = laidOut;
  const [from, to] = batch.draws;
  const named = during(`${batch.kind} ${from + 1} to ${to}`, ports);
  const sets = permutedSets(layout, scored, { ...batch, units }, seed);
  let soFar = (await keeper.get(batch)) ?? nothingChosen(layout, sets);
  const places = new Map(layersOf(features).map(({ name }, place) => [name, place]));
  const hooks = {
    checkStop: ports.checkStop,
    progress: (task: string, done: number, total: number, unit: string) =>
      named.progress({ task, done, total, unit }),
  };
  for (const pass of features.passes) {
    const { layers } = soFar;
    const sources = await features.gather(pass, ({ name }) => places.get(name)! >= layers, hooks);
    for (const source of sources) {
      const fit = await fitLayer(layout, drawnSets(layout, sets), source, named);
      soFar = withLayer(layout, sets, soFar, fit);
      if (soFar.layers === places.size) soFar = allChosen(layout, sets, soFar);
      await keeper.put(batch, soFar);
    }
  }
  return soFar.draws;
};

const during = (name: string, ports: Ports): Ports => ({
  ...ports,
  progress: (event) => ports.progress({ ...event, task: `${name}: ${event.task}` }),
});
