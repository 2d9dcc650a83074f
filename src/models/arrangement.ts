import type { Sizes } from '../graph/sizes.ts';
import type { Layer, LayerAxes, Rearrangement } from '../records/model.ts';
import { type Atom, type Axis, joinedAxis, letterOf, reachesAcross, sizeOfAxis } from './atoms.ts';
import { type Axes, lettersOf } from './axes.ts';

/** How a tensor is read as a layer. */
export type Arrangement = Pick<Layer, 'axes' | 'prefixTokens' | 'shape' | 'rearranged'>;

/** How a layer's axes are read (`LayerAxes`); a place in space is claimed only where the graph shows it. */
const axesOf = (inner: string): LayerAxes => {
  if (inner === 'CHW') return 'channel-row-column';
  if (inner === 'HWC') return 'row-column-channel';
  return inner === 'TC' ? 'token-channel' : 'channel';
};

const isImages = ({ letter }: Atom): boolean => letter === 'N';

const product = (sizes: Sizes): number => sizes.reduce<number>((all, size) => all * size!, 1);

const sizesOf = (atoms: Axis): number[] => atoms.map(({ size }) => size!);

/** A tensor that has one image after the other, each of this shape. */
const plain = (letters: string, shape: Sizes, prefix: number): Arrangement => {
  const axes = axesOf(letters);
  return { axes, prefixTokens: axes === 'token-channel' ? prefix : 0, shape, rearranged: null };
};

/** Parts of one axis, from the coarsest; `null` where they are of several, or leave the coarsest out. */
const ofOneRoot = (atoms: Axis): Axis | null => {
  const sorted = [...atoms].sort((a, b) => b.stride - a.stride);
  const [first] = sorted;
  if (first === undefined || !reachesAcross(first)) return null;
  return sorted.every(({ root }) => root === first.root) ? sorted : null;
};

/** Rows, columns and channels, or tokens and channels, from parts in any order; `null` where there is no such map. */
const mapOf = (
  atoms: Axis,
): { readonly axes: LayerAxes; readonly parts: readonly Axis[] } | null => {
  const of = (letter: string): Axis => atoms.filter((atom) => atom.letter === letter);
  const [rows, columns] = [ofOneRoot(of('H')), ofOneRoot(of('W'))];
  const [tokens, channels] = [of('T'), of('C')];
  const rest = atoms.length - channels.length;
  if (channels.length === 0) return null;
  if (rows !== null && columns !== null && rest === rows.length + columns.length) {
    return { axes: 'row-column-channel', parts: [rows, columns, channels] };
  }
  if (tokens.length === 1 && rest === 1 && reachesAcross(tokens[0]!)) {
    return { axes: 'token-channel', parts: [tokens, channels] };
  }
  return null;
};

/** Images first, and what belongs to each of them as a map, where it is one. */
const rearranged = (axes: readonly Axis[], prefix: number): Arrangement => {
  const all = joinedAxis(axes.flat());
  const place = all.findIndex(isImages);
  const atoms = all.filter((atom) => !isImages(atom));
  const map = mapOf(atoms);
  if (map !== null) {
    const split = sizesOf(all);
    split.splice(Math.max(0, place), place < 0 ? 0 : 1, -1);
    const images = Math.max(0, place);
    const at = (atom: Atom): number => {
      const index = atoms.indexOf(atom);
      return index < images ? index : index + 1;
    };
    return {
      axes: map.axes,
      prefixTokens: map.axes === 'token-channel' ? prefix : 0,
      shape: map.parts.map((part) => product(sizesOf(part))),
      rearranged: { split, order: [images, ...map.parts.flat().map(at)] },
    };
  }
  const shape = axes.flatMap((axis) => {
    const cut = axis.findIndex(isImages);
    const parts = cut < 0 ? [axis] : [axis.slice(0, cut), axis.slice(cut + 1)];
    return parts.map(sizeOfAxis).filter((size) => size !== 1);
  });
  const outer = product(sizesOf(all.slice(0, Math.max(0, place))));
  return { ...plain('', shape, 0), rearranged: imagesFirst(outer, product(shape) / outer) };
};

/** Element e of the tensor is of image ⌊e / inner⌋ mod N. */
export const imagesFirst = (outer: number, inner: number): Rearrangement =>
  outer === 1
    ? { split: [-1, inner], order: [0, 1] }
    : { split: [outer, -1, inner], order: [1, 0, 2] };

/** What a tensor's shape alone tells: the axis that has as many elements as images, or a multiple of them. */
const byShape = (letters: string, shape: Sizes, images: number, prefix: number): Arrangement => {
  const [first = null, ...inner] = shape;
  if (first === null || first === images) {
    return plain(first === null ? '' : letters.slice(1), inner, prefix);
  }
  const axis = shape.findIndex((size) => size !== null && size % images === 0);
  if (axis < 0 || shape.includes(null)) return plain('', [], 0);
  const many = shape[axis]! / images;
  const before = shape.slice(0, axis);
  const after = [...(many === 1 ? [] : [many]), ...shape.slice(axis + 1)];
  return {
    ...plain('', [...before, ...after], 0),
    rearranged: imagesFirst(product(before), product(after)),
  };
};

/**
 * How a tensor is read, from what its axes are made of. Rows, columns and tokens that lie in the axis of the images
 * (windows), before it, or in another order come into their places. What cannot be told is read without space, and
 * which rows are whose is then for a run to say (`rows.ts`).
 *
 * @param images as many as the axes were followed for.
 * @param shape of the tensor; null where only a run can tell.
 */
export const arrangementOf = (known: Axes, images: number, shape: Sizes | null): Arrangement => {
  const { axes, prefix } = known;
  if (shape === null) {
    const letters = lettersOf(known);
    return plain(letters.startsWith('N') ? letters.slice(1) : '', [], prefix);
  }
  const first = axes[0] ?? [];
  const leads = images === 1 ? first.length === 0 : letterOf(first) === 'N';
  const letters = lettersOf(known);
  if (leads || shape.includes(null)) {
    const read = plain(leads ? letters.slice(1) : '', shape.slice(1), prefix);
    if (read.axes !== 'channel' || shape.includes(null)) return read;
    const map = rearranged(axes, prefix);
    return map.axes === 'row-column-channel' ? map : read;
  }
  if (images > 1 && axes.flat().filter(isImages).length !== 1) {
    return byShape(letters, shape, images, prefix);
  }
  return rearranged(axes, prefix);
};
