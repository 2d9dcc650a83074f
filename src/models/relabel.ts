import type { Sizes } from '../graph/sizes.ts';

interface Group {
  /** Axes `[from, to)` of the tensor before and after reshaping, of equal size in all. */
  readonly before: readonly [from: number, to: number];
  readonly after: readonly [from: number, to: number];
}

/** Splits two shapes of equal size, row-major, into the smallest groups of axes that correspond. */
const groups = (before: readonly number[], after: readonly number[]): Group[] => {
  const found: Group[] = [];
  let [i, j] = [0, 0];
  while (i < before.length && j < after.length) {
    const [from, start] = [i, j];
    let a = before[i++]!;
    let b = after[j++]!;
    while (a !== b) {
      if (a < b && i < before.length) a *= before[i++]!;
      else if (b < a && j < after.length) b *= after[j++]!;
      else return found;
    }
    found.push({ before: [from, i], after: [start, j] });
  }
  return found;
};

/** Letters of the axes that one group becomes. */
const groupLetters = (
  letters: string,
  sizes: readonly number[],
  after: readonly number[],
): string => {
  const present = [...letters].filter((_, axis) => sizes[axis]! > 1).join('') || letters[0]!;
  if (after.length === 1) {
    if (present.length === 1) return present;
    if (present === 'HW') return 'T';
    // Images merged with anything else are no images any more.
    return present.includes('C') && !present.includes('N') ? 'C' : '?';
  }
  if (present === 'T' && after.length === 2 && after.every((size) => size > 1)) return 'HW';
  const large = after.filter((size) => size > 1).length;
  if (present.length !== 1 || large > 1) return '?'.repeat(after.length);
  return after.map((size) => (size > 1 ? present : '?')).join('');
};

/** Where sizes are not known, the number of axes has to do. */
const byRank = (letters: string, rank: number): string => {
  if (rank === letters.length) return letters;
  if (rank === 2 && letters.startsWith('N')) return 'NC';
  if (letters === 'NCHW' && rank === 3) return 'NCT';
  if (letters === 'NHWC' && rank === 3) return 'NTC';
  return '?'.repeat(rank);
};

/**
 * The letters of a reshaped tensor (see `Axes`): rows and columns flattened are tokens, tokens unfolded are rows and
 * columns, channels with anything that is no image are channels; what cannot be told is `?`.
 */
export const relabel = (letters: string, before: Sizes | null, after: Sizes | null): string => {
  if (after === null) return letters;
  if (before === null || before.includes(null) || after.includes(null)) {
    return byRank(letters, after.length);
  }
  const [from, to] = [before as number[], after as number[]];
  let result = '';
  for (const group of groups(from, to)) {
    result += groupLetters(
      letters.slice(...group.before),
      from.slice(...group.before),
      to.slice(...group.after),
    );
  }
  // Trailing axes of size 1 belong to no group.
  return result.padEnd(to.length, '?').slice(0, to.length);
};
