import type { Float64Nd } from '../records/array.ts';

/** Values whose largest lies between these are taken as they are. */
const PLAIN = [2 ** -16, 2 ** 32] as const;

/**
 * 1, or for values of which the largest is very small or very large the power of two below it: dividing by it rounds
 * nothing. NaN does not count.
 */
export const unitOf = (values: Float64Array | Float32Array): number => {
  let largest = 0;
  for (let k = 0; k < values.length; k++) {
    const size = Math.abs(values[k]!);
    if (size > largest) largest = size;
  }
  if (largest === 0 || (largest >= PLAIN[0] && largest <= PLAIN[1])) return 1;
  return 2 ** Math.max(-1022, Math.floor(Math.log2(largest)));
};

/** An array whose last axis is sites (NaN: missing), each site divided by its unit; itself where all are 1. */
export const inUnitsOfSites = ({ data, shape }: Float64Nd): Float64Nd => {
  const sites = shape.at(-1)!;
  const units = Float64Array.from({ length: sites }, (_, site) => {
    const own = new Float64Array(data.length / sites);
    for (let row = 0; row < own.length; row++) own[row] = data[row * sites + site]!;
    return unitOf(own);
  });
  if (units.every((unit) => unit === 1)) return { data, shape };
  return { data: data.map((value, at) => value / units[at % sites]!), shape };
};
