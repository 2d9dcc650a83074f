// A choice of the layer that never sees what it is scored on.

import { takeRows } from '../numeric/array.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Ceiling } from './ceiling.ts';
import { ceilingOfSomeRows } from './ceilings.ts';
import { nullable } from './defined.ts';
import { type Design, type HeldOutRows, heldOutRowsOf, partOf } from './design.ts';
import { evaluate } from './evaluate.ts';
import type { Group } from './groups.ts';
import type { Layout } from './layout.ts';
import type { BinSet, ResponseSet } from './response-sets.ts';

/**
 * For each fold, one layer's value on the other folds, by the protocol's own correlation, ceiling and aggregation; null
 * where it is not defined.
 *
 * @param predictionsOf of a regression for this set, [rows left out, sites].
 */
export const selectionValues = (
  layout: Layout,
  design: Design,
  set: ResponseSet,
  predictionsOf: (split: number) => Float64Nd,
): (number | null)[] =>
  design.folds.map((_, fold) => {
    const { rows, heldOut, within } = innerRows(layout, design, fold);
    const predicted = innerTable(design, fold, predictionsOf);
    const { aggregated } = evaluate(
      { protocol: layout.protocol, groups: within.ofSome, heldOut },
      {
        responses: set.responses,
        recorded: takeRows(set.responses, rows),
        ceiling: innerCeiling(layout, design, set.ceiling, fold, within.ofAll),
      },
      predicted,
    );
    return nullable(aggregated.value);
  });

const innerCeilings = new WeakMap<Design, WeakMap<Ceiling, Map<number, Ceiling>>>();

/** The ceiling on the rows of the other folds, one for all layers and all permutations of stimuli: kept, since reliabilities take as long as a regression. */
const innerCeiling = (
  { groups }: Layout,
  design: Design,
  ceiling: Ceiling,
  fold: number,
  rows: readonly Group[],
): Ceiling => {
  const ofDesign = innerCeilings.get(design) ?? new WeakMap<Ceiling, Map<number, Ceiling>>();
  innerCeilings.set(design, ofDesign);
  const ofFolds = ofDesign.get(ceiling) ?? new Map<number, Ceiling>();
  ofDesign.set(ceiling, ofFolds);
  const kept = ofFolds.get(fold) ?? ceilingOfSomeRows(ceiling, groups, rows);
  ofFolds.set(fold, kept);
  return kept;
};

interface InnerRows {
  /** Of the folds that are predicted for the choice, one fold after another. */
  readonly rows: Int32Array;
  readonly heldOut: readonly HeldOutRows[];
  readonly within: ReturnType<typeof groupsWithin>;
}

const innerRowsOf = new WeakMap<Design, Map<number, InnerRows>>();

/** Kept like the ceilings: the same for all layers and sets. */
const innerRows = ({ groups }: Layout, design: Design, fold: number): InnerRows => {
  const ofFolds = innerRowsOf.get(design) ?? new Map<number, InnerRows>();
  innerRowsOf.set(design, ofFolds);
  const kept = ofFolds.get(fold) ?? findInnerRows(groups, design, fold);
  ofFolds.set(fold, kept);
  return kept;
};

const findInnerRows = (groups: readonly Group[], design: Design, fold: number): InnerRows => {
  const inner = design.inner![fold]!;
  const rows = Int32Array.from(inner.flatMap((each) => [...design.folds[each.fold]!.test]));
  let from = 0;
  const heldOut = inner.map(({ fold: other, split }): HeldOutRows => {
    const { name, test } = design.folds[other]!;
    const own = Int32Array.from(test, (_, place) => from + place);
    from += own.length;
    return { name, rows: own, test: heldOutRowsOf(design, split) };
  });
  return { rows, heldOut, within: groupsWithin(groups, rows) };
};

/** What is predicted of these rows. */
const innerTable = (
  design: Design,
  fold: number,
  predictionsOf: (split: number) => Float64Nd,
): Float64Nd => {
  const predictions = design.inner![fold]!.map(({ fold: other, split }) =>
    partOf(design, split, other, predictionsOf(split)),
  );
  const sites = predictions[0]!.shape[1]!;
  const rows = predictions.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const data = new Float64Array(rows * sites);
  let from = 0;
  for (const part of predictions) {
    data.set(part.data, from);
    from += part.data.length;
  }
  return { data, shape: [rows, sites] };
};

/**
 * The groups of which rows are left, as rows of the whole table (`ofAll`) and of the table of these rows (`ofSome`).
 * Folds hold whole images, so that a group of an image is left as it is or not at all.
 */
const groupsWithin = (
  groups: readonly Group[],
  rows: Int32Array,
): { readonly ofAll: Group[]; readonly ofSome: Group[] } => {
  const places = new Map(Array.from(rows, (row, place) => [row, place]));
  const ofAll = groups
    .map(({ name, rows: own }) => ({ name, rows: own.filter((row) => places.has(row)) }))
    .filter((group) => group.rows.length > 0);
  return {
    ofAll,
    ofSome: ofAll.map(({ name, rows: own }) => ({
      name,
      rows: own.map((row) => places.get(row)!),
    })),
  };
};

/** What the values for a choice depend on beside the regressions; null where no layer is chosen so. */
export const selectionBasis = ({ protocol, design }: Layout, { label: { timeBin } }: BinSet) => {
  if (design === null || design.inner === null) return null;
  const { layerChoice, correlation, ceiling, aggregation, normalisation } = protocol;
  return { layerChoice, correlation, ceiling, aggregation, normalisation, timeBin };
};
