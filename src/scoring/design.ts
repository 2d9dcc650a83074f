// Which regressions a protocol needs: those whose predictions are scored, and those by which a layer is chosen.

import { createRandom } from '../numeric/random.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Protocol } from '../records/protocol.ts';
import type { Fold } from '../regression/folds.ts';
import type { Split } from '../regression/held-out.ts';

/** Rows that one regression predicts, to be scored together. */
export interface HeldOutRows {
  readonly name: string;
  /** Rows of the table that is scored. */
  readonly rows: Int32Array;
  /** Rows of the response table that the regression did not train on. */
  readonly test: Int32Array;
}

/** One regression's part in the choice for a fold: the other fold that it predicts. */
export interface InnerFold {
  readonly fold: number;
  readonly split: number;
}

/** One regression: it predicts the rows of the folds that it holds out, and trains on all others. */
export interface HeldOutFolds {
  readonly name: string;
  /** As indices. */
  readonly heldOut: readonly number[];
}

export interface Design {
  /** Folds of rows that do not overlap. */
  readonly folds: readonly Fold[];
  /** First, for each fold, the regression whose predictions of it are scored; then those for the choice only. */
  readonly splits: readonly HeldOutFolds[];
  /** For each fold, what its choice of a layer rests on; null where the best layer is taken. */
  readonly inner: readonly (readonly InnerFold[])[] | null;
}

export const designOf = (
  layerChoice: Protocol['layerChoice'],
  folds: readonly Fold[],
  seed: number,
): Design => {
  switch (layerChoice) {
    case 'best':
      return {
        folds,
        splits: folds.map(({ name }, fold) => ({ name, heldOut: [fold] })),
        inner: null,
      };
    case 'nested':
      return pairs(folds);
    case 'half':
      return halves(folds, seed);
  }
};

/** Every fold left out, then every pair of folds: without i and j, fold i is predicted for the choice for fold j. */
const pairs = (folds: readonly Fold[]): Design => {
  const splits: HeldOutFolds[] = folds.map(({ name }, fold) => ({ name, heldOut: [fold] }));
  const inner = folds.map((): InnerFold[] => []);
  folds.forEach(({ name }, i) => {
    for (let j = i + 1; j < folds.length; j++) {
      const split = splits.length;
      splits.push({ name: `${name} and ${folds[j]!.name}`, heldOut: [i, j] });
      inner[i]!.push({ fold: j, split });
      inner[j]!.push({ fold: i, split });
    }
  });
  return { folds, splits, inner };
};

/** For each fold one regression on a seeded half (the larger) of the other folds; it predicts their other half too. */
const halves = (folds: readonly Fold[], seed: number): Design => {
  const random = createRandom(seed).fork('halves for the choice');
  const choosing = folds.map((_, fold) => {
    const others = folds.flatMap((_other, index) => (index === fold ? [] : [index]));
    const fitted = Math.ceil(others.length / 2);
    return Array.from(random.permutation(others.length).slice(fitted), (k) => others[k]!).sort(
      (a, b) => a - b,
    );
  });
  return {
    folds,
    splits: folds.map(({ name }, fold) => ({ name, heldOut: [fold, ...choosing[fold]!] })),
    inner: choosing.map((others, split) => others.map((fold) => ({ fold, split }))),
  };
};

/**
 * The regressions of `sets` response sets, by number: of all those that are scored, and of `choosing` those for the
 * choice of a layer. Without a set to choose by they are left out.
 */
export const splitsOf = (
  { folds, splits }: Design,
  sets: number,
  choosing: readonly number[],
): Split[] => {
  const all = Array.from({ length: sets }, (_, set) => set);
  return splits.flatMap((split, index): Split[] => {
    const own = index < folds.length ? all : choosing;
    return own.length === 0 ? [] : [{ ...split, sets: own }];
  });
};

const rowsOfSplits = new WeakMap<HeldOutFolds, Int32Array>();

/** The rows that a regression holds out, of all its folds; kept, since every layer asks for them. */
export const heldOutRowsOf = ({ folds, splits }: Design, split: number): Int32Array => {
  const regression = splits[split]!;
  const known = rowsOfSplits.get(regression);
  if (known !== undefined) return known;
  const rows = Int32Array.from(regression.heldOut.flatMap((fold) => [...folds[fold]!.test]));
  rowsOfSplits.set(regression, rows);
  return rows;
};

/** The part of a regression's predictions, [rows left out, sites], that belongs to one of its folds. */
export const partOf = (
  { folds, splits }: Design,
  split: number,
  fold: number,
  predictions: Float64Nd,
): Float64Nd => {
  const sites = predictions.shape[1]!;
  let from = 0;
  for (const each of splits[split]!.heldOut) {
    const rows = folds[each]!.test.length;
    if (each === fold)
      return {
        data: predictions.data.subarray(from * sites, (from + rows) * sites),
        shape: [rows, sites],
      };
    from += rows;
  }
  throw new Error(`regression ${split} does not hold fold ${fold} out`);
};
