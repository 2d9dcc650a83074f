import type { Sampling } from '../records/protocol.ts';
import { roundingOf } from './spread.ts';

/** How many adjacent channels are averaged into one feature: 3, else 4, where there are too many; else 1. */
export const channelGroup = (sampling: Sampling, channels: number): number => {
  if (sampling.kind !== 'feature-map' || sampling.averageChannelsAbove === null) return 1;
  if (channels <= sampling.averageChannelsAbove) return 1;
  if (channels % 3 === 0) return 3;
  return channels % 4 === 0 ? 4 : 1;
};

/**
 * The released code of [L23] on one image's resampled map, `[positions, channels]`: min-max over all positions and
 * channels jointly (a constant map becomes 0), then adjacent channels averaged in groups. Returns `[positions, channels / group]`.
 */
export const normaliseAndAverage = <Numbers extends Float32Array | Float64Array>(
  map: Numbers,
  positions: number,
  sampling: Sampling,
): Numbers => {
  if (sampling.kind !== 'feature-map') return map;
  const channels = map.length / positions;
  const group = channelGroup(sampling, channels);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of map) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const minMax = sampling.normalise === 'min-max';
  const offset = minMax ? low : 0;
  // What varies by rounding alone is a constant: stretched to 0 … 1 it would be noise.
  const flat = !(high - low > roundingOf(map) * Math.max(Math.abs(low), Math.abs(high)));
  const scale = minMax && !flat ? high - low : 1;
  const result = map.slice(0, map.length / group) as Numbers;
  for (let i = 0; i < result.length; i++) {
    let sum = 0;
    for (let k = 0; k < group; k++) sum += (map[i * group + k]! - offset) / scale;
    result[i] = sum / group;
  }
  return result;
};
