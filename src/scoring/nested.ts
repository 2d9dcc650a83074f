// A choice of the layer that never sees what it is scored on.

import { takeRows } from '../numeric/array.ts';
import type { Float64Nd } from '../records/array.ts';
import { aggregate } from './aggregate.ts';
import { ceilingWithin } from './ceilings.ts';
import { correlate } from './correlations.ts';
import { nullable } from './defined.ts';
import { type Design, leftOutOf, partOf } from './design.ts';
import type { Group } from './groups.ts';
import { trainedMean, withoutGuesses } from './guesses.ts';
import { chosenBin, type Target } from './target.ts';

/**
 * For each fold, one layer's value on the other folds, by the protocol's own correlation, ceiling and aggregation; null
 * where it is not defined.
 *
 * @param predictionsOf of a regression in the chosen time bin, [rows left out, sites].
 */
export const choiceFigures = (
  target: Target,
  design: Design,
  predictionsOf: (omission: number) => Float64Nd,
): (number | null)[] =>
  design.folds.map((_, fold) => {
    const { recorded, predicted, rows, parts } = innerTable(target, design, fold, predictionsOf);
    const { protocol } = target;
    const within = groupsWithin(target.groups, rows);
    const ceiling = ceilingWithin(chosenBin(target).ceiling, target.groups, within.ofAll);
    const known = withoutGuesses(recorded, predicted, parts);
    const correlations = correlate(recorded, known, within.ofSome, protocol.correlation);
    return nullable(aggregate(correlations, ceiling, protocol.normalisation).value);
  });

/** The rows of the folds that are predicted for the choice, one fold after another. */
const innerTable = (
  target: Target,
  design: Design,
  fold: number,
  predictionsOf: (omission: number) => Float64Nd,
) => {
  const { mean } = chosenBin(target).table;
  const inner = design.inner![fold]!;
  const sites = mean.shape[1]!;
  const rows = Int32Array.from(inner.flatMap((each) => [...design.folds[each.fold]!.test]));
  const data = new Float64Array(rows.length * sites);
  let from = 0;
  const parts = inner.map(({ fold: other, omission }) => {
    const part = partOf(design, omission, other, predictionsOf(omission));
    data.set(part.data, from * sites);
    const own = Int32Array.from(design.folds[other]!.test, (_, k) => from + k);
    from += own.length;
    return { rows: own, trainedMean: trainedMean(mean, leftOutOf(design, omission)) };
  });
  const predicted: Float64Nd = { data, shape: [rows.length, sites] };
  return { recorded: takeRows(mean, rows), predicted, rows, parts };
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

/** What the figures for a choice depend on beside the regressions; null where no layer is chosen so. */
export const choiceBasis = ({ protocol, design, bins, chosen }: Target) => {
  if (design === null || design.inner === null) return null;
  const { layerChoice, correlation, ceiling, aggregation, normalisation } = protocol;
  const { timeBin } = bins[chosen]!;
  return { layerChoice, correlation, ceiling, aggregation, normalisation, timeBin };
};
