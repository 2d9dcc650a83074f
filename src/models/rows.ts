// Which elements of a layer belong to which image. The graph says so where it can be followed (`arrangement.ts`); a run
// has the last word: a row must hold what its image gives alone, or move when its image is changed and with no other.

import { createRandom } from '../numeric/random.ts';
import type { Float32Nd, NdArray } from '../records/array.ts';
import type { Layer, Preprocessing } from '../records/model.ts';
import { imagesFirst } from './arrangement.ts';
import { channelCount } from './preprocess.ts';

/** Element e of a tensor is of image ⌊e / inner⌋ mod N; `outer` such runs of elements make an image. */
export interface ImagePlace {
  readonly outer: number;
  readonly inner: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** Noise of full contrast in the place of an image: what it does not move hardly depends on images at all. */
export const noiseLike = (
  { data, shape }: Float32Nd,
  { scale, mean, std, channels }: Preprocessing,
  layout: 'NCHW' | 'NHWC',
): Float32Nd => {
  const random = createRandom('rows');
  const count = channelCount({ channels });
  const channelAt = (index: number): number =>
    layout === 'NHWC' ? index % count : Math.floor(index / (data.length / count)) % count;
  return {
    data: Float32Array.from(data, (_, index) => {
      const channel = channelAt(index);
      return (255 * random.next() * scale - mean[channel]!) / std[channel]!;
    }),
    shape,
  };
};

/** What the graph says of a tensor of this shape; `null` where the shape contradicts it. */
const placeByGraph = (
  { rearranged }: Layer,
  shape: readonly number[],
  images: number,
): ImagePlace | null => {
  const total = product(shape);
  if (rearranged === null) {
    return shape[0] === images ? { outer: 1, inner: total / images } : null;
  }
  const { split } = rearranged;
  const at = split.indexOf(-1);
  const place = { outer: product(split.slice(0, at)), inner: product(split.slice(at + 1)) };
  return place.outer * place.inner * images === total ? place : null;
};

/** Every place that the axes of a tensor allow: an axis holds the images and perhaps a multiple of them. */
const placesOf = (shape: readonly number[], images: number): ImagePlace[] => {
  const total = product(shape);
  const inners = shape.flatMap((size, axis) => {
    if (size % images !== 0) return [];
    const many = size / images;
    const within = product(shape.slice(axis + 1));
    const divisors = Array.from({ length: many }, (_, k) => k + 1).filter((k) => many % k === 0);
    return divisors.map((divisor) => divisor * within);
  });
  return [...new Set(inners)]
    .sort((a, b) => b - a)
    .map((inner) => ({ outer: total / images / inner, inner }));
};

/** A thousandth of what images change, or rounding in sums whose order depends on the batch. */
const tolerance = (spread: number, largest: number): number =>
  Math.max(1e-3 * spread, 2e-6 * largest);

interface Comparison {
  /** Largest difference where there should be none. */
  readonly error: number;
  readonly tolerance: number;
}

// NaN (from a layer that is not finite) compares false and is reported where features are read.
const agrees = ({ error, tolerance: limit }: Comparison): boolean => !(error > limit);

/** A batch of two against what each of them gives alone. */
const comparePair = (
  { data: pair }: NdArray,
  [{ data: first }, { data: second }]: readonly [NdArray, NdArray],
  { inner }: ImagePlace,
): Comparison => {
  let [error, spread, largest] = [0, 0, 0];
  for (let e = 0; e < first.length; e++) {
    const at = e + Math.floor(e / inner) * inner;
    const [a, b] = [Number(first[e]!), Number(second[e]!)];
    error = Math.max(
      error,
      Math.abs(Number(pair[at]!) - a),
      Math.abs(Number(pair[at + inner]!) - b),
    );
    spread = Math.max(spread, Math.abs(a - b));
    largest = Math.max(largest, Math.abs(a), Math.abs(b));
  }
  return { error, tolerance: tolerance(spread, largest) };
};

/** A batch against the same with one image changed: outside the rows of that image nothing may move. */
const compareChanged = (
  [{ data: before }, { data: after }]: readonly [NdArray, NdArray],
  images: number,
  changed: number,
  { inner }: ImagePlace,
): Comparison => {
  let [error, spread, largest] = [0, 0, 0];
  for (let e = 0; e < before.length; e++) {
    const value = Number(before[e]!);
    const moved = Math.abs(Number(after[e]!) - value);
    largest = Math.max(largest, Math.abs(value));
    if (Math.floor(e / inner) % images === changed) spread = Math.max(spread, moved);
    else error = Math.max(error, moved);
  }
  return { error, tolerance: tolerance(spread, largest) };
};

const findPlace = (
  layer: Layer,
  shape: readonly number[],
  images: number,
  compare: (place: ImagePlace) => Comparison,
): ImagePlace | null => {
  const told = placeByGraph(layer, shape, images);
  if (told !== null && agrees(compare(told))) return told;
  return placesOf(shape, images).find((place) => agrees(compare(place))) ?? null;
};

/**
 * Where the rows of two images lie in a layer's tensor `pair`, by what each gives `alone` in a batch of one; `null`
 * where no rows hold that: the layer mixes its images, or the export has a batch of one in its constants.
 */
export const placeInPair = (
  layer: Layer,
  pair: NdArray,
  alone: readonly [NdArray, NdArray],
): ImagePlace | null =>
  pair.data.length !== 2 * alone[0].data.length
    ? null
    : findPlace(layer, pair.shape, 2, (place) => comparePair(pair, alone, place));

/**
 * Where the rows of images lie in a layer's tensor of a network of a fixed batch, by a run and another in which the image at `changed` is a different one;
 * `null` where rows of other images move with it.
 */
export const placeInBatch = (
  layer: Layer,
  runs: readonly [NdArray, NdArray],
  images: number,
  changed: number,
): ImagePlace | null =>
  findPlace(layer, runs[0].shape, images, (place) => compareChanged(runs, images, changed, place));

/** In a batch of one, everything is that image's. */
export const placeAlone = ({ data }: NdArray): ImagePlace => ({ outer: 1, inner: data.length });

/**
 * The layer as it is read where its rows lie at `place` of a tensor of this shape (`images` in a batch). Where the graph
 * put them elsewhere, nothing is known of its map.
 */
export const settled = (
  layer: Layer,
  shape: readonly number[],
  images: number,
  place: ImagePlace,
): Layer => {
  const told = placeByGraph(layer, shape, images);
  const { rearranged } = layer;
  const ofThisRank =
    layer.axes === 'channel' || rearranged !== null || layer.shape.length === shape.length - 1;
  const fits = images === 1 || (told?.inner === place.inner && told.outer === place.outer);
  if (told !== null && fits && ofThisRank) {
    return rearranged === null ? { ...layer, shape: shape.slice(1) } : layer;
  }
  return {
    ...layer,
    axes: 'channel',
    prefixTokens: 0,
    shape: place.outer === 1 ? [place.inner] : [place.outer, place.inner],
    rearranged: imagesFirst(place.outer, place.inner),
  };
};
