// Which regressions a protocol needs: those whose predictions are scored, and those by which a layer is chosen.

import { createRandom } from '../numeric/random.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Protocol } from '../records/protocol.ts';
import type { Fold } from '../regression/folds.ts';
import type { Omission } from '../regression/omissions.ts';

/** Rows that one regression predicts, to be scored together. */
export interface HeldOutRows {
  readonly name: string;
  /** Rows of the table that is scored. */
  readonly rows: Int32Array;
  /** Rows of the response table that the regression did not train on. */
  readonly leftOut: Int32Array;
}

/** One regression's part in the choice for a fold: the other fold that it predicts. */
export interface InnerFold {
  readonly fold: number;
  readonly omission: number;
}

/** One regression: it trains on the rows of no block of its own, and predicts the rows of its blocks. */
export interface LeftOutBlocks {
  readonly name: string;
  /** Folds left out, as indices. */
  readonly blocks: readonly number[];
}

export interface Design {
  /** Folds of rows that do not overlap. */
  readonly folds: readonly Fold[];
  /** First, for each fold, the regression whose predictions of it are scored; then those for the choice only. */
  readonly omissions: readonly LeftOutBlocks[];
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
        omissions: folds.map(({ name }, fold) => ({ name, blocks: [fold] })),
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
  const omissions: LeftOutBlocks[] = folds.map(({ name }, fold) => ({ name, blocks: [fold] }));
  const inner = folds.map((): InnerFold[] => []);
  folds.forEach(({ name }, i) => {
    for (let j = i + 1; j < folds.length; j++) {
      const omission = omissions.length;
      omissions.push({ name: `${name} and ${folds[j]!.name}`, blocks: [i, j] });
      inner[i]!.push({ fold: j, omission });
      inner[j]!.push({ fold: i, omission });
    }
  });
  return { folds, omissions, inner };
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
    omissions: folds.map(({ name }, fold) => ({ name, blocks: [fold, ...choosing[fold]!] })),
    inner: choosing.map((others, omission) => others.map((fold) => ({ fold, omission }))),
  };
};

/**
 * The regressions of `sets` response sets, by number: of all those that are scored, and of `choosing` those for the
 * choice of a layer. Without a set to choose by they are left out.
 */
export const omissionsOf = (
  { folds, omissions }: Design,
  sets: number,
  choosing: readonly number[],
): Omission[] => {
  const all = Array.from({ length: sets }, (_, set) => set);
  return omissions.flatMap((omission, index): Omission[] => {
    const own = index < folds.length ? all : choosing;
    return own.length === 0 ? [] : [{ ...omission, sets: own }];
  });
};

const leftOut = new WeakMap<LeftOutBlocks, Int32Array>();

/** The rows that a regression leaves out, all blocks; kept, since every layer asks for them. */
export const leftOutOf = ({ folds, omissions }: Design, omission: number): Int32Array => {
  const regression = omissions[omission]!;
  const known = leftOut.get(regression);
  if (known !== undefined) return known;
  const rows = Int32Array.from(regression.blocks.flatMap((block) => [...folds[block]!.test]));
  leftOut.set(regression, rows);
  return rows;
};

/** The part of a regression's predictions, [rows left out, sites], that belongs to one of its folds. */
export const partOf = (
  { folds, omissions }: Design,
  omission: number,
  fold: number,
  predictions: Float64Nd,
): Float64Nd => {
  const sites = predictions.shape[1]!;
  let from = 0;
  for (const block of omissions[omission]!.blocks) {
    const rows = folds[block]!.test.length;
    if (block === fold)
      return {
        data: predictions.data.subarray(from * sites, (from + rows) * sites),
        shape: [rows, sites],
      };
    from += rows;
  }
  throw new Error(`regression ${omission} does not leave fold ${fold} out`);
};
