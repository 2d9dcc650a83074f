// The regressions of a layer on several response sets: which rows each leaves out, where responses are missing too.

import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Engine } from '../records/ports.ts';
import type { RegressionSettings } from '../records/protocol.ts';
import type { Fold } from '../regression/folds.ts';
import type { Split } from '../regression/held-out.ts';
import { predictOmitted } from '../regression/regress.ts';
import { predictSplits, type SplitOfRows } from '../regression/splits.ts';
import type { RegressionHooks } from '../regression/steps.ts';
import { type Design, heldOutRowsOf, splitsOf } from './design.ts';
import type { Layout } from './layout.ts';
import { trainedMean } from './mean-predictions.ts';
import { patternsOf } from './missing.ts';

/** A layer, and what it is regressed by. */
export interface RegressionJob {
  readonly engine: Engine;
  readonly source: FeatureSource;
  readonly settings: RegressionSettings;
  readonly hooks: RegressionHooks;
}

export interface LayerRegressions {
  /** A set's predictions by one regression, `[rows left out, sites]`; NaN where the response is missing. */
  readonly predicted: (set: number, regression: number) => Float64Nd;
  /** Ridge: the alphas chosen for a set by each of the scored regressions, `[folds, sites]`; else null. */
  readonly alphas: ((set: number) => Float64Nd) | null;
  readonly arithmetic: string;
  readonly warnings: readonly string[];
}

/** Sites of one response set that lack the same rows. */
interface Part {
  readonly set: number;
  readonly columns: Int32Array;
  /** Index into the distinct lists of missing rows. */
  readonly lacking: number;
}

interface Parts {
  readonly parts: readonly Part[];
  readonly lists: readonly Int32Array[];
  /** The sets, their missing responses filled with the mean of the site. */
  readonly responses: readonly Float64Nd[];
  readonly sites: readonly number[];
}

/** All sets in parts that lack the same rows; whole sets where nothing is missing. */
const partsOf = (sets: readonly Float64Nd[]): Parts => {
  const lists: Int32Array[] = [];
  const places = new Map<string, number>();
  const parts = sets.flatMap((responses, set) =>
    patternsOf(responses).map(({ columns, rows }): Part => {
      const key = rows.join();
      const lacking = places.get(key) ?? lists.push(rows) - 1;
      places.set(key, lacking);
      return { set, columns, lacking };
    }),
  );
  return {
    parts,
    lists,
    responses: sets.map(filledWithMeans),
    sites: sets.map(({ shape }) => shape[1]!),
  };
};

/** A table `[rows, sites]` in which the mean of its site stands for what is missing. */
export const filledWithMeans = (responses: Float64Nd): Float64Nd => {
  const { data, shape } = responses;
  if (!data.some(Number.isNaN)) return responses;
  const means = trainedMean(responses, new Int32Array(0));
  const sites = shape[1]!;
  return {
    data: data.map((value, at) => (Number.isNaN(value) ? means[at % sites]! : value)),
    shape,
  };
};

/**
 * Regresses a layer on response sets `[rows, sites]`, all from one Gram matrix. Sites that lack responses are predicted by
 * regressions that leave their missing rows out too. All sites are fitted jointly in each, as where nothing is missing, since
 * partial least squares on fewer sites is another regression; what others lack is filled with their mean there.
 *
 * @param choosing sets, by number, that the regressions for the choice of a layer are needed for.
 */
export const regressLayer = async (
  layout: Layout,
  sets: readonly Float64Nd[],
  choosing: readonly number[],
  job: RegressionJob,
): Promise<LayerRegressions> => {
  const parts = partsOf(sets);
  return layout.design === null
    ? ofSplits(layout.folds, parts, job)
    : ofFolds(layout.design, parts, choosing, job);
};

const ofFolds = async (
  design: Design,
  { parts, lists, responses, sites }: Parts,
  choosing: readonly number[],
  { engine, source, settings, hooks }: RegressionJob,
): Promise<LayerRegressions> => {
  const cells = cellsOf(design.folds, lists);
  const wanted = splitsOf(design, responses.length, choosing);
  const places = new Map<string, { readonly split: number; readonly place: number }>();
  const lacking = lists.map((_, list) => new Set(setsLacking(parts, list)));
  const splits: Split[] = [];
  wanted.forEach(({ name, heldOut, sets: ofDesign }, regression) => {
    lists.forEach((_, list) => {
      const own = ofDesign.filter((set) => lacking[list]!.has(set));
      if (own.length === 0) return;
      own.forEach((set, place) => {
        places.set(`${regression} ${set} ${list}`, { split: splits.length, place });
      });
      splits.push({ name, heldOut: cells.heldOut(heldOut, list), sets: own });
    });
  });
  const fitted = await predictOmitted(
    engine,
    source,
    responses,
    cells.folds,
    splits,
    settings,
    hooks,
  );
  const rowsOf = (split: number): Int32Array =>
    Int32Array.from(splits[split]!.heldOut.flatMap((cell) => [...cells.folds[cell]!.test]));
  const { alphas } = fitted;
  return {
    predicted: (set, regression) =>
      joined(partsOfSet(parts, set), heldOutRowsOf(design, regression), lists, (list) => {
        const { split, place } = places.get(`${regression} ${set} ${list}`)!;
        return { rows: rowsOf(split), table: fitted.predictions[split]![place]! };
      }),
    alphas:
      alphas === null
        ? null
        : (set) =>
            joinedAlphas(partsOfSet(parts, set), {
              folds: design.folds.length,
              sites: sites[set]!,
              table: alphas[set]!,
              rowOf: (fold, list) => places.get(`${fold} ${set} ${list}`)!.split,
            }),
    arithmetic: fitted.arithmetic,
    warnings: fitted.warnings,
  };
};

const ofSplits = async (
  folds: readonly Fold[],
  { parts, lists, responses, sites }: Parts,
  { engine, source, settings, hooks }: RegressionJob,
): Promise<LayerRegressions> => {
  const splits = lists.flatMap((missing, list) => {
    const sets = setsLacking(parts, list);
    return folds.map(({ name, test }): SplitOfRows => {
      const held = new Set(test);
      const more = missing.filter((row) => !held.has(row));
      return { name, test: more.length === 0 ? test : Int32Array.of(...test, ...more), sets };
    });
  });
  const fitted = await predictSplits(engine, source, responses, splits, settings, hooks);
  const splitOf = (fold: number, list: number): number => list * folds.length + fold;
  const { alphas } = fitted;
  return {
    predicted: (set, regression) =>
      joined(partsOfSet(parts, set), folds[regression]!.test, lists, (list) => {
        const split = splitOf(regression, list);
        const { test, sets } = splits[split]!;
        return { rows: test, table: fitted.predictions[split]![sets.indexOf(set)]! };
      }),
    alphas:
      alphas === null
        ? null
        : (set) =>
            joinedAlphas(partsOfSet(parts, set), {
              folds: folds.length,
              sites: sites[set]!,
              table: alphas[set]!,
              rowOf: splitOf,
            }),
    arithmetic: [...new Set(fitted.arithmetics)].join(', '),
    warnings: fitted.warnings,
  };
};

/** Rows cut so finely that folds, and folds with the rows of each list, are made of whole cells. */
const cellsOf = (folds: readonly Fold[], lists: readonly Int32Array[]) => {
  const lacking = lists.map((list) => new Set(list));
  const found = new Map<string, { readonly fold: number; readonly test: number[] }>();
  folds.forEach(({ test }, fold) => {
    for (const row of test) {
      const key = `${fold} ${lacking.map((list) => (list.has(row) ? 1 : 0)).join('')}`;
      const same = found.get(key);
      if (same === undefined) found.set(key, { fold, test: [row] });
      else same.test.push(row);
    }
  });
  const cells = [...found.values()];
  return {
    folds: cells.map(
      ({ fold, test }): Fold => ({ name: folds[fold]!.name, test: Int32Array.from(test) }),
    ),
    /** The cells of some folds, and all others whose rows a list has. */
    heldOut: (own: readonly number[], list: number): number[] => {
      const inFolds = own.flatMap((fold) =>
        cells.flatMap((cell, index) => (cell.fold === fold ? [index] : [])),
      );
      const beside = cells.flatMap(({ fold, test }, index) =>
        !own.includes(fold) && lacking[list]!.has(test[0]!) ? [index] : [],
      );
      return [...inFolds, ...beside];
    },
  };
};

const partsOfSet = (parts: readonly Part[], set: number): readonly Part[] =>
  parts.filter((part) => part.set === set);

/** Sets of which some site lacks these rows. */
const setsLacking = (parts: readonly Part[], list: number): number[] =>
  parts.flatMap(({ set, lacking }) => (lacking === list ? [set] : []));

interface ListPredictions {
  /** Rows that the table is of, in its order. */
  readonly rows: Int32Array;
  /** `[rows, sites]`, of all sites of the set. */
  readonly table: Float64Nd;
}

/** A set's predictions `[rows, sites]`, each site's from the regression that leaves its missing rows out. */
const joined = (
  parts: readonly Part[],
  rows: Int32Array,
  lists: readonly Int32Array[],
  predictionsOf: (list: number) => ListPredictions,
): Float64Nd => {
  const [first] = parts;
  if (parts.length === 1 && lists[first!.lacking]!.length === 0) {
    const whole = predictionsOf(first!.lacking);
    if (whole.rows.every((row, k) => row === rows[k])) return whole.table;
  }
  const sites = parts.reduce((sum, { columns }) => sum + columns.length, 0);
  const data = new Float64Array(rows.length * sites).fill(Number.NaN);
  for (const { columns, lacking } of parts) {
    const { rows: theirs, table } = predictionsOf(lacking);
    const places = new Map(Array.from(theirs, (row, place) => [row, place]));
    const missing = new Set(lists[lacking]!);
    rows.forEach((row, k) => {
      if (missing.has(row)) return;
      const from = places.get(row)! * sites;
      for (const column of columns) data[k * sites + column] = table.data[from + column]!;
    });
  }
  return { data, shape: [rows.length, sites] };
};

interface AlphaTable {
  readonly folds: number;
  readonly sites: number;
  /** `[regressions, sites]`. */
  readonly table: Float64Nd;
  readonly rowOf: (fold: number, list: number) => number;
}

/** Chosen alphas `[folds, sites]` of a set, each site's from the regression that predicts it. */
const joinedAlphas = (
  parts: readonly Part[],
  { folds, sites, table, rowOf }: AlphaTable,
): Float64Nd => {
  const data = new Float64Array(folds * sites);
  for (const { columns, lacking } of parts)
    for (let fold = 0; fold < folds; fold++)
      for (const column of columns)
        data[fold * sites + column] = table.data[rowOf(fold, lacking) * sites + column]!;
  return { data, shape: [folds, sites] };
};
