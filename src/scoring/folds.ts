import { createRandom } from '../numeric/random.ts';
import { inputError } from '../records/errors.ts';
import type { FoldSettings } from '../records/protocol.ts';
import { alikeColumn, type Stimulus } from '../records/recording.ts';
import { type Fold, kFold, leaveOneGroupOut } from '../regression/folds.ts';
import { shuffleSplits, stratifiedShuffleSplits } from '../regression/sklearn-splits.ts';

/**
 * The folds of a protocol over the rows of a response table; those of `stratified-shuffle-split` overlap. Folds are drawn
 * over images; all rows (fixations) of an image stay together. They are stratified where the stimuli have the named
 * column. Input errors: a column to group by that they do not have, fewer stimuli or classes than the folds need.
 */
export const foldsOf = (
  settings: FoldSettings,
  imageOfRow: Int32Array,
  stimuli: readonly Stimulus[],
  seed: number,
): Fold[] => {
  const idOf = (image: number): string => stimuli[image]!.id;
  if (settings.kind === 'leave-one-image-out')
    return leaveOneGroupOut(Array.from(imageOfRow, idOf));
  const images = [...new Set(imageOfRow)];
  const shown = images.map((image) => stimuli[image]!);
  const overImages =
    settings.kind === 'k-fold'
      ? shuffledFolds(settings, shown, seed)
      : shuffleSplit(settings, shown);
  return overImages.map(({ name, test }) => {
    const heldOut = new Set(Array.from(test, (index) => images[index]!));
    return {
      name,
      test: Int32Array.from(imageOfRow, (_, row) => row).filter((row) =>
        heldOut.has(imageOfRow[row]!),
      ),
    };
  });
};

const shuffledFolds = (
  { count, shuffle, stratifyBy, groupBy }: Extract<FoldSettings, { kind: 'k-fold' }>,
  shown: readonly Stimulus[],
  seed: number,
): Fold[] =>
  kFold({
    rows: shown.length,
    count,
    shuffle,
    strata: strataOf(stratifyBy, shown),
    groups: groupsOf(groupBy, shown),
    seed: createRandom(seed)
      .fork('folds')
      .int(2 ** 31),
  });

const shuffleSplit = (
  {
    count,
    testShare,
    randomState,
    stratifyBy,
  }: Extract<FoldSettings, { kind: 'stratified-shuffle-split' }>,
  shown: readonly Stimulus[],
): Fold[] => {
  const strata = strataOf(stratifyBy, shown);
  const share = { test: testShare };
  const splits =
    strata === null
      ? shuffleSplits(shown.length, count, share, randomState)
      : stratifiedShuffleSplits(strata, count, share, randomState);
  return splits.map(({ test }, k) => ({ name: `split ${k + 1}`, test: test.slice().sort() }));
};

const strataOf = (column: string | null, stimuli: readonly Stimulus[]): string[] | null => {
  if (column === null || !stimuli.every(({ columns }) => column in columns)) return null;
  return stimuli.map(({ columns }) => columns[column]!);
};

const groupsOf = (column: string | null, stimuli: readonly Stimulus[]): string[] | null => {
  if (column === null) return null;
  if (stimuli.every(({ columns }) => column in columns))
    return stimuli.map(({ columns }) => columns[column]!);
  if (column === alikeColumn) return null;
  throw inputError({
    where: 'protocol: folds.groupBy',
    expected: `one of ${Object.keys(stimuli[0]?.columns ?? {}).join(', ') || 'the columns of stimuli.csv (none)'}`,
    got: `"${column}"`,
    mend: 'name a column of stimuli.csv, or set groupBy to null',
  });
};
