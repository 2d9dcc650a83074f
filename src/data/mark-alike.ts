import { alikeColumn, type Stimulus } from '../records/recording.ts';
import { groupAlike, type Thumbnail } from './alike.ts';

/** Stimuli with the column `alike` where some are, and what is to be said of it. */
export interface MarkedStimuli {
  readonly stimuli: readonly Stimulus[];
  readonly notes: readonly string[];
}

/**
 * Finds nearly equal images among the stimuli of a recording that is being imported. Nothing changes where there are
 * none; a column `alike` that the stimuli have already stays.
 */
export const markAlike = (
  stimuli: readonly Stimulus[],
  thumbnails: readonly Thumbnail[],
): MarkedStimuli => {
  if (stimuli.some(({ columns }) => alikeColumn in columns)) return { stimuli, notes: [] };
  const first = groupAlike(thumbnails);
  const groups = new Map<number, number>();
  for (const index of first) groups.set(index, (groups.get(index) ?? 0) + 1);
  const several = [...groups].filter(([, count]) => count > 1);
  if (several.length === 0) return { stimuli, notes: [] };
  const together = several.reduce((sum, [, count]) => sum + count, 0);
  const shown = several.slice(0, 3).map(([index]) => {
    const other = first.indexOf(index, index + 1);
    return `${stimuli[index]!.id} ≈ ${stimuli[other]!.id}`;
  });
  const more = several.length > shown.length ? ', …' : '';
  return {
    stimuli: stimuli.map((stimulus, index) => ({
      ...stimulus,
      columns: { ...stimulus.columns, [alikeColumn]: stimuli[first[index]!]!.id },
    })),
    notes: [
      `${together} stimuli are nearly equal to others, in ${several.length} ${several.length === 1 ? 'group' : 'groups'} (${shown.join(', ')}${more}): column ` +
        `${alikeColumn}; "groupBy": "${alikeColumn}" in the folds of a protocol keeps each group in one fold`,
    ],
  };
};
