import type { OnnxNode } from '../../src/graph/graph.ts';

// Arrays of the reference interpreter: float64, indexed one element at a time. Written to be read, not to be fast.

export interface Dense {
  readonly data: Float64Array;
  readonly shape: readonly number[];
}

export type Index = readonly number[];

/** What an operation of the interpreter is given beside its inputs. */
export interface Setting {
  readonly opset: number;
  /** Reports how far a value lies from a point where the operation's derivative jumps. */
  readonly near: (distance: number) => void;
}

export type Operation = (
  inputs: readonly (Dense | undefined)[],
  node: OnnxNode,
  setting: Setting,
) => readonly Dense[];

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Calls `visit` with every index of a shape, the last axis fastest; the index is one array, changed in place. */
export const everyIndex = (shape: readonly number[], visit: (index: Index) => void): void => {
  const index = shape.map(() => 0);
  for (let count = product(shape); count > 0; count--) {
    visit(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
};

/** An array of which each element is what `value` makes of its index, and of its place among the elements. */
export const build = (
  shape: readonly number[],
  value: (index: Index, place: number) => number,
): Dense => {
  const data = new Float64Array(product(shape));
  let at = 0;
  everyIndex(shape, (index) => {
    data[at] = value(index, at);
    at++;
  });
  return { data, shape: [...shape] };
};

export const at = ({ data, shape }: Dense, index: Index): number => {
  let place = 0;
  for (let axis = 0; axis < shape.length; axis++) place = place * shape[axis]! + index[axis]!;
  return data[place]!;
};

/** The element that stands at an index of a shape to which the array is repeated. */
export const repeatedAt = ({ data, shape }: Dense, index: Index): number => {
  const offset = index.length - shape.length;
  let place = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis]!;
    place = place * size + (size === 1 ? 0 : index[axis + offset]!);
  }
  return data[place]!;
};

export const commonShape = (shapes: readonly (readonly number[])[]): number[] => {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)),
  );
};

export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const integers = ({ data }: Dense): number[] => Array.from(data);

/** Groups of elements that are summarised together: those whose index agrees in what `key` makes of it. */
export const grouped = <Summary>(
  x: Dense,
  key: (index: Index) => number,
  summarise: (values: readonly number[]) => Summary,
): ((index: Index) => Summary) => {
  const groups = new Map<number, number[]>();
  everyIndex(x.shape, (index) => {
    const own = key(index);
    const values = groups.get(own);
    if (values === undefined) groups.set(own, [at(x, index)]);
    else values.push(at(x, index));
  });
  const summaries = new Map([...groups].map(([own, values]) => [own, summarise(values)]));
  return (index) => summaries.get(key(index))!;
};

/** A key that counts the axes outside `axes`. */
export const keyWithout =
  (shape: readonly number[], axes: ReadonlySet<number>) =>
  (index: Index): number => {
    let key = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      if (!axes.has(axis)) key = key * shape[axis]! + index[axis]!;
    }
    return key;
  };

export const int = ({ attributes }: OnnxNode, name: string, otherwise: number): number => {
  const value = attributes?.[name];
  return value !== undefined && 'int' in value ? value.int : otherwise;
};
export const ints = ({ attributes }: OnnxNode, name: string): readonly number[] | null => {
  const value = attributes?.[name];
  return value !== undefined && 'ints' in value ? value.ints : null;
};
export const float = ({ attributes }: OnnxNode, name: string, otherwise: number): number => {
  const value = attributes?.[name];
  return value !== undefined && 'float' in value ? value.float : otherwise;
};
export const text = ({ attributes }: OnnxNode, name: string, otherwise: string): string => {
  const value = attributes?.[name];
  return value !== undefined && 'string' in value ? value.string : otherwise;
};
