import { createRandom } from '../numeric/random.ts';
import { inputError } from '../records/errors.ts';
import type { FoldSettings } from '../records/protocol.ts';
import { alikeColumn, type Stimulus } from '../records/recording.ts';
import { type Fold, kFold, leaveOneGroupOut } from '../regression/folds.ts';

/**
 * The folds of a protocol over the rows of a response table. Folds are drawn over images; all rows (fixations) of an
 * image stay together. `k-fold` is stratified where the stimuli have the named column. Input error: a column to group by
 * that they do not have.
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
  const overImages = kFold({
    rows: images.length,
    count: settings.count,
    shuffle: settings.shuffle,
    strata: strataOf(
      settings.stratifyBy,
      images.map((image) => stimuli[image]!),
    ),
    groups: groupsOf(
      settings.groupBy,
      images.map((image) => stimuli[image]!),
    ),
    seed: createRandom(seed)
      .fork('folds')
      .int(2 ** 31),
  });
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
