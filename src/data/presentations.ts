import type { Dimension } from '../records/recording.ts';

/** Where each presentation goes: which stimulus, and the how-manieth trial of it. */
export interface Trials {
  /** Ids in the order of the recording. */
  readonly ids: readonly string[];
  /** Per presentation; −1 where its stimulus is not among `ids`. */
  readonly stimulus: Int32Array;
  readonly trial: Int32Array;
  /** Most trials of a stimulus; others end in missing ones. */
  readonly trials: number;
}

/**
 * Groups presentations by stimulus; trials of a stimulus are counted in the order in which it was shown, since numbers of
 * repetitions begin anew with each session. `ids` is the order of the stimuli; those never shown are left out.
 */
export const groupTrials = (shown: readonly string[], order: readonly string[]): Trials => {
  const present = new Set(shown);
  const ids = order.filter((id) => present.has(id));
  const indices = new Map(ids.map((id, index) => [id, index]));
  const counts = new Int32Array(ids.length);
  const stimulus = Int32Array.from(shown, (id) => indices.get(id) ?? -1);
  const trial = stimulus.map((index) => (index < 0 ? -1 : counts[index]!++));
  return { ids, stimulus, trial, trials: counts.reduce((most, n) => Math.max(most, n), 0) };
};

/** The axes of an array that hold something: trials and time only where there are several. */
export const usedAxes = (
  sizes: readonly (readonly [Dimension, number])[],
): { readonly dims: Dimension[]; readonly shape: number[] } => {
  const used = sizes.filter(
    ([dimension, size]) => dimension === 'stimulus' || dimension === 'site' || size > 1,
  );
  return { dims: used.map(([dimension]) => dimension), shape: used.map(([, size]) => size) };
};

/** A column of the stimuli that each of their presentations agrees on, by id; null where they do not. */
export const constantColumn = (
  shown: readonly string[],
  values: readonly string[],
): ReadonlyMap<string, string> | null => {
  const column = new Map<string, string>();
  for (const [index, id] of shown.entries()) {
    const value = values[index]!;
    const before = column.get(id);
    if (before !== undefined && before !== value) return null;
    column.set(id, value);
  }
  return column;
};
