// What the axes of a tensor are made of, and what becomes of them when it is reshaped. The axes of a network are split,
// permuted and joined (windows, heads, strided merging); what they are made of stays the same, and says where it went.

/**
 * A part of an axis. `letter` says of what: `N` images, `C` channels, `H` rows, `W` columns, `T` tokens, `?` unknown.
 * An axis that is split has parts of one `root`; a step on a part is `stride` steps on the root, which has `extent`.
 * A size that is not known makes the part a whole axis.
 */
export interface Atom {
  readonly letter: string;
  readonly root: number;
  readonly stride: number;
  readonly size: number | null;
  readonly extent: number | null;
}

/** Parts from the outermost to the innermost, none of size 1: an axis of size 1 has none. */
export type Axis = readonly Atom[];

/** Makes an axis that comes from no other. */
export type Fresh = (letter: string, size: number | null) => Axis;

export const freshAxes = (): Fresh => {
  let root = 0;
  return (letter, size) =>
    size === 1 ? [] : [{ letter, root: ++root, stride: 1, size, extent: size }];
};

export const sizeOfAxis = (axis: Axis): number | null =>
  axis.reduce<number | null>(
    (product, { size }) => (product === null || size === null ? null : product * size),
    1,
  );

const follows = (outer: Atom, inner: Atom): boolean =>
  outer.root === inner.root && inner.size !== null && outer.stride === inner.stride * inner.size;

/** Neighbouring parts that were one become one again. */
export const joinedAxis = (axis: Axis): Axis => {
  const joined: Atom[] = [];
  for (const atom of axis) {
    const last = joined.at(-1);
    if (last !== undefined && last.size !== null && follows(last, atom)) {
      joined[joined.length - 1] = { ...atom, size: last.size * atom.size! };
    } else joined.push(atom);
  }
  return joined;
};

/** Whether parts reach from one end of their root to the other, if in coarser steps. */
export const reachesAcross = ({ stride, size, extent }: Atom): boolean =>
  size === null || extent === null || stride * size === extent;

/** One letter for an axis: rows and columns behind each other are tokens, channels with anything but images channels. */
export const letterOf = (axis: Axis): string => {
  const letters = axis.map(({ letter }) => letter).join('');
  if (axis.length === 1) return letters === 'C' || reachesAcross(axis[0]!) ? letters : '?';
  if (letters === 'HW') return axis.every(reachesAcross) ? 'T' : '?';
  return letters.includes('C') && !letters.includes('N') ? 'C' : '?';
};

interface Group {
  /** Axes `[from, to)` of the tensor before and after reshaping, of equal size in all. */
  readonly before: readonly [from: number, to: number];
  readonly after: readonly [from: number, to: number];
}

/** Splits two shapes of equal size, row-major, into the smallest groups of axes that correspond. */
const groupsOf = (before: readonly number[], after: readonly number[]): Group[] => {
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

/** The parts dealt out to axes of these sizes; `null` where a border falls into the middle of a part. */
const dealt = (atoms: Axis, sizes: readonly number[]): Axis[] | null => {
  const open = [...atoms];
  const axes: Axis[] = [];
  for (const size of sizes) {
    const axis: Atom[] = [];
    for (let need = size; need > 1; ) {
      const atom = open.shift();
      if (atom === undefined || atom.size === null) return null;
      if (need % atom.size === 0) {
        axis.push(atom);
        need /= atom.size;
      } else if (atom.size % need === 0) {
        const rest = atom.size / need;
        axis.push({ ...atom, stride: atom.stride * rest, size: need });
        open.unshift({ ...atom, size: rest });
        need = 1;
      } else return null;
    }
    axes.push(joinedAxis(axis));
  }
  return axes;
};

const large = (sizes: readonly number[]): number => sizes.filter((size) => size > 1).length;

/** Tokens unfolded into two axes are rows and columns. */
const unfolded = (atoms: Axis, sizes: readonly number[], fresh: Fresh): Axis[] | null => {
  if (atoms.length !== 1 || letterOf(atoms) !== 'T' || large(sizes) !== 2) return null;
  let letter = 'W';
  return sizes.map((size) => {
    if (size > 1) letter = letter === 'W' ? 'H' : 'W';
    return fresh(letter, size);
  });
};

/**
 * The axes of a reshaped tensor, all sizes known; what cannot be told is `?`.
 *
 * @param grid whether a tensor's tokens, all of them, may be a grid of rows and columns.
 */
export const regrouped = (
  axes: readonly Axis[],
  before: readonly number[],
  after: readonly number[],
  grid: boolean,
  fresh: Fresh,
): Axis[] => {
  const result = after.map((size) => fresh('?', size));
  for (const group of groupsOf(before, after)) {
    const atoms = joinedAxis(axes.slice(...group.before).flat());
    const sizes = after.slice(...group.after);
    const parts = (grid ? unfolded(atoms, sizes, fresh) : null) ?? dealt(atoms, sizes);
    if (parts !== null) result.splice(group.after[0], parts.length, ...parts);
  }
  return result;
};
