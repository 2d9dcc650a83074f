import type { Random } from '../numeric/random.ts';
import type { Agreement } from '../records/alignment.ts';
import type { Float32Nd } from '../records/array.ts';
import { agreementOf, meanAgreement, rankedMap } from './agreement.ts';

const sumOf = (maps: readonly Float32Nd[], chosen: Int32Array): Float32Array => {
  const sums = new Float64Array(maps[0]!.data.length);
  for (const index of chosen) {
    const { data } = maps[index]!;
    for (let i = 0; i < sums.length; i++) sums[i]! += data[i]!;
  }
  return new Float32Array(sums);
};

/**
 * How well half of the people predict the other half on one image: their maps, all of one size, are summed within two
 * random halves (of an odd number one is left out) and the sums compared; mean over `splits`. Null figures where no
 * split gives one, as with fewer than two people.
 */
export const splitSubjects = (
  maps: readonly Float32Nd[],
  splits: number,
  percentile: number,
  random: Random,
): Agreement => {
  const half = Math.floor(maps.length / 2);
  if (half === 0) return { spearman: null, dice: null, iou: null };
  const agreements = Array.from({ length: splits }, () => {
    const order = random.permutation(maps.length);
    const [first, second] = [order.subarray(0, half), order.subarray(half, 2 * half)];
    return agreementOf(
      rankedMap(sumOf(maps, first), percentile),
      rankedMap(sumOf(maps, second), percentile),
    );
  });
  return meanAgreement(agreements);
};
