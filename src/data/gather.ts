import { sizeOf } from '../numeric/array.ts';
import { toFloat64 } from '../numeric/convert.ts';
import type { ArrayData } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { TimeBin } from '../records/recording.ts';

/** Numbers that come in pieces, row-major. */
export type Blocks = AsyncIterable<ArrayData> | Iterable<ArrayData>;

/** For every index of one axis, what it adds to the place in the result; −1 leaves the index out. */
export type Offsets = Int32Array;

/** How numbers of one array go to their places in another. */
export interface Gathering {
  /** One per axis of the source, in its order. */
  readonly offsets: readonly Offsets[];
  /** Numbers in the result; those that nothing goes to are NaN. */
  readonly length: number;
  /** Whether the result may be float32: numbers in the source that are, and nothing is averaged. */
  readonly isSingle: boolean;
}

/** Offsets are 32-bit. */
const mostNumbers = 2 ** 31 - 1;

/** Input error where a response array is too long for us. */
export const checkLength = (shape: readonly number[], where: string): number => {
  const length = sizeOf(shape);
  if (length <= mostNumbers) return length;
  throw inputError({
    where,
    expected: `at most ${mostNumbers} responses`,
    got: `${length} (${shape.join(' × ')})`,
    mend: 'average over time bins, or take one area or fewer bins',
  });
};

/** Offsets of an axis that is taken as it is, or backwards. */
export const allOffsets = (size: number, stride: number, backwards = false): Offsets =>
  Int32Array.from({ length: size }, (_, i) => (backwards ? size - 1 - i : i) * stride);

/** How many indices of an axis go to each of its offsets. */
const multiplicities = (offsets: Offsets): Map<number, number> => {
  const counts = new Map<number, number>();
  for (const offset of offsets) {
    if (offset >= 0) counts.set(offset, (counts.get(offset) ?? 0) + 1);
  }
  return counts;
};

/** Calls `visit` for every place that something goes to, with the number of numbers that go there. */
const forEachPlace = (
  axes: readonly ReadonlyMap<number, number>[],
  visit: (place: number, count: number) => void,
): void => {
  const descend = (axis: number, place: number, count: number): void => {
    if (axis === axes.length) visit(place, count);
    else
      for (const [offset, times] of axes[axis]!) descend(axis + 1, place + offset, count * times);
  };
  descend(0, 0, 1);
};

const real = (block: ArrayData): ArrayData =>
  block instanceof BigInt64Array || block instanceof BigUint64Array
    ? toFloat64({ data: block, shape: [block.length] }).data
    : block;

/** Adds blocks to the result, one after the other. */
const createAdder = (
  offsets: readonly Offsets[],
  result: Float32Array | Float64Array,
): ((block: ArrayData) => void) => {
  const outer = offsets.slice(0, -1);
  const inner = offsets.at(-1)!;
  const index = outer.map(() => 0);
  let column = 0;
  const baseOf = (): number => {
    let base = 0;
    for (let axis = 0; axis < outer.length; axis++) {
      const offset = outer[axis]![index[axis]!]!;
      if (offset < 0) return -1;
      base += offset;
    }
    return base;
  };
  const advance = (): void => {
    column = 0;
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < outer[axis]!.length) return;
      index[axis] = 0;
    }
  };
  return (block) => {
    // Not BigInt any more, which the type cannot say.
    const numbers = real(block) as Float64Array;
    for (let at = 0; at < numbers.length; ) {
      const run = Math.min(inner.length - column, numbers.length - at);
      const base = baseOf();
      if (base >= 0) {
        for (let k = 0; k < run; k++) {
          const offset = inner[column + k]!;
          if (offset >= 0) result[base + offset]! += numbers[at + k]!;
        }
      }
      at += run;
      column += run;
      if (column === inner.length) advance();
    }
  };
};

/**
 * Brings numbers to their places, in one pass over the source: numbers that share a place are averaged (NaN if one of
 * them is), places without any are NaN.
 */
export const gather = async (
  blocks: Blocks,
  { offsets, length, isSingle }: Gathering,
  checkStop: () => void,
): Promise<Float32Array | Float64Array> => {
  const axes = offsets.map(multiplicities);
  const isAveraged = axes.some((axis) => [...axis.values()].some((count) => count > 1));
  const result = new (isSingle && !isAveraged ? Float32Array : Float64Array)(length).fill(
    Number.NaN,
  );
  forEachPlace(axes, (place) => {
    result[place] = 0;
  });
  const add = createAdder(offsets, result);
  for await (const block of blocks) {
    checkStop();
    add(block);
  }
  if (isAveraged) {
    forEachPlace(axes, (place, count) => {
      result[place]! /= count;
    });
  }
  return result;
};

/** When the samples of a time axis were taken: sample i is `[start + i·step, start + (i+1)·step)` ms. */
export interface TimeSampling {
  readonly start: number;
  readonly step: number;
}

/**
 * For every time span, which of `bins` it lies in, or −1. Input error: bins that overlap, that cut a span in two, or
 * that are not covered. `field` is that of the request that has the bins, null where none has.
 */
export const binIndices = (
  spans: readonly TimeBin[],
  bins: readonly TimeBin[],
  where: string,
  field: string | null = null,
): number[] => {
  const show = ({ start, end }: TimeBin): string => `${start}-${end}`;
  // Spans are often computed: a millionth of a millisecond is no matter.
  const near = 1e-6;
  const mend = 'give bins in ms that whole samples make up';
  const wrong = (expected: string, got: string) =>
    inputError({ code: 'bins-not-of-samples', field, where, expected, got, mend });
  bins.forEach((bin, index) => {
    const other = bins.findIndex(
      (each, at) => at < index && each.start < bin.end - near && bin.start < each.end - near,
    );
    if (other >= 0) {
      throw wrong('bins that do not overlap', `${show(bins[other]!)} and ${show(bin)}`);
    }
  });
  const indices = spans.map((span) =>
    bins.findIndex((bin) => span.start >= bin.start - near && span.end <= bin.end + near),
  );
  bins.forEach((bin, index) => {
    const inside = spans.filter((_, at) => indices[at] === index);
    const covered = inside.reduce((sum, span) => sum + span.end - span.start, 0);
    if (Math.abs(covered - (bin.end - bin.start)) <= near * Math.max(1, inside.length)) return;
    const first = spans[0];
    const last = spans.at(-1);
    const range = first === undefined ? 'none' : `${first.start} to ${last!.end} ms`;
    throw wrong(
      `${show(bin)} ms made up of whole samples`,
      `${covered} ms in ${inside.length} samples (all: ${range})`,
    );
  });
  return indices;
};

/** The spans of evenly spaced samples. */
export const evenSpans = ({ start, step }: TimeSampling, count: number): TimeBin[] =>
  Array.from({ length: count }, (_, index) => ({
    start: start + index * step,
    end: start + (index + 1) * step,
  }));
