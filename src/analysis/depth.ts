import type { LayerPlace } from '../records/activations.ts';

/** Relative depth of `count` layers in order: 0 for the first, 1 for the last. */
export const relativeDepths = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => (count === 1 ? 0 : index / (count - 1)));

/** Relative depth in the network: 0 its first layer, 1 its last, whichever were scored; null where a place is not known. */
export const networkDepths = (places: readonly (LayerPlace | null)[]): number[] | null => {
  const depths = places.flatMap((place) =>
    place === null ? [] : [place.of > 1 ? place.index / (place.of - 1) : 0],
  );
  return depths.length === places.length ? depths : null;
};

/** Index of the highest value, the first of equals; −1 where none is defined. */
export const peakOf = (values: ArrayLike<number>): number => {
  let best = -1;
  for (let index = 0; index < values.length; index++) {
    if (Number.isNaN(values[index]!)) continue;
    if (best < 0 || values[index]! > values[best]!) best = index;
  }
  return best;
};

/**
 * Mean depth weighted by v − min v: steadier than the peak, which jumps between layers that score nearly alike, and
 * the same whatever constant all layers share. Undefined values do not weigh. NaN of a flat profile.
 */
export const centreOfMass = (values: ArrayLike<number>, depths: readonly number[]): number => {
  const there = Array.from(values).filter((value) => !Number.isNaN(value));
  const least = Math.min(...there);
  let weights = 0;
  let sum = 0;
  depths.forEach((depth, index) => {
    const weight = values[index]! - least;
    if (Number.isNaN(weight)) return;
    weights += weight;
    sum += weight * depth;
  });
  return weights > 0 ? sum / weights : Number.NaN;
};
